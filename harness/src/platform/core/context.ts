import type { PlatformEventData, PlatformEventType, TimerClock } from '@hopback/sdk/platform';
import type { PlatformDatabase, PlatformTransaction } from './database.js';
import type { DomainEventData } from './domain-event.js';

/** Something that was done, for the audit. Holds no telephone number. */
export interface AuditEntry {
  /** What was done, `demand.decided`. */
  readonly action: string;
  readonly organizationId: string;
  /** Id of the client that did it; `platform` for what the platform does by itself. */
  readonly actor: string;
  /** What it was done to, `demand:d-1`. */
  readonly object: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Stands in the place of the data of an event that hold telephone numbers, as `core_events` is read in the clear: the data are one member, and
 * these are references of the pieces, in order, of its JSON. Whoever delivers the event opens them, and leaves it out where they have been removed.
 */
export interface SealedEventData {
  readonly member: string;
  readonly sealed: readonly string[];
}

/** Events whose data hold telephone numbers: nobody tells one in the clear by mistake. */
export type SealedEventType =
  'org.hopback.traceback-request.created.1' | 'org.hopback.traceback.updated.1' | 'org.hopback.notice.issued.1';

/** An event of the wire, and whom it is for. */
export interface EventToTell<Type extends PlatformEventType = PlatformEventType> {
  readonly type: Type;
  readonly subject: string;
  readonly data: Type extends SealedEventType ? SealedEventData : PlatformEventData[Type] | SealedEventData;
  /** Ids of organizations. */
  readonly to: readonly string[];
}

/** An event between areas. */
export type EventBetweenAreas = {
  readonly [Type in keyof DomainEventData]: {
    readonly type: Type;
    readonly subject: string;
    readonly data: DomainEventData[Type];
  };
}[keyof DomainEventData];

/** Numbers and names that nobody reads without a reason: kept encrypted in one table. */
export interface SealedValues {
  /** Encrypts a value and gives its reference. The same value of the same owner has the same reference. */
  readonly seal: (transaction: PlatformTransaction, value: string, belongsTo: string) => Promise<string>;
  /** Decrypts values; what has been removed is absent. Whoever asks says why, for the audit. */
  readonly open: (
    transaction: PlatformTransaction,
    references: readonly string[],
    reason: Omit<AuditEntry, 'action' | 'details'>,
  ) => Promise<ReadonlyMap<string, string>>;
  /** Removes what belongs to something. */
  readonly forget: (transaction: PlatformTransaction, belongsTo: string) => Promise<void>;
  /**
   * A keyed pseudonym, 32 lower-case hexadecimal digits: the same number has the same one on this platform, and nobody without its key can
   * try numbers until one fits.
   */
  readonly pseudonym: (value: string) => string;
}

/** Lines for operators: JSON, without numbers. */
export interface PlatformLog {
  readonly info: (message: string, details?: Readonly<Record<string, unknown>>) => void;
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, details?: Readonly<Record<string, unknown>>) => void;
}

/** What every area stands on. */
export interface PlatformContext {
  readonly database: PlatformDatabase;
  readonly clock: TimerClock;
  /** A new id, `t-0192…`: kind and UUID of version 7. */
  readonly newId: (kind: string) => string;
  readonly sealed: SealedValues;
  readonly log: PlatformLog;
  /** Runs a transaction; again where the database found it could not be put in order with others (SQLSTATE 40001, 40P01). */
  readonly transact: <Result>(work: (transaction: PlatformTransaction) => Promise<Result>) => Promise<Result>;
  readonly audit: (transaction: PlatformTransaction, entry: AuditEntry) => Promise<void>;
  /** Tells organizations: by webhook and stream, once the transaction has committed. */
  readonly tell: <Type extends PlatformEventType>(
    transaction: PlatformTransaction,
    event: EventToTell<Type>,
  ) => Promise<void>;
  /** Tells areas. */
  readonly announce: (transaction: PlatformTransaction, event: EventBetweenAreas) => Promise<void>;
}
