import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { createExampleSwitchReader } from '../support/example-switch.js';
import { forAll } from '../support/for-all.js';
import { readSample, sampleOf, splitSample } from '../support/record-samples.js';

const GUIDE = 'docs/guides/add-a-switch-format.md';
const FORMATS = '../../sdk/src/records/ingest/formats/';
const { file, source, readings, waiting } = sampleOf('../new-format', 'calls');

/** The longest that a file of a format may be, as the guide promises. */
const MAX_LINES = 120;

test('the guide shows the whole file of a new format, in 120 lines at most', () => {
  const written = readFileSync('test/support/example-switch.ts', 'utf8');
  expect(written.split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  const [, shown] = /```ts\n([^]*?)```/.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  const withoutPlaces = (text = ''): string =>
    text.replaceAll(FORMATS, './').replaceAll(/\s+/g, ' ').replaceAll(', }', ' }');
  expect(withoutPlaces(shown)).toBe(withoutPlaces(written));
});

test.each([1_048_576, 61])('its sample makes the expected records, read in pieces of %i octets', (pieceBytes) => {
  const reader = createExampleSwitchReader(source);
  const rows = splitSample('../new-format', file, { framing: reader.framing, pieceBytes });
  expect(readSample(reader, rows)).toEqual({ readings, waiting });
});

test('whatever a row of it holds is a record or is refused, and never throws', () => {
  const reader = createExampleSwitchReader(source);
  const cell = fc.oneof(fc.constantFrom('F', '7/1', '2026-06-15 09:00:00', '16', '"', ''), fc.string());
  forAll([fc.array(cell, { maxLength: 12 })], 200, (cells) => {
    const text = cells.join(';');
    expect(reader.read({ text, sha256: sourceSha256(text), line: 2 })).toHaveLength(1);
  });
});
