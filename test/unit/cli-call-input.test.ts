import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  instantOption,
  numberToSignOption,
  partyOption,
  telephoneNumberOption,
  withHeaders,
} from '../../sdk/src/cli/inputs/call-input.js';
import { UsageError } from '../../sdk/src/cli/kit/command.js';
import { parseSipRequest, type SipRequestText } from '../../sdk/src/core/sip-request.js';
import { thrownBy } from '../support/code-of.js';
import { forAll } from '../support/for-all.js';

const START = 'INVITE sip:a@b SIP/2.0';
const ADDED = { date: 'Mon, 02 Nov 2026 12:00:00 GMT', identityHeaders: ['v1', 'v2'] };

function parsed(text: string): SipRequestText {
  const result = parseSipRequest(text.trimStart());
  if (result.status !== 'parsed') throw new Error(result.reason);
  return result.request;
}

test('leaves every other line and the body as they are, for any text, and writes the line end of the request', () => {
  const lines = fc.array(
    fc.string({ maxLength: 20 }).map((text) => `X-A: ${text.replaceAll(/[\r\n]/g, '')}`),
    {
      maxLength: 5,
    },
  );
  const withBody = fc.option(fc.string(), { nil: undefined });
  forAll([lines, withBody, fc.constantFrom('\r\n', '\n')], 100, (headers, body, lineEnd) => {
    const text = [START, ...headers, ''].join(lineEnd) + (body === undefined ? '' : lineEnd + body);
    const written = withHeaders(text, ['v1', 'v2']);
    expect(written.replace(`Identity: v1${lineEnd}Identity: v2${lineEnd}`, '')).toBe(text);
  });
});

test('a request line without a line end gets one', () => {
  expect(withHeaders(START, ['v'])).toBe(`${START}\r\nIdentity: v\r\n`);
});

test('what stands before the request line stays there', () => {
  const before = '\u00ef\u00bb\u00bf \r\n\n';
  expect(withHeaders(`${before}${START}\n\n`, ['v'])).toBe(`${before}${START}\nIdentity: v\n\n`);
});

test('a text that is no request as octets is refused, not guessed at', () => {
  expect(() => withHeaders('From\u00c2\u00a0: x\r\n\r\n', ['v'])).toThrow(UsageError);
});

test('any request, with line ends of both kinds, reads back as it was, without its Date and with what was added', () => {
  const lineEnd = fc.constantFrom('\r\n', '\n');
  const value = fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const line = fc.oneof(
    value.map((text) => `X-A: ${text}`),
    value.map((text) => ` ${text}`),
    fc.constantFrom('Date: old', 'date : old', 'v: x'),
  );
  const lines = fc.array(fc.tuple(line, lineEnd), { maxLength: 6 });
  forAll([lines, fc.constantFrom('', '\n', '\r\n'), lineEnd, fc.string()], 100, (headers, blank, end, rest) => {
    const body = blank === '' ? '' : rest;
    const text = START + end + headers.map((parts) => parts.join('')).join('') + blank + body;
    const before = parseSipRequest(text);
    fc.pre(before.status === 'parsed');
    const after = parsed(withHeaders(text, ADDED.identityHeaders, ADDED.date));
    expect(after.body).toBe(before.status === 'parsed' ? before.request.body : '');
    expect(after.headers).toEqual([
      ...parsed(text).headers.filter(({ name }) => name !== 'date'),
      { name: 'date', value: ADDED.date },
      ...ADDED.identityHeaders.map((added) => ({ name: 'identity', value: added })),
    ]);
  });
});

function refusalOf(read: () => unknown): UsageError {
  const error = thrownBy(read);
  if (error instanceof UsageError) return error;
  throw new Error('nothing was refused', { cause: error });
}

describe('a telephone number', () => {
  // London and Denver have ten national digits both.
  test.each([['2079460958'], ['3035550107'], ['011442079460958']])('%s may be one of two and is refused', (text) => {
    for (const read of [partyOption, telephoneNumberOption, numberToSignOption]) {
      const { message, hints } = refusalOf(() => read('orig', text));
      expect(message).toContain('--orig');
      expect([message, ...hints].join(' ')).toMatch(/\+ .*country code/);
      expect([message, ...hints].join(' ')).not.toContain(text);
    }
  });

  test.each([
    ['+442079460958', '442079460958'],
    ['442079460958', '442079460958'],
    ['+1 (202) 555-0101', '12025550101'],
    ['12025550101', '12025550101'],
    ['+4930123456', '4930123456'],
    ['011 44 20 7946 0958', '442079460958'],
    ['911', '911'],
  ])('%s is %s', (text, tn) => {
    expect(telephoneNumberOption('tn', text)).toBe(tn);
    expect(partyOption('orig', text)).toEqual({ kind: 'tn', value: tn });
  });

  test('that is to be signed goes to the authentication service as typed: what was read once is not read again', () => {
    expect(numberToSignOption('orig', '+49 30 123456')).toBe('+49 30 123456');
  });
});

describe('an instant', () => {
  test.each([
    ['2026-02-30T00:00:00Z'],
    ['2026-02-29T00:00:00Z'],
    ['2026-04-31T12:00:00+02:00'],
    ['2026-13-01T00:00:00Z'],
    ['2026-00-10T00:00:00Z'],
    ['2026-01-00T00:00:00Z'],
    ['2026-02-28T24:30:00Z'],
    ['Mon, 30 Feb 2026 12:00:00 GMT'],
  ])('%s does not exist and is refused', (text) => {
    expect(refusalOf(() => instantOption('at', text)).message).toContain('--at');
  });

  test.each([
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['2026-11-02T12:00+02:00', Date.UTC(2026, 10, 2, 10)],
    ['2026-01-01T00:30:00.5+01:00', Date.UTC(2025, 11, 31, 23, 30, 0, 500)],
    ['Mon, 02 Nov 2026 12:00:00 GMT', Date.UTC(2026, 10, 2, 12)],
    ['1793620800', Date.UTC(2026, 10, 2, 12)],
  ])('%s is taken', (text, ms) => {
    expect(instantOption('at', text)).toBe(ms);
  });
});
