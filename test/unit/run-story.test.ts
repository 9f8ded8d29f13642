import { expect, test } from 'vitest';
import { storyLines } from '../../harness/src/report/index.js';
import type { RunRecord } from '../../harness/src/report/index.js';
import { toldRun } from '../support/told-run.js';

const { record } = await toldRun();
const story = (changed: Partial<RunRecord> = {}): string => storyLines({ ...record, ...changed }).join('\n');
/** As it is read: lines are broken where a terminal ends. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

test('a run is told on 80 columns: the campaign, what was found, each traceback, who is named', () => {
  const lines = storyLines(record);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  const titles = lines.filter((line) => /^[A-Z ]+$/.test(line) && line !== '');
  expect(titles).toEqual(['WHAT HAPPENED', 'WHAT WAS FOUND', 'WHO IS NAMED', 'HELD AGAINST THE TRUTH']);
});

test('what is missing or wrong is told as loudly as what is right', () => {
  const text = flat(story());
  expect(text).toContain('✗ No campaign was found.');
  expect(text).toContain('IS ACCUSED, and has done nothing.');
  expect(text).toContain('✗ FAILED:');
});

test('tracebacks that took the same course are told once', () => {
  const { facts } = record;
  const tracebacks = facts.tracebacks.flatMap((one) => [one, one]);
  const twice = story({ facts: { ...facts, tracebacks } });
  expect(twice.match(/2 tracebacks of call/g)).toHaveLength(facts.tracebacks.length);
});

test('a run without calls has a story too, and names of peers change no screen', () => {
  const { facts, plan } = record;
  const empty = story({ facts: { ...facts, calls: [], tracebacks: [] } });
  expect(empty).not.toContain('NaN');
  expect(empty).not.toContain('Infinity');
  const providers = plan.providers.map((one) => ({ ...one, name: 'Evil\u001b[31m Inc.' }));
  expect(story({ plan: { ...plan, providers } })).not.toContain('\u001b');
});
