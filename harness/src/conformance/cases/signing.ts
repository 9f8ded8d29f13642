import { canonicalJson, divertedTn } from '@hopback/sdk/testing';
import type { Capability, CaseSetting, SigningAsk, SigningCase, SigningContext } from '../case.js';
import { isSignedBy, readSignedToken } from '../signing/signed-token.js';
import type { SignedToken, TokenProblem } from '../signing/signed-token.js';
import { identityOf } from './build-case.js';
import type { CaseDetails } from './build-case.js';

/** What is wrong with a token; undefined where nothing is. */
type TokenCheck = (token: SignedToken, about: SigningContext) => TokenProblem | undefined;

/** The usual request: attested A, all members there, numbers canonical. */
const usualAsk = ({ origTn, destTn, nowSeconds, signing }: CaseSetting): SigningAsk => ({
  ...{ origTn, destTn: [destTn], attestation: 'A', iatSeconds: nowSeconds, x5u: signing.x5u },
  origId: '0d6f4b6e-4f0c-4d0e-9a5e-5b3f9a1c7d21',
});

/** A case about a signature that has to be there. */
function signedCase(
  details: CaseDetails & { readonly group?: SigningCase['group'] },
  check: TokenCheck,
  ask: (setting: CaseSetting) => SigningAsk = usualAsk,
): SigningCase {
  return {
    ...baseOf(details),
    asks: ask,
    judges: (observed, about) => {
      if (observed.kind === 'not-signed') return `it was not signed: ${observed.said}`;
      const [value, ...others] = observed.identity;
      if (value === undefined || others.length > 0)
        return `${observed.identity.length} Identity header values instead of one`;
      const read = readSignedToken(value);
      return read.status === 'malformed' ? read.problem : check(read.token, about);
    },
  };
}

/** A case about a request that must not be signed as it is. */
function unsignedCase(
  details: CaseDetails & { readonly group?: SigningCase['group'] },
  ask: (setting: CaseSetting) => SigningAsk,
): SigningCase {
  return {
    ...baseOf(details),
    asks: ask,
    judges: (observed) => (observed.kind === 'signed' ? 'it was signed' : undefined),
  };
}

function baseOf(
  details: CaseDetails & { readonly group?: SigningCase['group'] },
): Omit<SigningCase, 'asks' | 'judges'> {
  const { number, title, source, level = 'must', needs = [], group = 'signing' } = details;
  return { kind: 'signing', number, title, group, source, level, needs: ['sign', ...needs] };
}

/** A sentence where two values differ. */
const differs = (what: string, actual: unknown, expected: unknown): TokenProblem | undefined =>
  canonicalJson(actual) === canonicalJson(expected)
    ? undefined
    : `${what} is ${canonicalJson(actual) ?? 'absent'} instead of ${canonicalJson(expected)}`;

const unquoted = (text: string | undefined): string | undefined => text?.replace(/^"(.*)"$/, '$1');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const FRESH_SECONDS = 60;
const ATTEST: readonly Capability[] = ['sign-attestation'];

/** With every separator that a number in a URI may have. @see RFC 3966 section 3 */
const spelled = (tn: string): string => `+${tn.slice(0, 1)}(${tn.slice(1, 4)})${tn.slice(4, 7)}-${tn.slice(7)}`;

/** Signatures of a service for calls as they begin. */
export const SIGNING: readonly SigningCase[] = [
  ...(['A', 'B', 'C'] as const).map((attestation, index) =>
    signedCase(
      {
        number: `S-10${index + 1}`,
        title: `keeps the attestation ${attestation}`,
        source: 'RFC 8588 §4, ATIS-1000082',
        needs: ATTEST,
      },
      ({ claims }) => differs('attest', claims['attest'], attestation),
      (setting) => ({ ...usualAsk(setting), attestation }),
    ),
  ),
  unsignedCase(
    {
      number: 'S-104',
      title: 'does not sign an attestation that does not exist',
      source: 'RFC 8588 §4, ATIS-1000082',
      needs: ATTEST,
    },
    (setting) => ({ ...usualAsk(setting), attestation: 'D' }),
  ),
  signedCase(
    { number: 'S-105', title: 'keeps the origid of the request', source: 'ATIS-1000082', needs: ['sign-origid'] },
    ({ claims }, { ask }) => differs('origid', claims['origid'], ask.origId),
  ),
  signedCase(
    { number: 'S-106', title: 'writes an origid that is a UUID', source: 'RFC 8588 §5, ATIS-1000074 §5.2.4' },
    ({ claims }) => (UUID.test(String(claims['origid'])) ? undefined : `origid is ${JSON.stringify(claims['origid'])}`),
  ),
  signedCase(
    { number: 'S-107', title: 'writes an iat of now', source: 'RFC 8224 §4.1, RFC 8225 §5.1.1' },
    ({ claims }, { nowSeconds }) => {
      const { iat } = claims;
      return typeof iat === 'number' && Number.isInteger(iat) && Math.abs(iat - nowSeconds) <= FRESH_SECONDS
        ? undefined
        : `iat is ${JSON.stringify(iat)} at ${String(nowSeconds)}`;
    },
  ),
  {
    ...baseOf({
      number: 'S-108',
      title: 'signs no iat of an hour ago',
      source: 'RFC 8224 §4.1',
      level: 'should',
      needs: ['sign-iat'],
    }),
    asks: (setting) => ({ ...usualAsk(setting), iatSeconds: setting.nowSeconds - 3600 }),
    judges: (observed, { ask }) => {
      if (observed.kind === 'not-signed') return undefined;
      const read = readSignedToken(observed.identity[0] ?? '');
      return read.status === 'read' && read.token.claims['iat'] === ask.iatSeconds
        ? 'it signed the old iat'
        : undefined;
    },
  },
  signedCase(
    { number: 'S-109', title: 'writes info and x5u alike', source: 'ATIS-1000082 (row 10), RFC 8224 §4' },
    ({ parameters, header }) => differs('info', parameters.get('info'), `<${String(header['x5u'])}>`),
  ),
  signedCase(
    { number: 'S-110', title: 'writes the x5u that it was given', source: 'RFC 8225 §4.3' },
    ({ header }, { x5u }) => differs('x5u', header['x5u'], x5u),
  ),
  signedCase(
    { number: 'S-111', title: 'signs with ES256 and says so', source: 'RFC 8225 §4.2, RFC 8224 §4' },
    ({ header, parameters }) =>
      differs('alg', header['alg'], 'ES256') ??
      (parameters.has('alg') ? differs('the alg parameter', unquoted(parameters.get('alg')), 'ES256') : undefined),
  ),
  signedCase(
    { number: 'S-112', title: 'writes ppt "shaken" into the token and beside it', source: 'RFC 8588 §4, RFC 8224 §4' },
    ({ header, parameters }) =>
      differs('ppt', header['ppt'], 'shaken') ??
      differs('the ppt parameter', unquoted(parameters.get('ppt')), 'shaken'),
  ),
  signedCase({ number: 'S-113', title: 'writes typ "passport"', source: 'RFC 8225 §4.1' }, ({ header }) =>
    differs('typ', header['typ'], 'passport'),
  ),
  signedCase(
    { number: 'S-114', title: 'writes keys in lexicographic order and no white space', source: 'RFC 8225 §9' },
    ({ headerText, payloadText, header, claims }) =>
      differs('the header', headerText, canonicalJson(header)) ??
      differs('the payload', payloadText, canonicalJson(claims)),
  ),
  signedCase(
    {
      number: 'S-115',
      title: 'signs so that the key of its certificate verifies it',
      source: 'RFC 8225 §6, RFC 7518 §3.4',
    },
    (token, { publicKeyPem }) =>
      isSignedBy(token, publicKeyPem) ? undefined : 'the signature does not verify under the certificate of the x5u',
  ),
  signedCase(
    {
      number: 'S-116',
      title: 'writes attest, dest, iat, orig and origid, and nothing else',
      source: 'RFC 8588 §4',
      level: 'should',
    },
    ({ claims }) =>
      differs('the list of claims', Object.keys(claims).sort(), ['attest', 'dest', 'iat', 'orig', 'origid']),
  ),
  signedCase(
    { number: 'S-117', title: 'writes the caller and the called number of the request', source: 'RFC 8225 §5.2.1' },
    ({ claims }, { ask }) =>
      differs('orig', claims['orig'], { tn: ask.origTn }) ?? differs('dest', claims['dest'], { tn: ask.destTn }),
  ),
  signedCase(
    {
      number: 'S-118',
      title: 'writes a caller with + and separators in canonical form',
      source: 'RFC 8224 §8.3',
      needs: ['sign-spelling'],
    },
    ({ claims }, { ask }) => differs('orig', claims['orig'], { tn: (ask.origTn ?? '').replaceAll(/\D/g, '') }),
    (setting) => ({ ...usualAsk(setting), origTn: spelled(setting.origTn) }),
  ),
  signedCase(
    {
      number: 'S-119',
      title: 'writes a called number with + and separators in canonical form',
      source: 'RFC 8224 §8.3',
      needs: ['sign-spelling'],
    },
    ({ claims }, { ask }) => differs('dest', claims['dest'], { tn: ask.destTn.map((tn) => tn.replaceAll(/\D/g, '')) }),
    (setting) => ({ ...usualAsk(setting), destTn: [spelled(setting.destTn)] }),
  ),
  signedCase(
    {
      number: 'S-120',
      title: 'writes all called numbers of the request',
      source: 'RFC 8225 §5.2.1',
      needs: ['sign-several'],
    },
    ({ claims }, { ask }) => {
      const dest = claims['dest'] as { readonly tn?: readonly string[] } | undefined;
      const missing = ask.destTn.filter((tn) => dest?.tn?.includes(tn) !== true);
      return missing.length === 0 ? undefined : `dest lacks ${missing.join(', ')}`;
    },
    (setting) => ({ ...usualAsk(setting), destTn: [setting.destTn, '12125550142'] }),
  ),
  unsignedCase(
    { number: 'S-121', title: 'does not sign letters for a caller', source: 'RFC 8224 §8.3, RFC 8225 §5.2.1' },
    (setting) => ({ ...usualAsk(setting), origTn: 'nobody' }),
  ),
  unsignedCase(
    {
      number: 'S-122',
      title: 'does not sign a call without a caller',
      source: 'RFC 8225 §5.2.1',
      needs: ['sign-incomplete'],
    },
    (setting) => {
      const { origTn: _, ...rest } = usualAsk(setting);
      return rest;
    },
  ),
  unsignedCase(
    {
      number: 'S-123',
      title: 'does not sign a call without a called number',
      source: 'RFC 8225 §5.2.1',
      needs: ['sign-incomplete'],
    },
    (setting) => ({ ...usualAsk(setting), destTn: [] }),
  ),
  signedCase(
    {
      number: 'S-124',
      title: 'writes alg and ppt without quotes, which some verifiers do not read',
      source: 'RFC 8224 §4 (token)',
      level: 'should',
    },
    ({ parameters }) =>
      [...parameters.values()].some((value) => value.startsWith('"')) ? 'a parameter is in quotes' : undefined,
  ),
];

const NEEDS: readonly Capability[] = ['sign-div'];
const GROUP = 'signing-div';
const DIV = 'RFC 8946 §3, §4';

/** The callee diverts the call of the setting to the next number. */
const divertedAsk = (setting: CaseSetting): SigningAsk => ({
  origTn: setting.origTn,
  destTn: [divertedTn(setting, 1)],
  iatSeconds: setting.nowSeconds,
  div: { divertingTn: setting.destTn, identity: [identityOf(setting)] },
});

/** Signatures of a service for calls that go on elsewhere. */
export const SIGNING_DIV: readonly SigningCase[] = [
  signedCase(
    {
      number: 'S-151',
      title: 'writes ppt "div" into the token of a diverted call',
      source: DIV,
      needs: NEEDS,
      group: GROUP,
    },
    ({ header, parameters }) =>
      differs('ppt', header['ppt'], 'div') ??
      differs('the ppt parameter', parameters.get('ppt')?.replaceAll('"', ''), 'div'),
    divertedAsk,
  ),
  signedCase(
    {
      number: 'S-152',
      title: 'writes who diverted, where to, and whose call it is',
      source: DIV,
      needs: NEEDS,
      group: GROUP,
    },
    ({ claims }, { ask }) =>
      differs('div.tn', (claims['div'] as { readonly tn?: unknown } | undefined)?.tn, ask.div?.divertingTn) ??
      differs('dest', claims['dest'], { tn: ask.destTn }) ??
      differs('orig', claims['orig'], { tn: ask.origTn }),
    divertedAsk,
  ),
  signedCase(
    {
      number: 'S-153',
      title: 'writes no attestation and no origid into a div',
      source: 'RFC 8946 §3',
      level: 'should',
      needs: NEEDS,
      group: GROUP,
    },
    ({ claims }) => differs('the list of claims', Object.keys(claims).sort(), ['dest', 'div', 'iat', 'orig']),
    divertedAsk,
  ),
  signedCase(
    {
      number: 'S-154',
      title: 'signs a div so that the key of its certificate verifies it',
      source: 'RFC 8946 §4',
      needs: NEEDS,
      group: GROUP,
    },
    (token, { publicKeyPem }) => (isSignedBy(token, publicKeyPem) ? undefined : 'the signature does not verify'),
    divertedAsk,
  ),
  unsignedCase(
    {
      number: 'S-155',
      title: 'signs no div for a call that was never signed',
      source: 'RFC 8946 §4',
      needs: NEEDS,
      group: GROUP,
    },
    (setting) => ({ ...divertedAsk(setting), div: { divertingTn: setting.destTn, identity: [] } }),
  ),
];
