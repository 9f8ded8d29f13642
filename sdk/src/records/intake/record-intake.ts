import type { CallRecord } from '../../core/call-record.js';
import type { Clock } from '../../core/runtime/clock.js';
import type { RecordTransport } from '../../platform/wire/record-batch.js';
import type { RecordFeedCounts } from '../feed/record-feed.js';
import type { SourceConfiguration } from '../ingest/source-configuration.js';
import type { SharingPolicy } from '../redaction/sharing-policy.js';
import type { SharedRecordStore } from '../store/shared-record-store.js';
import type { Drained } from '../stream/record-stream.js';
import type { StreamStatus } from '../stream/stream-status.js';
import type { IntakeSourceNotice, IntakeSourceState, Pushed } from './intake-source.js';

/** 18 months: what a carrier keeps records for, by 47 CFR 42.6 and by the industry traceback that asks for them. */
export const RETENTION_DAYS = 548;

/** What leaves, where it goes, and under whose name. */
export interface IntakePlatform {
  /** The way there. The intake closes it. */
  readonly transport: RecordTransport;
  /** What may leave, from {@link createSharingPolicy}. */
  readonly policy: SharingPolicy;
  /** Whose records they are, as the platform knows the carrier. */
  readonly tenantId: string;
  /** Where records wait for the platform. Default `spool` below the store. */
  readonly spool?: string;
}

/** Options of {@link openRecordIntake}. */
export interface RecordIntakeOptions {
  /** Of the store, made where it is not there; places, rejected rows and the spool are below it. Holds telephone numbers: for one user. */
  readonly directory: string;
  /** A source in files without a `path` is one that is sent, by {@link RecordIntake.push}. */
  readonly sources: readonly SourceConfiguration[];
  /** Without it nothing leaves. */
  readonly platform?: IntakePlatform;
  /** Days that records are kept, except under a hold, 1 to 36,500. Default {@link RETENTION_DAYS}. */
  readonly retentionDays?: number;
  /** Records that are submitted and wait for the store at most, 1 or more. Default 200,000, some 200 MB. */
  readonly maxSubmitted?: number;
  readonly clock: Clock;
  /** Told what happens; not to throw. */
  readonly onNotice?: (notice: IntakeNotice) => void;
}

/** What happened: at a source, to submitted records or to retention, or that records were removed for their age. */
export type IntakeNotice =
  IntakeSourceNotice | { readonly kind: 'expired'; readonly records: number; readonly days: number };

/** What became of records that were submitted. */
export interface SubmittedCounts {
  readonly accepted: number;
  /** Not taken, since too many waited or no store can take them: they are lost, and their count is all that is left. */
  readonly refused: number;
  readonly inserted: number;
  readonly repeated: number;
  /** Not in the store yet. */
  readonly pending: number;
  /** Attempts of the store that failed since the last that did not. */
  readonly failures: number;
}

/** How everything stands. */
export interface IntakeState {
  readonly sources: readonly IntakeSourceState[];
  readonly submitted: SubmittedCounts;
  /** Where something may leave. */
  readonly platform?: { readonly status: StreamStatus; readonly counts: RecordFeedCounts };
}

/** Takes in the records of a carrier, stores them, and sends on what may leave. */
export interface RecordIntake extends AsyncDisposable {
  /** Where records are looked up. The intake closes it. */
  readonly store: SharedRecordStore;
  /**
   * Takes records that nobody waits for, at once, whatever the disk does: they go to the store within a quarter of a second, or as soon as it
   * takes them. What is not there when the process is killed is lost. Never throws.
   * @returns how many were taken; of the rest, which is counted, too many wait, or no store can ever take them: without an id or a time
   */
  readonly submit: (records: readonly CallRecord[]) => number;
  /**
   * Takes in rows of a source that is sent: whole rows, of whole legs. What could not be read is in the reject file of the source.
   * @returns what became of them, when all of it is durable; `unknown-source` where no such source is sent
   * @throws HopbackError what the store or the spool refuses with, after which some may be there: sent again, nothing is doubled;
   * `closed` after the end
   */
  readonly push: (sourceId: string, octets: Uint8Array) => Promise<Pushed | { readonly status: 'unknown-source' }>;
  /** Takes in what is there, one source after the other, until the signal says to leave it. */
  readonly look: (options?: { readonly signal?: AbortSignal }) => Promise<void>;
  /**
   * Puts other sources in the place of those there are. One that stays as it was goes on untouched; one that changed goes on from its
   * place. Where one cannot be, all stay as they were.
   * @throws HopbackError `invalid-configuration` or `storage-failed` where one cannot be
   */
  readonly replaceSources: (sources: readonly SourceConfiguration[]) => Promise<void>;
  /** Ends taking in from sources; what was read is durable. */
  readonly endSources: () => Promise<void>;
  /** Waits until the platform has what may leave. `undefined` where nothing may. */
  readonly drain: (options?: { readonly timeoutMs?: number }) => Promise<Drained | undefined>;
  readonly state: () => IntakeState;
  /** Ends everything; what was taken is durable, or counted. @throws HopbackError the first that the disk refused with, after all is closed */
  readonly close: () => Promise<void>;
}
