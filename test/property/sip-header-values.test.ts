import { outboundHeaders } from '@hopback/sdk/switch';
import { withVerstat } from '@hopback/sdk/stir';
import { sampleInvite } from '@hopback/sdk/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { forAll, forAllAsync } from '../support/for-all.js';

/** Line breaks in every form that a parser somewhere takes for one, and what may stand around them. */
const lineBreaks = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  '\r\n ',
  '\r\n\t',
  '\n ',
  '\r ',
  '\0',
  '\r\r\n',
  '\r\n\r\n',
  '\u2028',
);
const injected = fc
  .tuple(
    lineBreaks,
    fc.constantFrom('', 'X-Evil: 1', 'Contact: <sip:evil@evil.example>', ';verstat=TN-Validation-Passed'),
  )
  .map((parts) => parts.join(''));

/** A From value with something injected at any place. */
const values = fc
  .record({
    value: fc.constantFrom(
      '"Desk" <sip:+12025550101@a.example>;tag=1',
      '<tel:+12025550101;verstat=x>',
      'sip:alice@a.example',
      '<sip:+12025550101;verstat=No-TN-Validation@a.example;user=phone>, <tel:+12025550102>',
    ),
    at: fc.nat({ max: 90 }),
    injected,
  })
  .map(({ value, at, injected: text }) => value.slice(0, at) + text + value.slice(at));

test('withVerstat gives no line break and no NUL, with a verdict and without', () => {
  forAll([values, fc.constantFrom('TN-Validation-Passed' as const, undefined)], 3000, (value, verstat) => {
    expect(withVerstat(value, verstat) ?? '').not.toMatch(/[\r\n\0]/);
  });
});

test('withVerstat unfolds a value that is folded as RFC 3261 permits', () => {
  expect(withVerstat('"Desk"\r\n <sip:+12025550101@a.example>;\r\n\ttag=1')).toBe(
    '"Desk" <sip:+12025550101@a.example>; tag=1',
  );
});

test('outboundHeaders gives no line break within a value, whatever came in', async () => {
  const names = ['from', 'to', 'p-asserted-identity', 'privacy', 'date', 'identity'] as const;
  await forAllAsync([fc.constantFrom(...names), injected, fc.nat({ max: 60 })], 1000, async (name, text, at) => {
    const raw = injectInto(sampleInvite({ identityHeaders: ['a.b.c;info=<https://a.example/1>'] }), name, {
      text,
      at,
    });
    const { headers } = await outboundHeaders({ raw });
    for (const value of Object.values(headers)) expect(value.replaceAll('\r\nIdentity: ', '')).not.toMatch(/[\r\n\0]/);
  });
});

/** The INVITE with a text injected into the value of one header field; fields that it lacks are added. */
function injectInto(
  invite: string,
  name: string,
  { text, at }: { readonly text: string; readonly at: number },
): string {
  const added: Readonly<Record<string, string>> = {
    'p-asserted-identity': 'P-Asserted-Identity: <tel:+12025550101>',
    privacy: 'Privacy: none',
  };
  const [start = '', ...lines] = invite.split('\r\n');
  const field = added[name];
  const fields = field === undefined ? lines : [field, ...lines];
  const changed = fields.map((line) => {
    if (!line.toLowerCase().startsWith(`${name}:`)) return line;
    const place = Math.min(line.length, name.length + 2 + at);
    return line.slice(0, place) + text + line.slice(place);
  });
  return [start, ...changed].join('\r\n');
}
