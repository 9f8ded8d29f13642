import { ManualClock } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import type { SeenCall, SeenTraceback } from '../../harness/src/oracle/index.js';
import { diffRuns } from '../../harness/src/report/index.js';
import { runPlan, type RunControl, type RunOptions, type RunResult } from '../../harness/src/runner/index.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { sampleParts, samplePlan, sampleTracebacks } from '../support/run-sample.js';
import type { SamplePlanOptions, SampleWorldOptions } from '../support/run-sample.js';

interface Settings {
  readonly plan?: SamplePlanOptions;
  readonly world?: SampleWorldOptions;
  readonly run?: RunOptions;
}

/** Starts a run whose clock the test moves. */
async function start({ plan, world, run }: Settings = {}) {
  const clock = new ManualClock();
  const parts = sampleParts(clock, world);
  const given: { control?: RunControl } = {};
  const result = runPlan(samplePlan(plan), { clock, parts, ...run, onControl: (made) => (given.control = made) });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Moves the clock on, in steps, and lets what follows happen. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50);
      await turn();
    }
  };
  // Opening makes a folder, which takes as long as it does.
  while (given.control === undefined || given.control.view().stage === 'opening') await turn();
  const { control } = given;
  return { clock, parts, control, result, pass };
}

/** Starts a run, moves its clock on, and gives its result. */
async function runFor(ms: number, settings: Settings = {}): Promise<RunResult> {
  const { pass, result } = await start(settings);
  await pass(ms);
  return result;
}

test('calls are placed when they are due, however late the timer was', async () => {
  const { parts, pass, clock, result } = await start({ plan: { calls: 10, everyMs: 100 } });
  const began = clock.nowMs();
  await pass(400);
  // The process was busy for 350 ms: four calls are late, and those after them are not.
  clock.advance(50);
  await pass(2_000);
  expect((await result).exitCode).toBe(0);
  expect(parts.placed.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const { index, atMs } of parts.placed) expect(atMs - began).toBeLessThanOrEqual(index * 100 + 50);
  expect(parts.isClosed()).toBe(true);
});

test('twice the rate halves the time, a pause stops it, and nothing is lost', async () => {
  const { parts, pass, control, result, clock } = await start({ plan: { calls: 20, everyMs: 100 } });
  const began = clock.nowMs();
  control.setRate(2);
  await pass(500);
  expect(parts.placed).toHaveLength(11);
  control.pause();
  await pass(3_000);
  expect(parts.placed).toHaveLength(11);
  expect(control.view()).toMatchObject({ isPaused: true, rateFactor: 2 });
  control.resume();
  await pass(2_000);
  expect((await result).facts.calls.every(({ placedAtMs }) => placedAtMs !== undefined)).toBe(true);
  expect((parts.placed.at(-1)?.atMs ?? 0) - began).toBe(3_950);
});

test('calls that a pause moved past a crash are not held against it, and those placed when they were due are', async () => {
  const network = { calls: 40, everyMs: 250 };
  const healthy = [...simulateRun(samplePlan(network)).calls];
  const settings: Settings = {
    plan: { ...network, behaviours: { birch: [{ kind: 'crashes', fromSeconds: 3, untilSeconds: 7 }] } },
    world: { spoil: ({ index, placedAtMs = 0 }) => ({ ...healthy[index]!, placedAtMs }) },
  };
  const { pass, control, result } = await start(settings);
  await pass(2_900);
  control.pause();
  await pass(4_500);
  control.resume();
  await pass(20_000);
  expect(await result).toMatchObject({ verdict: 'passed', oracle: { findings: [] } });
  expect(await runFor(20_000, settings)).toMatchObject({ verdict: 'failed' });
});

test('calls above the limit of calls that are up are not placed, and are counted', async () => {
  const { parts, pass, control, result } = await start({
    plan: { calls: 10, everyMs: 100, maxConcurrent: 2 },
    world: { callMs: 10_000 },
  });
  await pass(1_000);
  expect(control.view().counts).toMatchObject({ placed: 2, unplaced: 8, up: 2 });
  await pass(11_000);
  expect((await result).summary.deterministic.counts).toMatchObject({ planned: 10, placed: 2, unplaced: 8 });
  expect(parts.placed).toHaveLength(2);
});

test('a run in which calls were not placed is incomplete, unless its scenario says how many need not be', async () => {
  const limits = { calls: 10, everyMs: 100, maxConcurrent: 2 };
  const run = (thresholds?: SamplePlanOptions['thresholds']): Promise<RunResult> =>
    runFor(12_000, {
      plan: { ...limits, ...(thresholds !== undefined && { thresholds }) },
      world: { callMs: 10_000 },
    });
  const plain = await run();
  expect(plain).toMatchObject({ end: 'plan', verdict: 'incomplete', exitCode: 3, oracle: { findingsInAll: 1 } });
  expect(plain.summary.measured.findings).toMatchObject([
    { kind: 'incomplete', seen: '2 of 10 calls were placed: for 8 too many others were up' },
  ]);
  expect(await run({ calls_wrong: ['count==0'] })).toMatchObject({ verdict: 'incomplete', exitCode: 3 });
  expect(await run({ calls_unplaced: ['count<=8'] })).toMatchObject({ verdict: 'passed', oracle: { findings: [] } });
  expect(await run({ calls_unplaced: ['count==0'] })).toMatchObject({ verdict: 'failed', exitCode: 1 });
});

test('a run without thresholds fails on any finding, and one with thresholds on those alone', async () => {
  const world: Settings['world'] = { spoil: (seen) => (seen.index === 3 ? { ...seen, finalStatus: 503 } : seen) };
  expect(await runFor(3_000, { world })).toMatchObject({ verdict: 'failed', exitCode: 1 });
  const held = await runFor(3_000, { world, plan: { thresholds: { calls_wrong: ['count<=1'] } } });
  expect(held).toMatchObject({ verdict: 'passed', exitCode: 0 });
  expect(await runFor(3_000, { world, plan: { thresholds: { calls_wrong: ['count==0'] } } })).toMatchObject({
    exitCode: 1,
    thresholds: [{ metric: 'calls_wrong', threshold: 'count==0', isMet: false, seen: '1' }],
  });
});

test('a threshold that aborts ends the run, not before its delay', async () => {
  const { parts, pass, result } = await start({
    plan: {
      ...{ calls: 100, everyMs: 100 },
      thresholds: { calls_wrong: [{ threshold: 'count==0', abortOnFail: true, delayAbortSeconds: 3 }] },
    },
    world: { spoil: (seen) => ({ ...seen, finalStatus: 503 }) },
  });
  await pass(20_000);
  expect(await result).toMatchObject({ end: 'threshold', verdict: 'failed', exitCode: 1 });
  expect(parts.placed.length).toBeGreaterThanOrEqual(28);
  expect(parts.placed.length).toBeLessThanOrEqual(42);
});

test('time that is up ends the run with 97, although its calls and its network hang', async () => {
  const hanging = await start({ world: { hangs: true }, run: { timeoutSeconds: 5 } });
  await hanging.pass(11_000);
  expect(await hanging.result).toMatchObject({ end: 'timeout', verdict: 'timeout', exitCode: 97 });
  const calls = await start({ world: { callMs: 3_600_000 }, run: { timeoutSeconds: 1 } });
  await calls.pass(2_000);
  expect(await calls.result).toMatchObject({ exitCode: 97 });
  expect(calls.parts.isClosed()).toBe(true);
});

test('a plan without calls proves nothing: 99', async () => {
  expect(await runFor(100, { plan: { calls: 0 } })).toMatchObject({ verdict: 'no-calls', exitCode: 99 });
});

test('a run that is stopped, or ended by a signal, is judged by what was placed, and is incomplete at best', async () => {
  const plan = { calls: 100 };
  for (const [world, verdict] of [
    [{}, { verdict: 'incomplete', exitCode: 3 }],
    [{ spoil: (seen: SeenCall) => ({ ...seen, finalStatus: 503 }) }, { verdict: 'failed', exitCode: 1 }],
  ] as const) {
    const { parts, pass, control, result } = await start({ plan, world });
    await pass(500);
    control.stop();
    expect(control.view()).toMatchObject({ endedBy: 'stopped' });
    await pass(1_000);
    const { oracle, ...ended } = await result;
    expect(ended).toMatchObject({ end: 'stopped', ...verdict });
    if (verdict.verdict === 'incomplete')
      expect(oracle.findings).toMatchObject([
        { seen: `${parts.placed.length} of 100 calls were placed: somebody stopped the run` },
      ]);
  }
  const leaving = new AbortController();
  const signalled = await start({ plan, run: { signal: leaving.signal } });
  await signalled.pass(500);
  leaving.abort();
  await signalled.pass(1_000);
  expect(await signalled.result).toMatchObject({ end: 'signal', verdict: 'incomplete', exitCode: 3 });
  expect(signalled.parts.placed.length).toBeLessThan(20);
});

test('a signal that comes while the network is opened leaves the run incomplete, although no call was placed', async () => {
  const { result, parts, pass } = await start({ run: { signal: AbortSignal.abort() } });
  await pass(100);
  expect(await result).toMatchObject({ end: 'signal', verdict: 'incomplete', exitCode: 3 });
  expect(parts.placed).toEqual([]);
});

test('two runs of a seed have the same summary but for what was measured', async () => {
  const [one, other] = [
    await runFor(3_000, { world: { callMs: 300 } }),
    await runFor(3_000, { world: { callMs: 700 } }),
  ];
  expect(one.summary.digest).toBe(other.summary.digest);
});

test('which calls a platform traces for its campaigns is measured, and changes nothing that the seed decides', async () => {
  const staff = sampleTracebacks(samplePlan());
  const runs: RunResult[] = [];
  for (const traced of [[], [0, 2], [4]]) {
    const own = traced.map((callIndex): SeenTraceback => ({
      ...{ tracebackId: `own-${String(callIndex)}`, campaignId: 'c-1', callIndex, state: 'closed', openedAtMs: 0 },
      ...{ outcome: { kind: 'origin', provider: 'dune' }, answers: [] },
    }));
    runs.push(await runFor(3_000, { world: { tracebacks: [...own, ...staff] } }));
  }
  expect(new Set(runs.map(({ summary }) => summary.digest)).size).toBe(1);
  const measured = runs.map(({ summary }) => summary.measured);
  expect(measured.map(({ tracebacks }) => tracebacks.map(({ callIndex }) => callIndex))).toEqual([[], [0, 2], [4]]);
  expect(measured.map(({ counts }) => counts.tracebacks)).toEqual([3, 5, 4]);
  expect(measured.map(({ metrics }) => metrics['wrong_accusations'])).toEqual(
    [1, 3, 2].map((count) => ({ kind: 'count', count })),
  );
  expect(measured.map(({ findings }) => findings.map(({ kind }) => kind))).toEqual([
    [],
    ['accusation', 'accusation'],
    ['accusation'],
  ]);
  const [before, , after] = runs.map(({ summary }) => summary);
  if (before === undefined || after === undefined) throw new Error('there were three runs');
  expect(diffRuns(before, after)).toMatchObject({ isSame: true, isWorse: true, newFindings: [] });
});

test('nothing waits any more when a run is over', async () => {
  const { clock, pass, result } = await start({ run: { timeoutSeconds: 600 } });
  await pass(3_000);
  await result;
  expect(clock.pendingTimers()).toBe(0);
});

test('a call that never ends does not keep a run open, and is reported as a trouble', async () => {
  const { verdict, facts } = await runFor(122_000, { world: { callMs: 86_400_000 } });
  expect(verdict).toBe('failed');
  expect(facts.troubles).toEqual([{ where: 'runner', what: '10 calls did not end' }]);
});

test('what a platform has found is in view each second, and in the end is what the facts say', async () => {
  let asked = 0;
  const found = async () => {
    asked += 1;
    // One that fails now and then is asked again.
    if (asked === 2) throw new Error('busy');
    return { campaigns: 1, alerts: 2, tracebacks: asked, concluded: 0 };
  };
  const { pass, control, result } = await start({ plan: { calls: 10, everyMs: 500 }, world: { found } });
  expect(control.view().found).toBeUndefined();
  await pass(1_500);
  expect(control.view().found).toEqual({ campaigns: 1, alerts: 2, tracebacks: 1, concluded: 0 });
  await pass(2_000);
  expect(control.view().found?.tracebacks).toBe(3);
  await pass(8_000);
  const { record } = await result;
  const last = asked;
  expect(control.view().found).toEqual({ campaigns: 0, alerts: 0, tracebacks: 0, concluded: 0 });
  expect(record.snapshots.find((snapshot) => snapshot.found !== undefined)?.atMs).toBeLessThanOrEqual(2_000);
  await pass(5_000);
  expect(asked).toBe(last);
});
