import { readFileSync } from 'node:fs';
import { checkSync } from 'recheck';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ROOT } from '../house/run.js';
import { regularExpressions } from '../house/sources.js';

const FOLDERS = ['sdk/src', 'harness/src'];

// The backends that recheck prefers are a native program and a jar; the pure one needs neither.
beforeAll(() => {
  vi.stubEnv('RECHECK_SYNC_BACKEND', 'pure');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const sources = FOLDERS.flatMap((folder) => ts.sys.readDirectory(`${ROOT}${folder}`, ['.ts', '.tsx'])).map((path) => ({
  path: path.slice(ROOT.length),
  text: readFileSync(path, 'utf8'),
}));

const statusOf = (pattern: string, flags: string): string => checkSync(pattern, flags, { timeout: 20_000 }).status;

test('finds every source file of both packages', () => {
  const paths = sources.map(({ path }) => path);
  expect(paths).toContain('sdk/src/core/clock.ts');
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

test('has no regular expression that can take more than linear time', { timeout: 120_000 }, () => {
  const unsafe: string[] = [];
  for (const { path, text } of sources) {
    for (const { line, pattern, flags } of regularExpressions(path, text)) {
      const status = pattern === undefined ? 'unknown' : statusOf(pattern, flags);
      if (status !== 'safe') unsafe.push(`${path}:${line}: /${pattern}/${flags} is ${status}`);
    }
  }
  expect(unsafe).toEqual([]);
});
