import type {
  PlatformAnswer,
  ReadPlatformRequest,
  PlatformEventData,
  PlatformEventType,
  WireSchema,
} from '@hopback/sdk/internal';
import type { PlatformRoute, PlatformScope, TimerClock } from '@hopback/sdk/platform';
import type { ColumnType, Generated, Kysely, Transaction } from 'kysely';

/** What a client of the traceback group may do beside reading. */
export type StaffRole = NonNullable<PlatformRoute['role']>;

/** Who calls the platform: a client with a token, of one organization. Nobody else can be let in. */
export interface Caller {
  readonly clientId: string;
  /** Of a carrier its id in the registry of providers; of an agency, application or the traceback group its own id. */
  readonly organizationId: string;
  /** What the organization is. */
  readonly kind: PlatformScope;
  /** How far the token reaches: the scopes of the client, or fewer. */
  readonly scopes: readonly PlatformScope[];
  /** Roles within the traceback group: finer than scopes, and held by clients of staff alone. Absent or empty: none. */
  readonly roles?: readonly StaffRole[];
  /** Who it is for the audit, by role or office. */
  readonly name: string;
}

/** Milliseconds since the epoch in a column of type `bigint`. */
export type EpochMs = ColumnType<number, number, number>;

/** JSON in a column of type `jsonb`: written as text, read as a value. */
export type JsonColumn<Value> = ColumnType<Value, string, string>;

/** Tables that every area writes to through `PlatformContext`, and nobody else. */
export interface CoreTables {
  /** What happened, to be told to areas, webhooks and streams: written in the transaction in which it happened. */
  readonly core_events: {
    /** In the order of commit as far as one organization can tell. */
    readonly position: Generated<number>;
    /** Of the event on the wire; unique. */
    readonly event_id: string;
    readonly at_ms: EpochMs;
    readonly type: string;
    readonly subject: string;
    readonly data: JsonColumn<unknown>;
    /** Ids of organizations that are told; empty for what only areas hear. */
    readonly audience: JsonColumn<readonly string[]>;
  };
  /** What was done by whom: written in the transaction in which it was done, and from there to the Merkle log in this order. */
  readonly core_audit: {
    readonly position: Generated<number>;
    readonly at_ms: EpochMs;
    /** `demand.decided` */
    readonly action: string;
    readonly organization_id: string;
    /** Who, by client id; `platform` for what it does by itself. */
    readonly actor: string;
    /** Object, such as `demand:d-1`. */
    readonly object: string;
    /** No telephone number is ever in it. */
    readonly details: JsonColumn<unknown>;
    /** Leaf of the Merkle log; null until it is there. */
    readonly leaf_index: number | null;
  };
  /** The only place of the database where telephone numbers and names of subscribers are: encrypted, each under a reference. */
  readonly core_sealed: {
    readonly reference: string;
    readonly key_id: string;
    readonly nonce: string;
    readonly ciphertext: string;
    readonly at_ms: EpochMs;
    /** What it belongs to, so that retention takes it away with it: `traceback:t-1`. */
    readonly belongs_to: string;
  };
}

/** The database with the tables that every area has; an area adds its own with `withTables`. */
export type PlatformDatabase = Kysely<CoreTables>;

/** A transaction. What is audited and told within it is done exactly when it commits. */
export type PlatformTransaction = Transaction<CoreTables>;

/** A step of the schema: run once, within a transaction, on PGlite and PostgreSQL alike, with SQL of PostgreSQL 15. */
export interface PlatformMigration {
  /** `tracebacks-001-states`: sorted by it within an area. */
  readonly name: string;
  readonly up: (database: Kysely<unknown>) => Promise<void>;
}

/**
 * Events that areas hear of each other beside those of the wire. Data are in {@link DomainEventData}.
 */
export interface DomainEventData {
  /** A campaign was found, or changed in what others rest on. */
  readonly 'campaign.changed': {
    readonly campaignId: string;
    readonly change: 'found' | 'grown' | 'live' | 'dormant' | 'merged';
  };
  /** A traceback has come to something, or was closed. */
  readonly 'traceback.concluded': {
    readonly tracebackId: string;
    readonly campaignId?: string;
    readonly isFinal: boolean;
  };
  /** A provider did not answer in time, or did after all. */
  readonly 'provider.responsiveness': {
    readonly providerId: string;
    readonly requestId: string;
    readonly isNonResponsive: boolean;
  };
  /** Legal process asks that a call be traced. */
  readonly 'demand.approved': { readonly demandId: string };
  /** The platform could not do something that it owes: staff look, and the organization that waits for it is told. */
  readonly 'platform.fault': {
    /** What it is about, `demand:d-1`. */
    readonly subject: string;
    /** What failed, as a word: the same fault of the same subject is told once. */
    readonly fault: string;
    readonly title: string;
    readonly summary: string;
    readonly organizationId?: string;
  };
}

/** Name of an event that areas can react to. */
export type DomainEventType = keyof DomainEventData | PlatformEventType;

/** An event as it is read back: `data` is in the form that its type says. */
export interface DomainEvent {
  readonly eventId: string;
  readonly position: number;
  readonly atMs: number;
  readonly type: DomainEventType;
  readonly subject: string;
  readonly data: unknown;
}

/** Something that was done, for the audit. Holds no telephone number. */
export interface AuditEntry {
  /** What was done, `demand.decided`. */
  readonly action: string;
  readonly organizationId: string;
  /** Id of the client that did it; `platform` for what the platform does by itself. */
  readonly actor: string;
  /** Object, such as `demand:d-1`. */
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

/** A route that a platform serves: of the contract, or of its operators. */
export type ServedRoute = PlatformRoute<string>;

/** A call in the form of its route, by somebody who may make it. */
export interface OperationCall {
  readonly route: ServedRoute;
  /** Absent where the route asks for no token. */
  readonly caller: Caller;
  readonly request: ReadPlatformRequest;
  /** When it came in, milliseconds since the epoch. */
  readonly atMs: number;
  /** What this exchange is called in logs, and in `Request-Id`. */
  readonly httpRequestId: string;
  /** SHA-256 of the certificate that the client showed, base64url, where it showed one that is trusted. RFC 8705 section 3.1 */
  readonly certificateSha256?: string;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/**
 * Carries a call out. What it answers is true: a success has been committed. It sees only what is the caller's: what belongs to another
 * organization is `not-found`, as is what there is not.
 */
export type Operation = (call: OperationCall) => Promise<PlatformAnswer> | PlatformAnswer;

/** Operations by `operationId`. */
export type Operations = Readonly<Record<string, Operation>>;

/** Work that comes round: reminders, retention, alerts. It may be begun anew at any time, and do no harm. */
export interface PlatformJob {
  /** Unique, `tracebacks.deadlines`. */
  readonly name: string;
  /** Milliseconds from the end of one run to the start of the next. */
  readonly everyMs: number;
  /** Does what is due at this time. Rejects where it failed: it comes round again, and is counted. */
  readonly run: (nowMs: number) => Promise<void>;
}

/**
 * What an area does about an event of another: within one transaction with the note that it did, so that it is done once whatever dies
 * in between.
 */
export type Reaction = (transaction: PlatformTransaction, event: DomainEvent) => Promise<void>;

/** Something that operators have to know though the platform works. */
export interface PlatformNotice {
  /** ASCII, a line of `/readyz`: `audit: broken at 57`. */
  readonly text: string;
  /** Whether somebody has to act: then answers to staff have it too, as `Platform-Warning`. */
  readonly isWarning: boolean;
}

/** A part of the platform: its tables, its operations, and what it does without being called. */
export interface PlatformArea {
  readonly name: string;
  /** Routes that are not in the contract: those of operators and agencies, with the schemas of their bodies. */
  readonly routes: readonly ServedRoute[];
  readonly schemas: Readonly<Record<string, WireSchema<unknown>>>;
  /** Of routes of the contract and of `routes`. */
  readonly operations: Operations;
  readonly jobs: readonly PlatformJob[];
  readonly reactions: Readonly<Partial<Record<DomainEventType, Reaction>>>;
  /** What operators have to know though the platform works. Default nothing. */
  readonly notices?: () => readonly PlatformNotice[];
  /** Begins what takes long in the background, once the platform answers. Never throws. Default there is none. */
  readonly begin?: () => void;
  /** Ends what it does by itself. Default there is nothing to end. */
  readonly close?: () => Promise<void>;
}

/** What is known of an area before it is opened. */
export interface AreaDefinition {
  readonly name: string;
  /** Of its tables, in order; names are unique and begin with the name of the area. */
  readonly migrations: readonly PlatformMigration[];
}
