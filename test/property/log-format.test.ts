import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readHolder } from '../../sdk/src/log/log-files.js';
import {
  encodeGroup,
  encodeSegmentHeader,
  FRAME_HEADER_BYTES,
  markOf,
  nextFrame,
  parseSegmentFileName,
  sealFrame,
  segmentFileName,
} from '../../sdk/src/log/segment-format.js';
import { forAll } from '../support/for-all.js';

const marks = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(markOf);
const numbers = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 });

function recordFrame(mark: number, sequence: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  frame.set(payload, FRAME_HEADER_BYTES);
  sealFrame(frame, { offset: 0, mark, sequence, lengthWord: payload.length });
  return frame;
}

test('the name of a segment and its header say the same, and other names say nothing', () => {
  forAll([fc.nat(9_999_999_999), numbers, marks], 100, (ordinal, first, mark) => {
    const name = { ordinal, first, mark };
    expect(parseSegmentFileName(segmentFileName(name))).toEqual(name);
    expect(encodeSegmentHeader({ ...name, first: first + 1 })).not.toEqual(encodeSegmentHeader(name));
  });
  forAll([fc.string()], 100, (name) => {
    expect(parseSegmentFileName(name)).toBeUndefined();
  });
});

test('finds each frame behind any bytes, and nothing in bytes alone', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  forAll([marks, numbers, bytes, bytes], 100, (mark, sequence, before, payload) => {
    const record = recordFrame(mark, sequence, payload);
    const group = encodeGroup(mark, sequence, sequence + 1);
    const all = Buffer.concat([before, record, group]);
    expect(nextFrame(all, 0, mark)).toEqual({
      ...{ kind: 'record', offset: before.length, sequence },
      ...{ payload: before.length + FRAME_HEADER_BYTES, end: before.length + record.length },
    });
    expect(nextFrame(all, before.length + 1, mark)).toMatchObject({
      kind: 'group',
      first: sequence,
      last: sequence + 1,
    });
    expect(nextFrame(Buffer.from(before), 0, mark).kind).toMatch(/^(?:none|cut)$/);
  });
});

test('returns, never throws, for any bytes and any place in them', () => {
  forAll([marks, fc.uint8Array({ maxLength: 200 }), fc.nat(210), fc.nat()], 100, (mark, bytes, from, at) => {
    const buffer = Buffer.from(bytes);
    // With a mark somewhere, so that what is behind it is looked at.
    if (buffer.length >= 4) buffer.writeUInt32LE(mark, at % (buffer.length - 3));
    expect(['record', 'group', 'cut', 'none']).toContain(nextFrame(buffer, from, mark).kind);
  });
});

test('any text is the holder of a lock or none', () => {
  const json = fc.json().map((text) => `${text}\n`);
  forAll([fc.oneof(fc.string({ unit: 'binary' }), json)], 100, (text) => {
    expect(['object', 'undefined']).toContain(typeof readHolder(text));
  });
});
