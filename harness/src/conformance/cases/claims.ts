import type { PassportFaultName, PassportOptions } from '@hopback/sdk/testing';
import type { Capability, CaseSetting, SentCall, VerificationCase } from '../case.js';
import { PASSED, REFUSED, callWith, fault, identityOf, table, token, verificationCase } from './build-case.js';
import type { CaseDetails, FaultRow } from './build-case.js';

const HEADER = 'RFC 8225 §4, ATIS-1000082 (row 9)';
const MISSING = 'RFC 8588 §4, ATIS-1000082 (row 14)';
const ATTEST = 'RFC 8588 §4, ATIS-1000082 (row 19)';
const SHAPE = 'RFC 8225 §5.2.1';

const MUST_REFUSE: readonly FaultRow<PassportFaultName>[] = [
  ['V-201', 'header-alg-missing', 'refuses a token header without alg', HEADER],
  ['V-202', 'header-ppt-missing', 'refuses a token header without ppt', HEADER],
  ['V-203', 'header-typ-missing', 'refuses a token header without typ', HEADER],
  ['V-204', 'header-x5u-missing', 'refuses a token header without x5u', HEADER],
  ['V-205', 'typ-jwt', 'refuses the typ "JWT"', 'RFC 8225 §4.1, ATIS-1000082 (row 11)'],
  [
    'V-206',
    'header-ppt-differs',
    'refuses a token whose ppt is not that of its Identity header',
    'RFC 8225 §8.1, ATIS-1000082 (row 13)',
  ],
  ['V-207', 'x5u-number', 'refuses an x5u that is a number', 'RFC 7515 §4.1.5'],
  ['V-210', 'attest-missing', 'refuses a token without attest', MISSING],
  ['V-211', 'dest-missing', 'refuses a token without dest', MISSING],
  ['V-212', 'iat-missing', 'refuses a token without iat', MISSING],
  ['V-213', 'orig-missing', 'refuses a token without orig', MISSING],
  ['V-214', 'origid-missing', 'refuses a token without origid', MISSING],
  ['V-215', 'attest-word', 'refuses an attest that only begins with A', ATTEST],
  ['V-216', 'attest-d', 'refuses an attest of D', ATTEST],
  ['V-217', 'attest-lower-case', 'refuses an attest of a', ATTEST],
  ['V-218', 'attest-empty', 'refuses an empty attest', ATTEST],
  ['V-219', 'attest-array', 'refuses an attest that is an array', ATTEST],
  ['V-220', 'attest-null', 'refuses an attest of null', ATTEST],
  ['V-221', 'orig-string', 'refuses an orig that is a string', SHAPE],
  ['V-222', 'orig-empty', 'refuses an orig that is empty', SHAPE],
  ['V-223', 'orig-tn-array', 'refuses an orig with a list of numbers', SHAPE],
  ['V-224', 'orig-tn-number', 'refuses an orig with a JSON number', SHAPE],
  ['V-225', 'orig-tn-letters', 'refuses an orig with letters for a number', 'RFC 8225 §5.2.1, RFC 8224 §8.3'],
  ['V-226', 'dest-string', 'refuses a dest that is a string', SHAPE],
  ['V-227', 'dest-empty', 'refuses a dest that is empty', SHAPE],
  ['V-228', 'dest-tn-string', 'refuses a dest whose tn is a string', SHAPE],
  ['V-229', 'dest-tn-empty', 'refuses a dest with an empty list', SHAPE],
  ['V-230', 'origid-number', 'refuses an origid that is a number', 'RFC 8588 §5'],
  ['V-231', 'origid-object', 'refuses an origid that is an object', 'RFC 8588 §5'],
  ['V-232', 'proto-key-in-orig', 'refuses an orig that has its number under __proto__ alone', SHAPE],
];

/** What the token says, properly signed. */
export const CLAIMS: readonly VerificationCase[] = [
  ...table('claims', MUST_REFUSE, { sends: fault, expects: REFUSED }),
  verificationCase(
    'claims',
    {
      number: 'V-240',
      title: 'refuses attest given twice, a right one first and a wrong one last',
      source: 'RFC 7519 §4: refused, or the last one counts',
    },
    { sends: token((setting) => twice(setting.context, '"attest":"A","attest":"Z"')), expects: REFUSED },
  ),
  verificationCase(
    'claims',
    {
      number: 'V-241',
      title: 'passes claims in another order than the signer should have used',
      source: 'RFC 8225 §9 binds signers',
      level: 'should',
    },
    { sends: fault('claims-in-other-order'), expects: PASSED },
  ),
  verificationCase(
    'claims',
    {
      number: 'V-242',
      title: 'passes claims with white space that the signer should not have written',
      source: 'RFC 8225 §9 binds signers',
      level: 'should',
    },
    { sends: fault('json-with-whitespace'), expects: PASSED },
  ),
];

const twice = (
  { destTn, origTn, origId, nowSeconds }: { destTn: string; origTn: string; origId: string; nowSeconds: number },
  attest: string,
): { readonly payloadText: string } => ({
  payloadText: `{${attest},"dest":{"tn":["${destTn}"]},"iat":${nowSeconds},"orig":{"tn":"${origTn}"},"origid":"${origId}"}`,
});

/** Calls with nothing wrong: a service that refuses everything fails here. */
export const GOOD_CALLS: readonly VerificationCase[] = [
  ...(['A', 'B', 'C'] as const).map((attest, index) =>
    verificationCase(
      'good-calls',
      {
        number: `V-00${index + 1}`,
        title: `passes a call that is attested ${attest}`,
        source: 'RFC 8588 §4, RFC 8224 §6.2',
      },
      { sends: token(() => ({ attest })), expects: { ...PASSED, attestation: attest } },
    ),
  ),
  verificationCase(
    'good-calls',
    {
      number: 'V-004',
      title: 'passes a call whose dest lists the called number among others',
      source: 'RFC 8225 §5.2.1, RFC 8224 §6.2',
    },
    { sends: token(({ destTn }) => ({ claims: { dest: { tn: ['12025550144', destTn] } } })), expects: PASSED },
  ),
  verificationCase(
    'good-calls',
    {
      number: 'V-005',
      title: 'passes a token with a claim that it does not know',
      source: 'RFC 7519 §4: claims that are not understood are ignored',
      level: 'should',
    },
    { sends: token(() => ({ claims: { tomorrow: 'x' } })), expects: PASSED },
  ),
  verificationCase(
    'good-calls',
    {
      number: 'V-006',
      title: 'passes a token with a header parameter that it does not know and that is not critical',
      source: 'RFC 7515 §4: parameters that are not understood are ignored',
      level: 'should',
    },
    { sends: token(() => ({ header: { tomorrow: 'x' } })), expects: PASSED },
  ),
  verificationCase(
    'good-calls',
    {
      number: 'V-007',
      title: 'passes a token that comes again: forks, route advance and further hops repeat it',
      source: 'RFC 8224 §12.1',
      level: 'should',
    },
    { sends: (setting) => callWith(setting, [identityOf(setting)], { times: 2 }), expects: PASSED },
  ),
  verificationCase(
    'good-calls',
    {
      number: 'V-008',
      title: 'says No-TN-Validation of a call without Identity',
      source: '3GPP TS 24.229 §7.2A.20',
      needs: ['unsigned'],
    },
    {
      sends: (setting) => callWith(setting, []),
      expects: { outcome: 'refused', verstat: ['No-TN-Validation'] },
    },
  ),
  verificationCase(
    'good-calls',
    {
      number: 'V-009',
      title: 'passes a call whose Date was rewritten on the way while the iat is fresh',
      source: 'RFC 8224 §6.2 step 4',
      level: 'should',
      needs: ['date'],
    },
    {
      sends: (setting) => callWith(setting, [identityOf(setting)], { dateSeconds: setting.nowSeconds - 30 }),
      expects: PASSED,
    },
  ),
];

const MATCH = 'RFC 8224 §6.2 step 2, ATIS-1000082 (row 16)';
const CANONICAL = 'RFC 8224 §8.3, §8.5';
const STRANGER = '12125550142';

const told = (
  details: CaseDetails,
  change: (setting: CaseSetting) => Partial<SentCall>,
  expects: VerificationCase['expects'] = PASSED,
): VerificationCase =>
  verificationCase('numbers', details, {
    sends: (setting) => callWith(setting, [identityOf(setting)], change(setting)),
    expects,
  });

/** +1 (202) 555-0101 */
const spelled = (tn: string): string => `+${tn.slice(0, 1)} (${tn.slice(1, 4)}) ${tn.slice(4, 7)}-${tn.slice(7)}`;
const dashed = (tn: string): string => `+${tn.slice(0, 1)}-${tn.slice(1, 4)}-${tn.slice(4, 7)}-${tn.slice(7)}`;

const PARTIES: readonly Capability[] = ['parties'];
const SIP: readonly Capability[] = ['parties', 'sip-caller'];

/** Whether the token is about this call, however its numbers are written. */
export const NUMBERS: readonly VerificationCase[] = [
  verificationCase(
    'numbers',
    { number: 'V-601', title: 'refuses a token for another caller', source: MATCH, needs: PARTIES },
    { sends: token(() => ({ origTn: STRANGER })), expects: REFUSED },
  ),
  verificationCase(
    'numbers',
    { number: 'V-602', title: 'refuses a token for another called number', source: MATCH, needs: PARTIES },
    { sends: token(() => ({ destTn: STRANGER })), expects: REFUSED },
  ),
  verificationCase(
    'numbers',
    {
      number: 'V-603',
      title: 'refuses a token whose caller and called number are swapped',
      source: MATCH,
      needs: PARTIES,
    },
    { sends: token(({ origTn, destTn }) => ({ origTn: destTn, destTn: origTn })), expects: REFUSED },
  ),
  verificationCase(
    'numbers',
    {
      number: 'V-604',
      title: 'refuses a caller whose number is only the end of the one signed',
      source: `${MATCH}; RFC 8224 §8.3: local policy may complete a local number`,
      level: 'should',
      needs: PARTIES,
    },
    {
      sends: (setting) => callWith(setting, [identityOf(setting)], { origTn: setting.origTn.slice(4) }),
      expects: REFUSED,
    },
  ),
  told(
    { number: 'V-605', title: 'passes numbers with a + in front', source: CANONICAL, needs: PARTIES },
    ({ origTn, destTn }) => ({ origTn: `+${origTn}`, destTn: `+${destTn}` }),
  ),
  told(
    {
      number: 'V-606',
      title: 'passes numbers with visual separators',
      source: `${CANONICAL}, RFC 3966 §5.1.1`,
      needs: PARTIES,
    },
    ({ origTn, destTn }) => ({ origTn: dashed(origTn), destTn: dashed(destTn) }),
  ),
  told({ number: 'V-607', title: 'passes a caller in a tel URI', source: CANONICAL, needs: SIP }, ({ origTn }) => ({
    from: `<tel:+${origTn}>`,
  })),
  told(
    {
      number: 'V-608',
      title: 'passes a caller whose display name has another number',
      source: 'RFC 8224 §4.1',
      needs: SIP,
    },
    ({ origTn }) => ({ from: `"${spelled(STRANGER)}" <sip:+${origTn}@originating.example;user=phone>` }),
  ),
  told(
    {
      number: 'V-609',
      title: 'passes a caller with a trunk group in the user part',
      source: 'RFC 4904 §4, RFC 3966 §5',
      needs: SIP,
    },
    ({ origTn }) => ({ from: `<sip:+${origTn};tgrp=tg1;trunk-context=a.example@originating.example;user=phone>` }),
  ),
  told(
    {
      number: 'V-610',
      title: 'passes a called number that was ported (rn and npdi)',
      source: 'RFC 8224 §8.3, RFC 4694',
      needs: SIP,
    },
    ({ destTn }) => ({ to: `<sip:+${destTn};npdi;rn=+12125550100@terminating.example;user=phone>` }),
  ),
  told(
    {
      number: 'V-611',
      title: 'takes the caller from P-Asserted-Identity where From is anonymous',
      source: 'RFC 8224 §8.2, ATIS-1000074 §5.3.1',
      needs: SIP,
    },
    ({ origTn }) => ({
      from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
      asserted: [`<sip:+${origTn}@originating.example;user=phone>`],
    }),
  ),
  told(
    {
      number: 'V-612',
      title: 'takes the caller from P-Asserted-Identity before From',
      source: 'ATIS-1000074 §5.3.1',
      level: 'should',
      needs: SIP,
    },
    ({ origTn }) => ({
      from: `<sip:+${STRANGER}@originating.example;user=phone>`,
      asserted: [`<sip:+${origTn}@originating.example;user=phone>`],
    }),
  ),
  told(
    { number: 'V-613', title: 'refuses a signed number where the request names no caller', source: MATCH, needs: SIP },
    () => ({ from: '"Anonymous" <sip:anonymous@anonymous.invalid>' }),
    REFUSED,
  ),
  told(
    {
      number: 'V-614',
      title: 'refuses the number of the display name for that of the caller',
      source: 'RFC 8224 §4.1',
      needs: SIP,
    },
    ({ origTn }) => ({ from: `"${spelled(origTn)}" <sip:+${STRANGER}@originating.example;user=phone>` }),
    REFUSED,
  ),
];

const IAT = 'RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)';

const issued = (details: CaseDetails, seconds: number, expects: VerificationCase['expects']): VerificationCase =>
  verificationCase('time', details, {
    sends: token(({ nowSeconds }): Partial<PassportOptions> => ({ iatSeconds: nowSeconds + seconds })),
    expects,
  });

/** Freshness. The sixty seconds are a recommendation, so that what lies close to them is judged mildly. */
export const TIME: readonly VerificationCase[] = [
  issued(
    {
      number: 'V-251',
      title: 'passes an iat that is 30 s old',
      source: `${IAT}: 60 s are recommended, local policy decides`,
      level: 'should',
    },
    -30,
    PASSED,
  ),
  issued(
    { number: 'V-252', title: 'passes an iat that is 5 s ahead: clocks differ', source: IAT, level: 'should' },
    5,
    PASSED,
  ),
  issued(
    {
      number: 'V-253',
      title: 'refuses an iat that is 75 s old',
      source: `${IAT}: 60 s are recommended`,
      level: 'should',
    },
    -75,
    REFUSED,
  ),
  issued({ number: 'V-254', title: 'refuses an iat that is 10 minutes old', source: IAT }, -600, REFUSED),
  issued({ number: 'V-255', title: 'refuses an iat that is a year old', source: IAT }, -31_536_000, REFUSED),
  issued({ number: 'V-256', title: 'refuses an iat that is 10 minutes ahead', source: IAT }, 600, REFUSED),
  issued({ number: 'V-257', title: 'refuses an iat that is a year ahead', source: IAT }, 31_536_000, REFUSED),
  verificationCase(
    'time',
    { number: 'V-258', title: 'refuses an iat in milliseconds', source: 'RFC 8225 §5.1.1, RFC 7519 §2 (NumericDate)' },
    { sends: fault('iat-milliseconds'), expects: REFUSED },
  ),
  verificationCase(
    'time',
    { number: 'V-259', title: 'refuses an iat that is a string', source: 'RFC 8225 §5.1.1, RFC 7519 §2 (NumericDate)' },
    { sends: fault('iat-string'), expects: REFUSED },
  ),
  verificationCase(
    'time',
    { number: 'V-260', title: 'refuses a negative iat', source: IAT },
    { sends: fault('iat-negative'), expects: REFUSED },
  ),
  verificationCase(
    'time',
    {
      number: 'V-261',
      title: 'refuses an old token under an old Date: both were copied',
      source: 'RFC 8224 §6.2 step 4, §12.1',
      needs: ['date'],
    },
    {
      sends: (setting) => {
        const iatSeconds = setting.nowSeconds - 3600;
        return callWith(setting, [identityOf(setting, { iatSeconds })], { dateSeconds: iatSeconds });
      },
      expects: REFUSED,
    },
  ),
];
