import { accepted, createPassport, headerOf, passportOptions, refused, refusedText, faultTable } from '../passport.js';
import type { PassportFault, PassportFaultContext } from '../passport.js';
import { ENCODING_FAULTS, SIGNATURE_FAULTS } from './encoding-faults.js';

/** @see RFC 8225 section 5, RFC 8588 section 4, RFC 8224 section 6.2 */
const CLAIM_FAULTS = faultTable({
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
});

function missing(name: string): PassportFault {
  return refused('claim-missing', `the claim ${name} is missing`, () => ({ claims: { [name]: undefined } }));
}

function attest(description: string, value: unknown): PassportFault {
  return refused('attest-invalid', `attest is ${description}`, () => ({ claims: { attest: value } }));
}

function claim(name: string, description: string, value: unknown): PassportFault {
  return refused('claim-malformed', `${name} is ${description}`, () => ({ claims: { [name]: value } }));
}

/** @see RFC 8224 section 4, RFC 8225 section 4 */
const HEADER_FAULTS = faultTable({
  'header-alg-missing': headerClaimMissing('alg'),
  'header-ppt-missing': headerClaimMissing('ppt'),
  'header-typ-missing': headerClaimMissing('typ'),
  'header-x5u-missing': headerClaimMissing('x5u'),
  'typ-jwt': header('typ-not-passport', 'typ is "JWT"', { typ: 'JWT' }),
  'typ-number': header('header-claim-malformed', 'typ is a number', { typ: 1 }),
  'alg-es384': header('alg-unsupported', 'alg is ES384 over an ES256 signature', { alg: 'ES384' }),
  'alg-rs256': header('alg-unsupported', 'alg is RS256 over an ES256 signature', { alg: 'RS256' }),
  'alg-lower-case': header('alg-unsupported', 'alg is "es256"', { alg: 'es256' }),
  'alg-number': header('header-claim-malformed', 'alg is a number', { alg: 256 }),
  'x5u-number': header('header-claim-malformed', 'x5u is a number', { x5u: 1 }),
  'header-ppt-differs': refused('ppt-mismatch', 'ppt is "div" in the token and "shaken" in the parameter', () => ({
    header: { ppt: 'div' },
  })),
  'parameter-ppt-differs': refused('ppt-mismatch', 'ppt is "shaken" in the token and "div" in the parameter', () => ({
    identityHeader: { ppt: 'div' },
  })),
  'parameter-ppt-missing': {
    ...refused('ppt-unsupported', 'the Identity header has no ppt parameter', () => ({
      identityHeader: { ppt: 'absent' },
    })),
    refusedBy: ['shaken'],
  },
  'ppt-unknown': refused(
    'ppt-unsupported',
    'the type is one that nobody knows: not failed, but never passed either',
    () => ({
      ppt: 'tomorrow',
    }),
  ),
  'info-differs-from-x5u': refused('x5u-info-mismatch', 'info names another URL than x5u', ({ x5u }) => ({
    identityHeader: { info: `${x5u}.other` },
  })),
  'info-missing': refused('info-missing', 'there is no info parameter', () => ({ identityHeader: { info: 'absent' } })),
  'info-empty': refused('info-invalid', 'info is empty', () => ({ identityHeader: { info: '' } })),
  'info-without-brackets': refused('info-invalid', 'info has no angle brackets', ({ x5u }) => ({
    identityHeader: { parametersText: `;info=${x5u};alg=ES256;ppt=shaken` },
  })),
  'info-not-a-url': refused('info-invalid', 'info and x5u are no URL', () => ({ x5u: 'certificate.pem' })),
  'info-scheme-http': refused('info-invalid', 'info and x5u are http', ({ x5u }) => ({
    x5u: x5u.replace(/^https:/, 'http:'),
  })),
  'parameter-alg-differs': {
    ...refused('alg-unsupported', 'the alg parameter is ES384 while the token is ES256', () => ({
      identityHeader: { alg: 'ES384' },
    })),
    // ATIS-1000074 reads the alg of the token; RFC 8224 leaves open what a differing parameter means.
    refusedBy: [],
  },
  'no-semicolon': refusedText('info-missing', 'the value is the token alone', (context) => right(context).token),
  'empty-value': refusedText('identity-header-malformed', 'the value is empty', () => ''),
  'parameter-twice': refusedText(
    'identity-header-malformed',
    'the ppt parameter is given twice',
    (context) => `${right(context).identityHeader};ppt=shaken`,
  ),
  'bracket-unclosed': refused('identity-header-malformed', 'the bracket of info does not close', ({ x5u }) => ({
    identityHeader: { parametersText: `;alg=ES256;ppt=shaken;info=<${x5u}` },
  })),
  'quote-unclosed': refused('identity-header-malformed', 'the quotation of ppt does not close', ({ x5u }) => ({
    identityHeader: { parametersText: `;info=<${x5u}>;alg=ES256;ppt="shaken` },
  })),
  'value-too-long': refused('identity-header-too-long', 'the value has more than 8,192 characters', ({ origId }) => ({
    claims: { origid: origId.repeat(200) },
  })),
  'compact-form': refusedText(
    'compact-form',
    'header and payload are left out, as baseline PASSporTs may',
    (context) => {
      const { token, identityHeader } = right(context);
      return `..${token.slice(token.lastIndexOf('.') + 1)}${identityHeader.slice(token.length)}`;
    },
  ),
  'parameters-quoted': accepted('alg and ppt are quoted, as many deployed signers write them', (context) =>
    headerOf(context, { identityHeader: { quoted: true } }),
  ),
  'parameters-spaced': accepted('spaces stand around the semicolons', (context) =>
    headerOf(context, { identityHeader: { spaced: true } }),
  ),
  'parameters-upper-case': accepted('the names of the parameters are in upper case', (context) =>
    headerOf(context, { identityHeader: { parametersText: `;INFO=<${context.x5u}>;ALG=ES256;PPT=shaken` } }),
  ),
  'parameters-in-other-order': accepted('ppt and alg come before info', (context) =>
    headerOf(context, { identityHeader: { parametersText: `;ppt=shaken;alg=ES256;info=<${context.x5u}>` } }),
  ),
  'parameter-unknown': accepted(
    'there is a parameter that nobody knows',
    (context) => `${right(context).identityHeader};foo=bar`,
  ),
  folded: accepted('the value is folded over two lines', (context) =>
    right(context).identityHeader.replace(';info=', ';\r\n info='),
  ),
});

function right(context: PassportFaultContext): { readonly token: string; readonly identityHeader: string } {
  return createPassport(passportOptions(context, {}));
}

function headerClaimMissing(name: string): PassportFault {
  return refused('header-claim-missing', `the token's header lacks ${name}`, () => ({ header: { [name]: undefined } }));
}

function header(reason: string, description: string, change: Readonly<Record<string, unknown>>): PassportFault {
  return refused(reason, description, () => ({ header: change }));
}

/**
 * The catalogue of Identity headers that are wrong in one way each, and of some that only look wrong. Each is made for a
 * call from `context.origTn` to `context.destTn` at `context.nowSeconds`.
 */
export const PASSPORT_FAULTS = {
  ...SIGNATURE_FAULTS,
  ...ENCODING_FAULTS,
  ...HEADER_FAULTS,
  ...CLAIM_FAULTS,
};

/** Every named fault. */
export type PassportFaultName = keyof typeof PASSPORT_FAULTS;

/** Names of {@link PASSPORT_FAULTS}, for tests that go through all of them. */
export const PASSPORT_FAULT_NAMES = Object.keys(PASSPORT_FAULTS) as readonly PassportFaultName[];
