import { expect, test } from 'vitest';
import {
  HEADER,
  headerId,
  headerIdAt,
  headerName,
  writtenName,
} from '../../harness/src/drachtio/message/sip-message.js';
import type { HeaderId } from '../../harness/src/drachtio/message/sip-message.js';

const ids = Object.values(HEADER).filter((id) => id !== HEADER.other);
const known = ids.map((id) => ({ name: headerName(id), id }));
const compact: readonly { readonly name: string; readonly id: HeaderId }[] = [
  { name: 'v', id: HEADER.via },
  { name: 'f', id: HEADER.from },
  { name: 't', id: HEADER.to },
  { name: 'i', id: HEADER.callId },
  { name: 'm', id: HEADER.contact },
  { name: 'l', id: HEADER.contentLength },
  { name: 'c', id: HEADER.contentType },
  { name: 'k', id: HEADER.supported },
  { name: 'o', id: HEADER.event },
  { name: 'y', id: HEADER.identity },
];

const names = new Set([...known, ...compact].map(({ name }) => name.toLowerCase()));

/** Both ways to ask; `at` has the name in the middle of a text. */
const both = (name: string): readonly HeaderId[] => [headerId(name), headerIdAt(`x${name}: y`, 1, 1 + name.length)];
const alternating = (name: string): string =>
  Array.from(name, (letter, index) => (index % 2 === 0 ? letter.toUpperCase() : letter.toLowerCase())).join('');

test('every known header field has a number and a name of its own', () => {
  expect(new Set(known.map(({ name }) => name)).size).toBe(ids.length);
  expect(known.every(({ name }) => name !== '')).toBe(true);
  expect(headerName(HEADER.other)).toBe('');
});

test.each([...known, ...compact])('$name is known in any case', ({ name, id }) => {
  for (const written of [name, name.toUpperCase(), name.toLowerCase(), alternating(name)]) {
    expect(both(written)).toEqual([id, id]);
  }
});

test.each(known)('what differs from $name in one character is another header field', ({ name }) => {
  const lookalikes = Array.from(name, (_letter, at) => [
    name.slice(0, at) + name.slice(at + 1),
    // A letter and the control or sign that differs from it in the case bit alone, and the rest of the octets.
    ...Array.from({ length: 256 }, (_none, code) => name.slice(0, at) + String.fromCharCode(code) + name.slice(at + 1)),
  ]).flat();
  const others = lookalikes.filter((other) => !names.has(other.toLowerCase()));
  const taken = others.filter((other) => both(other).some((id) => id !== HEADER.other));
  expect(taken).toEqual([]);
});

test.each([
  ['call-id', 'Call-ID'],
  ['CSEQ', 'CSeq'],
  ['p-asserted-identity', 'P-Asserted-Identity'],
  ['refer-to', 'Refer-To'],
  ['History-info', 'History-Info'],
  ['x-my-header', 'x-my-header'],
  ['X-lower-REST', 'X-lower-REST'],
  ['identity', 'Identity'],
  ['y', 'y'],
  ['f', 'f'],
  ['s', 's'],
  ['diversion', 'Diversion'],
  ['a--b', 'A--B'],
])('an application that names %s sees %s on the wire', (given, written) => {
  expect(writtenName(given)).toBe(written);
});
