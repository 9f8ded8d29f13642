import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { createSessionCookie, readAccounts } from '../../sdk/src/sidecar/review/sessions.js';
import { decisionOfForm } from '../../sdk/src/sidecar/review/review-routes.js';

const FIELDS = [
  ...['arm', 'candidate', 'despite', 'action', 'reason', 'comment', 'amend-reason', 'decision-id', 'customer-id'],
  ...['provider-name', 'provider-ocn', 'contact-name', 'contact-country', 'know-your-customer', 'by', 'format'],
];
const form = fc.array(
  fc.tuple(fc.constantFrom(...FIELDS), fc.oneof(fc.string(), fc.constantFrom('received-from', 'origin', 'warned', ''))),
);

test('any form makes a decision of whoever is logged in about the request of the page, or none, and never throws', () => {
  fc.assert(
    fc.property(form, (fields) => {
      const facts = { requestId: 'r-1', by: 'duty engineer', nowMs: 1_793_000_000_000, newId: () => 'd-1' };
      const reading = decisionOfForm(new URLSearchParams(fields), facts);
      if (reading.status === 'read')
        expect(reading.decision).toMatchObject({
          requestId: 'r-1',
          by: 'duty engineer',
          decidedAt: '2026-10-26T07:33:20.000Z',
        });
      else expect(reading.detail).not.toBe('');
    }),
  );
});

test('any text is a file of accounts, or is refused as a configuration that cannot be', () => {
  const part = fc.constantFrom(
    'name',
    'scrypt',
    '32768',
    '8',
    '1',
    'A'.repeat(22),
    'A'.repeat(43),
    ':',
    '\n',
    '#',
    '-1',
    '1e9',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part).map((parts) => parts.join(':')),
      ),
      (text) => {
        try {
          expect(readAccounts(text).size).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(isHopbackError(error) && error.code).toBe('invalid-configuration');
        }
      },
    ),
  );
});

test('a cookie that was given is read back among any others', () => {
  const cookie = createSessionCookie({ base: '/review', isSecure: true });
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,8}=[a-z0-9]{0,8}$/)),
      fc.stringMatching(/^[\w-]{43}$/),
      (others, token) => {
        const own = cookie.field(token).split(';')[0] ?? '';
        expect(cookie.read(new Headers({ cookie: [...others, own].join('; ') }))).toBe(token);
      },
    ),
  );
});
