import { readFileSync } from 'node:fs';
import { checkSync } from 'recheck';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ROOT } from '../house/run.js';

// That none of them can take more than linear time is a minute of work for recheck, and the `regex` stage of `npm run check`.
const FOLDERS = ['sdk/src', 'harness/src'];

// The backends that recheck prefers are a native program and a jar; the pure one needs neither.
beforeAll(() => void vi.stubEnv('RECHECK_SYNC_BACKEND', 'pure'));
afterAll(() => void vi.unstubAllEnvs());

const sources = FOLDERS.flatMap((folder) => ts.sys.readDirectory(`${ROOT}${folder}`, ['.ts', '.tsx'])).map((path) => ({
  path: path.slice(ROOT.length),
  text: readFileSync(path, 'utf8'),
}));

const statusOf = (pattern: string, flags: string): string => checkSync(pattern, flags, { timeout: 20_000 }).status;

test('finds every source file of both packages', () => {
  const paths = sources.map(({ path }) => path);
  expect(paths).toContain('sdk/src/core/runtime/clock.ts');
  expect(paths).toContain('harness/src/index.ts');
});

test('knows a vulnerable expression from a safe one', () => {
  expect(statusOf('^(a+)+$', '')).toBe('vulnerable');
  expect(statusOf('^\\s+|\\s+$', 'g')).toBe('vulnerable');
  expect(statusOf('^[0-9A-Z]{1,15}$', '')).toBe('safe');
});

test('makes no regular expression at run time, where it could not be checked', () => {
  const makers = sources.filter(({ text }) => /\bRegExp\s*\(/.test(text)).map(({ path }) => path);
  expect(makers).toEqual([]);
});
