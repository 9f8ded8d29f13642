import { inspect } from 'node:util';
import { afterAll, expect, test, vi } from 'vitest';
import * as harness from '@hopback/harness';
import * as conformance from '@hopback/harness/conformance';
import * as drachtio from '@hopback/harness/drachtio';
import * as stir from '@hopback/sdk/stir';
import * as testing from '@hopback/sdk/testing';
import { exportGaps, printedBy, referenceExamples, removeReferenceExamples } from '../../house/reference.js';

// The examples of the reference: each runs as it is printed, with nothing but what it names imported, and prints what it
// says.
const examples = await referenceExamples();

afterAll(removeReferenceExamples);

test.each([
  ['@hopback/sdk/stir', stir],
  ['@hopback/sdk/testing', testing],
  ['@hopback/harness', harness],
  ['@hopback/harness/conformance', conformance],
  ['@hopback/harness/drachtio', drachtio],
])('every function and class of %s has an example that imports from there', (specifier, entry) => {
  const functions = Object.entries(entry).flatMap(([name, value]) =>
    typeof value === 'function' && name !== 'HopbackError' ? [name] : [],
  );
  expect(functions.length).toBeGreaterThan(5);
  for (const name of functions) {
    const own = examples.filter(({ title }) => title.startsWith(`${name} `) || title.startsWith(`${name}.`));
    expect.soft(own.map(({ text }) => text).join(''), name).toContain(`} from '${specifier}';`);
  }
});

test('no function of any of them is told in part', () => {
  expect(exportGaps()).toEqual([]);
});

test.each(examples.map(({ title, ...example }) => [title, example] as const))('%s', async (_title, { file, text }) => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    const line = values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
    printed.push(...line.split('\n'));
  });
  try {
    await import(file);
  } finally {
    log.mockRestore();
  }
  const said = printedBy(text);
  expect(printed.filter((line) => said.includes(line))).toEqual(said);
});
