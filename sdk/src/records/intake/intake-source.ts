import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import { printableText } from '../../core/text.js';
import type { FollowNotice } from '../ingest/follow-turn.js';
import type { RejectReason } from '../ingest/record-reader.js';
import type { FollowStatistics } from '../ingest/follow-files.js';
import type { RecordStore } from '../store/record-store.js';

// Beside its records a store directory has what is kept of its sources: `follow/` how far files were read, `rejects/` rows that could not
// be read, `spool/` what waits for the platform.

/** Names that are safe on every file system as they are, also where case makes no difference. */
const SAFE_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const SHOWN_CHARS = 32;
const HASH_DIGITS = 16;

/**
 * The name of a source as part of a file name: itself where that is safe everywhere, else what is safe of it, and a hash that tells it
 * from all others.
 * @param sourceId - name of the source, any text
 * @returns 64 characters at most, of `a` to `z`, digits, `_`, `-` and, before a hash, `~`; never throws
 * @see {@link rejectsFile}
 * @example
 * ```ts
 * console.log(sourceFileName('pbx-1')); // pbx-1
 * console.log(sourceFileName('PBX 1').slice(0, 6)); // pbx_1~
 * ```
 */
export function sourceFileName(sourceId: string): string {
  if (SAFE_NAME.test(sourceId)) return sourceId;
  const shown = sourceId.toLowerCase().replace(/[^a-z0-9_-]/g, '_');
  const hash = createHash('sha256').update(sourceId).digest('hex').slice(0, HASH_DIGITS);
  // No safe name has a tilde: the two kinds never meet.
  return `${shown.slice(0, SHOWN_CHARS)}~${hash}`;
}

/** Where the places of a source are kept. */
export function followFolder(store: string, sourceId: string): string {
  return join(store, 'follow', sourceFileName(sourceId));
}

/** Where records wait for the platform, unless another folder is named. */
export function spoolFolder(store: string): string {
  return join(store, 'spool');
}

/**
 * Where the rejected rows of all sources of a store are.
 * @param store - directory of the store
 * @returns its path; never throws
 * @see {@link rejectsFile}
 * @example
 * ```ts
 * console.log(rejectsFolder('/var/lib/hopback')); // /var/lib/hopback/rejects
 * ```
 */
export function rejectsFolder(store: string): string {
  return join(store, 'rejects');
}

/**
 * The reject file of a source. An import has its own: it may run beside whoever takes the source in.
 * @param store - directory of the store
 * @param sourceId - name of the source
 * @param by - `tail` for what takes a source in as it comes, `import` for a run over files
 * @returns its path, for {@link RejectFile.open} and {@link readRejects}; never throws
 * @see {@link RecordIntake}
 * @example
 * ```ts
 * console.log(rejectsFile('/var/lib/hopback', 'pbx-1', 'tail')); // /var/lib/hopback/rejects/pbx-1.ndjson
 * ```
 */
export function rejectsFile(store: string, sourceId: string, by: 'tail' | 'import'): string {
  return join(rejectsFolder(store), `${sourceFileName(sourceId)}${by === 'import' ? '.import' : ''}.ndjson`);
}

/**
 * How one source fares. `waiting` are legs that wait for rows, calls that are up, or records that were sent and are not durable yet; `failures`
 * are looks, or batches for the store, that failed since the last that did not.
 */
export interface IntakeSourceState extends FollowStatistics {
  readonly id: string;
  /** Files that were lost or damaged since the start: rows of theirs may be missing. */
  readonly brokenFiles: number;
  /** Rejected rows that the disk did not take, and records that the store did not. */
  readonly lost: number;
}

/** What happened: at a source, to submitted records or to retention, or that records were removed for their age. */
export type IntakeNotice =
  | {
      readonly source: string;
      readonly kind: FollowNotice['kind'] | 'waiting-for-file' | 'listening';
      readonly path?: string;
      /** For people; without numbers of people. */
      readonly detail: string;
    }
  | {
      readonly kind: 'expired';
      readonly records: number;
      readonly days: number;
    };
export type IntakeSourceNotice = Exclude<IntakeNotice, { readonly kind: 'expired' }>;

/** Rows that are named to whoever sent them: enough to see what is wrong; all of them are in the reject file. */
export const MAX_PUSHED_REJECTS = 1_000;

/** What became of rows that were sent. */
export interface Pushed {
  readonly status: 'taken';
  /** Records that are new to the store, and durable. */
  readonly inserted: number;
  /** Records that were there already. */
  readonly repeated: number;
  /** Records older than retention, not stored. */
  readonly expired: number;
  /** Rows that are no legs, as it should be. */
  readonly skipped: number;
  /** Rows that could not be read. */
  readonly rejected: number;
  /** The first of them, 1,000 at most, in their order. */
  readonly rejects: readonly {
    /** Its line in what was sent, from 1. */
    readonly line: number;
    readonly reason: RejectReason;
    /** What is wrong, in the words of the format. */
    readonly field?: string;
    /** Why, for people; without numbers of people. */
    readonly detail: string;
  }[];
  /** Whether the reject file has every one of them; false where the disk refused. */
  readonly areRejectsKept: boolean;
}

/** A source that is taken in. */
export interface IntakeSource {
  readonly state: () => IntakeSourceState;
  /** Takes in what is there. */
  readonly look: () => Promise<void>;
  /** Takes in what is sent, where the source is one that is sent. */
  readonly push?: (octets: Uint8Array) => Promise<Pushed>;
  /** Ends; what was read is durable. */
  readonly close: () => Promise<void>;
}

/** Longest message of the system that a notice repeats. */
const MAX_CAUSE_CHARS = 200;

const DETAILS: Readonly<Record<FollowNotice['kind'], string>> = {
  truncated: 'is shorter than what was read of it, or other content: it is read from its beginning',
  lost: 'disappeared before it was read to its end, or rows that waited for others were lost',
  damaged: 'cannot be unpacked whole, so that rows may be missing or changed',
  'not-gzip': 'is not gzip, although its name says that it is packed: none of it is read',
  failed: 'could not be taken in, which is tried again',
  stuck: 'has something to take in and makes no progress',
  resumed: 'goes on again',
};

/** What a follower or listener tells, in words. */
export function sourceNotice(source: string, { kind, path, cause }: FollowNotice): IntakeSourceNotice {
  const why = cause instanceof Error ? `: ${printableText(cause.message, MAX_CAUSE_CHARS)}` : '';
  return { source, kind, ...(path === undefined ? {} : { path }), detail: `${DETAILS[kind]}${why}` };
}

/**
 * Makes a source known to a store, of which perhaps every row is rejected: from then on "not found" has to hold for it too. Nothing that the
 * store is complete for is taken away but the first microsecond of 1970.
 * @param store - where its records go
 * @param sourceId - name of the source
 * @returns when the store has it on its list
 * @throws {@link HopbackError} `storage-failed` when the store refuses
 * @see {@link RecordStore}, whose `scope` has the list
 * @example
 * ```ts
 * const store = createMemoryRecordStore();
 * await makeSourceKnown(store, 'pbx-1');
 * console.log((await store.scope()).sources); // [ 'pbx-1' ]
 * ```
 */
export async function makeSourceKnown(store: Pick<RecordStore, 'scope' | 'uncover'>, sourceId: string): Promise<void> {
  if (!(await store.scope()).sources.includes(sourceId)) await store.uncover({ sourceId, fromUs: 0, toUs: 0 });
}

const DAY_MS = 86_400_000;

/** What keeps retention. */
interface RetentionParts {
  readonly store: Pick<RecordStore, 'expire'>;
  /** Days that records are kept. */
  readonly days: number;
  readonly clock: Clock;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  readonly onExpired: (records: number) => void;
  /** Told what the store refuses with, except the first time: it is asked again the next day. */
  readonly onFailed: (cause: unknown) => void;
}

/** Removes what is too old, now and once a day. @throws what the store refuses with the first time */
export async function startRetention(parts: RetentionParts): Promise<{ readonly close: () => Promise<void> }> {
  const { store, days, clock, schedule, onExpired, onFailed } = parts;
  const expire = async (): Promise<void> => {
    const removed = await store.expire((clock.nowMs() - days * DAY_MS) * 1_000);
    if (removed > 0) onExpired(removed);
  };
  await expire();
  let running: Promise<void> = Promise.resolve();
  let cancel: () => void = () => undefined;
  const again = (): void => {
    cancel = schedule(() => {
      running = expire().catch(onFailed);
      again();
    }, DAY_MS);
  };
  again();
  return {
    async close() {
      cancel();
      await running;
    },
  };
}
