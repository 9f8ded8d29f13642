import { expect, test } from 'vitest';
import { brokenLinks, textProblems } from '../../house/tracked-text.js';

// Put together here so that this file does not break the rules itself.
const joined = (...parts: readonly string[]): string => parts.join('');

test.each([
  ['a home folder', 'docs/a.md', joined('see /ho', 'me/somebody/notes')],
  ['a workplace', 'test/a.ts', joined("cp '/wo", "rk/main/x'")],
  ['a home folder of another system', 'README.md', joined('C:\\Us', 'ers\\somebody')],
  ['the host of a registry', '.ci/run', joined('npm config set registry https://registry.', 'npmjs.org')],
  ['a private key', 'examples/key.pem', joined('-----BEGIN PRIV', 'ATE KEY-----')],
  ['a private key of a test', 'test/key.pem', joined('-----BEGIN EC PRIV', 'ATE KEY-----')],
  ['a private key in a string', 'test/a.ts', joined("'-----BEGIN PRIV", "ATE KEY-----\\nMIG'")],
  ['a workplace without more', 'README.md', joined('in /wo', 'rk, or')],
  ['a temporary file', 'docs/a.md', joined('see /t', 'mp/notes')],
  ['a folder of one installation', '.ci/run', joined('/o', 'pt/tool/bin/x')],
  ['a shelf of one workshop', 'docs/a.md', joined('as sha', 'red/style.md says')],
  ['a setting of a registry', '.npmrc', joined('regis', 'try=https://packages.example/')],
  ['a command that may come from the public registry', 'docs/a.md', joined('np', 'x hopback-harness run direct')],
  ['the same with options', 'README.md', joined('np', 'x --yes @hopback/sdk --help')],
  ['an option that npx takes', 'README.md', joined('np', 'x --no hopback --help')],
  ['a loose end', 'sdk/src/a.ts', joined('// TO', 'DO: later')],
  ['a loose end in lower case', 'sdk/src/a.ts', joined('// to', 'do: later')],
  ['a loose end of another name', 'test/a.ts', joined('/* HA', 'CK */')],
  ['a loose end in a guide', 'docs/a.md', joined('TO', 'DO: say more')],
])('finds %s', (_what, path, line) => {
  expect(textProblems(path, `first\n${line}\n`)).toEqual([expect.stringContaining(`${path}:2: `)]);
});

test.each([
  ['a URL path', 'docs/a.md', 'GET https://platform.example/home/calls'],
  ['a command of this machine alone', 'docs/a.md', 'npx --no hopback verify'],
  ['a folder below', 'docs/a.md', 'test/home/calls'],
  ['the armour of a key in code', 'sdk/src/a.ts', joined("const armour = '-----BEGIN PRIV", "ATE KEY-----';")],
])('leaves %s alone', (_what, path, line) => {
  expect(textProblems(path, line)).toEqual([]);
});

test('a link of a guide that leads nowhere is found, one to a file, a folder or elsewhere is not', () => {
  const known = new Set(['README.md', 'docs/guides/a.md', 'docs/guides/b.md']);
  const text = '[a](b.md#part) [b](../../README.md) [c](../guides) [d](https://a.example/x.md) [e](#part) [f](../c.md)';
  expect(brokenLinks('docs/guides/a.md', text, known)).toEqual([
    'docs/guides/a.md: a link that leads nowhere: ../c.md',
  ]);
});

test('a lockfile that pins a package to a host is refused, a workspace link is not', () => {
  const lock = {
    packages: { a: { resolved: 'https://registry.example/a.tgz' }, b: { resolved: 'sdk', link: true }, c: {} },
  };
  expect(textProblems('package-lock.json', JSON.stringify(lock))).toEqual([
    'package-lock.json: a is pinned to a place: https://registry.example/a.tgz',
  ]);
});
