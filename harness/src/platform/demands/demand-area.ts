import type { Kysely, Transaction } from 'kysely';
import type { Caller, CoreTables, PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import type { DemandPorts } from './ports.js';
import type { DemandTables } from './tables.js';

/** What the parts of the area are given. */
export interface DemandParts {
  readonly context: PlatformContext;
  readonly ports: DemandPorts;
  readonly limits: DemandLimits;
}

/** What an operator may set. */
export interface DemandLimits {
  /** Milliseconds for which a production can be fetched. */
  readonly retrievalMs: number;
  /** Octets of a part of a file of a production. */
  readonly partBytes: number;
  /** Records that are asked of another area at once. */
  readonly pageItems: number;
}

/**
 * Thirty days to fetch a production: an agency has people who are away, and a production can be issued anew. Parts of 4 MiB: ten of them, CSV and
 * JSON of five classes, are in memory at once, and one is sent whole. Pages of 1,000 records: a megabyte.
 */
export const DEFAULT_DEMAND_LIMITS: DemandLimits = {
  retrievalMs: 30 * 86_400_000,
  partBytes: 4 * 1_048_576,
  pageItems: 1_000,
};

/** The tables of the area within a transaction, or outside. */
export function tablesOf(reading: PlatformTransaction): Transaction<CoreTables & DemandTables>;
export function tablesOf(reading: Reading): Kysely<CoreTables & DemandTables>;
export function tablesOf(reading: Reading): Kysely<CoreTables & DemandTables> {
  return reading.withTables<DemandTables>();
}

/** Who does what the platform does by itself, for the audit. */
export const PLATFORM_ACTOR = { organizationId: 'platform', actor: 'platform' } as const;

/** Whether a caller sees what belongs to every agency. */
export function isStaff({ scopes }: Caller): boolean {
  return scopes.includes('staff');
}

/** Whether something of an organization is a caller's to see. What is not, is not there. */
export function maySee(caller: Caller, organizationId: string): boolean {
  return isStaff(caller) || caller.organizationId === organizationId;
}
