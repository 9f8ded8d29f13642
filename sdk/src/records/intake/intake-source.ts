import { printableText } from '../../core/text.js';
import type { FollowNotice } from '../ingest/follow-turn.js';
import type { SourceProgressState } from '../ingest/source-progress.js';
import type { RejectReason } from '../ingest/record-reader.js';

/** How one source fares. */
export interface IntakeSourceState extends SourceProgressState {
  readonly id: string;
  readonly rows: number;
  readonly records: number;
  readonly skipped: number;
  readonly rejected: number;
  readonly inserted: number;
  readonly repeated: number;
  /** Legs that wait for rows, calls that are up, or records that were sent and are not durable yet. */
  readonly waiting: number;
  /** Octets that are not rows yet. */
  readonly unreadBytes: number;
  /** Files that were found and not read: still being packed or copied, or not to be opened. */
  readonly unreadFiles: number;
  /** Files that were lost or damaged since the start: rows of theirs may be missing. */
  readonly brokenFiles: number;
  /** Looks, or batches for the store, that failed since the last that did not. */
  readonly failures: number;
  /** Rejected rows that the disk did not take, and records that the store did not. */
  readonly lost: number;
}

/** What happened at a source. */
export interface IntakeSourceNotice {
  readonly source: string;
  readonly kind: FollowNotice['kind'] | 'waiting-for-file' | 'listening';
  readonly path?: string;
  /** For people; without numbers of people. */
  readonly detail: string;
}

/** Rows that are named to whoever sent them: enough to see what is wrong; all of them are in the reject file. */
export const MAX_PUSHED_REJECTS = 1_000;

/** A row that was sent and could not be read. */
export interface PushedReject {
  /** Its line in what was sent, from 1. */
  readonly line: number;
  readonly reason: RejectReason;
  /** What is wrong, in the words of the format. */
  readonly field?: string;
  /** Why, for people; without numbers of people. */
  readonly detail: string;
}

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
  /** The first of them, {@link MAX_PUSHED_REJECTS} at most, in their order. */
  readonly rejects: readonly PushedReject[];
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
  lost: 'was gone before it was read to its end, or rows that waited for others are not known any more',
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

/** A function that does its work once, and hands out the one promise of it. */
export function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}
