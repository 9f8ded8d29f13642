import { HopbackError } from '../../errors.js';
import type { Clock } from '../../core/runtime/clock.js';
import { bearerToken, createHttpsRecordTransport } from '../../platform/index.js';
import type { RequestAuthorization } from '../../platform/index.js';
import {
  createSharingPolicy,
  DEFAULT_SHARING_POLICY,
  openRecordIntake,
  readSharingPolicy,
  readSourceConfiguration,
  SHARING_LEVELS,
} from '../../records/index.js';
import type { RecordIntake, RecordIntakeOptions, SharingPolicyData, SourceConfiguration } from '../../records/index.js';
import type { RecordsConfiguration } from '../config/configuration.js';
import { HTTP_RECORDS_SOURCE } from '../intake/index.js';
import { pathFrom, readSecretFile, readTextFile } from '../services/files.js';
import type { OnNotice } from '../services/notice.js';
import { readJsonFile } from './json-file.js';

/** What records are opened with. */
export interface OpenRecordsOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly onNotice: OnNotice;
}

/**
 * Opens the intake of records that a configuration describes.
 * @throws {@link HopbackError} for a source, key, policy or folder that cannot be used
 */
export async function openRecords(records: RecordsConfiguration, options: OpenRecordsOptions): Promise<RecordIntake> {
  const { directory, clock, onNotice } = options;
  const platform = records.platform && (await recordPlatform(records.platform, directory));
  return openRecordIntake({
    directory: pathFrom(directory, records.directory),
    sources: await recordSources(records, directory),
    clock,
    ...(records.retentionDays !== undefined && { retentionDays: records.retentionDays }),
    ...(platform !== undefined && { platform }),
    onNotice(notice) {
      if (notice.kind === 'expired') {
        onNotice({
          level: 'info',
          part: 'records',
          text: `${String(notice.records)} were older than ${String(notice.days)} days`,
        });
        return;
      }
      const level = notice.kind === 'listening' || notice.kind === 'resumed' ? 'info' : 'warn';
      onNotice({ level, part: 'records', text: `${notice.source}: ${notice.detail}` });
    },
  });
}

/**
 * Sources of a configuration, and the one that records of our own form are sent to.
 * @throws {@link HopbackError} for one that cannot be
 */
export async function recordSources(
  { sources }: RecordsConfiguration,
  directory: string,
): Promise<readonly SourceConfiguration[]> {
  const declared = await Promise.all(
    sources.map(async (file) => readSourceConfiguration(await readJsonFile(pathFrom(directory, file)))),
  );
  return declared.some(({ id }) => id === HTTP_RECORDS_SOURCE.id) ? declared : [...declared, HTTP_RECORDS_SOURCE];
}

/**
 * Where records go, what may leave, and under whose name.
 * @throws {@link HopbackError} for a token, key, policy or certificate that cannot be used
 */
export async function recordPlatform(
  platform: NonNullable<RecordsConfiguration['platform']>,
  directory: string,
): Promise<NonNullable<RecordIntakeOptions['platform']>> {
  const { url, ca, tenant: tenantId, rotation: rotationId, sharing } = platform;
  const authorization = await fileToken(pathFrom(directory, platform.tokenFile));
  const key = pseudonymKey(await readSecretFile(pathFrom(directory, platform.pseudonymKey)));
  const data = await sharingData(sharing, directory);
  return {
    transport: createHttpsRecordTransport({
      ...{ url, authorization },
      ...(ca !== undefined && { ca: await readTextFile(pathFrom(directory, ca)) }),
    }),
    policy: createSharingPolicy({ data, key, rotationId, tenantId }),
    tenantId,
  };
}

/** The token of a file. One that is refused is read again: whoever renews tokens writes there. */
async function fileToken(path: string): Promise<RequestAuthorization> {
  let authorization = bearerToken((await readSecretFile(path)).trim());
  let isRefused = false;
  return {
    async fields(request, signal) {
      if (isRefused) authorization = bearerToken((await readSecretFile(path)).trim());
      isRefused = false;
      return authorization.fields(request, signal);
    },
    refused: () => void (isRefused = true),
  };
}

function pseudonymKey(text: string): Uint8Array {
  if (/^(?:[0-9a-fA-F]{2}){32,1024}$/.test(text.trim())) return Buffer.from(text.trim(), 'hex');
  throw new HopbackError('key-unusable', 'records.platform.pseudonymKey must have 64 hexadecimal digits or more');
}

async function sharingData(sharing: string, directory: string): Promise<SharingPolicyData> {
  const level = SHARING_LEVELS.find((known) => known === sharing);
  if (level === undefined) return readSharingPolicy(await readJsonFile(pathFrom(directory, sharing)), { at: sharing });
  if (level === DEFAULT_SHARING_POLICY.share) return DEFAULT_SHARING_POLICY;
  return { ...DEFAULT_SHARING_POLICY, id: `${DEFAULT_SHARING_POLICY.id}-${level}`, share: level };
}
