import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readManifest } from '../../harness/src/platform/database/backup.js';
import { positionOfLeaf } from '../../harness/src/platform/database/audit-rows.js';
import {
  createPlatformLog,
  jsonbText,
  readKeyRing,
  storableText,
  withoutNumbers,
} from '../../harness/src/platform/database/index.js';
import { forAll } from '../support/for-all.js';

test('no text makes a reader of manifests, key rings or leaves throw', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
  forAll([text], 100, (given) => {
    readManifest(given);
    readKeyRing(given);
    positionOfLeaf(Buffer.from(given, 'utf8'));
  });
});

test('a number is masked however it is written, and what is logged is one line of JSON', () => {
  const sign = fc.constantFrom('', ' ', '-', '.', ' - ', ') ', '/');
  const digits = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), sign), { minLength: 7, maxLength: 15 });
  const around = fc.string({ unit: fc.constantFrom(...Array.from('ghijk :,"\n\u2028')) });
  forAll([digits, around, around], 100, (number, before, after) => {
    const written = number.map(([digit, between]) => `${digit}${between}`).join('');
    const plain = number.map(([digit]) => digit).join('');
    const lines: string[] = [];
    const log = createPlatformLog({ clock: { nowMs: () => 0 }, write: (line) => void lines.push(line) });
    log.error(`${before}${written}${after}`, { [`${before}${written}`]: [new Error(written)], value: written });
    expect(lines).toHaveLength(1);
    const line = lines[0] ?? '';
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const { at: _, ...rest } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    // The lines of the program in a trace have digits of their own.
    const said = JSON.stringify(rest, (name, value: unknown) => (name === 'at' ? undefined : value));
    expect(said.replaceAll(/\D/g, '')).not.toContain(plain);
  });
});

test('ids, times and hashes are let through', () => {
  const kept = fc.oneof(
    fc.uuid(),
    fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100') }).map((date) => date.toISOString()),
    fc.stringMatching(/^[0-9a-f]{63}[a-f]$/),
  );
  forAll([kept], 100, (text) => {
    expect(withoutNumbers(`t-x ${text}.`)).toBe(`t-x ${text}.`);
  });
});

test('masking takes linear time', () => {
  for (const text of ['1 '.repeat(200_000), 'a1b2'.repeat(100_000), '0123456-'.repeat(50_000), 'f'.repeat(500_000)]) {
    const begun = performance.now();
    withoutNumbers(text);
    expect(performance.now() - begun).toBeLessThan(5_000);
  }
});

test('any value becomes JSON that PostgreSQL takes, and is not changed where it could be taken already', () => {
  forAll([fc.jsonValue({ stringUnit: 'binary' })], 100, (value) => {
    const text = jsonbText(value);
    expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i);
    const plain = JSON.stringify(value);
    if (!/\\u0000|\\ud[89a-f]/i.test(plain)) expect(text).toBe(plain);
  });
  forAll([fc.array(fc.integer({ min: 0, max: 0xffff }))], 100, (units) => {
    const text = storableText(String.fromCharCode(...units));
    expect(text.includes('\0')).toBe(false);
    expect(() => encodeURIComponent(text)).not.toThrow();
  });
});
