import { expect, test } from 'vitest';
import {
  HEADER,
  bodyOf,
  headerLines,
  headerValue,
  headerValues,
} from '../../harness/src/drachtio/message/sip-message.js';
import { parseMessage } from '../../harness/src/drachtio/message/parse-message.js';
import { readDatagram, stampedText, viaLines, withoutTopVia } from '../../harness/src/drachtio/received.js';
import type { Reading } from '../../harness/src/drachtio/received.js';
import type { Flow } from '../../harness/src/drachtio/transport/flow.js';
import { arrivalOn, fakeFlow, messageFrom, receivedFrom, requestText, responseText } from '../support/sip-samples.js';

const read = (text: string, flow: Flow = fakeFlow()): Reading => readDatagram(text, arrivalOn(flow));
const responseTo = (text: string): string => {
  const reading = read(text);
  if (reading.status !== 'refused') throw new Error(`not refused but ${reading.status}`);
  return reading.response ?? '';
};

test('a request is read with its Via as everybody behind has to see it', () => {
  const received = receivedFrom(requestText());
  expect(received.viaValue).toBe('SIP/2.0/UDP 192.0.2.9:5099;rport=5099;branch=z9hG4bKone;received=192.0.2.9');
  expect(stampedText(received)).toBe(
    requestText().replace(';rport;branch=z9hG4bKone', ';rport=5099;branch=z9hG4bKone;received=192.0.2.9'),
  );
});

test('a response keeps the Via that it came with', () => {
  const received = receivedFrom(responseText(200));
  expect(received.viaValue).toBe(headerValue(received.message, HEADER.via));
  expect(stampedText(received)).toBe(responseText(200));
});

test.each(['\r\n\r\n', '\r\n', ''])('%j is a keep-alive: nothing comes of it', (text) => {
  expect(read(text)).toEqual({ status: 'nothing' });
});

test('of what is no SIP nobody is told', () => {
  expect(read('GET / HTTP/1.1\r\n\r\n')).toEqual({ status: 'refused', fault: 'not-sip', response: undefined });
  expect(read('\0\x01\0\x08!\x12\xa4B')).toMatchObject({ status: 'refused', response: undefined });
});

test('a refusal carries what finds its way back: all Via, From, To with a tag, Call-ID, CSeq, Record-Route', () => {
  const text = requestText('INVITE', {
    via: 'SIP/2.0/UDP h;branch=z9hG4bKa, SIP/2.0/UDP i\r\nv: SIP/2.0/UDP j',
    maxForwards: 'many',
    lines: ['Record-Route: <sip:r;lr>', 'Subject: not back'],
  });
  const response = responseTo(text);
  const message = messageFrom(response);
  expect(response.startsWith('SIP/2.0 400 Bad Request\r\n')).toBe(true);
  expect(headerLines(message, HEADER.via)).toBe(
    'Via: SIP/2.0/UDP h;branch=z9hG4bKa;received=192.0.2.9, SIP/2.0/UDP i\r\nv: SIP/2.0/UDP j\r\n',
  );
  expect(headerValue(message, HEADER.from)).toBe('"Alice" <sip:alice@example.org>;tag=a1');
  expect(headerValue(message, HEADER.to)).toBe('<sip:bob@example.com>;tag=ours');
  expect(headerValue(message, HEADER.callId)).toBe('call-1@192.0.2.9');
  expect(headerValue(message, HEADER.cseq)).toBe('1 INVITE');
  expect(headerValue(message, HEADER.recordRoute)).toBe('<sip:r;lr>');
  expect(headerValue(message, HEADER.contentLength)).toBe('0');
  expect(response).not.toContain('Subject');
});

test('a To tag that is there already stays the only one', () => {
  const response = responseTo(requestText('BYE', { to: '<sip:bob@example.com>;tag=b1', maxForwards: 'many' }));
  expect(headerValues(messageFrom(response), HEADER.to)).toEqual(['<sip:bob@example.com>;tag=b1']);
});

test('lines that are no header fields do not come back', () => {
  const text = requestText('INVITE', {
    lines: ['Record-Route: <sip:r;lr>', 'no field at all', 'Via: SIP/2.0/UDP z', 'nor this'],
  });
  expect(parseMessage(responseTo(text)).status).toBe('parsed');
  expect(responseTo(text)).not.toMatch(/no field|nor this/);
});

test.each([
  ['a version that is not known', requestText().replace('SIP/2.0\r\n', 'SIP/7.0\r\n'), 505],
  ['a bad request line', requestText().replace('INVITE ', 'INVITE  '), 400],
  ['a line without a colon', requestText('INVITE', { lines: ['what'] }), 400],
  ['a lone line feed', requestText('INVITE', { lines: ['A: b\nVia: c'] }), 400],
  ['a header field that is too large', requestText('INVITE', { lines: [`A: ${'x'.repeat(8_192)}`] }), 400],
  ['a missing Call-ID', requestText().replace(/Call-ID: .*\r\n/, ''), 400],
  ['a Via parameter without a name', requestText('INVITE', { via: 'SIP/2.0/UDP h;;branch=1' }), 400],
  ['a Request-URI without a host', requestText('INVITE', { requestUri: 'sip:bob@' }), 400],
  ['a Request-URI with a header field', requestText('INVITE', { requestUri: 'sip:bob@h?Route=x' }), 400],
  ['a body that is cut off', requestText('INVITE', { body: 'body' }).slice(0, -1), 400],
])('a request with %s is refused, but for an ACK, which nobody answers', (_what, text, status) => {
  expect(messageFrom(responseTo(text)).status).toBe(status);
  expect(responseTo(text.replaceAll('INVITE', 'ACK'))).toBe('');
});

test.each([
  ['a bad start line', responseText(200).replace('200', '20000')],
  ['another version', responseText(200).replace('SIP/2.0 200', 'SIP/7.0 200')],
  ['a small sip', responseText(200).replace('SIP/2.0 200', 'sip/2.0 200')],
  ['no Call-ID', responseText(200).replace(/Call-ID: .*\r\n/, '')],
  ['a body that is cut off', responseText(200).replace('Content-Length: 0', 'Content-Length: 5')],
])('a response with %s is dropped in silence', (_what, text) => {
  expect(read(text)).toMatchObject({ status: 'refused', response: undefined });
});

test('without a Via that can be read there is nobody to tell', () => {
  expect(responseTo(requestText('INVITE', { via: 'SIP/2.0' }))).toBe('');
  expect(responseTo(requestText().replace(/Via: .*\r\n/, ''))).toBe('');
});

test('of a datagram what follows the body is noise; a frame of WebSocket is one', () => {
  const text = requestText('INFO', { body: 'body' });
  for (const transport of ['udp', 'ws', 'wss'] as const) {
    const reading = read(`${text}INFO sip:x SIP/2.0\r\n\r\n`, fakeFlow(transport));
    expect(reading.status === 'read' && reading.received.message.text).toBe(text);
  }
});

test('a datagram without Content-Length has all that follows for a body', () => {
  const text = requestText('INFO').replace('Content-Length: 0\r\n', '');
  const received = receivedFrom(`${text}the rest`);
  expect(bodyOf(received.message)).toBe('the rest');
});

test('the Via lines of a response are those of the request, the topmost stamped', () => {
  const received = receivedFrom(
    requestText('INVITE', {
      via: 'SIP/2.0/UDP h;rport, SIP/2.0/UDP i\r\nv:  SIP/2.0/TCP j',
      lines: ['VIA:SIP/2.0/UDP k'],
    }),
  );
  expect(viaLines(received)).toBe(
    'Via: SIP/2.0/UDP h;rport=5099;received=192.0.2.9, SIP/2.0/UDP i\r\nv:  SIP/2.0/TCP j\r\nVIA:SIP/2.0/UDP k\r\n',
  );
});

const via = (value: string): string => responseText(200).replace(/Via: .*\r\n/, `${value}\r\n`);

test.each([
  ['Via: SIP/2.0/UDP a;branch=1', ''],
  ['v:SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2', 'Via: SIP/2.0/UDP b;branch=2\r\n'],
  ['Via: SIP/2.0/UDP a\r\n ;branch=1\r\nVia: SIP/2.0/UDP b', 'Via: SIP/2.0/UDP b\r\n'],
  ['Via: SIP/2.0/UDP a;x="," ,\r\n SIP/2.0/UDP b', 'Via: SIP/2.0/UDP b\r\n'],
])('handed on, a response with %j has %j left', (before, after) => {
  const text = via(before);
  expect(withoutTopVia(receivedFrom(text))).toBe(text.replace(`${before}\r\n`, after));
});
