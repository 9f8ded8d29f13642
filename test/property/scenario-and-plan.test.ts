import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { planNetwork, type PlannedCall } from '../../harness/src/network/plan/index.js';
import { defineScenario, parseThreshold, readScenario } from '../../harness/src/scenario/index.js';
import type { CallingNumbers, Scenario, ScenarioCaller, ScenarioPhase } from '../../harness/src/scenario/index.js';
import { readInjectionFile } from '../../harness/src/scenario/read/csv-files.js';
import { SCENARIO, SCENARIO_TEXT } from '../support/scenario-samples.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const pieces = SCENARIO_TEXT.split(/(?<=[\s{}[\],:])/u);

/** The sample with pieces taken out, doubled, or put in the place of others, and some of any text. */
const mutated = fc
  .array(
    fc.tuple(
      fc.nat(pieces.length),
      fc.nat(3),
      fc.oneof(fc.string(), fc.constantFrom(...pieces, '${x}', '*a', '&a ', '<<: ', '!!set ')),
    ),
    { maxLength: 6 },
  )
  .map((changes) => {
    const text = [...pieces];
    for (const [at, how, other] of changes) {
      if (how === 0) text.splice(at, 1);
      else text.splice(at, how === 1 ? 0 : how - 1, other);
    }
    return text.join('');
  });

test('reads any text without throwing, and every fault has a place', async () => {
  await forAllAsync([fc.oneof(fc.string(), mutated)], 500, async (text) => {
    const result = await readScenario(text, { path: 'any.yaml', variables: {} });
    if (result.status === 'read') return;
    expect(result.faults.length).toBeGreaterThan(0);
    const lines = text.split('\n').length;
    for (const { line, column, message } of result.faults) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(message.length).toBeGreaterThan(0);
    }
  });
});

test('reads any value as a scenario without throwing', async () => {
  await forAllAsync([fc.jsonValue(), fc.constantFrom(...Object.keys(SCENARIO))], 100, async (value, member) => {
    await readScenario(JSON.stringify(value), { path: 'any.json' });
    await readScenario(JSON.stringify({ ...SCENARIO, [member]: value }), { path: 'any.json' });
  });
});

test('reads any threshold and any CSV file without throwing', () => {
  forAll([fc.string()], 100, (text) => {
    expect(['parsed', 'faulty']).toContain(parseThreshold(text).status);
    expect(['read', 'faulty']).toContain(readInjectionFile(`SEQUENTIAL\n${text}`).status);
  });
});

const numbers: fc.Arbitrary<CallingNumbers> = fc.oneof(
  fc.constant<CallingNumbers>({ kind: 'neighbour' }),
  fc.constant<CallingNumbers>({ kind: 'invalid' }),
  fc.constant<CallingNumbers>({ kind: 'own', numbers: ['13125550100-13125550150'] }),
  fc
    .integer({ min: 1, max: 1_000 })
    .map((count): CallingNumbers => ({ kind: 'snowshoe', prefixes: ['1213', '1786'], count })),
);
const perSecond = fc.double({ min: 0, max: 30, noNaN: true });
const phase: fc.Arbitrary<Omit<ScenarioPhase, 'name'>> = fc.record({
  seconds: fc.double({ min: 0.1, max: 5, noNaN: true }),
  rate: fc.oneof(
    fc.record({ shape: fc.constant('constant' as const), perSecond }),
    fc.record({ shape: fc.constant('poisson' as const), perSecond }),
    fc.record({ shape: fc.constant('ramp' as const), from: perSecond, to: perSecond }),
    fc.record({ shape: fc.constant('spike' as const), perSecond, peak: perSecond }),
  ),
});
const caller = (id: string): fc.Arbitrary<ScenarioCaller> =>
  fc.record(
    {
      ...{ id: fc.constant(id), kind: fc.constantFrom('robocaller' as const, 'ordinary' as const) },
      ...{ at: fc.constantFrom('alder', 'birch'), numbers, calls: fc.constant(['homes']) },
      share: fc.double({ min: 0.1, max: 9, noNaN: true }),
      order: fc.constantFrom('sequential' as const, 'random' as const),
      agents: fc.integer({ min: 1, max: 20 }),
      daily: fc.record({ startHour: fc.double({ min: 0, max: 24, noNaN: true }) }),
    },
    { requiredKeys: ['id', 'kind', 'at', 'numbers', 'calls'] },
  );
const scenario: fc.Arbitrary<Scenario> = fc
  .tuple(caller('one'), caller('two'), fc.array(phase, { minLength: 1, maxLength: 3 }))
  .map(([one, two, phases]) => ({
    ...SCENARIO,
    callers: [one, two],
    phases: phases.map((part, at) => ({ ...part, name: `p${String(at)}` })),
  }));

test('a scenario that an object defines is the same when it is written to a file and read again', async () => {
  await forAllAsync([scenario], 50, async (made) => {
    const result = await readScenario(stringify(made), { path: 'made.yaml' });
    expect(result).toEqual({ status: 'read', scenario: defineScenario(made) });
  });
});

const seed = fc.nat(Number.MAX_SAFE_INTEGER);

test('the same scenario and seed make the same plan; its calls are in order, counted, and within the run', () => {
  forAll([scenario, seed], 60, (made, number) => {
    const plan = planNetwork(made, { seed: number });
    expect(planNetwork(structuredClone(made), { seed: number })).toEqual(plan);
    for (const [at, call] of plan.calls.entries()) {
      expect(call.index).toBe(at);
      expect(call.atMs).toBeGreaterThanOrEqual(plan.calls[at - 1]?.atMs ?? 0);
      expect(call.atMs).toBeLessThanOrEqual(plan.durationMs);
      expect(call.way.at(-1)).toBe('cedar');
      expect(call.calling).toMatch(/^\d{11}$/u);
    }
  });
});

test('a change of one caller leaves the calls of the other as they were', () => {
  forAll([scenario, caller('two'), seed], 60, (made, other, number) => {
    const [one, two] = made.callers as readonly [ScenarioCaller, ScenarioCaller];
    const { share: _, ...changed } = other;
    const replaced = { ...changed, ...(two.share === undefined ? {} : { share: two.share }) };
    const before = planNetwork(made, { seed: number }).calls;
    const after = planNetwork({ ...made, callers: [one, replaced] }, { seed: number }).calls;
    expect(callsOf(after, 'one')).toEqual(callsOf(before, 'one'));
  });
});

const callsOf = (calls: readonly PlannedCall[], id: string): readonly PlannedCall[] =>
  calls.filter((call) => call.caller === id).map((call) => ({ ...call, index: 0 }));
