import { readdir, readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { callsToTrace, planNetwork } from '../../harness/src/network/plan/index.js';
import { networkTruth } from '../../harness/src/network/truth/index.js';
import {
  readShippedScenario,
  ROBOCALL_SCRIPTS,
  scenarioJsonSchema,
  shippedScenarios,
  shippedScenarioText,
} from '../../harness/src/scenario/index.js';
import { codeOf } from '../support/code-of.js';
import { DEMO_RUNS, SHIPPED_RUNS, SHORTEN } from '../support/shipped-runs.js';

const folder = new URL('../../harness/src/scenario/shipped/', import.meta.url);

test('every file of the folder is listed, and nothing else; there are at least twenty', async () => {
  const files = await readdir(folder);
  expect(shippedScenarios().toSorted()).toEqual(files.map((file) => file.replace('.yaml', '')).toSorted());
  expect(files.length).toBeGreaterThanOrEqual(20);
});

test('a test runs every one', () => {
  expect([...Object.values(SHIPPED_RUNS).flat(), ...DEMO_RUNS].toSorted()).toEqual(shippedScenarios().toSorted());
});

const validate = new Ajv({ strict: false, allErrors: true }).compile(scenarioJsonSchema());

test.each(shippedScenarios())(
  '%s says why, is held to what it is about, passes the schema for editors, and every caller gets through when it is shortened',
  async (name) => {
    expect(validate(parse(await shippedScenarioText(name))) ? [] : validate.errors).toEqual([]);
    const scenario = await readShippedScenario(name);
    expect(scenario.name).toBe(name);
    expect(scenario.why.split(' ').length).toBeGreaterThan(30);
    const thresholds = Object.keys(scenario.thresholds ?? {});
    expect(thresholds.length).toBeGreaterThan(3);
    // One call is no campaign, and `direct` passes with one.
    const held = ['answers_automatic', ...(name === 'direct' ? [] : ['campaign_precision'])];
    expect(thresholds).toEqual(expect.arrayContaining(held));
    const plan = planNetwork(scenario, { scale: 0.2 });
    expect(plan.durationMs).toBeLessThanOrEqual(10_000);
    expect(plan.calls.every(({ way }) => way.length > 0)).toBe(true);
    expect(new Set(plan.calls.map(({ caller }) => caller))).toEqual(new Set(scenario.callers.map(({ id }) => id)));
    // Every behaviour is of a provider that calls come through, or that answers name.
    const used = new Set(plan.calls.flatMap(({ way }) => way));
    for (const { id, behaviours } of plan.providers) if (behaviours.length > 0) expect(used).toContain(id);
  },
);

test.each(shippedScenarios())('%s places the calls that it wants traced, when it is shortened too', async (name) => {
  const scenario = await readShippedScenario(name);
  for (const scale of [1, 1 / SHORTEN]) {
    const plan = planNetwork(scenario, { scale });
    const { carried } = networkTruth(plan);
    const traces = callsToTrace(plan, (call) => {
      const { hops } = carried(call);
      return hops.length === call.way.length && hops.every(({ isCertain }) => isCertain);
    });
    expect(traces.filter(({ call }) => call === undefined)).toEqual([]);
  }
});

test.each([
  ['seconds: 30', "seconds: '${seconds:-3}'", true],
  ['constant', "'steady'", false],
  ['seconds: 30', 'seconds: thirty', false],
  ['seconds: 30', 'second: 30', false],
])(
  'the schema for editors takes a variable in place of a number, and no other text: %s as %s',
  async (from, to, isValid) => {
    expect(validate(parse((await shippedScenarioText('direct')).replace(from, to)))).toBe(isValid);
  },
);

test('the committed schema is that of the program, and describes every member', async () => {
  const committed: unknown = JSON.parse(await readFile('docs/scenario.schema.json', 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
  expect([...undescribed(committed, [])]).toEqual([]);
});

function* undescribed(schema: unknown, trail: readonly string[]): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties') yield* undescribed(value, trail);
    else
      for (const [name, member] of Object.entries(value as Readonly<Record<string, { description?: string }>>)) {
        if (member.description === undefined) yield [...trail, name].join('.');
        yield* undescribed(member, [...trail, name]);
      }
  }
}

test('a scenario that is not shipped is refused, and so is a variable that it has not', async () => {
  expect(await codeOf(readShippedScenario('direct', { variables: { rate: '1' } }))).toBe('invalid-argument');
  await expect(readShippedScenario('drect')).rejects.toMatchObject({
    ...{ code: 'invalid-argument', message: expect.stringContaining('direct') as string },
  });
});

test('there are a dozen scripts of several topics, all with words that vary', () => {
  const scripts = Object.values(ROBOCALL_SCRIPTS);
  expect(scripts.length).toBeGreaterThanOrEqual(12);
  expect(new Set(scripts.map(({ topic }) => topic)).size).toBeGreaterThanOrEqual(6);
  expect(scripts.every(({ text }) => /\{\w+\}/u.test(text))).toBe(true);
});
