import { expect, test } from 'vitest';
import {
  createStreamFramer,
  STREAM_LIMITS,
  type StreamEvent,
} from '../../harness/src/drachtio/message/parse-message.js';
import { framed, requestText, responseText } from '../support/sip-samples.js';

const first = requestText('MESSAGE', { body: 'one\r\n\r\nMESSAGE sip:x SIP/2.0\r\n\r\n' });
const second = responseText(200);
const textsOf = (events: readonly StreamEvent[]): readonly string[] =>
  events.map((event) => (event.kind === 'message' ? event.parsed.message.text : event.kind));

test('a message that has begun is waited for', () => {
  const framer = createStreamFramer();
  expect(framer.isInMessage()).toBe(false);
  expect(framer.push(first.slice(0, -1))).toEqual([]);
  expect(framer.isInMessage()).toBe(true);
  expect(textsOf(framer.push(first.slice(-1)))).toEqual([first]);
  expect(framer.isInMessage()).toBe(false);
  framer.push('\r\n');
  expect(framer.isInMessage()).toBe(false);
});

test('a message is whole as soon as its last octet is there', () => {
  const framer = createStreamFramer();
  expect(textsOf(framer.push(second))).toEqual([second]);
  expect(textsOf(framer.push(`${first}${second.slice(0, 10)}`))).toEqual([first]);
  expect(textsOf(framer.push(second.slice(10)))).toEqual([second]);
});

test.each([
  ['at once', ['\r\n\r\n'], 1],
  ['in halves', ['\r\n', '\r\n'], 1],
  ['octet by octet', ['\r', '\n', '\r', '\n'], 1],
  ['half, then the rest and another half', ['\r\n', '\r\n\r\n', '\r\n'], 2],
  ['three times, each for itself', ['\r\n\r\n', '\r\n\r\n', '\r\n\r\n'], 3],
  ['three times at once', ['\r\n\r\n\r\n\r\n\r\n\r\n'], 1],
  ['one line end alone', ['\r\n'], 0],
  ['one line end in front of a message, one behind', [`\r\n${second}\r\n`], 0],
])('a keep-alive that comes %s is answered as often as it has to be', (_how, chunks, count) => {
  const pings = framed(chunks).events.filter(({ kind }) => kind === 'ping');
  expect(pings).toHaveLength(count);
});

test.each([
  ['two Content-Length that agree', 'Content-Length: 0\r\nl: 0'],
  ['two Content-Length that differ', 'Content-Length: 0\r\nl: 5'],
  ['a negative Content-Length', 'Content-Length: -1'],
  ['a Content-Length that is no number', 'Content-Length: ten'],
  ['an empty Content-Length', 'Content-Length:'],
  ['a Content-Length of ten digits', 'Content-Length: 0000000000'],
  ['a type of a body and no Content-Length', 'c: text/plain'],
])('%s ends the stream, and the message is there to be answered', (_what, lines) => {
  const text = requestText('INFO').replace('Content-Length: 0', lines);
  const { events } = framed([text, first]);
  expect(events).toMatchObject([{ kind: 'fault', fault: 'bad-content-length', message: { method: 'INFO' } }]);
});

test('a message without Content-Length and without a type of a body has none', () => {
  const text = requestText('OPTIONS').replace('Content-Length: 0\r\n', '');
  expect(textsOf(framed([text + second]).events)).toEqual([text, second]);
});

test('a body that would make the message larger than a megabyte is not waited for', () => {
  const announced = (count: number): string =>
    requestText('INFO').replace('Content-Length: 0', `Content-Length: ${count}`);
  const length = STREAM_LIMITS.maxMessageBytes - announced(1_000_000).length;
  expect(framed([announced(length)])).toEqual({ events: [], isWaiting: true });
  expect(framed([announced(length + 1)]).events).toMatchObject([
    { kind: 'fault', fault: 'message-too-large', message: { method: 'INFO' } },
  ]);
});

test('a message of the largest size comes whole', () => {
  const body = 'x'.repeat(STREAM_LIMITS.maxMessageBytes - requestText('INFO').length - 6);
  const text = requestText('INFO', { body });
  expect(text).toHaveLength(STREAM_LIMITS.maxMessageBytes);
  expect(textsOf(framed([text.slice(0, 70_000), text.slice(70_000)]).events)).toEqual([text]);
});

/** A request whose header fields together with its start line have so many octets, the empty line not counted. */
const sized = (bytes: number): string => {
  const start = 'OPTIONS sip:a@b SIP/2.0\r\n';
  const rows = Array.from({ length: Math.floor(bytes / 1_000) - 1 }, () => `A: ${'x'.repeat(995)}\r\n`).join('');
  return `${start}${rows}B: ${'y'.repeat(bytes - start.length - rows.length - 3)}\r\n\r\n`;
};

test('a header section of the largest size is read, however it comes; a larger one is not waited for', () => {
  const most = sized(STREAM_LIMITS.maxHeaderSectionBytes);
  expect(most.indexOf('\r\n\r\n')).toBe(STREAM_LIMITS.maxHeaderSectionBytes);
  for (let cut = most.length - 6; cut <= most.length; cut += 1) {
    expect(textsOf(framed([most.slice(0, cut), most.slice(cut)]).events)).toEqual([most]);
  }
  const more = sized(STREAM_LIMITS.maxHeaderSectionBytes + 1);
  const fault = [{ kind: 'fault', fault: 'header-section-too-large' }];
  for (let cut = more.length - 6; cut <= more.length; cut += 1) {
    expect(framed([more.slice(0, cut), more.slice(cut)]).events).toEqual(fault);
  }
  expect(framed(['x'.repeat(STREAM_LIMITS.maxHeaderSectionBytes + 4)]).events).toEqual(fault);
});

test.each([
  ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['octets without sense', '\x16\x03\x01\x02\r\n\r\n'],
  ['too many header fields', `OPTIONS sip:a@b SIP/2.0\r\n${'A: b\r\n'.repeat(257)}\r\n`],
])('%s ends the stream without an answer', (_what, text) => {
  expect(framed([text, first]).events).toEqual([{ kind: 'fault', fault: 'unreadable-stream' }]);
});

test.each([
  ['a response whose code is out of range', responseText(200).replace('200', '4294967496')],
  ['a line without a colon', requestText('OPTIONS', { lines: ['what'] })],
  ['another version', requestText('OPTIONS').replace('SIP/2.0\r\n', 'SIP/3.0\r\n')],
])('behind %s the stream goes on', (_what, text) => {
  const { events } = framed([text + first]);
  expect(events).toMatchObject([{ parsed: { status: 'faulty' } }, { parsed: { status: 'parsed' } }]);
  expect(textsOf(events)).toEqual([text, first]);
});

test('after a fault nothing more comes, and nothing is kept', () => {
  const framer = createStreamFramer();
  expect(framer.push('what is this\r\n\r\n')).toHaveLength(1);
  expect(framer.push(first)).toEqual([]);
  expect(framer.isInMessage()).toBe(false);
});
