import { expect, test } from 'vitest';
import { textProblems } from '../../house/tracked-text.js';

// Put together here so that this file does not break the rules itself.
const joined = (...parts: readonly string[]): string => parts.join('');

test.each([
  ['a home folder', 'docs/a.md', joined('see /ho', 'me/somebody/notes')],
  ['a workplace', 'test/a.ts', joined("cp '/wo", "rk/main/x'")],
  ['a home folder of another system', 'README.md', joined('C:\\Us', 'ers\\somebody')],
  ['the host of a registry', '.ci/run', joined('npm config set registry https://registry.', 'npmjs.org')],
  ['a private key', 'examples/key.pem', joined('-----BEGIN PRIV', 'ATE KEY-----')],
  ['a loose end', 'sdk/src/a.ts', joined('// TO', 'DO: later')],
])('finds %s', (_what, path, line) => {
  expect(textProblems(path, `first\n${line}\n`)).toEqual([expect.stringContaining(`${path}:2: `)]);
});

test.each([
  ['a URL path', 'docs/a.md', 'GET https://platform.example/home/calls'],
  ['a folder below', 'docs/a.md', 'test/home/calls'],
  ['the armour of a key in code', 'sdk/src/a.ts', joined("const armour = '-----BEGIN PRIV", "ATE KEY-----';")],
])('leaves %s alone', (_what, path, line) => {
  expect(textProblems(path, line)).toEqual([]);
});

test('a lockfile that pins a package to a host is refused, a workspace link is not', () => {
  const lock = {
    packages: { a: { resolved: 'https://registry.example/a.tgz' }, b: { resolved: 'sdk', link: true }, c: {} },
  };
  expect(textProblems('package-lock.json', JSON.stringify(lock))).toEqual([
    'package-lock.json: a is pinned to a place: https://registry.example/a.tgz',
  ]);
});
