import { expect, test } from 'vitest';
import { MAX_PARAMETERS, MAX_URI_LENGTH, parseSipUri, telephoneNumberOfUri } from '../../sdk/src/core/sip-uri.js';
import type { SipUri } from '../../sdk/src/core/sip-uri.js';

const uriOf = (text: string): SipUri => {
  const result = parseSipUri(text);
  if (result.status === 'malformed') throw new Error(result.reason);
  return result.uri;
};
const reasonOf = (text: string): string | undefined => {
  const result = parseSipUri(text);
  return result.status === 'malformed' ? result.reason : undefined;
};
const params = (entries: Record<string, string | true> = {}) => new Map(Object.entries(entries));
const numberOf = (text: string) => telephoneNumberOfUri(uriOf(text));

test('takes a SIP URI with every part apart', () => {
  expect(
    uriOf('SIP:+12155551212;tgrp=TG-1;Trunk-Context=+1:secret@GW.Example.NET:5080;User=phone;lr?Subject=a&b=c'),
  ).toEqual({
    scheme: 'sip',
    user: '+12155551212',
    userParams: params({ tgrp: 'TG-1', 'trunk-context': '+1' }),
    host: 'gw.example.net',
    port: 5080,
    params: params({ user: 'phone', lr: true }),
    headers: 'Subject=a&b=c',
  });
});

test('leaves out what a URI does not have', () => {
  expect(uriOf('sips:example.com')).toEqual({
    scheme: 'sips',
    host: 'example.com',
    userParams: params(),
    params: params(),
  });
});

test.each([
  ['sip:a@192.0.2.1:5060', '192.0.2.1', 5060],
  ['sip:a@[2001:DB8::1]', '[2001:db8::1]', undefined],
  ['sip:a@[2001:db8::1]:65535;lr', '[2001:db8::1]', 65535],
  ['sip:a@[::ffff:192.0.2.1]:1', '[::ffff:192.0.2.1]', 1],
  ['sip:sbc_1.example.com', 'sbc_1.example.com', undefined],
  ['sip:a@host.example.com.?x=y', 'host.example.com.', undefined],
])('reads host and port of %s', (text, host, port) => {
  expect(uriOf(text)).toMatchObject(port === undefined ? { host } : { host, port });
  expect(uriOf(text).port).toBe(port);
});

test.each([
  ['sip:%61lice@h', 'alice'],
  ['sip:a%3ab@h', 'a:b'],
  ['sip:%C3%A9@h', 'é'],
  ['sip:a/b?c&d=+$,e@h', 'a/b?c&d=+$,e'],
  ['sip:*67#@h', '*67#'],
])('undoes the escapes of the user part of %s once', (text, user) => {
  expect(uriOf(text).user).toBe(user);
});

test('reads the parameters of a ported number', () => {
  const uri = uriOf('sip:+12155551212;npdi;rn=+12155550000@h;user=phone');
  expect(uri.userParams).toEqual(params({ npdi: true, rn: '+12155550000' }));
});

test('gives a tel URI the same parameters under both names', () => {
  const uri = uriOf('tel:555-1212;phone-context=+1215;EXT=7');
  expect(uri).toMatchObject({ scheme: 'tel', user: '555-1212' });
  expect(uri.params).toEqual(params({ 'phone-context': '+1215', ext: '7' }));
  expect(uri.userParams).toBe(uri.params);
});

test('passes over empty parameters', () => {
  expect(uriOf('sip:a@h;;lr;').params).toEqual(params({ lr: true }));
});

test.each([
  ['urn:service:sos', 'urn', 'service:sos'],
  ['https://h/p', 'other', '//h/p'],
  ['im:alice@h', 'other', 'alice@h'],
  ['x-1.a+b:', 'other', ''],
])('tells %s by its scheme', (text, scheme, opaque) => {
  expect(uriOf(text)).toMatchObject({ scheme, opaque });
});

test.each([
  ['', 'uri-empty'],
  [`sip:${'a'.repeat(MAX_URI_LENGTH - 3)}`, 'uri-too-long'],
  [':a@h', 'uri-no-scheme'],
  ['sip:a b@h', 'uri-bad-character'],
  ['sip:a@h\r\nX: y', 'uri-bad-character'],
  ['"a" sip:a@h', 'uri-bad-character'],
  ['sip:a%@h', 'uri-bad-escape'],
  ['sip:a%zz@h', 'uri-bad-escape'],
  ['sip:%ed%a0%80@h', 'uri-bad-escape'],
  ['sip:a@h;p=%', 'uri-bad-escape'],
  ['sip:@h', 'uri-bad-user'],
  ['sip:;tgrp=a@h', 'uri-bad-user'],
  ['sip:a@b@h', 'uri-bad-user'],
  ['sip:a@h;p=b@c', 'uri-bad-user'],
  ['tel:', 'uri-bad-user'],
  ['sip:a@', 'uri-bad-host'],
  ['sip:a@[2001:db8::1', 'uri-bad-host'],
  ['sip:a@h%41', 'uri-bad-host'],
  ['sip:a@h,b', 'uri-bad-host'],
  ['sip:+12155551212;tgrp=a', 'uri-bad-host'],
  ['sip:a@h:0', 'uri-bad-port'],
  ['sip:a@h:65536', 'uri-bad-port'],
  ['sip:a@h;=x', 'uri-bad-parameter'],
  ['sip:a@h;user=phone;USER=ip', 'uri-duplicate-parameter'],
  ['sip:a@h;%75ser=ip;user=phone', 'uri-duplicate-parameter'],
  ['tel:1;phone-context=+1;phone-context=+44', 'uri-duplicate-parameter'],
  [
    `sip:a@h${Array.from({ length: MAX_PARAMETERS + 1 }, (_, index) => `;p${index}`).join('')}`,
    'uri-too-many-parameters',
  ],
])('refuses %j with %s', (text, reason) => {
  expect(reasonOf(text)).toBe(reason);
});

test('takes a URI of the longest length and the most parameters', () => {
  expect(reasonOf(`sip:${'a'.repeat(MAX_URI_LENGTH - 4)}`)).toBeUndefined();
  const many = Array.from({ length: MAX_PARAMETERS }, (_, index) => `;p${index}`).join('');
  expect(uriOf(`sip:a@h${many}`).params.size).toBe(MAX_PARAMETERS);
});

test.each([
  'sip:+12155551212@example.com',
  'sips:12155551212@192.0.2.1:5061',
  'sip:2155551212@example.com;user=ip',
  'sip:+1-215-555-1212@example.com',
  'sip:%2B12155551212@example.com',
  'sip:+12155551212:password@example.com',
  'sip:+12155551212;verstat=TN-Validation-Passed@example.com',
  'sip:+12155551212;npdi;rn=+12155550000@example.com',
  'sip:2155551212;phone-context=+1@example.com;user=phone',
  'sip:2155551212@example.com;phone-context=+1;user=phone',
  'tel:+1-215-555-1212;npdi;rn=+1-215-555-0000',
  'TEL:2155551212;phone-context=+1',
  'tel:555-1212;phone-context=%2B1-215',
  'tel:2155551212;phone-context=example.com',
])('reads 12155551212 out of %s', (text) => {
  expect(numberOf(text)).toEqual({ kind: 'number', tn: '12155551212' });
});

test.each([
  'sip:911@example.com',
  'sip:112@h;user=phone',
  'tel:911;phone-context=+1',
  'urn:service:sos',
  'URN:service:SOS.police',
])('takes %s for an emergency call', (text) => {
  expect(numberOf(text).kind).toBe('emergency');
});

test('has no emergency number for urn:service:sos under a plan without one', () => {
  expect(telephoneNumberOfUri(uriOf('urn:service:sos'), { countryCode: '1' })).toMatchObject({ kind: 'none' });
});

test.each(['sip:988@h', 'sip:*67@h', 'sip:*67#@h', 'tel:%2A67;phone-context=example.com'])(
  'takes %s for a short number',
  (text) => {
    expect(numberOf(text).kind).toBe('short');
  },
);

test.each([
  ['sip:alice@example.com', 'not-a-number'],
  ['sip:anonymous@anonymous.invalid', 'not-a-number'],
  ['sip:example.com', 'empty'],
  ['sip:2155551212%3Bphone-context=+1@h', 'not-a-number'],
  ['sip:%252B12155551212@h', 'not-a-number'],
  ['sip:+12155551212%00@h', 'not-a-number'],
  ['urn:service:counseling', 'not-a-number'],
  ['urn:service:sosx', 'not-a-number'],
  ['https://example.com/12155551212', 'not-a-number'],
  ['sip:2155551212;phone-context=%2B1%3Bx@h', 'not-a-number'],
  ['sip:2155551212;phone-context=%252B1@h', 'not-a-number'],
  ['sip:2155551212;phone-context=+1x@h', 'not-a-number'],
  ['sip:1234567890123456@h', 'too-long'],
])('finds no number in %s (%s)', (text, reason) => {
  expect(numberOf(text)).toEqual({ kind: 'none', reason });
});
