import { printableText } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { bearerToken } from '../../platform/index.js';
import type { RequestAuthorization } from '../../platform/index.js';
import { DEFAULT_SHARING_POLICY, readSharingPolicy } from '../../records/index.js';
import { SHARING_LEVELS } from '../../records/redaction/sharing-policy.js';
import type { SharingPolicyData } from '../../records/index.js';

/** Longest path that a message repeats. */
const MAX_PATH_CHARS = 200;

/**
 * The token of a file. One that is refused is read again: whoever renews tokens writes there.
 * @param read - reads a file with a secret
 * @throws {@link HopbackError} `key-unusable` when it holds no token; those of `read`
 */
export async function fileToken(path: string, read: (path: string) => Promise<string>): Promise<RequestAuthorization> {
  const tokenIn = async (): Promise<RequestAuthorization> => {
    const token = (await read(path)).trim();
    try {
      return bearerToken(token);
    } catch (cause) {
      throw new HopbackError('key-unusable', `${printableText(path, MAX_PATH_CHARS)} holds no bearer token`, { cause });
    }
  };
  let authorization = await tokenIn();
  let isRefused = false;
  return {
    async fields(request, signal) {
      if (isRefused) authorization = await tokenIn();
      isRefused = false;
      return authorization.fields(request, signal);
    },
    refused: () => void (isRefused = true),
  };
}

/** @param where - the key is, for the message @throws {@link HopbackError} `key-unusable` */
export function pseudonymKey(text: string, where: string): Uint8Array {
  if (/^(?:[0-9a-fA-F]{2}){32,1024}$/.test(text.trim())) return Buffer.from(text.trim(), 'hex');
  throw new HopbackError('key-unusable', `${where} must have 64 hexadecimal digits or more: openssl rand -hex 32`);
}

/**
 * What may be sent: the default policy with the level that is named, or the policy of a file.
 * @param readJson - reads that file
 * @throws {@link HopbackError} as `readSharingPolicy`, and those of `readJson`
 */
export async function sharingPolicyData(
  given: string,
  readJson: (path: string) => Promise<unknown>,
): Promise<SharingPolicyData> {
  const share = SHARING_LEVELS.find((level) => level === given);
  if (share === undefined)
    return readSharingPolicy(await readJson(given), { at: printableText(given, MAX_PATH_CHARS) });
  if (share === DEFAULT_SHARING_POLICY.share) return DEFAULT_SHARING_POLICY;
  return { ...DEFAULT_SHARING_POLICY, id: `${DEFAULT_SHARING_POLICY.id}-${share}`, share };
}
