import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesWildcards } from '../../sdk/src/records/ingest/follow-reading.js';
import { fingerprintOf, readCheckpointText, readPositionText } from '../../sdk/src/records/ingest/follow-position.js';
import type { StreamPosition } from '../../sdk/src/records/ingest/follow-position.js';
import { readRejectLine, rejectLine } from '../../sdk/src/records/ingest/rejects.js';
import { forAll } from '../support/for-all.js';

const fingerprint = fc.uint8Array({ maxLength: 1_024 }).map(fingerprintOf);
const position: fc.Arbitrary<StreamPosition> = fc.record({
  slot: fc.nat(511),
  offset: fc.integer({ min: 1_024, max: Number.MAX_SAFE_INTEGER }),
  line: fc.nat(),
  head: fingerprint,
  tail: fingerprint,
  files: fc.array(fc.record({ key: fc.string(), sizeBytes: fc.nat(), mtimeNs: fc.string(), isGzip: fc.boolean() }), {
    maxLength: 4,
  }),
  mtimeMs: fc.nat(),
  isFinal: fc.boolean(),
});
const anyJson = fc.oneof(fc.string(), fc.json());

test('a position that was written down is read back', () => {
  forAll([position], 100, (place) => {
    expect(readPositionText(JSON.stringify(place))).toEqual(place);
  });
});

test('a checkpoint that was written down is read back', () => {
  const checkpoint = fc.record(
    {
      streams: fc.array(position, { maxLength: 16 }),
      forgottenMs: fc.integer(),
      waiting: fc.record({ turn: fc.constantFrom(0 as const, 1 as const), pieces: fc.nat(), sha256: fc.string() }),
      coverage: fc.record(
        { fromUs: fc.nat(), writtenUs: fc.nat(), paceUs: fc.nat() },
        { requiredKeys: ['fromUs', 'writtenUs'] },
      ),
    },
    { requiredKeys: ['streams', 'forgottenMs'] },
  );
  forAll([checkpoint], 100, (kept) => {
    expect(readCheckpointText(JSON.stringify(kept))).toEqual(kept);
  });
});

test('any text is read as a position, a checkpoint or a rejected row, or as none, and never throws', () => {
  forAll([anyJson], 100, (text) => {
    readPositionText(text);
    readCheckpointText(text);
    readRejectLine(text);
  });
});

test('a position that was damaged in one character is none, or of the same form', () => {
  forAll([position, fc.nat(), fc.string({ minLength: 1, maxLength: 1 })], 100, (place, at, character) => {
    const text = JSON.stringify(place);
    const cut = at % text.length;
    const read = readPositionText(`${text.slice(0, cut)}${character}${text.slice(cut + 1)}`);
    if (read !== undefined) expect(read.offset).toBeGreaterThanOrEqual(read.tail.sizeBytes);
  });
});

test('a rejected row that was written down is read back', () => {
  const row = fc.record({
    sourceId: fc.string(),
    file: fc.string(),
    line: fc.nat(),
    reason: fc.constantFrom('not-text' as const, 'bad-time' as const),
    field: fc.string(),
    detail: fc.string(),
    sha256: fc.string(),
    bytes: fc.uint8Array().map((octets) => Buffer.from(octets)),
    sizeBytes: fc.nat(),
  });
  forAll([row], 100, (rejected) => {
    expect(readRejectLine(rejectLine(rejected))).toEqual(rejected);
  });
});

test('wildcards match what a regular expression of them matches', () => {
  const text = fc.stringMatching(/^[ab.]{0,12}$/);
  const pattern = fc.stringMatching(/^[ab.*?]{0,8}$/);
  forAll([text, pattern], 100, (name, wildcards) => {
    const regular = wildcards.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*');
    expect(matchesWildcards(name, wildcards)).toBe(new RegExp(`^${regular}$`).test(name));
  });
});
