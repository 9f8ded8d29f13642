import { headerOf, refused, refusedText, accepted } from './passport-fault.js';
import type { PassportFault } from './passport-fault.js';

/** Faults of the claims, all properly signed. */
export type ClaimFaultName =
  | 'attest-missing'
  | 'dest-missing'
  | 'iat-missing'
  | 'orig-missing'
  | 'origid-missing'
  | 'attest-word'
  | 'attest-d'
  | 'attest-lower-case'
  | 'attest-two-letters'
  | 'attest-empty'
  | 'attest-number'
  | 'attest-array'
  | 'attest-null'
  | 'iat-string'
  | 'iat-float'
  | 'iat-negative'
  | 'iat-zero'
  | 'iat-2-to-the-53'
  | 'iat-infinite'
  | 'iat-milliseconds'
  | 'iat-null'
  | 'iat-61-s-old'
  | 'iat-61-s-ahead'
  | 'iat-a-year-ahead'
  | 'iat-60-s-old'
  | 'orig-string'
  | 'orig-null'
  | 'orig-empty'
  | 'orig-tn-number'
  | 'orig-tn-array'
  | 'orig-tn-empty'
  | 'orig-tn-letters'
  | 'orig-not-the-caller'
  | 'dest-string'
  | 'dest-array'
  | 'dest-empty'
  | 'dest-tn-string'
  | 'dest-tn-empty'
  | 'dest-tn-numbers'
  | 'dest-not-the-callee'
  | 'origid-number'
  | 'origid-object'
  | 'origid-not-uuid'
  | 'dest-several';

/** @see RFC 8225 section 5, RFC 8588 section 4, RFC 8224 section 6.2 */
export const CLAIM_FAULTS: Readonly<Record<ClaimFaultName, PassportFault>> = {
  'attest-missing': missing('attest'),
  'dest-missing': missing('dest'),
  'iat-missing': missing('iat'),
  'orig-missing': missing('orig'),
  'origid-missing': missing('origid'),
  'attest-word': attest('a word that begins with a right letter', 'Attest'),
  'attest-d': attest('a level that does not exist', 'D'),
  'attest-lower-case': attest('lower case', 'a'),
  'attest-two-letters': attest('two right letters', 'AB'),
  'attest-empty': attest('an empty string', ''),
  'attest-number': attest('a number', 1),
  'attest-array': attest('an array of a right letter', ['A']),
  'attest-null': attest('null', null),
  'iat-string': refused('claim-malformed', 'iat is a string of the right number', ({ nowSeconds }) => ({
    claims: { iat: String(nowSeconds) },
  })),
  'iat-float': refused('claim-malformed', 'iat has half a second', ({ nowSeconds }) => ({
    claims: { iat: nowSeconds + 0.5 },
  })),
  'iat-negative': refused('claim-malformed', 'iat is negative', ({ nowSeconds }) => ({ claims: { iat: -nowSeconds } })),
  'iat-zero': refused('iat-stale', 'iat is 0', () => ({ claims: { iat: 0 } })),
  'iat-2-to-the-53': refused(
    'claim-malformed',
    'iat is 2^53, the first integer that a double cannot tell from the next',
    () => ({
      claims: { iat: 2 ** 53 },
    }),
  ),
  'iat-infinite': refusedText('json-malformed', 'iat is 1e999, which parsers of doubles read as infinity', (context) =>
    headerOf(context, {
      payloadText: `{"attest":"A","dest":{"tn":["${context.destTn}"]},"iat":1e999,"orig":{"tn":"${context.origTn}"},"origid":"${context.origId}"}`,
    }),
  ),
  'iat-milliseconds': refused('iat-in-future', 'iat counts milliseconds', ({ nowSeconds }) => ({
    claims: { iat: nowSeconds * 1000 },
  })),
  'iat-null': claim('iat', 'null', null),
  'iat-61-s-old': refused('iat-stale', 'iat is 61 s old', ({ nowSeconds }) => ({ iatSeconds: nowSeconds - 61 })),
  'iat-61-s-ahead': refused('iat-in-future', 'iat is 61 s ahead', ({ nowSeconds }) => ({
    iatSeconds: nowSeconds + 61,
  })),
  'iat-a-year-ahead': refused('iat-in-future', 'iat is a year ahead', ({ nowSeconds }) => ({
    iatSeconds: nowSeconds + 31_536_000,
  })),
  'iat-60-s-old': accepted('iat is 60 s old, the last second that is fresh', (context) =>
    headerOf(context, { iatSeconds: context.nowSeconds - 60 }),
  ),
  'orig-string': refused('claim-malformed', 'orig is the number itself', ({ origTn }) => ({
    claims: { orig: origTn },
  })),
  'orig-null': claim('orig', 'null', null),
  'orig-empty': claim('orig', 'an empty object', {}),
  'orig-tn-number': refused('claim-malformed', 'orig.tn is a JSON number', ({ origTn }) => ({
    claims: { orig: { tn: Number(origTn) } },
  })),
  'orig-tn-array': refused('claim-malformed', 'orig.tn is an array', ({ origTn }) => ({
    claims: { orig: { tn: [origTn] } },
  })),
  'orig-tn-empty': claim('orig', 'an empty number', { tn: '' }),
  'orig-tn-letters': claim('orig', 'a number of letters', { tn: '1202555CALL' }),
  'orig-not-the-caller': refused('orig-mismatch', 'orig is another number than that of the request', () => ({
    origTn: '12025550142',
  })),
  'dest-string': refused('claim-malformed', 'dest is the number itself', ({ destTn }) => ({
    claims: { dest: destTn },
  })),
  'dest-array': refused('claim-malformed', 'dest is an array', ({ destTn }) => ({ claims: { dest: [destTn] } })),
  'dest-empty': claim('dest', 'an empty object', {}),
  'dest-tn-string': refused('claim-malformed', 'dest.tn is a string', ({ destTn }) => ({
    claims: { dest: { tn: destTn } },
  })),
  'dest-tn-empty': claim('dest', 'an empty list', { tn: [] }),
  'dest-tn-numbers': refused('claim-malformed', 'dest.tn is a list of JSON numbers', ({ destTn }) => ({
    claims: { dest: { tn: [Number(destTn)] } },
  })),
  'dest-not-the-callee': refused('dest-mismatch', 'dest is another number than that of the request', () => ({
    destTn: '12025550143',
  })),
  'origid-number': claim('origid', 'a number', 1),
  'origid-object': claim('origid', 'an object', {}),
  'origid-not-uuid': accepted('origid is opaque text and no UUID', (context) =>
    headerOf(context, { origId: 'trunk-17' }),
  ),
  'dest-several': accepted('dest lists the callee among others', (context) =>
    headerOf(context, { claims: { dest: { tn: ['12025550144', context.destTn] } } }),
  ),
};

function missing(name: string): PassportFault {
  return refused('claim-missing', `the claim ${name} is missing`, () => ({ claims: { [name]: undefined } }));
}

function attest(description: string, value: unknown): PassportFault {
  return refused('attest-invalid', `attest is ${description}`, () => ({ claims: { attest: value } }));
}

function claim(name: string, description: string, value: unknown): PassportFault {
  return refused('claim-malformed', `${name} is ${description}`, () => ({ claims: { [name]: value } }));
}
