import { expect, test } from 'vitest';
import { modulesMocked, testsLeftOut, uncollected } from '../../house/suites.js';

test('a file of tests in no project is found, whatever it is called', () => {
  const paths = ['test/unit/a.test.ts', 'test/new/b.test.ts', 'test/unit/c.spec.ts', 'sdk/src/d.test.mts', 'test/e.ts'];
  const found = uncollected(paths, new Set(['test/unit/a.test.ts'])).map((problem) => problem.split(' ', 1)[0]);
  expect(found).toEqual(['test/new/b.test.ts', 'test/unit/c.spec.ts', 'sdk/src/d.test.mts']);
});

test.each([
  ["test.skip('a', () => undefined);", 'skip'],
  ["describe.only('a', () => undefined);", 'only'],
  ["it.concurrent.todo('a');", 'todo'],
  ["test.skipIf(true).each([1])('a', () => undefined);", 'skipIf'],
  ["test('a', { skip: true }, () => undefined);", 'skip'],
  ["const skip = true; test('a', { skip }, () => undefined);", 'skip'],
  ["describe('a', { only: true }, () => undefined);", 'only'],
  ["test('a', (context) => context.skip());", 'skip'],
  ["test('a', ({ skip }) => { skip(); });", 'skip'],
  ["test.each([1])('a', { fails: true }, () => undefined);", 'fails'],
])('%s leaves tests out', (text, word) => {
  expect(testsLeftOut('test/a.test.ts', text)).toEqual([expect.stringContaining(`test/a.test.ts:1: ${word}: `)]);
});

test.each([
  "test('skip: only', () => undefined);",
  "test('a', () => expect(draft.only).toBe(1));",
  "test('a', () => { read({ only: 1, skip: 2 }); });",
  "test.skipIf(process.platform === 'win32')('a', () => undefined);",
  'const [only] = list; reader.skip(1);',
])('%s does not', (text) => {
  expect(testsLeftOut('test/a.test.ts', text)).toEqual([]);
});

test('a module is mocked only where a file has its process to itself', () => {
  const text = "vi.mock('node:fs', () => ({}));\nvi.spyOn(console, 'log');";
  expect(modulesMocked('test/unit/a.test.ts', text)).toEqual([
    expect.stringContaining('test/unit/a.test.ts:1: vi.mock: '),
  ]);
  expect(modulesMocked('test/e2e/a.test.ts', text)).toHaveLength(1);
  expect(modulesMocked('test/faults/a.test.ts', text)).toEqual([]);
});
