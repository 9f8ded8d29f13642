import type { WireSchema } from '@hopback/sdk/platform';
import type { PlatformMigration } from './database.js';
import type { DomainEvent, DomainEventType } from './domain-event.js';
import type { PlatformTransaction } from './database.js';
import type { Operations, ServedRoute, StaffRoles } from './operation.js';

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
export interface PlatformArea extends AsyncDisposable {
  readonly name: string;
  /** Routes that are not in the contract: those of operators and agencies, with the schemas of their bodies. */
  readonly routes: readonly ServedRoute[];
  readonly schemas: Readonly<Record<string, WireSchema<unknown>>>;
  /** Of routes of the contract and of `routes`. */
  readonly operations: Operations;
  /** Of `operations`. Default all are for all of staff. */
  readonly roles?: StaffRoles;
  readonly jobs: readonly PlatformJob[];
  readonly reactions: Readonly<Partial<Record<DomainEventType, Reaction>>>;
  /** What operators have to know though the platform works. Default nothing. */
  readonly notices?: () => readonly PlatformNotice[];
  readonly close: () => Promise<void>;
}

/** What is known of an area before it is opened. */
export interface AreaDefinition {
  readonly name: string;
  /** Of its tables, in order; names are unique and begin with the name of the area. */
  readonly migrations: readonly PlatformMigration[];
}
