import type { NetworkPlan } from '../network/plan/index.js';
import type { FoundSoFar, WorldOptions } from '../network/world/index.js';
import type { OracleReport, RunFacts } from '../oracle/index.js';
import type { JudgedThreshold, RunEnd, RunRecord, RunSnapshot, RunSummary, RunVerdict } from '../report/index.js';
import type { LiveCounts, LiveHop } from './live-figures.js';
import type { TimerClock } from '@hopback/sdk/platform';
import type { RunnerParts } from './runner-parts.js';

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
  /** 1 is as the scenario is written; bounds are those of {@link RATE_FACTORS}. */
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
