import type { TimerClock } from '@hopback/sdk/platform';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { CallTruth } from '../network/truth/index.js';
import type { FoundSoFar, World, WorldOptions } from '../network/world/index.js';
import { hopPairs, hopVerdict } from '../oracle/index.js';
import type { OracleReport, RunFacts, SeenCall } from '../oracle/index.js';
import { latencySummary } from '../report/index.js';
import type {
  JudgedThreshold,
  LatencySummary,
  RunEnd,
  RunRecord,
  RunSnapshot,
  RunSummary,
  RunVerdict,
} from '../report/index.js';

/** Whom the runner drives. Tests put a world of their own in the place of the one that speaks SIP. */
export interface RunnerParts {
  readonly openWorld: (options: WorldOptions) => Promise<World>;
  readonly judge: (plan: NetworkPlan, facts: RunFacts) => OracleReport;
  /** What is true of the calls of a plan, by their indexes. */
  readonly truthOf: (plan: NetworkPlan) => (index: number) => CallTruth;
}

/**
 * How the time of a plan goes by: as fast as that of the machine, times a factor, or not at all. What is due is told from where the plan is, never
 * from when the last call was placed, so that calls that were late make none of the following late.
 */
export type Pace = ReturnType<typeof createPace>;

/** Slower than a hundredth nobody waits for, and faster than a hundred times no machine is. */
export const RATE_FACTORS: { readonly min: number; readonly max: number } = { min: 0.01, max: 100 };

/** Makes a pace that goes at once. `fromMs`: where in the plan it begins. */
export function createPace(nowMs: number, { factor = 1, fromMs = 0 }: { factor?: number; fromMs?: number } = {}) {
  let [sinceMs, baseMs, current, paused] = [nowMs, fromMs, within(factor), false];
  const planMs = (at: number): number => baseMs + (paused ? 0 : Math.max(0, at - sinceMs) * current);
  const anchored = (at: number, change: () => void): void => {
    baseMs = planMs(at);
    sinceMs = at;
    change();
  };
  return {
    /** Where in the plan it is, milliseconds from its beginning. */
    planMs,
    /** How long until an instant of the plan is there, milliseconds; 0: it is past. Undefined: never, while it is paused. */
    untilMs: (target: number, at: number): number | undefined => {
      const left = target - planMs(at);
      if (left <= 0) return 0;
      return paused ? undefined : left / current;
    },
    /** Factor that holds when it is not paused. */
    factor: () => current,
    isPaused: () => paused,
    /** Takes factors from {@link RATE_FACTORS}; others are moved to its ends. */
    setFactor: (next: number, at: number) => anchored(at, () => (current = within(next))),
    pause: (at: number) => anchored(at, () => (paused = true)),
    resume: (at: number) => anchored(at, () => (paused = false)),
    /** Begins anew at an instant of the plan, with the factor that holds, and goes on unless it is paused. */
    restart: (at: number, from: number) => {
      [sinceMs, baseMs] = [at, from];
    },
  };
}

function within(factor: number): number {
  return Number.isFinite(factor) ? Math.min(RATE_FACTORS.max, Math.max(RATE_FACTORS.min, factor)) : 1;
}

/** How one provider does, from the beginning of a run. */
export interface LiveHop {
  readonly provider: string;
  readonly calls: number;
  /** Of the hops that found something, or should have, those that found what is true. */
  readonly verdicts: { readonly good: number; readonly of: number };
  /** How long INVITEs were held in the last seconds, milliseconds. */
  readonly heldMs?: LatencySummary;
}

/** Counts of a run that goes on. */
export interface LiveCounts {
  readonly planned: number;
  readonly placed: number;
  readonly unplaced: number;
  readonly ended: number;
  readonly wrong: number;
  readonly up: number;
  readonly verdicts: { readonly good: number; readonly of: number };
}

/** Keeps the figures of a run while it goes on: some counts and the times of the last second, however many calls there are. */
export type LiveFigures = ReturnType<typeof createLiveFigures>;

interface HopTally {
  calls: number;
  good: number;
  of: number;
  held: number[];
  last?: LatencySummary;
}

/** Makes figures that stand at nothing. `truthOf` tells what is true of a call. */
export function createLiveFigures(plan: NetworkPlan, truthOf: (index: number) => CallTruth) {
  const counts = { placed: 0, unplaced: 0, ended: 0, wrong: 0, good: 0, of: 0 };
  const hops = new Map<string, HopTally>(plan.providers.map(({ id }) => [id, { calls: 0, good: 0, of: 0, held: [] }]));
  const external = new Set(plan.providers.filter(({ isExternal }) => isExternal === true).map(({ id }) => id));
  const snapshots: RunSnapshot[] = [];
  let setups: number[] = [];
  let phase = plan.calls[0]?.phase ?? '';
  let found: FoundSoFar | undefined;
  const ended = (seen: SeenCall): void => {
    counts.ended += 1;
    const truth = truthOf(seen.index);
    if (seen.finalStatus === undefined || !truth.finalStatus.includes(seen.finalStatus)) counts.wrong += 1;
    if (seen.setupMs !== undefined) setups.push(seen.setupMs);
    for (const pair of hopPairs(truth.hops, seen.hops)) {
      const { provider } = pair.truth;
      const tally = hops.get(provider);
      // A hop of another process may be told of later than the end of its call: what was not seen is judged when all is over.
      if (tally === undefined || pair.seen === undefined || external.has(provider)) continue;
      const verdict = hopVerdict(pair);
      if (verdict !== 'unasked') [counts.of, tally.of] = [counts.of + 1, tally.of + 1];
      if (verdict === 'right') [counts.good, tally.good] = [counts.good + 1, tally.good + 1];
      tally.calls += 1;
      tally.held.push(pair.seen.heldUs / 1_000);
    }
  };
  const snapshot = ({ atMs, rateFactor }: Pick<RunSnapshot, 'atMs' | 'rateFactor'>): RunSnapshot => {
    const before = snapshots.at(-1);
    const seconds = (atMs - (before?.atMs ?? 0)) / 1_000;
    const [setupMs, heldMs] = [latencySummary(setups), latencySummary([...hops.values()].flatMap(({ held }) => held))];
    for (const tally of hops.values()) {
      const summary = latencySummary(tally.held);
      if (summary !== undefined) tally.last = summary;
      tally.held = [];
    }
    setups = [];
    const { placed, unplaced, wrong } = counts;
    const made: RunSnapshot = {
      atMs,
      phase,
      rateFactor,
      placed,
      unplaced,
      ended: counts.ended,
      wrong,
      up: placed - counts.ended,
      placedPerSecond: seconds > 0 ? (placed - (before?.placed ?? 0)) / seconds : 0,
      ...(setupMs !== undefined && { setupMs }),
      ...(heldMs !== undefined && { heldMs }),
      ...(found !== undefined && { found }),
    };
    snapshots.push(made);
    return made;
  };
  return {
    placed: (call: PlannedCall) => {
      counts.placed += 1;
      phase = call.phase;
    },
    unplaced: () => void (counts.unplaced += 1),
    ended,
    /** Closes the second: figures since the snapshot before. */
    snapshot,
    snapshots: (): readonly RunSnapshot[] => snapshots,
    /** Keeps what the platform has found. */
    find: (given: FoundSoFar) => void (found = given),
    found: () => found,
    counts: (): LiveCounts => {
      const { good, of, placed, unplaced, wrong } = counts;
      const up = placed - counts.ended;
      return { planned: plan.calls.length, placed, unplaced, ended: counts.ended, wrong, up, verdicts: { good, of } };
    },
    hops: (): readonly LiveHop[] =>
      [...hops].map(([provider, { calls, good, of, last }]) => ({
        provider,
        calls,
        verdicts: { good, of },
        ...(last !== undefined && { heldMs: last }),
      })),
  };
}

/** What stands at the moment. */
export interface RunView {
  readonly scenario: string;
  readonly seed: number;
  /** `opening`, `calls`, `settling`: what is left is done, as tracebacks; `judging`, `over`. */
  readonly stage: RunStage;
  /** Why no further call is placed, though the plan has more. Absent: the plan goes on, or is over. */
  readonly endedBy?: RunEnd;
  readonly counts: LiveCounts;
  readonly hops: readonly LiveHop[];
  readonly rateFactor: number;
  readonly isPaused: boolean;
  /** Milliseconds since the run began, and of the whole plan as it is written. */
  readonly elapsedMs: number;
  readonly planMs: number;
  readonly durationMs: number;
  /** The last second that is over. */
  readonly last?: RunSnapshot;
  /** Tracebacks, campaigns and alerts, as far as the platform has told of them. */
  readonly found?: FoundSoFar;
}

/** Where a run is. */
export type RunStage = 'opening' | 'calls' | 'settling' | 'judging' | 'over';

/** Steers a run that goes on. */
export interface RunControl {
  readonly view: () => RunView;
  /** 1 is as the scenario is written; bounds are 0.01 and 100. */
  readonly setRate: (factor: number) => void;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Places no further call; those that are up go on, and what was placed is judged: the run is incomplete. When all are placed it does nothing. */
  readonly stop: () => void;
}

/** Settings of {@link runScenario}. */
export interface RunOptions {
  /** Folder of the run; it is made, and has to be empty where it is there. Default nothing is written. */
  readonly folder?: string;
  /** Command that makes the same run again, for the report. */
  readonly command?: string;
  /** Factor that the rates of the plan begin with. Default 1. */
  readonly rateFactor?: number;
  /** Seconds after which the run ends in any case, with exit code 97. Default never. */
  readonly timeoutSeconds?: number;
  /** Indexes of the calls that are placed; the others are in the plan and are not. Default all. */
  readonly only?: readonly number[];
  /** Processes that providers are spread over; callers and called have one more. Default 0: all in this one. */
  readonly processes?: number;
  /** Whether messages are kept, for the ladders of samples; they are where captures are written. Default where there is a folder. */
  readonly keepsMessages?: boolean;
  /** Captures, one for each provider: of the calls that the report shows, or of all. Default none. Needs `folder`. */
  readonly pcap?: 'sampled' | 'all';
  readonly drachtio?: WorldOptions['drachtio'];
  readonly external?: WorldOptions['external'];
  /** Ids of callers whose calls somebody else places: each is waited for, half a minute from its time on. Default none. */
  readonly externalCallers?: readonly string[];
  readonly listen?: WorldOptions['listen'];
  readonly certificates?: WorldOptions['certificates'];
  /** Ends the run as a signal does: no further call is placed, and a report is made. */
  readonly signal?: AbortSignal;
  /** Gets the control when the run begins. */
  readonly onControl?: (control: RunControl) => void;
  /** Called each second, and at each change of stage. */
  readonly onView?: (view: RunView) => void;
  /** Waited for before the world is closed, when all files are written: to look at the platform. */
  readonly beforeClose?: (
    result: RunResult,
    platform: { readonly url: string; readonly profile: string } | undefined,
  ) => Promise<void>;
  /** Default that of Node. */
  readonly clock?: TimerClock;
  /** Default the network over SIP. */
  readonly parts?: RunnerParts;
}

/** What a run came to. */
export interface RunResult {
  readonly plan: NetworkPlan;
  readonly facts: RunFacts;
  readonly oracle: OracleReport;
  readonly thresholds: readonly JudgedThreshold[];
  readonly end: RunEnd;
  readonly verdict: RunVerdict;
  /** 0 passed, 1 failed, 3 incomplete, 97 its time was up, 99 no call was placed. */
  readonly exitCode: 0 | 1 | 3 | 97 | 99;
  readonly summary: RunSummary;
  /** What the files of the folder are made from. */
  readonly record: RunRecord;
  /** Absent where nothing was written. */
  readonly folder?: string;
}
