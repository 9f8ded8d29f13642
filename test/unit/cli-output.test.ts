import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CliIo, nodeIo, isKeyMaterial, shownText, withoutKeyMaterial } from '../../sdk/src/cli/kit/node-io.js';
import { factLines, printJson, printLines } from '../../sdk/src/cli/kit/output.js';
import { createTestKey } from '@hopback/sdk/testing';
import { forAll } from '../support/for-all.js';

const PROCESS = nodeIo();

/** What is written to a terminal without colours. */
function written(write: (io: CliIo) => void): string {
  const chunks: string[] = [];
  const stdout = {
    isTty: false,
    write: (text: string | Uint8Array) => void chunks.push(String(text)),
    flush: () => Promise.resolve(),
  };
  write({ ...PROCESS, stdout, env: {} });
  return chunks.join('');
}

// What a terminal may obey, the line end at the end apart.
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

test('a label of a peer neither moves the cursor, nor begins a line, nor pushes every value away', () => {
  const lines = factLines([
    ['\u001b[2J\u001b[H\n✓ passed', 'x'],
    ['y'.repeat(4000), 'z'],
    ['alg', 'ES256'],
  ]);
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).not.toMatch(OBEYED);
    expect(line).not.toContain('\n');
    expect(line.length).toBeLessThan(100);
  }
});

test('no line, whatever is in it, writes a control character or another line', () => {
  forAll([fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 })], 100, (lines) => {
    const text = written((io) => printLines(io, lines));
    expect(text).not.toMatch(OBEYED);
    expect(text.split('\n')).toHaveLength(lines.length + 1);
  });
});

test('a JSON document holds nothing that a terminal obeys, and reads back as it was', () => {
  const value = { '\u009b2J': 'a\u202eb\u2028\u007f', '\u001b[2J': '\u061c' };
  const text = written((io) => printJson(io, value));
  expect(text.replaceAll('\n', '')).not.toMatch(OBEYED);
  expect(JSON.parse(text)).toEqual(value);
});

test('a key is recognised as PEM, on one line, as JWK and as base64 of DER', () => {
  const key = createTestKey();
  const body = key.privateKeyPem.split('\n').slice(1, -2);
  const sec1 = key.privateKey.export({ type: 'sec1', format: 'der' }).toString('base64');
  const spellings = [
    key.privateKeyPem,
    key.privateKeyPem.replaceAll('\n', '\\n'),
    `\n ${JSON.stringify(key.privateKeyJwk)}`,
    body.join('\n'),
    body.join(''),
    sec1,
  ];
  for (const spelling of spellings) {
    expect(isKeyMaterial(spelling)).toBe(true);
    expect(shownText(spelling)).not.toContain(spelling.slice(0, 20));
  }
  expect(withoutKeyMaterial(`open ${key.privateKeyPem} failed`)).toBe('open (key material, not shown)');
});

test('paths are shown as they are, as far as they are printable and of a length that one reads', () => {
  for (const path of ['sp.key', '/etc/hopback/keys/sp-1234.key', 'C:\\keys\\sp.key', 'My Media/MIDI/sp.pem'])
    expect(shownText(path)).toBe(path);
  expect(shownText(`${'a'.repeat(300)}\u001b[2J`)).toHaveLength(201);
});
