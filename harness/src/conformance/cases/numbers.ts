import type { Capability, SentCall, VerificationCase } from '../case.js';
import type { CaseSetting } from '../case-setting.js';
import type { CaseDetails } from './build-case.js';
import { callWith, identityOf, PASSED, REFUSED, token, verificationCase } from './build-case.js';

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
