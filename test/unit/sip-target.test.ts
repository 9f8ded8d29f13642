import { expect, test } from 'vitest';
import { isRequestUri, routesOf, targetOf, uriOf } from '../../harness/src/drachtio/message/via.js';

const plain = { isSecure: false, port: 0, transport: '', isLoose: false };

test.each([
  ['sip:example.com', { ...plain, host: 'example.com' }],
  ['SIP:bob:secret@example.com:5070', { ...plain, host: 'example.com', port: 5070 }],
  ['sip:a;transport=tcp;lr@example.com', { ...plain, host: 'example.com' }],
  ['sip:+12025550101;phone-context=example.net@example.com;user=phone', { ...plain, host: 'example.com' }],
  ['sip:bob@[2001:db8::9]:5070;lr', { ...plain, host: '2001:db8::9', port: 5070, isLoose: true }],
  ['sip:bob@[2001:db8::9:5070]', { ...plain, host: '2001:db8::9:5070' }],
  ['sip:bob@[::ffff:192.0.2.9]', { ...plain, host: '::ffff:192.0.2.9' }],
  ['sip:bob@example.com;Transport=Ws;x', { ...plain, host: 'example.com', transport: 'ws' }],
  ['sip:bob@example.com;transport', { ...plain, host: 'example.com' }],
  ['sip:bob@example.com;maddr=192.0.2.7;transport=udp', { ...plain, host: '192.0.2.7', transport: 'udp' }],
  ['sip:bob@example.com;maddr=', { ...plain, host: 'example.com' }],
  ['sip:bob@example.com;LR=on', { ...plain, host: 'example.com', isLoose: true }],
  ['sip:bob@example.com;lrx', { ...plain, host: 'example.com' }],
  ['sip:bob@example.com:5070;lr?Subject=a;transport=tcp', { ...plain, host: 'example.com', port: 5070, isLoose: true }],
  ['sip:bob@example.com?Replaces=a;transport=tcp', { ...plain, host: 'example.com' }],
  ['sip:bob@h_1.example.com.:65535', { ...plain, host: 'h_1.example.com.', port: 65_535 }],
])('%s leads to %o', (uri, target) => {
  expect(targetOf(uri)).toEqual(target);
});

const unreadable = [
  'sip:',
  'sip:bob@',
  'sip:;lr',
  'sip:bob@:5060',
  'sip:bob@example.com:',
  'sip:bob@example.com:0',
  'sip:bob@example.com:65536',
  'sip:bob@example.com:000050',
  'sip:bob@example.com:5o60',
  'sip:2001:db8::9',
  'sip:bob@2001:db8::9',
  'sip:bob@[2001:db8::9',
  'sip:bob@[]',
  'sip:bob@[gone]',
  'sip:bob@[::1]x',
  'sip:bob@exam ple.com',
  'sip:bob@exam<ple.com',
  'sip:bob@a@b',
  `sip:${'h'.repeat(254)}`,
];

test.each(unreadable)('%s leads nowhere, and no request may go there', (uri) => {
  expect(targetOf(uri)).toBeUndefined();
  expect(isRequestUri(uri)).toBe(false);
});

test.each(['tel:+12025550101', 'urn:service:sos', 'sip', 'sipx:a@b', 'bob@example.com', ''])(
  '%s is no SIP URI: where it leads is for the application to say',
  (uri) => {
    expect(targetOf(uri)).toBeUndefined();
    expect(isRequestUri(uri)).toBe(true);
  },
);

test.each([
  ['sip:bob@example.com', true],
  ['sip:a?b;c@example.com:5060;lr', true],
  ['sip:[2001:db8:51:::192.0.2.9]', true],
  ['sip:bob@example.com?Route=x', false],
  ['sip:bob@example.com;lr?Route=x', false],
])('a request may name %s: %s', (uri, expected) => {
  expect(isRequestUri(uri)).toBe(expected);
});

test('a route set keeps the order and the parameters of its values, from several fields and lists alike', () => {
  const values = ['<sip:a;lr>;x=1, "b, b" <sip:b>', '<sip:c;lr>', '"unbalanced <sip:d>'];
  expect(routesOf(values)).toEqual(['<sip:a;lr>;x=1', '"b, b" <sip:b>', '<sip:c;lr>']);
});

test('the URI of an address is bare, and empty where there is none', () => {
  expect(uriOf('"Bob" <sip:bob@example.com;lr>;q=1')).toBe('sip:bob@example.com;lr');
  expect(uriOf('<sip:bob')).toBe('');
});
