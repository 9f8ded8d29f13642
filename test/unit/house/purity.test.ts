import { expect, test } from 'vitest';
import { impurities } from '../../house/purity.js';

const linesOf = (text: string): readonly number[] => impurities('file.ts', text).map(({ line }) => line);

test.each([
  ['the clock behind new Date()', 'export const f = () => new Date().getTime();'],
  ['the clock behind Date()', 'export const f = () => Date();'],
  ['Date.now by its name', 'export const f = () => Date.now();'],
  ['Date.now by computed access', "export const f = () => Date['now']();"],
  ['Date.now taken apart', 'export const f = () => { const { now } = Date; return now(); };'],
  ['Math.random by computed access', "export const f = () => Math['random']();"],
  ['a module loaded at run time', "export const f = () => import('node:fs');"],
  ['the place of the file', 'export const f = () => import.meta.url;'],
  ['a counter at the top', 'let seen = 0; export const f = () => ++seen;'],
  ['a cache at the top', 'const cache = new Map(); export const f = () => cache;'],
  ['a declared cache at the top', 'const cache: Map<string, string> = new Map(); export const f = () => cache;'],
  ['randomness by a default import', "import crypto from 'node:crypto'; export const f = () => crypto.randomUUID();"],
  ['randomness by the whole module', "import * as crypto from 'crypto'; export const f = () => crypto.randomInt(2);"],
  [
    'randomness under another name',
    "import { randomBytes as hash } from 'node:crypto'; export const f = () => hash(2);",
  ],
  ['new keys', "import { generateKeyPairSync } from 'node:crypto'; export const f = generateKeyPairSync;"],
  ['a timer behind a signal', 'export const f = () => AbortSignal.timeout(5);'],
  ['a timer behind a signal, by computed access', "export const f = () => AbortSignal['timeout'](5);"],
  ['a socket', "export const f = () => new WebSocket('wss://a.example');"],
  ['a wait', 'export const f = (a: Int32Array) => Atomics.wait(a, 0, 0, 5);'],
  ['a list at the top', 'const all: string[] = []; export const f = () => all;'],
])('a pure file may not hold %s', (_what, text) => {
  expect(linesOf(text)).toEqual([1]);
});

test.each([
  ['instants it was given', 'export const f = (ms: number): string => new Date(ms).toISOString();'],
  ['UTC arithmetic', 'export const f = () => Date.UTC(2026, 1, 1) + Date.parse("2026-01-01");'],
  ['Date as a type or a member', 'export interface A { readonly Date: Date }; export const f = (a: A) => a.Date;'],
  ['hashes and checks', "import { createHash, verify } from 'node:crypto'; export const f = [createHash, verify];"],
  ['types of keys', "import type { KeyObject } from 'node:crypto'; export type A = KeyObject;"],
  ['signals it was given', 'export const f = (signal: AbortSignal) => AbortSignal.any([signal]).aborted;'],
  ['a table', 'const table = new Map([[1, 2]]); const codes = new Set(["a"]); export const f = () => [table, codes];'],
  ['an empty table', 'export const none: ReadonlyMap<string, string> = new Map(); const rows: readonly string[] = [];'],
  ['containers of one call', 'export const f = () => { let n = 0; const m = new Map(); return m.set(n, n); };'],
  ['arithmetic', 'export const f = (n: number) => Math.max(n, 0);'],
])('a pure file may use %s', (_what, text) => {
  expect(linesOf(text)).toEqual([]);
});
