import { HopbackError } from '@hopback/sdk/errors';
import { sql } from 'kysely';
import type { PlatformContext, PlatformJob } from '../core/index.js';
import type { CoreWorkTables } from './core-work-tables.js';
import { SOLE_LEADER, type Leadership } from './leadership.js';

/** A process that does not lead asks again after this time; so long nobody does what is due when a leader dies. */
export const LEADER_POLL_MS = 5_000;
/** A job that fails comes round after its ordinary time, but at most after this. */
const RETRY_MS = 60_000;

/** What became of a job since this process began. */
export interface JobCounts {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** How long the last run took, milliseconds by the clock. */
  readonly lastTookMs?: number;
  readonly isRunning: boolean;
}

/** Runs jobs when they are due. */
export interface JobRunner extends AsyncDisposable {
  readonly counts: () => readonly JobCounts[];
  /** Waits until no job runs, and each has its next time. */
  readonly settled: () => Promise<void>;
  /** Begins no more, and waits for those that run. */
  readonly close: () => Promise<void>;
}

export interface JobRunnerOptions {
  readonly context: PlatformContext;
  readonly jobs: readonly PlatformJob[];
  readonly leadership?: Leadership;
}

/**
 * Runs jobs: each from the end of one run its time to the start of the next, across restarts, never twice at once; of processes that share a
 * database in the one that leads. A run that fails is counted and logged, and comes round again.
 * @throws HopbackError `invalid-configuration` for two jobs of one name
 */
export function startJobRunner(options: JobRunnerOptions): JobRunner {
  const { context, jobs, leadership = SOLE_LEADER } = options;
  const names = new Set(jobs.map(({ name }) => name));
  if (names.size < jobs.length) throw new HopbackError('invalid-configuration', 'two jobs have one name');
  const rounds = jobs.map((job): JobRound => ({ job, context, leadership, runs: 0, failures: 0, isEnded: false }));
  for (const round of rounds) beginRound(round, firstDue);
  const settled = async (): Promise<void> => {
    await Promise.all(rounds.map(async ({ running }) => running));
  };
  const close = async (): Promise<void> => {
    for (const round of rounds) {
      round.isEnded = true;
      round.stop?.();
    }
    await settled();
  };
  return {
    counts: () =>
      rounds.map(({ job, runs, failures, lastTookMs, isRunning }) => ({
        ...{ name: job.name, runs, failures, isRunning: isRunning === true },
        ...(lastTookMs !== undefined && { lastTookMs }),
      })),
    settled,
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface JobRound {
  readonly job: PlatformJob;
  readonly context: PlatformContext;
  readonly leadership: Leadership;
  runs: number;
  failures: number;
  isEnded: boolean;
  isRunning?: boolean;
  lastTookMs?: number;
  /** What goes on. Never rejects. */
  running?: Promise<void>;
  /** Takes back the timer. */
  stop?: () => void;
}

/** Does something, and sets the time of the next round to what it gives, milliseconds from then. */
function beginRound(round: JobRound, work: (round: JobRound) => Promise<number>): void {
  if (round.isEnded) return;
  const { job, context } = round;
  round.running = work(round)
    .catch((error: unknown) => {
      context.log.warn('a job could not begin', { job: job.name, error });
      return LEADER_POLL_MS;
    })
    .then((delayMs) => {
      if (!round.isEnded) round.stop = context.clock.schedule(() => beginRound(round, runDue), delayMs);
    });
}

async function firstDue({ job, context }: JobRound): Promise<number> {
  const ended = await endedMs(context, job.name);
  return ended === undefined ? 0 : untilDue(job, ended, context.clock.nowMs());
}

/** A clock that was set back must not make a job wait for longer than its time. */
const untilDue = (job: PlatformJob, endedAtMs: number, nowMs: number): number =>
  Math.min(job.everyMs, Math.max(0, endedAtMs + job.everyMs - nowMs));

async function endedMs(context: PlatformContext, name: string): Promise<number | undefined> {
  const row = await context.database
    .withTables<CoreWorkTables>()
    .selectFrom('core_jobs')
    .select('ended_ms')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.ended_ms ?? undefined;
}

async function runDue(round: JobRound): Promise<number> {
  const { job, context, leadership } = round;
  if (!(await leadership.isLeader())) return LEADER_POLL_MS;
  // Another process may have led, and done it.
  const ended = await endedMs(context, job.name);
  const startedMs = context.clock.nowMs();
  if (ended !== undefined && untilDue(job, ended, startedMs) > 0) return untilDue(job, ended, startedMs);
  round.isRunning = true;
  let hasFailed = false;
  try {
    await job.run(startedMs);
  } catch (error) {
    hasFailed = true;
    context.log.error('a job failed', { job: job.name, error });
  } finally {
    round.isRunning = false;
  }
  round.runs += 1;
  if (hasFailed) round.failures += 1;
  const endedNowMs = context.clock.nowMs();
  round.lastTookMs = endedNowMs - startedMs;
  await noted(context, { name: job.name, startedMs, endedMs: endedNowMs, hasFailed });
  return hasFailed ? Math.min(RETRY_MS, job.everyMs) : job.everyMs;
}

async function noted(
  context: PlatformContext,
  run: { readonly name: string; readonly startedMs: number; readonly endedMs: number; readonly hasFailed: boolean },
): Promise<void> {
  const { name, startedMs, endedMs: endedNowMs, hasFailed } = run;
  const failed = hasFailed ? 1 : 0;
  // A run that failed has no end: after a restart it is due at once.
  const end = hasFailed ? null : endedNowMs;
  await context.transact((transaction) =>
    sql`insert into core_jobs (name, started_ms, ended_ms, runs, failures, consecutive_failures)
      values (${name}, ${startedMs}, ${end}, 1, ${failed}, ${failed})
      on conflict (name) do update set
        started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, runs = core_jobs.runs + 1,
        failures = core_jobs.failures + excluded.failures,
        consecutive_failures = case when excluded.failures = 0 then 0 else core_jobs.consecutive_failures + 1 end`.execute(
      transaction,
    ),
  );
}
