import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CampaignCall, LiveReader } from '../core/index.js';
import type { FirstOperator } from '../trust/client-operations.js';
import type { DatabasePlace, ArchiveManifest, ArchiveProgress, AuditVerification } from '../database/index.js';
import { backupPlatform } from '../database/index.js';
import type { PlatformOptions, RunningPlatform } from '../start-platform.js';
import { startPlatform } from '../start-platform.js';
import { openPlatformHome } from './platform-home.js';
import type { PlatformHome } from './platform-home.js';
import { openedArea, referenceAreas } from './reference-areas.js';
import type { OpenedAreas, ReferenceSettings } from './reference-areas.js';

/** Settings of {@link startReferencePlatform}. */
export interface ReferencePlatformOptions
  extends Omit<PlatformOptions, 'areas' | 'keyRing' | 'database'>, ReferenceSettings {
  /**
   * Folder of keys, live records, audit, files and the embedded database: of this process alone. Default one for temporary files, which is
   * removed with the platform.
   */
  readonly directory?: string;
  /** Default PGlite within `directory`. */
  readonly database?: DatabasePlace;
}

/** A reference platform that listens. */
export interface ReferencePlatform extends RunningPlatform {
  readonly home: PlatformHome;
  /** Key set that receipts are verified with, as JWK. */
  readonly receiptKeys: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /**
   * Writes an archive of everything but the keys, while the platform runs.
   * @param archive - a folder that is not there, or is empty
   * @throws HopbackError `invalid-argument` (`reason: 'not-empty'`), `storage-failed`
   */
  readonly backup: (archive: string, onProgress?: (progress: ArchiveProgress) => void) => Promise<ArchiveManifest>;
  /**
   * Checks every signature of the audit, and every entry against it. Entries are brought to the log again afterwards.
   * @param heldCheckpoints - signed notes that were kept elsewhere: they show what was cut off
   * @throws HopbackError `invalid-argument` for a checkpoint that is not one of this audit; `storage-failed`
   */
  readonly verifyAudit: (heldCheckpoints?: readonly string[]) => Promise<AuditVerification>;
  /**
   * Which calls detection has put into a campaign, by record or report: for whoever knows which belong to it, and tests that. No route shows them.
   * @param limit - at most so many, the newest
   */
  readonly campaignCalls: (campaignId: string, limit: number) => Promise<readonly CampaignCall[]>;
  /** How many different records of a carrier it has, of calls of a stretch of time, `fromMs` in it and `toMs` not. No route shows them. */
  readonly recordCount: (
    providerId: string,
    range: { readonly fromMs: number; readonly toMs: number },
  ) => Promise<number>;
}

/** The same with its areas: what is within one platform, and may change with every release. */
export interface ReferenceWithAreas extends ReferencePlatform {
  readonly opened: OpenedAreas;
}

/** Client of the first operator, where no other is stated. */
export const FIRST_OPERATOR_CLIENT = 'itg-operator';

/**
 * Starts the whole reference platform: ingest, campaigns, tracebacks, providers, alerts, demands and the audit, on embedded engines where no server
 * is named. It may be ended at any instant and started anew on its folder: what it acknowledged is there.
 * @param options - where it is kept, and how it is reached
 * @returns the platform, listening; to be closed, or taken with `await using`
 * @throws HopbackError as {@link startPlatform}; `key-unusable` for keys that others may read; `unavailable` where `@duckdb/node-api` is missing
 * @see docs/decisions/0016-areas-of-the-platform.md
 * @example
 * ```ts
 * await using platform = await startReferencePlatform();
 * const response = await fetch(`${platform.url}/readyz`);
 * console.log(response.status); // 200
 * ```
 */
export function startReferencePlatform(options: ReferencePlatformOptions = {}): Promise<ReferencePlatform> {
  return startReferenceWithAreas(options);
}

/** As {@link startReferencePlatform}, for whoever looks at areas. */
export async function startReferenceWithAreas(options: ReferencePlatformOptions = {}): Promise<ReferenceWithAreas> {
  const isTemporary = options.directory === undefined;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'hopback-platform-')));
  const removed = async (): Promise<void> => {
    if (isTemporary) await rm(directory, { recursive: true, force: true });
  };
  try {
    const home = await openPlatformHome(directory);
    const platform = await startPlatform({
      firstOperator: firstOperatorOf(home),
      ...options,
      database: options.database ?? { directory: home.folders.database },
      keyRing: home.keyRing,
      areas: referenceAreas(home, options),
    });
    let closing: Promise<void> | undefined;
    const closed = async (): Promise<void> => {
      try {
        await platform.close();
      } finally {
        await removed();
      }
    };
    const close = (): Promise<void> => (closing ??= closed());
    const { database, context, areas } = platform;
    const opened: OpenedAreas = {
      providers: openedArea(areas, 'providers'),
      records: openedArea(areas, 'records'),
      tracebacks: openedArea(areas, 'tracebacks'),
      campaigns: openedArea(areas, 'campaigns'),
      demands: openedArea(areas, 'demands'),
      audit: openedArea(areas, 'audit'),
    };
    return {
      ...platform,
      home,
      opened,
      receiptKeys: { keys: [receiptJwk(home)] },
      close,
      [Symbol.asyncDispose]: close,
      campaignCalls: (campaignId, limit) => opened.campaigns.reader.calls(context.database, campaignId, { limit }),
      recordCount: (providerId, range) => countRecords(opened.records.reader, providerId, range),
      verifyAudit: (heldCheckpoints) => opened.audit.log.verify(heldCheckpoints),
      backup: (archive, onProgress) => {
        const { live, files } = home.folders;
        const pausing = { folders: { live }, whilePaused: opened.records.whilePaused };
        return backupPlatform(
          {
            database,
            audit: opened.audit.log,
            pausing,
            folders: { files },
            clock: context.clock,
          },
          archive,
          onProgress,
        );
      },
    };
  } catch (error) {
    await removed();
    throw error;
  }
}

/** Records of one look-up. */
const RECORDS_PAGE = 50_000;

/** Counts page by page: the last millisecond of one begins the next. */
async function countRecords(
  reader: LiveReader,
  providerId: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<number> {
  const ids = new Set<string>();
  for (let nextMs = fromMs; nextMs < toMs;) {
    const range = { fromMs: nextMs, toMs, providerIds: [providerId], limit: RECORDS_PAGE };
    const { records, isCut } = await reader.find(range);
    for (const { record } of records) ids.add(record.recordId);
    const last = records.at(-1);
    if (!isCut || last === undefined) break;
    nextMs = Math.max(nextMs + 1, Math.floor(last.record.inviteAtUs / 1_000));
  }
  return ids.size;
}

function firstOperatorOf({ operatorKey: { keyId, privateKey } }: PlatformHome): FirstOperator {
  return {
    clientId: FIRST_OPERATOR_CLIENT,
    jwk: { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: keyId },
  };
}

function receiptJwk({ receiptKey: { keyId, privateKey } }: PlatformHome): Readonly<Record<string, unknown>> {
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: keyId, alg: 'ES256', use: 'sig' };
}
