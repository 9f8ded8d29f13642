import { expect, test } from 'vitest';
import {
  contentTypeOf,
  linesWithout,
  readAppMessage,
  type AppHeaders,
} from '../../harness/src/drachtio/message/app-message.js';
import { HEADER } from '../../harness/src/drachtio/message/sip-message.js';

const udp = { address: '192.0.2.1', port: 5060, transport: 'udp' } as const;
const tcp = { address: '192.0.2.1', port: 5062, transport: 'tcp' } as const;
const v6 = { address: '2001:db8::1', port: 5060, transport: 'udp' } as const;

const headersOf = (lines: readonly string[], local: Parameters<typeof readAppMessage>[1] = udp): AppHeaders => {
  const read = readAppMessage(['INVITE sip:bob@example.com SIP/2.0', ...lines].join('\r\n'), local);
  if (read === undefined) throw new Error('the message of the application cannot be read');
  return read.headers;
};

test('what the server may have to complete is apart from what goes out as it is', () => {
  const headers = headersOf([
    'From: <sip:a@example.org>;tag=1',
    'to: <sip:b@example.com>',
    'call-id: c1',
    'CSeq: 7 INVITE',
    'contact: <sip:a@192.0.2.7>',
    'content-type: application/sdp',
    'max-forwards: 12',
    'Subject: hello',
    'Require: 100rel',
  ]);
  expect(headers).toEqual({
    ...{ from: '<sip:a@example.org>;tag=1', to: '<sip:b@example.com>', callId: 'c1', cseq: '7 INVITE' },
    ...{ contact: '<sip:a@192.0.2.7>', contentType: 'application/sdp', maxForwards: '12' },
    ...{ others: 'Subject: hello\r\nRequire: 100rel\r\n', requires100rel: true, body: '' },
  });
});

test('what is not there is undefined', () => {
  expect(headersOf([])).toEqual({
    ...{ from: undefined, to: undefined, callId: undefined, cseq: undefined, contact: undefined },
    ...{ contentType: undefined, maxForwards: undefined, others: '', requires100rel: false, body: '' },
  });
});

test.each([
  ['<sip:a@localhost>', '<sip:a@192.0.2.1:5060>'],
  ['<sip:localhost>', '<sip:192.0.2.1:5060>'],
  ['<sip:a@localhost:7000>;tag=1', '<sip:a@192.0.2.1:5060>;tag=1'],
  ['<sip:a@localhost;transport=tcp>', '<sip:a@192.0.2.1:5060;transport=tcp>'],
  ['<sip:a@localhost?Subject=x>', '<sip:a@192.0.2.1:5060?Subject=x>'],
  ['"localhost" <sip:a@localhost>', '"localhost" <sip:a@192.0.2.1:5060>'],
  ['"me @localhost " <sip:a@localhost>', '"me @localhost " <sip:a@192.0.2.1:5060>'],
  ['sip:a@localhost', '<sip:a@192.0.2.1:5060>'],
  ['sip:a@localhost;tag=1', '<sip:a@192.0.2.1:5060>;tag=1'],
  ['<sip:a@localhost.example.com>', '<sip:a@localhost.example.com>'],
  ['<sip:a@notlocalhost>', '<sip:a@notlocalhost>'],
  ['<sip:localhost@example.com>', '<sip:localhost@example.com>'],
  ['sip:a@example.com', '<sip:a@example.com>'],
  ['sip:a@example.com;tag=1', '<sip:a@example.com>;tag=1'],
  ['tel:+12025550101', '<tel:+12025550101>'],
])('in From, To, Contact and P-Asserted-Identity %s goes out as %s', (given, written) => {
  const headers = headersOf(['From', 'To', 'Contact', 'P-Asserted-Identity'].map((name) => `${name}: ${given}`));
  expect([headers.from, headers.to, headers.contact]).toEqual([written, written, written]);
  expect(headers.others).toBe(`P-Asserted-Identity: ${written}\r\n`);
});

test('our address stands in brackets where it is IPv6', () => {
  expect(headersOf(['Contact: <sip:a@localhost>'], v6).contact).toBe('<sip:a@[2001:db8::1]:5060>');
});

test('localhost anywhere else is left alone', () => {
  expect(headersOf(['Refer-To: <sip:a@localhost>', 'X-Where: localhost', 'Diversion: sip:a@localhost']).others).toBe(
    'Refer-To: <sip:a@localhost>\r\nX-Where: localhost\r\nDiversion: sip:a@localhost\r\n',
  );
});

test.each([
  ['<sip:a@localhost>', '<sip:a@192.0.2.1:5062;transport=tcp>'],
  ['"a > b" <sip:a@localhost>;q=1', '"a > b" <sip:a@192.0.2.1:5062;transport=tcp>;q=1'],
  ['sip:a@localhost;q=1', '<sip:a@192.0.2.1:5062;transport=tcp>;q=1'],
  ['<sip:a@localhost;transport=ws>', '<sip:a@192.0.2.1:5062;transport=ws>'],
  ['<sip:a@example.com>', '<sip:a@example.com>'],
  ['<sip:a@localhost>, <sip:b@example.com>', '<sip:a@192.0.2.1:5062;transport=tcp>, <sip:b@example.com>'],
])('over TCP the Contact %s goes out as %s', (given, written) => {
  expect(headersOf([`Contact: ${given}`], tcp).contact).toBe(written);
});

test('each value of a list of Contact and P-Asserted-Identity stands for itself', () => {
  const headers = headersOf([
    'Contact: sip:a@localhost;q=1, "B, b" <sip:b@localhost>',
    'm: <sip:c@localhost>',
    'P-Asserted-Identity: sip:a@localhost, tel:+12025550101',
    'p-asserted-identity: "a, b" <sip:b@example.com>',
  ]);
  expect(headers.contact).toBe('<sip:a@192.0.2.1:5060>;q=1, "B, b" <sip:b@192.0.2.1:5060>, <sip:c@192.0.2.1:5060>');
  expect(headers.others).toBe(
    'P-Asserted-Identity: <sip:a@192.0.2.1:5060>, <tel:+12025550101>\r\n' +
      'P-Asserted-Identity: "a, b" <sip:b@example.com>\r\n',
  );
});

test('the Contact of a registration that is to be undone stays a star', () => {
  expect(headersOf(['Contact: *']).contact).toBe('*');
});

test('what routes a message is for the server to write, not for the application', () => {
  const headers = headersOf([
    ...['Via: SIP/2.0/UDP x', 'v: SIP/2.0/UDP x', 'Route: <sip:x>', 'Record-Route: <sip:x>', 'RSeq: 7'],
    ...['Content-Length: 99', 'l: 99', 'Route-Not: kept'],
  ]);
  expect(headers.others).toBe('Route-Not: kept\r\n');
});

test.each([
  ['subject: x', 'Subject: x\r\n'],
  ['P-CHARGING-vector: x', 'P-CHARGING-Vector: x\r\n'],
  ['x-My-header: x', 'x-My-header: x\r\n'],
  ['user-agent: x', 'User-Agent: x\r\n'],
  ['y: token', 'y: token\r\n'],
  ['identity: token', 'Identity: token\r\n'],
  ['Subject : x', 'Subject: x\r\n'],
  ['Subject:', 'Subject: \r\n'],
  ['Subject: a\r\n b\r\n\tc', 'Subject: a\r\n b\r\n\tc\r\n'],
  ['Identity: one\r\nIdentity: two', 'Identity: one\r\nIdentity: two\r\n'],
  // Whoever lets strangers write a value has written a header field: that is the application's own affair.
  ['Subject: a\r\nX-Injected: b', 'Subject: a\r\nX-Injected: b\r\n'],
])('%j leaves as %j', (given, written) => {
  expect(headersOf([given]).others).toBe(written);
});

test('lines without a name are left out, and those around them are not', () => {
  expect(headersOf(['A: 1', 'nothing', ': 2', 'B: 3']).others).toBe('A: 1\r\nB: 3\r\n');
});

test.each([
  ['with an empty line', 'INFO sip:a SIP/2.0\r\nA: b\r\n\r\n', ''],
  ['without one', 'INFO sip:a SIP/2.0\r\nA: b', ''],
  ['with one line end too few', 'INFO sip:a SIP/2.0\r\nA: b\r\n', ''],
  ['without header fields', 'INFO sip:a SIP/2.0', undefined],
  ['with a body', 'INFO sip:a SIP/2.0\r\nA: b\r\n\r\nbody\r\n', 'body\r\n'],
  ['with a body that the length does not count', 'INFO sip:a SIP/2.0\r\nContent-Length: 1\r\nA: b\r\n\r\nbody', 'body'],
])('a message %s is whole', (_how, text, body) => {
  const read = readAppMessage(text, udp);
  expect(read?.headers).toMatchObject({ others: body === undefined ? '' : 'A: b\r\n', body: body ?? '' });
});

test('a response is read as a request is', () => {
  const read = readAppMessage('SIP/2.0 180 Ringing\r\ncontact: sip:localhost\r\n', udp);
  expect(read?.message).toMatchObject({ status: 180, reason: 'Ringing' });
  expect(read?.headers.contact).toBe('<sip:192.0.2.1:5060>');
});

test.each(['', '\r\n\r\n', 'hello', 'INVITE sip:a\r\n\r\n', 'INVITE  sip:a SIP/2.0\r\n\r\n', 'SIP/2.0 999 X\r\n\r\n'])(
  '%j is no message',
  (text) => {
    expect(readAppMessage(text, udp)).toBeUndefined();
  },
);

test('one header field may fill a frame', () => {
  expect(headersOf([`Identity: ${'x'.repeat(90_000)}`]).others).toHaveLength(90_012);
});

test('lines are left out by the names that they have, folds and all', () => {
  const lines = 'A: 1\r\nroute: x\r\n y\r\nP-Asserted-Identity: z\r\nB: 2\r\n c\r\nRoutes: 3\r\n';
  expect(linesWithout(lines, new Set([HEADER.route, HEADER.pAssertedIdentity]))).toBe(
    'A: 1\r\nB: 2\r\n c\r\nRoutes: 3\r\n',
  );
  expect(linesWithout('', new Set([HEADER.route]))).toBe('');
});

test('a session description shows itself; any other body needs its type', () => {
  expect(contentTypeOf(undefined, 'v=0\r\n')).toBe('application/sdp');
  expect(contentTypeOf('text/plain', 'v=0\r\n')).toBe('text/plain');
  expect(contentTypeOf(undefined, 'hello')).toBeUndefined();
});
