import { createPassport } from '../passport.js';
import { accepted, headerOf, passportOptions, refused, refusedText } from './passport-fault.js';
import type { PassportFault, PassportFaultContext } from './passport-fault.js';

/** Faults of the JOSE header and of the Identity header around the token. */
export type HeaderFaultName =
  | 'header-alg-missing'
  | 'header-ppt-missing'
  | 'header-typ-missing'
  | 'header-x5u-missing'
  | 'typ-jwt'
  | 'typ-number'
  | 'alg-es384'
  | 'alg-rs256'
  | 'alg-lower-case'
  | 'alg-number'
  | 'x5u-number'
  | 'header-ppt-differs'
  | 'parameter-ppt-differs'
  | 'parameter-ppt-missing'
  | 'ppt-unknown'
  | 'info-differs-from-x5u'
  | 'info-missing'
  | 'info-empty'
  | 'info-without-brackets'
  | 'info-not-a-url'
  | 'info-scheme-http'
  | 'parameter-alg-differs'
  | 'no-semicolon'
  | 'empty-value'
  | 'parameter-twice'
  | 'bracket-unclosed'
  | 'quote-unclosed'
  | 'value-too-long'
  | 'compact-form'
  | 'parameters-quoted'
  | 'parameters-spaced'
  | 'parameters-upper-case'
  | 'parameters-in-other-order'
  | 'parameter-unknown'
  | 'folded';

/** @see RFC 8224 section 4, RFC 8225 section 4 */
export const HEADER_FAULTS: Readonly<Record<HeaderFaultName, PassportFault>> = {
  'header-alg-missing': missing('alg'),
  'header-ppt-missing': missing('ppt'),
  'header-typ-missing': missing('typ'),
  'header-x5u-missing': missing('x5u'),
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
};

function right(context: PassportFaultContext): { readonly token: string; readonly identityHeader: string } {
  return createPassport(passportOptions(context, {}));
}

function missing(name: string): PassportFault {
  return refused('header-claim-missing', `the token's header lacks ${name}`, () => ({ header: { [name]: undefined } }));
}

function header(reason: string, description: string, change: Readonly<Record<string, unknown>>): PassportFault {
  return refused(reason, description, () => ({ header: change }));
}
