import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  headerValues,
  isAnonymousUri,
  MAX_LIST_VALUES,
  parseNameAddr,
  parseSipRequest,
  splitHeaderList,
  splitIdentityHeader,
} from '../../sdk/src/core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../../sdk/src/core/sip-uri.js';
import { forAll } from '../support/for-all.js';

const piece = fc.constantFrom(
  ...Array.from('@;=?&%<>"\\, \t\n\r\u0000é:😀'),
  ...['sip:', 'sips:', 'tel:', 'urn:service:sos', 'SIP/2.0', 'INVITE ', 'To: ', 'y:', '\r\n', '\ud800'],
  ...['+12155551212', '911', 'alice', 'example.com', '[::1]', ':5060', '%41', '%3B', '%2B'],
  ...[';user=phone', ';tgrp=a', ';phone-context=+1', ';tag=1'],
);
const anyText = fc.oneof(
  fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 80 }),
);

test('returns a URI or a reason for any text, and a number or a reason for any URI', () => {
  forAll([fc.constantFrom('', 'sip:', 'tel:', 'sip:1@'), anyText], 20_000, (start, text) => {
    const result = parseSipUri(start + text);
    if (result.status === 'malformed') return result.reason.startsWith('uri-');
    const { kind } = telephoneNumberOfUri(result.uri);
    return typeof isAnonymousUri(result.uri) === 'boolean' && KINDS.includes(kind);
  });
});

const KINDS = ['number', 'emergency', 'short', 'none'];

test('finds the user, parameters, host and port that a URI was made of', () => {
  const word = fc.string({ unit: fc.constantFrom(...Array.from('abcxyz019-.')), minLength: 1, maxLength: 8 });
  const port = fc.integer({ min: 1, max: 65_535 });
  const anyUser = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const parameters = fc.uniqueArray(fc.tuple(word, fc.option(anyUser)), { maxLength: 5, selector: ([name]) => name });
  const write = (list: readonly (readonly [string, string | null])[]): string =>
    list.map(([name, value]) => (value === null ? `;${name}` : `;${name}=${encodeURIComponent(value)}`)).join('');
  const read = (list: readonly (readonly [string, string | null])[]) =>
    new Map(list.map(([name, value]) => [name, value ?? true]));
  forAll([fc.record({ user: anyUser, userParams: parameters, host: word, port, params: parameters })], 100, (made) => {
    const userPart = encodeURIComponent(made.user) + write(made.userParams);
    const uri = { scheme: 'sip', ...made, userParams: read(made.userParams), params: read(made.params) };
    const text = `sip:${userPart}@${made.host}:${made.port}${write(made.params)}`;
    expect(parseSipUri(text)).toEqual({ status: 'parsed', uri });
  });
});

test('returns an address or a reason for any header value', () => {
  forAll([anyText], 20_000, (text) => {
    const result = parseNameAddr(text);
    return result.status === 'malformed' ? result.reason.startsWith('address-') : text.includes(result.uri);
  });
});

test('gives back the display name and parameter that were quoted', () => {
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  forAll([fc.string({ minLength: 1 }), fc.string()], 100, (name, value) => {
    const result = parseNameAddr(`${quoted(name)} <sip:a@h>;x=${quoted(value)};tag=1`);
    expect(result).toEqual({
      status: 'parsed',
      displayName: name,
      uri: 'sip:a@h',
      params: new Map([
        ['x', value],
        ['tag', '1'],
      ]),
    });
  });
});

test('splits any text into a bounded number of values and loses only commas and space', () => {
  const bare = (text: string): string => text.replaceAll(/[,\s]/g, '');
  forAll(
    [fc.oneof(anyText, fc.string({ unit: fc.constantFrom(...Array.from('a,<>"\\ ')), maxLength: 300 }))],
    10_000,
    (text) => {
      for (const split of [splitHeaderList, splitIdentityHeader]) {
        const values = split(text);
        expect(values.length).toBeLessThanOrEqual(MAX_LIST_VALUES);
        expect(values.every((value) => value !== '' && value === value.trim())).toBe(true);
        expect(bare(values.join(''))).toBe(bare(text));
      }
    },
  );
});

test('gives back the values that were joined with commas', () => {
  const value = fc.constantFrom(
    'a.b.c;info=<https://h/x,y>;ppt=shaken',
    '"a, b" <sip:a@h>',
    '<tel:+1>;x="1,\\",2"',
    'plain',
  );
  forAll(
    [fc.array(value, { maxLength: MAX_LIST_VALUES }), fc.constantFrom(',', ', ', ' ,\t')],
    100,
    (values, comma) => {
      expect(splitHeaderList(values.join(comma))).toEqual(values);
    },
  );
});

test('returns a request or a reason with its line for any text and any bytes', () => {
  const lines = fc.array(anyText, { maxLength: 8 }).map((list) => `INVITE sip:a@h SIP/2.0\r\n${list.join('\r\n')}`);
  forAll([fc.oneof(anyText, lines, fc.uint8Array({ maxLength: 200 }))], 20_000, (text) => {
    const result = parseSipRequest(text);
    if (result.status === 'malformed') return result.line >= 1;
    return headerValues(result.request, 'to').length <= result.request.headers.length;
  });
});

test('gives back the header fields that a request was written with', () => {
  const name = fc.string({ unit: fc.constantFrom(...Array.from('ABCxyz-09')), minLength: 2, maxLength: 10 });
  const value = fc.string({ maxLength: 40 }).map((text) => text.trim());
  forAll(
    [fc.array(fc.tuple(name, value), { maxLength: 20 }), fc.string(), fc.constantFrom('\r\n', '\n')],
    100,
    (fields, body, end) => {
      const text = ['INVITE sip:a@h SIP/2.0', ...fields.map(([key, one]) => `${key}: ${one}`), '', body].join(end);
      const result = parseSipRequest(text);
      const headers = fields.map(([key, one]) => ({ name: key.toLowerCase(), value: one }));
      expect(result).toMatchObject({ status: 'parsed', request: { headers, body } });
    },
  );
});
