import { inspect } from 'node:util';
import { afterAll, expect, test, vi } from 'vitest';
import { printedBy, referenceExamples, removeReferenceExamples } from '../../house/reference.js';

// The examples of the reference: each runs as it is printed, with nothing but what it names imported, and prints what it
// says.
const examples = await referenceExamples();

afterAll(removeReferenceExamples);

test.each(examples.map(({ title, ...example }) => [title, example] as const))('%s', async (_title, { file, text }) => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    printed.push(values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' '));
  });
  try {
    await import(file);
  } finally {
    log.mockRestore();
  }
  const said = printedBy(text);
  expect(printed.filter((line) => said.includes(line))).toEqual(said);
});
