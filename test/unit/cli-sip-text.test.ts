import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withHeaders } from '../../sdk/src/cli/inputs/call-input.js';
import { UsageError } from '../../sdk/src/cli/kit/command.js';
import { headerValues, parseSipRequest } from '../../sdk/src/core/sip-request.js';
import type { SipRequestText } from '../../sdk/src/core/sip-request.js';

const START = 'INVITE sip:a@b SIP/2.0';
const ADDED = { date: 'Mon, 02 Nov 2026 12:00:00 GMT', identityHeaders: ['v1', 'v2'] };

function parsed(text: string): SipRequestText {
  const result = parseSipRequest(text.trimStart());
  if (result.status !== 'parsed') throw new Error(result.reason);
  return result.request;
}

describe('line ends of both kinds in one request', () => {
  test.each([
    ['LF headers before a CRLF blank line', `${START}\nVia: x\n\r\nbody`],
    ['CRLF headers before an LF blank line', `${START}\r\nVia: x\r\n\nbody`],
    ['a Date that ends in LF alone', `${START}\r\nDate: old\nVia: x\r\n\r\nbody`],
    ['a folded Date with both', `${START}\r\nDate: old\n\tand more\r\nVia: x\n\r\nbody`],
    ['blanks and empty lines first', `  \n\n${START}\r\nVia: x\r\n\r\nbody`],
  ])('%s', (_name, text) => {
    const written = parsed(withHeaders(text, ADDED));
    const before = parsed(text);
    expect(written.body).toBe('body');
    expect(written.headers).toEqual([
      ...before.headers.filter(({ name }) => name !== 'date'),
      { name: 'date', value: ADDED.date },
      { name: 'identity', value: 'v1' },
      { name: 'identity', value: 'v2' },
    ]);
  });
});

test('a request that ends in its request line gets its header fields below it', () => {
  expect(withHeaders(START, { identityHeaders: ['v'] })).toBe(`${START}\r\nIdentity: v\r\n`);
  expect(withHeaders(`${START}\n`, { identityHeaders: ['v'] })).toBe(`${START}\nIdentity: v\n`);
});

test('what stands before the request line stays there', () => {
  const before = '\u00ef\u00bb\u00bf \r\n\n';
  expect(withHeaders(`${before}${START}\n\n`, { identityHeaders: ['v'] })).toBe(`${before}${START}\nIdentity: v\n\n`);
});

test('a text that is no request as octets is refused, not guessed at', () => {
  expect(() => withHeaders('From\u00c2\u00a0: x\r\n\r\n', { identityHeaders: ['v'] })).toThrow(UsageError);
});

test('any request reads back as it was, with what was added', () => {
  const lineEnd = fc.constantFrom('\r\n', '\n');
  const value = fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const line = fc.oneof(
    value.map((text) => `X-A: ${text}`),
    value.map((text) => ` ${text}`),
    fc.constantFrom('Date: old', 'date : old', 'v: x'),
  );
  const lines = fc.array(fc.tuple(line, lineEnd), { maxLength: 6 });
  fc.assert(
    fc.property(lines, fc.constantFrom('', '\n', '\r\n'), lineEnd, fc.string(), (headers, blank, end, rest) => {
      const body = blank === '' ? '' : rest;
      const text = START + end + headers.map((parts) => parts.join('')).join('') + blank + body;
      const before = parseSipRequest(text);
      fc.pre(before.status === 'parsed');
      const after = parsed(withHeaders(text, ADDED));
      expect(after.body).toBe(before.status === 'parsed' ? before.request.body : '');
      expect(headerValues(after, 'identity')).toEqual(ADDED.identityHeaders);
      expect(headerValues(after, 'date')).toEqual([ADDED.date]);
      expect(headerValues(after, 'x-a')).toEqual(headerValues(parsed(text), 'x-a'));
      expect(headerValues(after, 'via')).toEqual(headerValues(parsed(text), 'via'));
    }),
  );
});
