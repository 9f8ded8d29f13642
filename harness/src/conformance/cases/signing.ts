import type { CaseSetting, SigningAsk, SigningCase, SigningContext } from '../case.js';
import { isSignedBy, readSignedToken } from '../signing/signed-token.js';
import type { SignedToken, TokenProblem } from '../signing/signed-token.js';
import { divertedTn, identityOf } from './calls.js';

type Asked = Pick<SigningCase, 'asks' | 'judges'>;
type Ask = SigningCase['asks'];
/** What is wrong with a token; undefined where nothing is. */
type TokenCheck = (token: SignedToken, about: SigningContext) => TokenProblem | undefined;

/** The usual request: attested A, all members there, numbers canonical. */
const usualAsk = ({ origTn, destTn, nowSeconds, signing }: CaseSetting): SigningAsk => ({
  origTn,
  destTn: [destTn],
  attestation: 'A',
  iatSeconds: nowSeconds,
  x5u: signing.x5u,
  origId: '0d6f4b6e-4f0c-4d0e-9a5e-5b3f9a1c7d21',
});

/** The usual request with changes. */
const usualBut =
  (change: (setting: CaseSetting) => Partial<SigningAsk>): Ask =>
  (setting) => ({ ...usualAsk(setting), ...change(setting) });

/** The callee diverts the call of the setting to the next number. */
const divertedAsk = (setting: CaseSetting): SigningAsk => ({
  origTn: setting.origTn,
  destTn: [divertedTn(setting, 1)],
  iatSeconds: setting.nowSeconds,
  div: { divertingTn: setting.destTn, identity: [identityOf(setting)] },
});

/** A signature has to be there, and to be right. */
const signed = (check: TokenCheck, asks: Ask = usualAsk): Asked => ({
  asks,
  judges: (observed, about) => {
    if (observed.kind === 'not-signed') return `it was not signed: ${observed.said}`;
    const [value, ...others] = observed.identity;
    if (value === undefined || others.length > 0)
      return `${observed.identity.length} Identity header values instead of one`;
    const read = readSignedToken(value);
    return read.status === 'malformed' ? read.problem : check(read.token, about);
  },
});

/** The request must not be signed as it is. */
const unsigned = (asks: Ask): Asked => ({
  asks,
  judges: (observed) => (observed.kind === 'signed' ? 'it was signed' : undefined),
});

const keeps = (attestation: string): Asked =>
  signed(
    ({ claims }) => differs('attest', claims['attest'], attestation),
    usualBut(() => ({ attestation })),
  );

/** @see RFC 8225 section 9 */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });

/** A sentence where two values differ. */
const differs = (what: string, actual: unknown, expected: unknown): TokenProblem | undefined =>
  canonicalJson(actual) === canonicalJson(expected)
    ? undefined
    : `${what} is ${canonicalJson(actual) ?? 'absent'} instead of ${canonicalJson(expected)}`;

const claimNames = ({ claims }: SignedToken, ...expected: readonly string[]): TokenProblem | undefined =>
  differs('the list of claims', Object.keys(claims).sort(), expected);

const unquoted = (text: string | undefined): string | undefined => text?.replace(/^"(.*)"$/, '$1');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const FRESH_SECONDS = 60;

/** With every separator that a number in a URI may have. @see RFC 3966 section 3 */
const spelled = (tn: string): string => `+${tn.slice(0, 1)}(${tn.slice(1, 4)})${tn.slice(4, 7)}-${tn.slice(7)}`;
const digits = (tn: string): string => tn.replaceAll(/\D/g, '');

/** Requests to sign, by the number of their case. */
export const SIGNING: Readonly<Record<string, Asked>> = {
  'S-101': keeps('A'),
  'S-102': keeps('B'),
  'S-103': keeps('C'),
  'S-104': unsigned(usualBut(() => ({ attestation: 'D' }))),
  'S-105': signed(({ claims }, { ask }) => differs('origid', claims['origid'], ask.origId)),
  'S-106': signed(({ claims }) =>
    UUID.test(String(claims['origid'])) ? undefined : `origid is ${JSON.stringify(claims['origid'])}`,
  ),
  'S-107': signed(({ claims }, { nowSeconds }) => {
    const { iat } = claims;
    return typeof iat === 'number' && Number.isInteger(iat) && Math.abs(iat - nowSeconds) <= FRESH_SECONDS
      ? undefined
      : `iat is ${JSON.stringify(iat)} at ${String(nowSeconds)}`;
  }),
  'S-108': {
    asks: usualBut(({ nowSeconds }) => ({ iatSeconds: nowSeconds - 3600 })),
    judges: (observed, { ask }) => {
      if (observed.kind === 'not-signed') return undefined;
      const read = readSignedToken(observed.identity[0] ?? '');
      const isKept = read.status === 'read' && read.token.claims['iat'] === ask.iatSeconds;
      return isKept ? 'it signed the old iat' : undefined;
    },
  },
  'S-109': signed(({ parameters, header }) => differs('info', parameters.get('info'), `<${String(header['x5u'])}>`)),
  'S-110': signed(({ header }, { x5u }) => differs('x5u', header['x5u'], x5u)),
  'S-111': signed(
    ({ header, parameters }) =>
      differs('alg', header['alg'], 'ES256') ??
      (parameters.has('alg') ? differs('the alg parameter', unquoted(parameters.get('alg')), 'ES256') : undefined),
  ),
  'S-112': signed(
    ({ header, parameters }) =>
      differs('ppt', header['ppt'], 'shaken') ??
      differs('the ppt parameter', unquoted(parameters.get('ppt')), 'shaken'),
  ),
  'S-113': signed(({ header }) => differs('typ', header['typ'], 'passport')),
  'S-114': signed(
    ({ headerText, payloadText, header, claims }) =>
      differs('the header', headerText, canonicalJson(header)) ??
      differs('the payload', payloadText, canonicalJson(claims)),
  ),
  'S-115': signed((token, { publicKeyPem }) =>
    isSignedBy(token, publicKeyPem) ? undefined : 'the signature does not verify under the certificate of the x5u',
  ),
  'S-116': signed((token) => claimNames(token, 'attest', 'dest', 'iat', 'orig', 'origid')),
  'S-117': signed(
    ({ claims }, { ask }) =>
      differs('orig', claims['orig'], { tn: ask.origTn }) ?? differs('dest', claims['dest'], { tn: ask.destTn }),
  ),
  'S-118': signed(
    ({ claims }, { ask }) => differs('orig', claims['orig'], { tn: digits(ask.origTn ?? '') }),
    usualBut(({ origTn }) => ({ origTn: spelled(origTn) })),
  ),
  'S-119': signed(
    ({ claims }, { ask }) => differs('dest', claims['dest'], { tn: ask.destTn.map(digits) }),
    usualBut(({ destTn }) => ({ destTn: [spelled(destTn)] })),
  ),
  'S-120': signed(
    ({ claims }, { ask }) => {
      const dest = claims['dest'] as { readonly tn?: readonly string[] } | undefined;
      const missing = ask.destTn.filter((tn) => dest?.tn?.includes(tn) !== true);
      return missing.length === 0 ? undefined : `dest lacks ${missing.join(', ')}`;
    },
    usualBut(({ destTn }) => ({ destTn: [destTn, '12125550142'] })),
  ),
  'S-121': unsigned(usualBut(() => ({ origTn: 'nobody' }))),
  'S-122': unsigned((setting) => {
    const { origTn: _, ...rest } = usualAsk(setting);
    return rest;
  }),
  'S-123': unsigned(usualBut(() => ({ destTn: [] }))),
  'S-124': signed(({ parameters }) =>
    [...parameters.values()].some((value) => value.startsWith('"')) ? 'a parameter is in quotes' : undefined,
  ),
  'S-151': signed(
    ({ header, parameters }) =>
      differs('ppt', header['ppt'], 'div') ??
      differs('the ppt parameter', parameters.get('ppt')?.replaceAll('"', ''), 'div'),
    divertedAsk,
  ),
  'S-152': signed(
    ({ claims }, { ask }) =>
      differs('div.tn', (claims['div'] as { readonly tn?: unknown } | undefined)?.tn, ask.div?.divertingTn) ??
      differs('dest', claims['dest'], { tn: ask.destTn }) ??
      differs('orig', claims['orig'], { tn: ask.origTn }),
    divertedAsk,
  ),
  'S-153': signed((token) => claimNames(token, 'dest', 'div', 'iat', 'orig'), divertedAsk),
  'S-154': signed(
    (token, { publicKeyPem }) => (isSignedBy(token, publicKeyPem) ? undefined : 'the signature does not verify'),
    divertedAsk,
  ),
  'S-155': unsigned((setting) => ({
    ...divertedAsk(setting),
    div: { divertingTn: setting.destTn, identity: [] },
  })),
};
