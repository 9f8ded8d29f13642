import { expect, test } from 'vitest';
import {
  contactUris,
  forwardedRequest,
  routeUris,
  type Forwarding,
} from '../../harness/src/drachtio/proxy/forwarding.js';
import { messageFrom, receivedFrom, requestText, responseText, type RequestSample } from '../support/sip-samples.js';

const plain: Forwarding = {
  requestUri: 'sip:next@example.net',
  via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours',
  routeLines: '',
  dropsTopRoute: false,
  extraLines: '',
};
const forwarded = (text: string, forwarding: Partial<Forwarding> = {}): string =>
  forwardedRequest(receivedFrom(text), { ...plain, ...forwarding });
const STAMPED = 'SIP/2.0/UDP 192.0.2.9:5099;rport=5099;branch=z9hG4bKone;received=192.0.2.9';
/** What every forwarding changes, done to the text by other means. */
const expected = (text: string): string =>
  text
    .replace(/ \S+ SIP\/2\.0\r\n/, ` ${plain.requestUri} SIP/2.0\r\n`)
    .replace(/Via: [^\r]*/, `Via: ${plain.via}\r\nVia: ${STAMPED}`)
    .replace('Max-Forwards: 70', 'Max-Forwards: 69');

const odd: RequestSample = {
  lines: [
    'subject :  two  spaces ',
    'X-Odd:',
    'X-Folded: a\r\n b\t\r\n\t c ',
    'm: "late" <sip:x>',
    'Identity: a.b.c;info=<https://x>;alg=ES256',
    'Identity:d..e',
    'X-Latin: \xe9\xff',
  ],
  body: 'v=0\r\n\0\xff',
};

test('everything but Request-URI, Via and Max-Forwards leaves octet for octet as it came', () => {
  const text = requestText('INVITE', odd);
  expect(forwarded(text)).toBe(expected(text));
});

test('Record-Route goes behind the Via fields, further lines behind all others', () => {
  const text = requestText('INVITE', odd);
  const lines = { routeLines: 'Record-Route: <sip:192.0.2.1;lr>\r\n', extraLines: 'X-Extra: 1\r\nX-More: 2\r\n' };
  expect(forwarded(text, lines)).toBe(
    expected(text)
      .replace(`${STAMPED}\r\n`, `${STAMPED}\r\n${lines.routeLines}`)
      .replace(/(Content-Length: \d+\r\n)/, `$1${lines.extraLines}`),
  );
});

test('where Via is the last field of all, Record-Route comes behind it', () => {
  const text = requestText().replace(/(Via: .*\r\n)((?:.+\r\n)*)/, '$2$1');
  const routeLines = 'Record-Route: <sip:192.0.2.1;lr>\r\n';
  expect(forwarded(text, { routeLines })).toContain(`Via: ${STAMPED}\r\n${routeLines}\r\n`);
});

test.each(['Record-Route', 'Path'])('our %s stands before one that a proxy before us wrote above its Via', (name) => {
  const [ours, theirs] = [`${name}: <sip:192.0.2.1;lr>\r\n`, `${name}: <sip:192.0.2.2;lr>\r\n`];
  const text = requestText().replace('\r\n', `\r\n${theirs}`);
  expect(forwarded(text, { routeLines: ours })).toContain(
    `Via: ${plain.via}\r\n${ours}${theirs}Via: ${STAMPED}\r\nMax-Forwards: 69\r\n`,
  );
});

test('Via fields that came from further away stay as they are, in their order', () => {
  const via = 'SIP/2.0/UDP a;branch=1 , SIP/2.0/UDP b\r\nv:SIP/2.0/UDP c\r\nVIA: SIP/2.0/UDP d';
  const routeLines = 'Record-Route: <sip:192.0.2.1;lr>\r\n';
  expect(forwarded(requestText('INVITE', { via }), { routeLines })).toContain(
    `Via: ${plain.via}\r\nVia: SIP/2.0/UDP a;branch=1;received=192.0.2.9 , SIP/2.0/UDP b\r\n` +
      `v:SIP/2.0/UDP c\r\nVIA: SIP/2.0/UDP d\r\n${routeLines}Max-Forwards: 69\r\n`,
  );
});

test.each([
  ['70', '69'],
  ['1', '0'],
  ['0', '0'],
  ['0255', '254'],
])('a Max-Forwards of %s becomes %s', (maxForwards, left) => {
  expect(forwarded(requestText('INVITE', { maxForwards }))).toContain(`\r\nMax-Forwards: ${left}\r\n`);
});

test('a request without Max-Forwards gets the usual one', () => {
  const text = requestText().replace('Max-Forwards: 70\r\n', '');
  expect(forwarded(text).match(/Max-Forwards: .*/g)).toEqual(['Max-Forwards: 70']);
});

test.each([
  ['the only one', ['Route: <sip:here;lr>'], []],
  [
    'the first of a list',
    ['Route: <sip:here;lr>, <sip:b;lr>;x="1,2" ,<sip:c>'],
    ['Route: <sip:b;lr>;x="1,2", <sip:c>'],
  ],
  ['the first of two fields', ['Route: <sip:here;lr>', 'route: <sip:b>'], ['route: <sip:b>']],
  ['a folded one', ['Route:\r\n <sip:here;lr>\r\n ,\r\n <sip:b>'], ['Route: <sip:b>']],
  ['one with a comma in its name', ['Route: "a, b" <sip:here;lr>', 'X: y'], ['X: y']],
])('the topmost Route that has done its work is left out: %s', (_which, lines, left) => {
  const text = requestText('INVITE', { lines });
  expect(forwarded(text, { dropsTopRoute: true })).toBe(expected(requestText('INVITE', { lines: left })));
  expect(forwarded(text)).toBe(expected(text));
});

test('routes are named in their order, from several fields and lists alike', () => {
  const lines = ['Route: <sip:a;lr>, "b, b" <sip:b>;x', 'Route: <sip:c>', 'Route: <unbalanced'];
  expect(routeUris(messageFrom(requestText('INVITE', { lines })))).toEqual(['sip:a;lr', 'sip:b', 'sip:c', '']);
  expect(routeUris(messageFrom(requestText()))).toEqual([]);
});

test('a redirection names its SIP contacts best first, and of those that are as good the first', () => {
  const lines = [
    'Contact: <sip:a>;q=0.5, <sips:b>, sip:c;q=0.7',
    'm: "d, d" <sip:d>;q=1.0, <tel:+12025550101>, <mailto:x@y>, <sip:e>;q=often, <sip:f>;q=0',
    'Contact: *',
  ];
  expect(contactUris(messageFrom(responseText(302, { lines })))).toEqual([
    ...['sips:b', 'sip:d', 'sip:e', 'sip:c', 'sip:a', 'sip:f'],
  ]);
  expect(contactUris(messageFrom(responseText(302)))).toEqual([]);
});
