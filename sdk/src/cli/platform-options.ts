import { bearerToken, createHttpsRecordTransport } from '../platform/index.js';
import type { RecordTransport, RequestAuthorization } from '../platform/index.js';
import { HopbackError } from '../errors.js';
import { textFile } from './certificate-options.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { secretFile } from './secret-file.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

export type PlatformOption = 'platform' | 'token-file' | 'platform-ca';

/** Whom records go to. */
export const PLATFORM_OPTIONS: OptionSpecs<PlatformOption> = {
  platform: {
    value: 'URL',
    env: 'HOPBACK_PLATFORM',
    text: 'where batches of records are posted; without it nothing leaves',
  },
  'token-file': {
    value: 'FILE',
    env: 'HOPBACK_TOKEN_FILE',
    text: 'file with the bearer token; read again when the platform refuses it',
  },
  'platform-ca': { value: 'FILE', text: 'PEM certificate that vouches for the platform, instead of the public ones' },
};

/**
 * The way to the platform; undefined where none is named.
 * @throws {@link UsageError} when the token is missing; {@link HopbackError} when URL, token or certificate cannot be
 */
export async function transportOf(options: Options<PlatformOption>, io: CliIo): Promise<RecordTransport | undefined> {
  const url = options.text('platform');
  const file = options.text('token-file');
  const caFile = options.text('platform-ca');
  if (url === undefined) return undefined;
  if (file === undefined) throw new UsageError('--platform needs --token-file FILE');
  const ca = caFile === undefined ? undefined : await textFile(caFile, io);
  const authorization = await fileToken(file, io);
  return createHttpsRecordTransport({ url, authorization, ...(ca === undefined ? {} : { ca }) });
}

/** The token of a file. One that is refused is read again: whoever renews tokens writes there. */
export async function fileToken(path: string, io: CliIo): Promise<RequestAuthorization> {
  let authorization = await tokenIn(path, io);
  let isRefused = false;
  return {
    async fields(request, signal) {
      if (isRefused) authorization = await tokenIn(path, io);
      isRefused = false;
      return authorization.fields(request, signal);
    },
    refused: () => void (isRefused = true),
  };
}

async function tokenIn(path: string, io: CliIo): Promise<RequestAuthorization> {
  const token = await secretFile(path, io);
  try {
    return bearerToken(token);
  } catch (cause) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds no bearer token`, { cause });
  }
}
