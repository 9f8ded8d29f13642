import { expect, test } from 'vitest';
import { HEADER, headerValue, type SipMessage } from '../../harness/src/drachtio/message/sip-message.js';
import { readDatagram, type Reading } from '../../harness/src/drachtio/received.js';
import type { TransportName } from '../../harness/src/drachtio/transport/flow.js';
import {
  arrivalOn,
  fakeFlow,
  framed,
  messageFrom,
  readStream,
  rebuilt,
  tortureVectors,
  type TortureVector,
} from '../support/sip-samples.js';

// What is refused by a layer that has not to be passed here is refused; what is for later layers has to reach them.

/** Where the RFC lets an element take what it may refuse, and this one does. */
const TAKEN: Readonly<Record<string, string>> = {
  regbadct: 'which address Contact of a REGISTER names is for the registrar, the application, to say',
  badaspec: 'the spaces within the brackets are looked past: the URI is the same without them',
  baddn: 'nothing here depends on a display name, and From and To go back and up as they came',
};

/** What later layers decide, and who: here it only has to arrive. */
const LATER: Readonly<Record<string, string>> = {
  intmeth: 'the server, for want of an application that takes the method, with 501',
  esc02: 'the server, for want of an application that takes the method, with 501',
  unkscm: 'the server, with 416',
  novelsc: 'the server, with 416',
  badbranch: 'the transaction layer, which matches it by the rules of RFC 2543',
  bext01: 'the application: as in drachtio-server, which extensions it supports is its own affair',
  bcast: 'the transaction layer, to which the branch is a stranger',
  zeromf: 'the application, which may be the end of the request; it is refused with 483 where it is to be proxied',
};

const HERE_LAYERS: readonly TortureVector['layer'][] = ['framing', 'parse', 'message'];
const vectors = tortureVectors();

/** What the transport side makes of a vector. */
type Verdict =
  | { readonly is: 'delivered' }
  | { readonly is: 'dropped' }
  | { readonly is: 'refused'; readonly with: readonly number[] };

function verdictOn({ name, outcome, layer, status, anyOf }: TortureVector): Verdict {
  if (outcome === 'deliver' || !HERE_LAYERS.includes(layer) || name in TAKEN) return { is: 'delivered' };
  return outcome === 'drop' ? { is: 'dropped' } : { is: 'refused', with: anyOf ?? [status ?? 0] };
}

const claimOf = (vector: TortureVector): string => {
  const verdict = verdictOn(vector);
  const why = TAKEN[vector.name] ?? LATER[vector.name];
  const what = verdict.is === 'refused' ? `refused with ${verdict.with.join(' or ')}` : verdict.is;
  return `${vector.suite} ${vector.name} is ${what}${why === undefined ? '' : ` (${why})`}`;
};
const claims = vectors.map((vector) => ({ claim: claimOf(vector), vector }));

function expectVerdict(reading: Reading, vector: TortureVector): void {
  const verdict = verdictOn(vector);
  if (verdict.is === 'delivered') {
    expect(reading.status).toBe('read');
    return;
  }
  expect(reading.status).toBe('refused');
  const response = reading.status === 'refused' ? reading.response : undefined;
  if (verdict.is === 'dropped') expect(response).toBeUndefined();
  else expectRefusal(response ?? '', verdict.with, vector);
}

function expectRefusal(response: string, statuses: readonly number[], { text, name }: TortureVector): void {
  const answer = messageFrom(response);
  expect(statuses).toContain(answer.status);
  const values = (message: string, pattern: RegExp): string | undefined => pattern.exec(message)?.[1];
  expect(values(response, /branch=([^;\r\n]*)/)).toBe(values(text, /branch=([^;\r\n]*)/));
  expect(headerValue(answer, HEADER.via)).toContain('received=192.0.2.9');
  expect(headerValue(answer, HEADER.to)).toContain(';tag=ours');
  if (name !== 'insuf') expect(headerValue(answer, HEADER.callId)).toBe(values(text, /\r\nCall-ID:\s*(\S+)/));
}

test('each torture message has an expectation, and each expectation a message', () => {
  expect(vectors.filter(({ suite }) => suite === 'rfc4475')).toHaveLength(49);
  expect(vectors.filter(({ suite }) => suite === 'rfc5118')).toHaveLength(12);
  expect(vectors.filter(({ why }) => why === undefined)).toEqual([]);
});

test('only what the RFC lets an element take is taken beyond what is expected, and who decides the rest is named', () => {
  const refused = ({ outcome, layer }: TortureVector): boolean => outcome !== 'deliver' && HERE_LAYERS.includes(layer);
  expect(vectors.filter((vector) => vector.name in TAKEN).every((vector) => refused(vector) && vector.liberal)).toBe(
    true,
  );
  const later = vectors.filter(({ layer }) => ['transaction', 'dialog', 'core'].includes(layer));
  expect(Object.keys(LATER).toSorted()).toEqual(later.map(({ name }) => name).toSorted());
});

test.each(claims)('as a datagram $claim', ({ vector }) => {
  expectVerdict(readDatagram(vector.text, arrivalOn(fakeFlow())), vector);
});

test.each(claims.filter(({ vector }) => vector.onStream === undefined))('in a stream $claim', ({ vector }) => {
  const readings = readStream([vector.text], fakeFlow('tcp'));
  expect(readings).toHaveLength(1);
  expect(framed([vector.text]).isWaiting).toBe(false);
  expectVerdict(readings[0] as Reading, vector);
});

const onStream = (how: TortureVector['onStream']): readonly TortureVector[] =>
  vectors.filter((vector) => vector.onStream === how);

test.each(onStream('wait'))('in a stream the rest of $name is waited for', ({ text }) => {
  expect(framed([text])).toEqual({ events: [], isWaiting: true });
});

test.each(onStream('close'))('in a stream $name is answered, and the stream is not read on', ({ text }) => {
  const { events } = framed([text, text]);
  expect(events).toEqual([{ kind: 'fault', fault: 'bad-content-length', message: expect.anything() as SipMessage }]);
});

test.each(onStream('two-messages'))('in a stream $name is two messages', ({ text }) => {
  const readings = readStream([text], fakeFlow('tcp'));
  expect(readings.map((reading) => 'status' in reading && reading.status)).toEqual(['read', 'read']);
});

test.each(vectors)('in a stream $name comes to the same octet by octet', ({ text }) => {
  expect(framed(Array.from(text))).toEqual(framed([text]));
});

const deliveredOn = (transport: TransportName, text: string): readonly SipMessage[] => {
  const flow = fakeFlow(transport);
  const readings = transport === 'tcp' ? readStream([text], flow) : [readDatagram(text, arrivalOn(flow))];
  return readings.flatMap((reading) =>
    'status' in reading && reading.status === 'read' ? [reading.received.message] : [],
  );
};
const roundTrips = vectors.filter(({ roundTrip }) => roundTrip);

test.each(roundTrips)('$suite $name keeps its octets, and is written again from its parts as it came', ({ text }) => {
  for (const transport of ['udp', 'ws', 'tcp'] as const) {
    const [message, ...others] = deliveredOn(transport, text);
    expect(others).toEqual([]);
    expect(message?.text).toBe(text);
    expect(message === undefined ? '' : rebuilt(message)).toBe(text);
  }
});

test('of a datagram no more is the message than its Content-Length says', () => {
  const cut = vectors.filter(({ messageSizeBytes }) => messageSizeBytes !== undefined);
  expect(cut.map(({ name }) => name)).toEqual(['dblreq']);
  for (const { text, messageSizeBytes } of cut) {
    const message = deliveredOn('udp', text)[0];
    expect(message?.text).toBe(text.slice(0, messageSizeBytes));
    expect(message === undefined ? '' : rebuilt(message)).toBe(text.slice(0, messageSizeBytes));
  }
});
