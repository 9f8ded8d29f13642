import type { PassportFaultName } from '@hopback/sdk/testing';
import type { Capability, CaseSetting, SentCall, VerificationCase } from '../case.js';
import {
  ANSWERED,
  PASSED,
  REFUSED,
  callWith,
  fault,
  identityOf,
  table,
  token,
  verificationCase,
} from './build-case.js';
import type { CaseDetails, FaultRow } from './build-case.js';

const JWS = 'RFC 7515 §2, §5.2';
const GRAMMAR = 'RFC 8224 §4 (grammar)';

const MUST_REFUSE: readonly FaultRow<PassportFaultName>[] = [
  ['V-101', 'segment-missing', 'refuses a token without a signature segment', JWS],
  ['V-102', 'segment-extra', 'refuses a token of four segments', JWS],
  ['V-103', 'token-empty', 'refuses an Identity header without a token', GRAMMAR],
  ['V-104', 'padding-on-payload', 'refuses a payload segment with padding', 'RFC 7515 §2', 'should'],
  ['V-105', 'padding-on-signature', 'refuses a signature segment with padding', 'RFC 7515 §2', 'should'],
  ['V-106', 'standard-base64-alphabet', 'refuses a signature in the standard base64 alphabet', 'RFC 7515 §2'],
  ['V-107', 'whitespace-in-token', 'refuses a space inside the token', JWS],
  ['V-108', 'json-not-an-object', 'refuses a payload that is an array', 'RFC 8225 §5, RFC 7519 §7.2'],
  ['V-109', 'json-cut-short', 'refuses a payload that lacks its last brace', 'RFC 7519 §7.2, RFC 8259'],
  ['V-110', 'json-with-trailing-text', 'refuses a payload with a second object behind it', 'RFC 7519 §7.2, RFC 8259'],
  [
    'V-111',
    'json-invalid-utf8',
    'refuses a payload with an octet that is not UTF-8',
    'RFC 7519 §7.2, RFC 8259 §8.1',
    'should',
  ],
  ['V-112', 'json-with-comment', 'refuses a payload with a comment', 'RFC 8259'],
  ['V-113', 'info-missing', 'refuses an Identity header without info', 'RFC 8224 §4, ATIS-1000082 (row 6)'],
  ['V-114', 'info-empty', 'refuses an empty info', 'RFC 8224 §4, ATIS-1000082 (row 7)'],
  ['V-115', 'info-without-brackets', 'refuses an info without angle brackets', GRAMMAR, 'should'],
  ['V-116', 'bracket-unclosed', 'refuses an info whose bracket does not close', GRAMMAR],
  ['V-117', 'quote-unclosed', 'refuses a ppt whose quotation does not close', GRAMMAR, 'should'],
  ['V-118', 'no-semicolon', 'refuses a value that is a token alone', GRAMMAR],
  ['V-119', 'parameter-twice', 'refuses a parameter that is given twice', 'RFC 3261 §7.3.1', 'should'],
  ['V-120', 'compact-form', 'refuses the compact form of a shaken PASSporT', 'RFC 8588 §6, ATIS-1000082 (row 4)'],
  ['V-121', 'ppt-unknown', 'never passes a type that it does not know', 'RFC 8224 §6.2 step 1, RFC 8225 §8.1'],
  [
    'V-122',
    'parameter-ppt-differs',
    'refuses a ppt parameter that differs from that of the token',
    'RFC 8224 §4, ATIS-1000082 (rows 5, 13)',
  ],
  ['V-123', 'info-differs-from-x5u', 'refuses an info that differs from x5u', 'ATIS-1000082 (row 10)'],
];

/** The Identity header around the token, and the text of the token. */
export const IDENTITY_SYNTAX: readonly VerificationCase[] = [
  ...table('identity-syntax', MUST_REFUSE, { sends: fault, expects: REFUSED }),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-130',
      title: 'passes parameters with white space around their semicolons',
      source: 'RFC 3261 §25.1 (SEMI)',
    },
    { sends: fault('parameters-spaced'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    { number: 'V-131', title: 'passes parameter names in upper case', source: 'RFC 3261 §7.3.1' },
    { sends: fault('parameters-upper-case'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    { number: 'V-132', title: 'passes a parameter that it does not know', source: 'RFC 8224 §4 (generic-param)' },
    { sends: fault('parameter-unknown'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-133',
      title: 'passes alg and ppt in quotes, as many deployed signers write them',
      source: 'deployed signers; the grammar of RFC 8224 §4 has none',
      level: 'should',
    },
    { sends: fault('parameters-quoted'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-134',
      title: 'passes a value that is folded over two lines',
      source: 'RFC 3261 §7.3.1',
      needs: ['folding'],
    },
    { sends: fault('folded'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-135',
      title: 'passes a token without the alg parameter, which is optional',
      source: 'RFC 8224 §4',
      level: 'should',
    },
    { sends: token(() => ({ identityHeader: { alg: 'absent' } })), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    { number: 'V-140', title: 'answers for a value that is no PASSporT at all', source: 'RFC 8224 §6.2.2' },
    { sends: (setting) => callWith(setting, ['junk']), expects: REFUSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-141',
      title: 'answers for JSON that nests 1,500 arrays, whatever the answer is',
      source: 'RFC 8259 §9 leaves depth open',
    },
    { sends: fault('json-deep'), expects: ANSWERED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-142',
      title: 'answers for a value of more than 8,192 characters, whatever the answer is',
      source: 'RFC 8224 sets no limit',
    },
    { sends: fault('value-too-long'), expects: ANSWERED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-143',
      title: 'answers for a value of one character, whatever it is',
      source: 'RFC 8224 §6.2.2',
    },
    { sends: (setting) => callWith(setting, [identityOf(setting).slice(0, 1)]), expects: REFUSED },
  ),
];

const SEVERAL = 'RFC 8224 §6.2.1: fails only where all fail';
/** The section recommends it: a service that refuses a call for one bad header conforms. */
const RECOMMENDED = { source: `${SEVERAL} (recommended)`, level: 'should' } as const;
const NEEDS: readonly Capability[] = ['several-headers'];

const several = (
  details: CaseDetails,
  identity: (setting: CaseSetting) => readonly string[],
  expects: VerificationCase['expects'] = PASSED,
): VerificationCase =>
  verificationCase(
    'several-headers',
    { ...details, needs: [...NEEDS, ...(details.needs ?? [])] },
    { sends: (setting) => callWith(setting, identity(setting)), expects },
  );

const forged = (setting: CaseSetting): string => identityOf(setting, { signer: setting.context.attacker });
const stale = (setting: CaseSetting): string => identityOf(setting, { iatSeconds: setting.nowSeconds - 600 });
const unreachable = (setting: CaseSetting): string =>
  identityOf(setting, { x5u: setting.publishFault('status-404', setting.provider.certificate.chainPem) });

/** More than one Identity header. */
export const SEVERAL_HEADERS: readonly VerificationCase[] = [
  several({ number: 'V-701', title: 'passes a good token behind one that is none', ...RECOMMENDED }, (setting) => [
    'junk',
    identityOf(setting),
  ]),
  several({ number: 'V-702', title: 'passes a good token in front of one that is none', ...RECOMMENDED }, (setting) => [
    identityOf(setting),
    'junk',
  ]),
  several(
    {
      number: 'V-703',
      title: 'passes a good token behind one of a type that nobody knows',
      source: 'RFC 8224 §6.2 step 1',
    },
    (setting) => [identityOf(setting, { ppt: 'tomorrow' }), identityOf(setting)],
  ),
  several({ number: 'V-704', title: 'passes a good token behind a forged one', ...RECOMMENDED }, (setting) => [
    forged(setting),
    identityOf(setting),
  ]),
  several({ number: 'V-705', title: 'passes a good token behind one that is too old', ...RECOMMENDED }, (setting) => [
    stale(setting),
    identityOf(setting),
  ]),
  several(
    { number: 'V-706', title: 'passes a good token behind one whose certificate is not there', ...RECOMMENDED },
    (setting) => [unreachable(setting), identityOf(setting)],
  ),
  several(
    { number: 'V-707', title: 'refuses a call of which every token is wrong', source: SEVERAL },
    (setting) => [forged(setting), stale(setting)],
    REFUSED,
  ),
  several(
    {
      number: 'V-708',
      title: 'refuses a call of which every token is of a type that nobody knows',
      source: 'RFC 8224 §6.2 step 1',
    },
    (setting) => [identityOf(setting, { ppt: 'tomorrow' }), identityOf(setting, { ppt: 'someday' })],
    REFUSED,
  ),
  several(
    {
      number: 'V-709',
      title: 'refuses a right token for another call beside a forged one for this',
      source: SEVERAL,
      needs: ['parties'],
    },
    (setting) => [identityOf(setting, { destTn: '12125550142' }), forged(setting)],
    REFUSED,
  ),
];

const RFC_9410 = 'RFC 9410 §4, §5';
const REASONS: readonly Capability[] = ['reasons', 'several-headers'];

/** The token of an Identity header value, and what stands for it in a compact `ppi`. */
const namesOf = (identity: string | undefined): readonly string[] => {
  const [value = ''] = (identity ?? '').split(';', 1);
  return [value, `..${value.slice(value.lastIndexOf('.') + 1)}`];
};

/** Reason header fields: where the call goes on, and the caller's side is told what was wrong. */
export const REASON_HEADERS: readonly VerificationCase[] = [
  verificationCase(
    'responses',
    {
      number: 'V-831',
      title: 'tells in Reason which token failed beside a good one',
      source: RFC_9410,
      level: 'should',
      needs: REASONS,
    },
    {
      sends: (setting) => callWith(setting, [forged(setting), identityOf(setting)]),
      expects: (call: SentCall) => ({ ...PASSED, reasonCauses: [438], ppiOf: namesOf(call.identity[0]) }),
    },
  ),
  verificationCase(
    'responses',
    {
      number: 'V-832',
      title: 'tells of several failures in one Reason each',
      source: RFC_9410,
      level: 'should',
      needs: REASONS,
    },
    {
      sends: (setting) => callWith(setting, [forged(setting), stale(setting)]),
      expects: { ...REFUSED, reasonCauses: [438, 403] },
    },
  ),
  verificationCase(
    'responses',
    {
      number: 'V-833',
      title: 'tells in Reason that a certificate is not there, beside a good token',
      source: RFC_9410,
      level: 'should',
      needs: REASONS,
    },
    {
      sends: (setting) => callWith(setting, [unreachable(setting), identityOf(setting)]),
      expects: (call: SentCall) => ({ ...PASSED, reasonCauses: [436], ppiOf: namesOf(call.identity[0]) }),
    },
  ),
  verificationCase(
    'responses',
    {
      number: 'V-834',
      title: 'tells of no failure where there was none',
      source: `${RFC_9410}; asked of services that tell failures in Reason`,
      needs: REASONS,
    },
    {
      showsReason: (setting) => callWith(setting, [forged(setting), identityOf(setting)]),
      sends: (setting) => callWith(setting, [identityOf(setting)]),
      expects: { ...PASSED, reasonCauses: [] },
    },
  ),
];

const ALG = 'RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12)';
const SIGNATURE = 'RFC 8224 §6.2 step 5, ATIS-1000082 (row 18)';
const ES256 = 'RFC 7518 §3.4';
const KEY = 'RFC 8224 §6.2 step 3: the key is that of info';

const SIGNATURE_FAULTS: readonly FaultRow<PassportFaultName>[] = [
  ['V-301', 'alg-none', 'refuses alg "none" over a right signature', ALG],
  ['V-302', 'alg-none-empty-signature', 'refuses alg "none" with an empty signature', ALG],
  ['V-303', 'alg-hs256-with-public-key', 'refuses HS256 that is keyed with the public key', ALG],
  ['V-304', 'alg-hs256-with-certificate', 'refuses HS256 that is keyed with the certificate', ALG],
  ['V-305', 'alg-es384', 'refuses alg "ES384" over an ES256 signature', ALG],
  ['V-306', 'alg-rs256', 'refuses alg "RS256" over an ES256 signature', ALG],
  ['V-307', 'alg-lower-case', 'refuses alg "es256"', 'RFC 7515 §4.1.1: case-sensitive'],
  ['V-310', 'signature-by-other-key', 'refuses a signature by another key than that of the certificate', SIGNATURE],
  ['V-311', 'signature-corrupted', 'refuses a signature with one bit flipped', SIGNATURE],
  ['V-312', 'signature-of-other-payload', 'refuses claims under the signature of other claims', SIGNATURE],
  ['V-313', 'signature-empty', 'refuses an empty signature', SIGNATURE],
  ['V-314', 'signature-zero', 'refuses a signature of zeros', SIGNATURE],
  ['V-315', 'signature-s-is-order', 'refuses a signature whose s is the order of the group', ES256],
  ['V-316', 'signature-one-octet-short', 'refuses a signature that lacks an octet', ES256],
  ['V-317', 'signature-one-octet-long', 'refuses a signature with an octet too many', ES256],
  ['V-318', 'signature-der', 'refuses a signature in DER', ES256],
  ['V-319', 'signature-by-sha384', 'refuses a signature over SHA-384', ES256],
  ['V-320', 'jwk-embedded', 'does not take the key from jwk in the token header', KEY],
  ['V-321', 'jku-injected', 'does not take the key from jku in the token header', KEY],
  ['V-322', 'kid-injected', 'does not take the key from kid in the token header', KEY],
  ['V-323', 'x5c-embedded', 'does not take the key from x5c in the token header', KEY],
  ['V-324', 'crit-unknown', 'refuses a critical header parameter that it does not know', 'RFC 7515 §4.1.11'],
  ['V-325', 'crit-empty', 'refuses an empty crit', 'RFC 7515 §4.1.11', 'should'],
  ['V-326', 'b64-false', 'refuses a signature over the bare payload', 'RFC 7797 §6, RFC 8225 §6'],
];

/** The signature, and attacks on the choice of the key. */
export const SIGNATURES: readonly VerificationCase[] = [
  ...table('signatures', SIGNATURE_FAULTS, { sends: fault, expects: REFUSED }),
  verificationCase(
    'signatures',
    {
      number: 'V-330',
      title: 'passes the other signature (r, n-s) of a right one, which verifies as well',
      source: 'FIPS 186-4 §6.4, RFC 7518 §3.4',
      level: 'should',
    },
    { sends: fault('signature-twin'), expects: PASSED },
  ),
];
