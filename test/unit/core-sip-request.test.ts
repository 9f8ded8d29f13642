import { expect, test } from 'vitest';
import {
  headerValues,
  MAX_REQUEST_HEADERS,
  MAX_REQUEST_SIZE,
  parseSipRequest,
} from '../../sdk/src/core/sip-request.js';
import type { SipRequestText } from '../../sdk/src/core/sip-request.js';

const LINES = [
  'INVITE sip:+12155551213@example.net;user=phone SIP/2.0',
  'v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
  'Max-Forwards: 70',
  'f: "Operator" <sip:+12155551212@example.com>;tag=1',
  'TO : <sip:+12155551213@example.net>',
  'i: a84b4c76e66710',
  'CSeq: 1 INVITE',
  'Identity: a.b.c;info=<https://cert.example.org/a.pem>;',
  ' alg=ES256;',
  '\tppt=shaken  ',
  'y: d.e.f;info=<https://cert.example.org/b.pem>;ppt=div',
  'Subject:',
  ' folded',
  'l: 5',
  '',
  'v=0',
  '',
];

const requestOf = (text: string | Uint8Array): SipRequestText => {
  const result = parseSipRequest(text);
  if (result.status === 'malformed') throw new Error(`${result.reason} in line ${result.line}`);
  return result.request;
};
const withHeaders = (...headers: string[]): string => ['INVITE sip:a@h SIP/2.0', ...headers, '', ''].join('\r\n');

test.each([
  ['CRLF', '\r\n'],
  ['LF', '\n'],
])('reads a request with %s line ends', (_what, end) => {
  const request = requestOf(LINES.join(end));
  expect(request).toMatchObject({
    method: 'INVITE',
    requestUri: 'sip:+12155551213@example.net;user=phone',
    version: 'SIP/2.0',
    body: `v=0${end}`,
  });
  expect(request.headers.map(({ name }) => name).join(' ')).toBe(
    'via max-forwards from to call-id cseq identity identity subject content-length',
  );
});

test('joins folded lines with one space and keeps repeated fields apart', () => {
  const request = requestOf(LINES.join('\r\n'));
  expect(headerValues(request, 'Identity')).toEqual([
    'a.b.c;info=<https://cert.example.org/a.pem>; alg=ES256; ppt=shaken',
    'd.e.f;info=<https://cert.example.org/b.pem>;ppt=div',
  ]);
  expect(headerValues(request, 'subject')).toEqual(['folded']);
});

test('finds header fields by long and compact name in any case', () => {
  const request = requestOf(LINES.join('\n'));
  for (const name of ['From', 'f', 'F', 'FROM']) expect(headerValues(request, name)).toHaveLength(1);
  expect(headerValues(request, 'Date')).toEqual([]);
});

const COMPACT_NAMES = `
  a:accept-contact b:referred-by c:content-type d:request-disposition e:content-encoding f:from i:call-id
  j:reject-contact k:supported l:content-length m:contact n:identity-info o:event r:refer-to s:subject t:to
  u:allow-events v:via x:session-expires y:identity`;

test('writes every compact header name out', () => {
  for (const pair of COMPACT_NAMES.trim().split(/\s+/)) {
    const [compact = '', name] = pair.split(':');
    expect(requestOf(withHeaders(`${compact.toUpperCase()}: 1`)).headers).toEqual([{ name, value: '1' }]);
  }
});

test('reads bytes as UTF-8 and a view only as far as it goes', () => {
  const bytes = new TextEncoder().encode(`xx${withHeaders('Subject: é')}`);
  expect(headerValues(requestOf(bytes.subarray(2)), 's')).toEqual(['é']);
  expect(headerValues(requestOf(Buffer.from(withHeaders('Subject: \u00ff'), 'latin1')), 's')).toEqual(['\uFFFD']);
});

test('reads a request that starts with empty lines or ends behind its headers', () => {
  expect(requestOf('\r\n\n\r\nINVITE sip:a@h SIP/2.0\r\nTo: x').headers).toEqual([{ name: 'to', value: 'x' }]);
  expect(requestOf('OPTIONS sip:h sip/2.0')).toEqual({
    method: 'OPTIONS',
    requestUri: 'sip:h',
    version: 'SIP/2.0',
    headers: [],
    body: '',
  });
});

test('leaves empty lines and colons of the body alone', () => {
  expect(requestOf(`${withHeaders('To: x')}a\r\n\r\nb: c\n`).body).toBe('a\r\n\r\nb: c\n');
});

test('keeps colons and header names within values', () => {
  expect(requestOf(withHeaders('X-A: b: c', 'Y-Z:d:e')).headers).toEqual([
    { name: 'x-a', value: 'b: c' },
    { name: 'y-z', value: 'd:e' },
  ]);
});

test.each([
  ['', 'request-empty', 1],
  ['\r\n\r\n', 'request-empty', 2],
  ['SIP/2.0 200 OK\r\n\r\n', 'request-is-a-response', 1],
  ['INVITE sip:a@h\r\n', 'request-bad-start-line', 1],
  ['INVITE sip:a@h SIP/3.0\r\n', 'request-bad-start-line', 1],
  ['IN(VITE sip:a@h SIP/2.0\r\n', 'request-bad-start-line', 1],
  [' INVITE sip:a@h SIP/2.0\r\n', 'request-bad-start-line', 1],
  ['INVITE sip:\u0000a@h SIP/2.0\r\n', 'request-bad-character', 1],
  ['INVITE sip:a@h SIP/2.0\r\n folded: x\r\n', 'request-bad-header', 2],
  ['INVITE sip:a@h SIP/2.0\r\nTo: x\r\nno colon\r\n', 'request-bad-header', 3],
  ['INVITE sip:a@h SIP/2.0\r\n: x\r\n', 'request-bad-header', 2],
  ['INVITE sip:a@h SIP/2.0\r\nTo: x\ry\r\n', 'request-bad-character', 2],
  ['INVITE sip:a@h SIP/2.0\r\nTo: x\u0000\r\n', 'request-bad-character', 2],
  ['INVITE sip:a@h SIP/2.0\r\nTo: x\r\n y\u001b[2J\r\n', 'request-bad-character', 3],
])('refuses %j with %s in line %d', (text, reason, line) => {
  expect(parseSipRequest(text)).toEqual({ status: 'malformed', reason, line });
});

test('takes as many header fields as the limit and refuses one more', () => {
  const headers = Array.from({ length: MAX_REQUEST_HEADERS }, () => 'To: x');
  expect(requestOf(withHeaders(...headers)).headers).toHaveLength(MAX_REQUEST_HEADERS);
  expect(parseSipRequest(withHeaders(...headers, 'To: x'))).toEqual({
    status: 'malformed',
    reason: 'request-too-many-headers',
    line: MAX_REQUEST_HEADERS + 2,
  });
});

test('takes a request of the greatest size and refuses one more byte', () => {
  const head = withHeaders('To: x');
  const largest = head + 'x'.repeat(MAX_REQUEST_SIZE - head.length);
  expect(parseSipRequest(largest).status).toBe('parsed');
  expect(parseSipRequest(Buffer.from(`${largest}x`))).toEqual({
    status: 'malformed',
    reason: 'request-too-large',
    line: 1,
  });
});
