import type { NetworkPlan } from '../network/plan/index.js';
import type { World } from '../network/world/index.js';
import type { OracleReport, RunFacts, SeenCall } from '../oracle/index.js';
import type { RunEnd, RunRecord } from '../report/index.js';
import type { Drive } from './drive-calls.js';
import { abortingThresholds, brokenThreshold } from './judge-run.js';
import { createLiveFigures } from './live-figures.js';
import type { LiveFigures } from './live-figures.js';
import { createMessageKeeper } from './message-keeper.js';
import type { MessageKeeper } from './message-keeper.js';
import { createPace } from './pace.js';
import type { Pace } from './pace.js';
import type { RunFolder } from './run-folder.js';
import type { RunControl, RunOptions, RunStage, RunView } from './run-options.js';
import type { TimerClock } from '@hopback/sdk/platform';
import type { RunnerParts } from './runner-parts.js';

const SECOND_MS = 1_000;
/** To ask what was found may take this part of the time. */
const WATCH_SHARE = 0.3;
/** To judge a run while it goes on may take this part of its time, no more. */
const LIVE_JUDGE_SHARE = 0.1;

/** All that a run holds while it goes on. */
export interface Run {
  readonly plan: NetworkPlan;
  readonly options: RunOptions;
  readonly clock: TimerClock;
  readonly parts: RunnerParts;
  readonly truthOf: RunRecord['truthOf'];
  readonly figures: LiveFigures;
  readonly keeper: MessageKeeper | undefined;
  readonly folder: RunFolder | undefined;
  readonly calls: SeenCall[];
  /** Timers that are to be stopped with the run. */
  readonly cancels: (() => void)[];
  readonly ending: AbortController;
  readonly startedAtMs: number;
  readonly view: () => RunView;
  readonly enter: (stage: RunStage) => void;
  readonly end: (why: RunEnd) => void;
  readonly endedBy: () => RunEnd;
}

/** A run that has begun, and what steers it. */
export interface Begun {
  readonly run: Run;
  readonly pace: Pace;
  drive?: Drive;
}

/** What a run begins with. */
export interface BeginParts {
  readonly options: RunOptions;
  readonly clock: TimerClock;
  readonly parts: RunnerParts;
  readonly folder: RunFolder | undefined;
}

/** Begins a run: its time goes from now. */
export function beginRun(plan: NetworkPlan, { options, clock, parts, folder }: BeginParts): Begun {
  const startedAtMs = clock.nowMs();
  const fromMs = plan.calls[0]?.atMs ?? 0;
  const pace = createPace(startedAtMs, { factor: options.rateFactor ?? 1, fromMs });
  const truthOf = parts.truthOf(plan);
  const figures = createLiveFigures(plan, truthOf);
  const ending = new AbortController();
  let stage: RunStage = 'opening';
  let endedBy: RunEnd = 'plan';
  const view = (): RunView => {
    const nowMs = clock.nowMs();
    const [last, found] = [figures.snapshots().at(-1), figures.found()];
    return {
      ...{ scenario: plan.scenario.name, seed: plan.seed, stage, counts: figures.counts(), hops: figures.hops() },
      ...{ rateFactor: pace.factor(), isPaused: pace.isPaused(), elapsedMs: nowMs - startedAtMs },
      planMs: stage === 'opening' ? 0 : Math.min(plan.durationMs, pace.planMs(nowMs)),
      durationMs: plan.durationMs,
      ...(endedBy !== 'plan' && { endedBy }),
      ...(last !== undefined && { last }),
      ...(found !== undefined && { found }),
    };
  };
  const run: Run = {
    ...{ plan, options, clock, parts, truthOf, figures, folder, ending, startedAtMs, view, calls: [], cancels: [] },
    keeper: keepsMessages(options, folder) ? createMessageKeeper() : undefined,
    enter: (next) => {
      stage = next;
      options.onView?.(view());
    },
    end: (why) => {
      if (ending.signal.aborted || stage === 'judging' || stage === 'over') return;
      // All are placed: there is nothing that could be left out.
      if (why === 'stopped' && stage === 'settling') return;
      endedBy = why;
      ending.abort();
    },
    endedBy: () => endedBy,
  };
  const begun: Begun = { run, pace };
  options.onControl?.(controlOf(begun));
  return begun;
}

/** Captures are made of the same messages. */
const keepsMessages = (options: RunOptions, folder: RunFolder | undefined): boolean =>
  (folder !== undefined && options.pcap !== undefined) || (options.keepsMessages ?? folder !== undefined);

function controlOf(begun: Begun): RunControl {
  const { run, pace } = begun;
  const changed = (change: (nowMs: number) => void): void => {
    change(run.clock.nowMs());
    begun.drive?.look();
    run.options.onView?.(run.view());
  };
  return {
    view: run.view,
    setRate: (factor) => changed((nowMs) => pace.setFactor(factor, nowMs)),
    pause: () => changed((nowMs) => pace.pause(nowMs)),
    resume: () => changed((nowMs) => pace.resume(nowMs)),
    stop: () => run.end('stopped'),
  };
}

/** The second, the end of time, and the signal. @returns stops them */
export function startTimers(run: Run, pace: Pace): () => void {
  const { clock, options, figures, startedAtMs } = run;
  let cancelSecond = (): void => undefined;
  let seconds = 0;
  const second = (): void => {
    seconds += 1;
    const rateFactor = pace.isPaused() ? 0 : pace.factor();
    figures.snapshot({ atMs: clock.nowMs() - startedAtMs, rateFactor });
    options.onView?.(run.view());
    watch();
    cancelSecond = clock.schedule(second, Math.max(1, startedAtMs + (seconds + 1) * SECOND_MS - clock.nowMs()));
  };
  const watch = liveJudge(run);
  cancelSecond = clock.schedule(second, SECOND_MS);
  const { timeoutSeconds, signal } = options;
  const cancelTimeout =
    timeoutSeconds === undefined ? undefined : clock.schedule(() => run.end('timeout'), timeoutSeconds * SECOND_MS);
  const onSignal = (): void => run.end('signal');
  signal?.addEventListener('abort', onSignal, { once: true });
  if (signal?.aborted === true) onSignal();
  return () => {
    cancelSecond();
    cancelTimeout?.();
    signal?.removeEventListener('abort', onSignal);
  };
}

/**
 * Asks a platform each second what it has found, and less often where it is slow to tell: watching costs the run little. Never throws: what is wrong with
 * a platform shows in the run itself.
 * @returns stops it
 */
export function watchFindings({ clock, figures }: Run, found: World['found']): () => void {
  let isOver = false;
  let cancel = (): void => undefined;
  const ask = async (): Promise<void> => {
    const beganMs = clock.nowMs();
    const told = await found?.().catch(() => undefined);
    if (isOver) return;
    if (told !== undefined) figures.find(told);
    const tookMs = clock.nowMs() - beganMs;
    cancel = clock.schedule(() => void ask(), Math.max(SECOND_MS, tookMs / WATCH_SHARE));
  };
  if (found !== undefined) cancel = clock.schedule(() => void ask(), SECOND_MS);
  return () => {
    isOver = true;
    cancel();
  };
}

/** Holds calls that are over against thresholds that end a run; seldom enough that it costs no calls. */
function liveJudge(run: Run): () => void {
  const thresholds = abortingThresholds(run.plan.scenario.thresholds);
  if (thresholds === undefined) return () => undefined;
  let notBeforeMs = 0;
  return () => {
    const beganMs = run.clock.nowMs();
    if (beganMs < notBeforeMs || run.calls.length === 0) return;
    const oracle = judged(run, factsOf(run, beganMs));
    if (brokenThreshold(oracle, thresholds, beganMs - run.startedAtMs) !== undefined) run.end('threshold');
    const endedMs = run.clock.nowMs();
    notBeforeMs = endedMs + (endedMs - beganMs) / LIVE_JUDGE_SHARE;
  };
}

/** Holds what was seen against what is true. Calls that were to be placed later are not held against a run that somebody ended, or that goes on. */
export function judged({ parts, plan, figures, endedBy, options, calls }: Run, facts: RunFacts): OracleReport {
  const oracle = parts.judge(plan, facts);
  const isWhole =
    endedBy() === 'plan' &&
    options.only === undefined &&
    calls.length + figures.counts().unplaced === plan.calls.length;
  if (isWhole) return oracle;
  const count = figures.counts().unplaced;
  return { ...oracle, metrics: { ...oracle.metrics, calls_unplaced: { kind: 'count', count } } };
}

/** What the runner has seen by itself: calls, and nothing of what follows from them. */
export function factsOf({ startedAtMs, calls }: Run, endedAtMs: number): RunFacts {
  const nothing = { records: [], campaigns: [], alerts: [], tracebacks: [], troubles: [] };
  return { ...nothing, startedAtMs, endedAtMs, calls: [...calls] };
}
