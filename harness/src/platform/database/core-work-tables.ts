import type { Generated } from 'kysely';
import type { EpochMs } from '../core/index.js';

/** Tables of the core that only the code in this folder reads and writes. */
export type CoreWorkTables = {
  /** How far each area has reacted to events. */
  readonly core_reactions: {
    readonly area: string;
    /** Of the last event that was reacted to, or set aside. */
    readonly position: number;
    /** Of the event whose reaction fails now, and how often it did. */
    readonly failing_position: number | null;
    readonly failures: Generated<number>;
  };
  /** Events that an area could not react to. */
  readonly core_set_aside: {
    readonly area: string;
    readonly position: number;
    readonly event_id: string;
    readonly type: string;
    readonly at_ms: EpochMs;
    readonly reason: string;
  };
  readonly core_jobs: {
    readonly name: string;
    readonly started_ms: number | null;
    readonly ended_ms: number | null;
    readonly runs: Generated<number>;
    readonly failures: Generated<number>;
    readonly consecutive_failures: Generated<number>;
  };
  /** Items of jobs that failed: when each is tried again, and whether it was set aside. */
  readonly core_job_failures: {
    readonly job: string;
    readonly item: string;
    readonly attempts: number;
    readonly next_try_ms: EpochMs;
    readonly reason: string;
  };
  readonly core_meta: { readonly name: string; readonly value: string };
};
