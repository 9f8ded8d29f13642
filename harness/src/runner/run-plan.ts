import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { STEADY_CLOCK } from '@hopback/sdk/internal/runtime';
import { planNetwork, withExternalParties } from '../network/plan/index.js';
import type { NetworkPlan, PlanOptions, PlannedCall } from '../network/plan/index.js';
import { networkTruth } from '../network/truth/index.js';
import type { CallTruth } from '../network/truth/index.js';
import type { FoundSoFar, World } from '../network/world/index.js';
import { judgeRun } from '../oracle/index.js';
import type { RunFacts, SeenCall } from '../oracle/index.js';
import { SAMPLE_LIMITS, chooseSamples, hasCall, kindOfCall, summaryOf } from '../report/index.js';
import type { RunRecord } from '../report/index.js';
import type { Scenario } from '../scenario/index.js';
import { HARNESS_VERSION } from '../version.js';
import { EXIT_CODES, judgedThresholds, unfinishedPlan, verdictOf, withUnfinished } from './judge-run.js';
import {
  asPlaced,
  beginRun,
  driveCalls,
  factsOf,
  judged,
  openRunFolder,
  startTimers,
  watchFindings,
} from './live-run.js';
import type { Begun, MessageKeeper, Run } from './live-run.js';
import type { RunOptions, RunResult, RunnerParts } from './run-options.js';

/** What is true of the calls of a plan, by their indexes. */
export function truthOfPlan(plan: NetworkPlan): (index: number) => CallTruth {
  const truth = networkTruth(plan);
  const calls = new Map(plan.calls.map((call) => [call.index, call]));
  return (index) => {
    const call = calls.get(index);
    if (call === undefined) throw new RangeError(`the plan has no call ${index}`);
    return truth.ofCall(call);
  };
}

/** The network over SIP, its truth and its oracle. */
const SIP_PARTS: RunnerParts = {
  // What speaks SIP is loaded when a network is opened: whoever compares two runs waits for none of it.
  openWorld: async (options) => (await import('../network/world/index.js')).openWorld(options),
  judge: judgeRun,
  truthOf: truthOfPlan,
};

/** Beyond the longest call: ringing until a caller gives up is a minute, and the transactions behind it are 32 s (RFC 3261 timer F). */
const HANGING_AFTER_MS = 120_000;
/** What a world that had no time to settle gets to say what it has seen. */
const LAST_WORDS_MS = 5_000;

/**
 * Carries out a plan: opens its network, places its calls when they are due, waits until what follows from them is done, and holds what was seen against
 * what is true.
 * @param given - what `planNetwork` of a scenario made
 * @param options - folder, time, rate, captures
 * @returns what the run came to, also when it failed, was stopped or had no time; its exit code among it
 * @throws HopbackError `invalid-argument` where options name a provider, caller or called numbers that the plan does not have
 * @throws what opening the network or writing the folder throws: an address that cannot be bound, a full disk
 */
export async function runPlan(given: NetworkPlan, options: RunOptions = {}): Promise<RunResult> {
  const { clock = STEADY_CLOCK, parts = SIP_PARTS } = options;
  const plan = partedPlan(given, options);
  const folder = options.folder === undefined ? undefined : await openRunFolder(options.folder, options);
  const directory = folder?.workDirectory ?? (await mkdtemp(join(tmpdir(), 'hopback-run-')));
  const begun = beginRun(plan, { options, clock, parts, folder });
  const { run, pace } = begun;
  const stopTimers = startTimers(run, pace);
  run.enter('opening');
  try {
    await using world = await parts.openWorld({
      plan,
      directory,
      processes: options.processes ?? 0,
      ...(run.keeper !== undefined && { onMessage: (message) => tapped(run, message) }),
      ...(options.drachtio !== undefined && { drachtio: options.drachtio }),
      ...(options.external !== undefined && { external: options.external }),
      ...(options.listen !== undefined && { listen: options.listen }),
      ...(options.certificates !== undefined && { certificates: options.certificates }),
    });
    const stopWatching = watchFindings(run, world.found);
    run.cancels.push(stopWatching);
    await callsOf(begun, world);
    const facts = withHanging(run, await settledFacts(run, world));
    stopWatching();
    if (world.found !== undefined) run.figures.find(foundIn(facts));
    // What is over has no further second, and nothing is drawn over its result.
    stopTimers();
    run.enter('judging');
    const result = resultOf(run, facts);
    await folder?.write(result.record, result.summary);
    run.enter('over');
    await options.beforeClose?.(result, world.platform);
    return result;
  } finally {
    stopTimers();
    for (const cancel of run.cancels) cancel();
    await folder?.close();
    if (folder === undefined) await rm(directory, { recursive: true, force: true });
  }
}

/** A plan with the parts that somebody else plays, once everybody who is named in options is there. */
function partedPlan(
  plan: NetworkPlan,
  { external = {}, externalCallers = [], listen = {}, drachtio = {} }: RunOptions,
): NetworkPlan {
  const providers = new Set(plan.providers.map(({ id }) => id));
  const called = new Set(plan.scenario.called.map(({ id }) => id));
  for (const id of Object.keys(drachtio)) if (!providers.has(id)) throw nobody(id);
  for (const id of Object.keys(listen)) if (!providers.has(id) && !called.has(id)) throw nobody(id);
  return withExternalParties(plan, { providers: Object.keys(external), callers: externalCallers });
}

const nobody = (id: string): HopbackError =>
  new HopbackError('invalid-argument', `the scenario has no provider, and no called numbers, ${id}`);

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
    plan,
    calls,
    pace,
    figures,
    clock,
    ending: ending.signal,
    place: (call) => world.place(call),
    onEnded: (call) => {
      run.calls.push(call);
      run.keeper?.ended(call, wanted(call));
    },
  });
  begun.drive = drive;
  await Promise.race([drive.over, timeIsUp(run), drive.allPlaced.then(() => longAfter(run, calls))]);
}

/** Resolves when the last call should have ended long ago: one that hangs must not keep the run for ever. It is told as a trouble. */
function longAfter(run: Run, calls: readonly PlannedCall[]): Promise<void> {
  let longestMs = 0;
  for (const { durationMs } of calls) longestMs = Math.max(longestMs, durationMs);
  return new Promise((resolve) => {
    run.cancels.push(run.clock.schedule(resolve, longestMs + HANGING_AFTER_MS));
  });
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

/** Calls that did not end are a trouble of the network: whatever they came to is not known. */
function withHanging({ figures, endedBy }: Run, facts: RunFacts): RunFacts {
  const { up } = figures.counts();
  if (up === 0 || endedBy() === 'timeout') return facts;
  const trouble = { where: 'runner', what: `${up} calls did not end` };
  return { ...facts, troubles: [...facts.troubles, trouble] };
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

/** What was found in all, as the dashboard has it. */
const foundIn = ({ campaigns, tracebacks, alerts }: RunFacts): FoundSoFar => ({
  campaigns: campaigns.length,
  alerts: alerts.length,
  tracebacks: tracebacks.length,
  concluded: tracebacks.filter(({ concludedAtMs }) => concludedAtMs !== undefined).length,
});

function tapped(run: Run, message: Parameters<MessageKeeper['add']>[0]): void {
  run.keeper?.add(message);
  run.folder?.capture(message);
}

function resultOf(run: Run, facts: RunFacts): RunResult {
  const { options, parts, figures, keeper, folder } = run;
  const plan = asPlaced(run.plan, facts.calls);
  const truthOf = parts.truthOf(plan);
  const end = run.endedBy();
  const seenToBe = judged({ ...run, plan }, facts);
  const thresholds = judgedThresholds(seenToBe, plan.scenario.thresholds);
  const { placed: begun, unplaced: skipped, up } = figures.counts();
  // A call that somebody else was to place, and did not, was none.
  const placed = begun - run.calls.filter(({ placedAtMs }) => placedAtMs === undefined).length;
  const due = options.only?.length ?? plan.calls.length;
  const unfinished = unfinishedPlan({
    end,
    due,
    placed,
    skipped,
    thresholds: plan.scenario.thresholds,
  });
  const verdict = verdictOf({
    end,
    placed,
    hanging: up,
    thresholds,
    oracle: seenToBe,
    unfinished,
  });
  const oracle = withUnfinished(seenToBe, unfinished);
  const seen = new Map(facts.calls.map((call) => [call.index, call]));
  const samples = chooseSamples(plan, { facts, oracle }).flatMap(({ index, why }) => {
    const call = seen.get(index);
    return call === undefined || !hasCall(plan, index)
      ? []
      : [
          {
            index,
            why,
            truth: truthOf(index),
            seen: call,
            messages: keeper?.messagesOf(call) ?? [],
          },
        ];
  });
  const record: RunRecord = {
    plan,
    facts,
    oracle,
    thresholds,
    end,
    verdict,
    samples,
    truthOf,
    snapshots: figures.snapshots(),
    command: options.command ?? `hopback-harness run ${plan.scenario.name} --seed ${plan.seed}`,
    version: HARNESS_VERSION,
  };
  const exitCode = EXIT_CODES[verdict];
  const result = {
    plan,
    facts,
    oracle,
    thresholds,
    end,
    verdict,
    exitCode,
    summary: summaryOf(record),
    record,
  };
  return folder === undefined ? result : { ...result, folder: folder.path };
}

/** Settings of {@link runScenario}: how it is planned, and how it is run. */
export interface RunScenarioOptions extends RunOptions, PlanOptions {}

/**
 * Plans a scenario and carries it out over SIP, on loopback: opens its network, places its calls when they are due, waits until what follows from them is
 * done, and holds what was seen against what is true.
 * @param scenario - from `readScenario`, `readShippedScenario` or `defineScenario`; or a plan that was made already
 * @param options - seed, scale; folder, time, rate, captures
 * @returns what the run came to, also when it failed, was stopped or had no time
 * @throws {@link HopbackError} `invalid-argument` for a seed or scale out of bounds, and for a folder that is not empty; what opening the network throws
 * @see {@link planNetwork}
 * @example
 * ```ts
 * const result = await runScenario(await readShippedScenario('direct'), { onceOnly: true, seed: 7, scale: 0.1 });
 * console.log(result.verdict); // passed
 * ```
 */
export function runScenario(scenario: Scenario | NetworkPlan, options: RunScenarioOptions = {}): Promise<RunResult> {
  const { seed, onceOnly, scale, ...run } = options;
  if (!('format' in scenario)) return runPlan(scenario, run);
  return runPlan(planNetwork(scenario, { seed, onceOnly, scale }), run);
}

/** Thresholds are about whole runs: a call by itself is judged by its findings. */
function withoutThresholds(plan: NetworkPlan): NetworkPlan {
  const { thresholds: _, ...scenario } = plan.scenario;
  return { ...plan, scenario };
}

/**
 * Places one call of a plan again, as it was: the same network, and before it the calls whose Identity it replays.
 * @param plan - of the run
 * @param index - of the call
 * @param options - as for a run
 * @returns what it came to: it has passed when nothing was found
 */
export function replayPlan(plan: NetworkPlan, index: number, options: RunOptions = {}): Promise<RunResult> {
  const truthOf = options.parts?.truthOf(plan) ?? truthOfPlan(plan);
  const needed = new Set<number>();
  const need = (call: number): void => {
    if (needed.has(call)) return;
    needed.add(call);
    for (const { receives, sends } of truthOf(call).hops) {
      for (const { madeFor } of [...receives.identity, ...sends.identity]) need(madeFor);
    }
  };
  need(index);
  const only = [...needed].toSorted((one, other) => one - other);
  return runPlan(withoutThresholds(plan), { ...options, only, keepsMessages: true });
}
