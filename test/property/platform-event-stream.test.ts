import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventStreamParser, type EventStreamItem } from '../../sdk/src/platform/events/platform-events.js';
import { forAll } from '../support/for-all.js';

const encoder = new TextEncoder();

function parsed(bytes: Uint8Array, cuts: readonly number[] = [], maxEventChars?: number): readonly EventStreamItem[] {
  const parser = createEventStreamParser(maxEventChars === undefined ? {} : { maxEventChars });
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return places.slice(1).flatMap((end, at) => parser.push(bytes.subarray(places[at], end)));
}

/** The rules of the standard over a whole text, written in another way than the parser. */
function asTheStandardHasIt(text: string): readonly EventStreamItem[] {
  const items: EventStreamItem[] = [];
  let [id, name, data] = ['', '', [] as string[]];
  // What stands behind the last end of a line is no line.
  for (const line of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .slice(0, -1)) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
    if (line === '') {
      if (data.length > 0)
        items.push({ kind: 'event', lastEventId: id, name: name || 'message', data: data.join('\n') });
      [name, data] = ['', []];
    } else if (field === 'data') data.push(value);
    else if (field === 'event') name = value;
    else if (field === 'id' && !value.includes('\0') && value.length <= 512) id = value;
    else if (field === 'retry' && /^\d{1,10}$/.test(value))
      items.push({ kind: 'retry', waitMs: Math.min(Number(value), 600_000) });
  }
  return items;
}

const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
/** Lines of the grammar and comments, between bars. */
const LINES =
  '|data|data:|data: {}|data:  two|id: 7|id|id: a\0b|id: \u{1F4DE}|event|event: x|retry: 500|retry: soon|retry: 9999999999' +
  '|: comment|other: field|data: é\u{1F4DE}| data: x';
const line = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...LINES.split('|')) },
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const stream = fc
  .tuple(
    fc.constantFrom('', '\uFEFF', '\uFEFF\uFEFF'),
    fc.array(fc.tuple(line, lineEnd), { maxLength: 30 }),
    fc.string({ maxLength: 5 }),
  )
  .map(([mark, lines, rest]) => `${mark}${lines.map((pair) => pair.join('')).join('')}${rest}`)
  // Half a surrogate pair has no UTF-8.
  .map((text) => text.replaceAll(/\p{Cs}/gu, ''));
const cuts = fc.array(fc.nat(), { maxLength: 12 });

test('reads a stream as the standard has it, wherever its chunks end', () => {
  forAll([stream, cuts], 2_000, (text, places) => {
    expect(parsed(encoder.encode(text), places)).toEqual(asTheStandardHasIt(text));
  });
});

test('returns for any octets', () => {
  forAll([fc.uint8Array({ maxLength: 300 }), cuts], 2_000, (bytes, places) => {
    expect(Array.isArray(parsed(bytes, places))).toBe(true);
  });
});

test('holds no more of an event than it may, and says which one it went past', () => {
  forAll([fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), cuts], 1_000, (length, lines, places) => {
    const data = `${'x'.repeat(length)}\n`.repeat(lines).slice(0, -1);
    const text = `id: 1\n${data.replaceAll(/^/gm, 'data: ')}\nid: 2\n\nid: 3\ndata: after\n\n`;
    const [first, second] = parsed(encoder.encode(text), places, 50);
    expect(first).toEqual(
      data.length <= 50
        ? { kind: 'event', lastEventId: '2', name: 'message', data }
        : { kind: 'event-too-large', lastEventId: '2' },
    );
    expect(second).toEqual({ kind: 'event', lastEventId: '3', name: 'message', data: 'after' });
  });
});
