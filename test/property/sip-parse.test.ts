import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { composeRequest, composeResponse } from '../../harness/src/drachtio/message/app-message.js';
import { readEssentials } from '../../harness/src/drachtio/message/essentials.js';
import {
  HEADER,
  bodyOf,
  headerName,
  headerValue,
  headerValues,
  valuesByName,
} from '../../harness/src/drachtio/message/sip-message.js';
import { createStreamFramer, parseMessage } from '../../harness/src/drachtio/message/parse-message.js';
import { readDatagram, readParsed, type Reading } from '../../harness/src/drachtio/received.js';
import {
  expectSoundFields,
  expectSoundForwarding,
  expectSoundMessage,
  expectSoundRefusal,
} from '../support/sip-invariants.js';
import { mutants, sipCorpus, sipLike } from '../support/sip-mutations.js';
import { arrivalOn, fakeFlow, messageFrom } from '../support/sip-samples.js';
import { forAll } from '../support/for-all.js';

const startLine = fc.constantFrom(
  'INVITE sip:a@b SIP/2.0\r\n',
  'SIP/2.0 200 OK\r\n',
  'ACK sip:a SIP/2.0\r\n',
  '\r\n',
  '',
);
const lines = fc.array(sipLike, { maxLength: 6 }).map((list) => `${list.join('\r\n')}\r\n\r\n`);
const octets = fc.oneof(
  sipLike,
  fc.tuple(startLine, lines).map((parts) => parts.join('')),
  mutants(sipCorpus()),
);

test('any octets give a message with sound offsets or a fault, the same each time and behind line ends', () => {
  const flow = fakeFlow();
  forAll([octets, fc.constantFrom('\r\n', '\n', '\r\n\r\n')], 10_000, (text, front) => {
    const parsed = parseMessage(text);
    expect(parseMessage(front + text)).toEqual(parsed);
    expect(readDatagram(text, arrivalOn(flow))).toEqual(readDatagram(text, arrivalOn(flow)));
    if (parsed.status === 'unreadable') return;
    expect(parseMessage(parsed.message.text)).toEqual(parsed);
    expect(text.endsWith(parsed.message.text)).toBe(true);
    expectSoundFields(parsed.message);
    expect(readEssentials(parsed.message).status).toMatch(/^(read|faulty)$/);
  });
});

// fast-check names seed and path where something fails, and the line that the run prints names the seed too.
const SEED = Date.now() % 2 ** 31;
const RUNS = 50_000;

test(`${RUNS} mutated messages, as datagrams and as streams, throw nothing, and what is read or refused is sound`, () => {
  const [udp, tcp] = [fakeFlow('udp'), fakeFlow('tcp')];
  const counts = { read: 0, answered: 0, dropped: 0, nothing: 0, framed: 0, faults: 0 };
  let slowestMs = 0;
  const timed = <T>(work: () => T): T => {
    const startMs = performance.now();
    const result = work();
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    return result;
  };
  const examine = (reading: Reading): void => {
    if (reading.status === 'read') {
      counts.read += 1;
      expectSoundMessage(reading.received);
      expectSoundForwarding(reading.received);
    } else if (reading.status === 'refused') {
      counts[reading.response === undefined ? 'dropped' : 'answered'] += 1;
      expectSoundRefusal(reading);
    } else counts.nothing += 1;
  };
  let index = 0;
  forAll(
    [fc.oneof({ weight: 4, arbitrary: mutants(sipCorpus()) }, { weight: 1, arbitrary: octets })],
    { numRuns: RUNS, seed: SEED },
    (text) => {
      index += 1;
      // By turns, so that each run is one message.
      if (index % 2 === 0) {
        examine(timed(() => readDatagram(text, arrivalOn(udp))));
        return;
      }
      for (const event of timed(() => createStreamFramer().push(text))) {
        if (event.kind === 'fault') counts.faults += 1;
        if (event.kind !== 'message') continue;
        counts.framed += 1;
        const { parsed } = event;
        examine(timed(() => readParsed(parsed, arrivalOn(tcp))));
      }
    },
  );
  process.stdout.write(
    `sip mutations: ${RUNS}, seed ${SEED}, ${JSON.stringify(counts)}, slowest ${slowestMs.toFixed(2)} ms\n`,
  );
  // Mutations that let nothing through, or everything, would show nothing.
  expect(counts.read).toBeGreaterThan(RUNS / 20);
  expect(counts.answered).toBeGreaterThan(RUNS / 20);
  expect(counts.dropped).toBeGreaterThan(RUNS / 50);
  expect(counts.faults).toBeGreaterThan(RUNS / 50);
});

const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/);
/** A value as it may be written: no line end, nothing white at its ends. */
const value = fc
  .string({
    unit: fc
      .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0xa1, max: 0xff }))
      .map((code) => String.fromCharCode(code)),
  })
  .map((text) => text.trim());
const body = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) });
const known = new Set(Object.values(HEADER).map((id) => headerName(id).toLowerCase()));
const others = fc.uniqueArray(
  fc.tuple(
    token.filter((name) => name.length > 1 && !known.has(name.toLowerCase())),
    value,
  ),
  { selector: ([name]) => name.toLowerCase(), maxLength: 8 },
);
const linesOf = (fields: readonly (readonly [string, string])[]): string =>
  fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
const shared = {
  ...{ via: value, from: value, to: value, callId: value, others, body },
  contact: fc.option(value, { nil: undefined }),
  contentType: fc.option(value, { nil: undefined }),
};

test('gives back the parts that a request was written from', () => {
  const parts = fc.record({
    ...{ ...shared, method: token, cseq: fc.nat(2 ** 31 - 1), maxForwards: fc.nat(255).map(String) },
    requestUri: fc.stringMatching(/^[!#-;=?-~]{1,30}$/),
    routes: fc.array(value, { maxLength: 4 }),
  });
  forAll([parts], 2_000, (made) => {
    const message = messageFrom(composeRequest({ ...made, others: linesOf(made.others) }));
    expect(message).toMatchObject({ method: made.method, requestUri: made.requestUri, status: 0 });
    const read = (id: Parameters<typeof headerValue>[1]): string | undefined => headerValue(message, id);
    expect([read(HEADER.via), read(HEADER.from), read(HEADER.to)]).toEqual([made.via, made.from, made.to]);
    expect([read(HEADER.callId), read(HEADER.maxForwards)]).toEqual([made.callId, made.maxForwards]);
    expect(read(HEADER.cseq)).toBe(`${made.cseq} ${made.method}`);
    expect(headerValues(message, HEADER.route)).toEqual(made.routes);
    expect(read(HEADER.contact)).toBe(made.contact);
    expect(read(HEADER.contentType)).toBe(made.body === '' ? undefined : made.contentType);
    for (const [name, text] of made.others) expect(valuesByName(message, name.toUpperCase())).toEqual([text]);
    expect(read(HEADER.contentLength)).toBe(String(made.body.length));
    expect(bodyOf(message)).toBe(made.body);
  });
});

test('gives back the parts that a response was written from', () => {
  const parts = fc.record({
    ...{ ...shared, status: fc.integer({ min: 100, max: 699 }), reason: value },
    ...{ vias: fc.array(value, { minLength: 1, maxLength: 4 }), recordRoutes: fc.array(value, { maxLength: 4 }) },
    cseq: fc.tuple(fc.nat(), token).map((pair) => pair.join(' ')),
  });
  forAll([parts], 2_000, (made) => {
    const fieldsOf = (name: string, values: readonly string[]): string => linesOf(values.map((one) => [name, one]));
    const text = composeResponse({
      ...{ ...made, others: linesOf(made.others) },
      ...{ vias: fieldsOf('v', made.vias), recordRoutes: fieldsOf('Record-Route', made.recordRoutes) },
    });
    const message = messageFrom(text);
    expect(message).toMatchObject({ method: '', requestUri: '', status: made.status, reason: made.reason });
    expect(headerValues(message, HEADER.via)).toEqual(made.vias);
    expect(headerValues(message, HEADER.recordRoute)).toEqual(made.recordRoutes);
    const read = (id: Parameters<typeof headerValue>[1]): string | undefined => headerValue(message, id);
    expect([read(HEADER.from), read(HEADER.to), read(HEADER.cseq)]).toEqual([made.from, made.to, made.cseq]);
    expect([read(HEADER.contact), bodyOf(message)]).toEqual([made.contact, made.body]);
    for (const [name, one] of made.others) expect(valuesByName(message, name)).toEqual([one]);
  });
});
