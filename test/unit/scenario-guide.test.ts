import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { planNetwork } from '../../harness/src/network/plan/index.js';
import {
  faultText,
  METRICS,
  readScenario,
  ROBOCALL_SCRIPTS,
  shippedScenarios,
} from '../../harness/src/scenario/index.js';
import type { Scenario } from '../../harness/src/scenario/index.js';

// What docs/guides/scenarios.md shows is what happens.
const guide = await readFile(new URL('../../docs/guides/scenarios.md', import.meta.url), 'utf8');
const blocks = (language: string): readonly string[] =>
  Array.from(guide.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gmu), ([, found, text]) => [found, text] as const)
    .filter(([found]) => found === language)
    .map(([, text = '']) => text);
const [first = '', thresholds = '', csv = ''] = blocks('yaml');
const [faults = '', rows = ''] = blocks('');

test('the first scenario of the guide has the calls that the last program of it prints', async () => {
  const result = await readScenario(first, { path: 'first.yaml' });
  const { calls } = planNetwork((result as { scenario: Scenario }).scenario, { seed: 7 });
  expect(blocks('ts')[0]).toContain(`// ${String(calls.length)} [ '${calls[0]?.way.join("', '") ?? ''}' ]`);
});

test('two slips in it are told as the guide says', async () => {
  const text = first.replace('at: alder', 'at: aldr').replace('verdict_accuracy', 'verdict_acuracy');
  const result = await readScenario(text, { path: 'first.yaml' });
  expect(`${result.status === 'faulty' ? result.faults.map(faultText).join('\n') : ''}\n`).toBe(faults);
});

test('its thresholds and its CSV file are read', async () => {
  const whole = {
    ...(parse(first) as object),
    ...(parse(csv) as object),
    ...(parse(thresholds) as object),
    platform: {},
  };
  const result = await readScenario(stringify(whole), {
    path: 'whole.yaml',
    readFile: async () => Promise.resolve(rows),
  });
  expect(result.status === 'read' ? result.scenario.callers[0]?.csv?.rows?.[1] : result.faults).toEqual([
    ...['13125550102', '12025550143', 'Bob'],
  ]);
});

test('it names every metric, every script and every scenario that comes along', () => {
  for (const word of [...Object.keys(METRICS), ...Object.keys(ROBOCALL_SCRIPTS), ...shippedScenarios()])
    expect(guide).toContain(`\`${word}\``);
});
