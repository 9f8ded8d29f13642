import type { Kysely, Transaction } from 'kysely';
import type { CoreTables } from './core-tables.js';

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
