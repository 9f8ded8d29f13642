import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NetworkPlan } from '../network/plan/index.js';
import type { World } from '../network/world/index.js';
import type { OracleReport, RunFacts, SeenCall } from '../oracle/index.js';
import { chooseSamples, kindOfCall, SAMPLE_LIMITS, summaryOf } from '../report/index.js';
import type { RunEnd, RunRecord } from '../report/index.js';
import { HARNESS_VERSION } from '../version.js';
import { SIP_PARTS } from './default-parts.js';
import { driveCalls } from './drive-calls.js';
import type { Drive } from './drive-calls.js';
import { abortingThresholds, brokenThreshold, EXIT_CODES, judgedThresholds, verdictOf } from './judge-run.js';
import { createLiveFigures } from './live-figures.js';
import type { LiveFigures } from './live-figures.js';
import { createMessageKeeper } from './message-keeper.js';
import type { MessageKeeper } from './message-keeper.js';
import { createPace } from './pace.js';
import type { Pace } from './pace.js';
import { openRunFolder } from './run-folder.js';
import type { RunFolder } from './run-folder.js';
import type { RunControl, RunOptions, RunResult, RunStage, RunView } from './run-options.js';
import { NODE_CLOCK } from './runner-clock.js';
import type { RunnerClock } from './runner-clock.js';
import type { RunnerParts } from './runner-parts.js';

const SECOND_MS = 1_000;
/** What a world that had no time to settle gets to say what it has seen. */
const LAST_WORDS_MS = 5_000;
/** To judge a run while it goes on may take this part of its time, no more. */
const LIVE_JUDGE_SHARE = 0.1;

/** All that a run holds while it goes on. */
interface Run {
  readonly plan: NetworkPlan;
  readonly options: RunOptions;
  readonly clock: RunnerClock;
  readonly parts: RunnerParts;
  readonly truthOf: RunRecord['truthOf'];
  readonly figures: LiveFigures;
  readonly keeper: MessageKeeper | undefined;
  readonly folder: RunFolder | undefined;
  readonly calls: SeenCall[];
  readonly ending: AbortController;
  readonly startedAtMs: number;
  readonly view: () => RunView;
  readonly enter: (stage: RunStage) => void;
  readonly end: (why: RunEnd) => void;
  readonly endedBy: () => RunEnd;
}

/**
 * Carries out a plan: opens its network, places its calls when they are due, waits until what follows from them is done, and holds what was seen against
 * what is true.
 * @param plan - what `planNetwork` of a scenario made
 * @param options - folder, time, rate, captures
 * @returns what the run came to, also when it failed, was stopped or had no time; its exit code among it
 * @throws what opening the network or writing the folder throws: an address that cannot be bound, a full disk
 */
export async function runPlan(plan: NetworkPlan, options: RunOptions = {}): Promise<RunResult> {
  const { clock = NODE_CLOCK, parts = SIP_PARTS } = options;
  const folder = options.folder === undefined ? undefined : await openRunFolder(options.folder, options);
  const directory = folder?.workDirectory ?? (await mkdtemp(join(tmpdir(), 'hopback-run-')));
  const begun = begin(plan, { options, clock, parts, folder });
  const { run, pace } = begun;
  const stopTimers = startTimers(run, pace);
  run.enter('opening');
  try {
    await using world = await parts.openWorld({
      ...{ plan, directory, processes: options.processes ?? 0 },
      ...(run.keeper !== undefined && { onMessage: (message) => tapped(run, message) }),
      ...(options.drachtio !== undefined && { drachtio: options.drachtio }),
      ...(options.external !== undefined && { external: options.external }),
    });
    await callsOf(begun, world);
    const facts = await settledFacts(run, world);
    run.enter('judging');
    const result = resultOf(run, facts);
    await folder?.write(result.record);
    run.enter('over');
    await options.beforeClose?.(result, world.platform);
    return result;
  } finally {
    stopTimers();
    await folder?.close();
    if (folder === undefined) await rm(directory, { recursive: true, force: true });
  }
}

interface Begun {
  readonly run: Run;
  readonly pace: Pace;
  drive?: Drive;
}

interface BeginParts {
  readonly options: RunOptions;
  readonly clock: RunnerClock;
  readonly parts: RunnerParts;
  readonly folder: RunFolder | undefined;
}

function begin(plan: NetworkPlan, { options, clock, parts, folder }: BeginParts): Begun {
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
    const last = figures.snapshots().at(-1);
    return {
      ...{ scenario: plan.scenario.name, seed: plan.seed, stage, counts: figures.counts(), hops: figures.hops() },
      ...{ rateFactor: pace.factor(), isPaused: pace.isPaused(), elapsedMs: nowMs - startedAtMs },
      ...{ planMs: Math.min(plan.durationMs, pace.planMs(nowMs)), durationMs: plan.durationMs },
      ...(last !== undefined && { last }),
    };
  };
  const run: Run = {
    ...{ plan, options, clock, parts, truthOf, figures, folder, ending, startedAtMs, view, calls: [] },
    keeper: folder === undefined && options.keepsMessages !== true ? undefined : createMessageKeeper(),
    enter: (next) => {
      stage = next;
      options.onView?.(view());
    },
    end: (why) => {
      if (ending.signal.aborted || stage === 'judging' || stage === 'over') return;
      endedBy = why;
      ending.abort();
    },
    endedBy: () => endedBy,
  };
  const begun: Begun = { run, pace };
  options.onControl?.(controlOf(begun));
  return begun;
}

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
function startTimers(run: Run, pace: Pace): () => void {
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
function judged({ parts, plan, figures, endedBy, options, calls }: Run, facts: RunFacts): OracleReport {
  const oracle = parts.judge(plan, facts);
  const isWhole = endedBy() === 'plan' && options.only === undefined && calls.length + figures.counts().unplaced === plan.calls.length;
  if (isWhole) return oracle;
  const count = figures.counts().unplaced;
  return { ...oracle, metrics: { ...oracle.metrics, calls_unplaced: { kind: 'count', count } } };
}

/** What the runner has seen by itself: calls, and nothing of what follows from them. */
function factsOf({ startedAtMs, calls }: Run, endedAtMs: number): RunFacts {
  const nothing = { records: [], campaigns: [], alerts: [], tracebacks: [], troubles: [] };
  return { ...nothing, startedAtMs, endedAtMs, calls: [...calls] };
}

async function callsOf(begun: Begun, world: World): Promise<void> {
  const { run } = begun;
  const { plan, clock, figures, ending } = run;
  const { pace } = begun;

  const wanted = wantedCalls(run);
  const only = run.options.only === undefined ? undefined : new Set(run.options.only);
  const calls = only === undefined ? plan.calls : plan.calls.filter(({ index }) => only.has(index));
  // The time that opening took is none of the plan's.
  pace.restart(clock.nowMs(), calls[0]?.atMs ?? 0);
  run.enter('calls');
  const drive = driveCalls({
    ...{ plan, calls, pace, figures, clock, ending: ending.signal, place: (call) => world.place(call) },
    onEnded: (call) => {
      run.calls.push(call);
      run.keeper?.ended(call, wanted(call));
    },
  });
  begun.drive = drive;
  await Promise.race([drive.over, timeIsUp(run)]);
}

/** Resolves when the time of the run is up: calls that are up are waited for no longer. */
function timeIsUp({ ending, endedBy }: Run): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (endedBy() === 'timeout') resolve();
    };
    ending.signal.addEventListener('abort', look, { once: true });
    if (ending.signal.aborted) look();
  });
}

/** Whether the report will want to show a call, as far as it can be told when the call is over. */
function wantedCalls({ plan, truthOf }: Run): (call: SeenCall) => boolean {
  const kinds = new Map<string, number>();
  let wrong = 0;
  const byIndex = new Map(plan.calls.map((call) => [call.index, call]));
  return ({ index, finalStatus }) => {
    const planned = byIndex.get(index);
    const isRight = finalStatus !== undefined && truthOf(index).finalStatus.includes(finalStatus);
    if (!isRight) wrong += 1;
    const kind = planned === undefined ? '' : kindOfCall(planned);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    return (!isRight && wrong <= SAMPLE_LIMITS.failed) || (kinds.get(kind) ?? 0) <= SAMPLE_LIMITS.ofEachKind;
  };
}

async function settledFacts(run: Run, world: World): Promise<RunFacts> {
  run.enter('settling');
  if (run.endedBy() !== 'timeout') await Promise.race([world.settle(), timeIsUp(run)]);
  if (run.endedBy() !== 'timeout') return world.facts();
  let cancel = (): void => undefined;
  const patience = new Promise<RunFacts>((resolve) => {
    cancel = run.clock.schedule(() => resolve(factsOf(run, run.clock.nowMs())), LAST_WORDS_MS);
  });
  const told = await Promise.race([world.facts(), patience]);
  cancel();
  return told;
}

function tapped(run: Run, message: Parameters<MessageKeeper['add']>[0]): void {
  run.keeper?.add(message);
  run.folder?.capture(message);
}

function resultOf(run: Run, facts: RunFacts): RunResult {
  const { plan, options, truthOf, figures, keeper, folder } = run;
  const placed = facts.calls.filter(({ placedAtMs }) => placedAtMs !== undefined);
  const end = run.endedBy();
  const oracle = judged(run, facts);
  const thresholds = judgedThresholds(oracle, plan.scenario.thresholds);
  const verdict = verdictOf({ end, placed: placed.length, thresholds, oracle });
  const seen = new Map(facts.calls.map((call) => [call.index, call]));
  const samples = chooseSamples(plan, { facts, oracle }).flatMap(({ index, why }) => {
    const call = seen.get(index);
    return call === undefined
      ? []
      : [{ index, why, truth: truthOf(index), seen: call, messages: keeper?.messagesOf(call) ?? [] }];
  });
  const record: RunRecord = {
    ...{ plan, facts, oracle, thresholds, end, verdict, samples, truthOf },
    snapshots: figures.snapshots(),
    command: options.command ?? `hopback-harness run ${plan.scenario.name} --seed ${plan.seed}`,
    version: HARNESS_VERSION,
  };
  const exitCode = EXIT_CODES[verdict];
  const result = { plan, facts, oracle, thresholds, end, verdict, exitCode, summary: summaryOf(record), record };
  return folder === undefined ? result : { ...result, folder: folder.path };
}
