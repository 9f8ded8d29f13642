import { divertedTn } from '@hopback/sdk/internal';
import { createPassport } from '@hopback/sdk/testing';
import type { PassportOptions } from '@hopback/sdk/testing';
import type { Capability, CaseSetting, SentCall, VerificationCase } from '../case.js';
import type { CaseDetails } from './build-case.js';
import { callWith, identityOf, PASSED, REFUSED, verificationCase } from './build-case.js';

const CHAIN = 'RFC 8946 §5';
const NEEDS: readonly Capability[] = ['parties', 'several-headers', 'target'];

/** What of a diverted call is wrong, by the number of its token: 0 is the shaken one. */
interface Diversion {
  readonly diversions: number;
  readonly change?: (setting: CaseSetting, index: number) => Partial<PassportOptions>;
  /** Makes something else of the Identity header values. */
  readonly reorder?: (identity: readonly string[]) => readonly string[];
  readonly target?: (setting: CaseSetting) => string;
}

function diverted(setting: CaseSetting, { diversions, change, reorder, target }: Diversion): SentCall {
  const identity = [
    identityOf(setting, change?.(setting, 0)),
    ...Array.from({ length: diversions }, (_, at) => {
      const step = { ppt: 'div', divTn: divertedTn(setting, at), destTn: divertedTn(setting, at + 1) };
      return createPassport(setting.passport({ ...step, ...change?.(setting, at + 1) })).identityHeader;
    }),
  ];
  return callWith(setting, reorder === undefined ? identity : reorder(identity), {
    targetTn: target?.(setting) ?? divertedTn(setting, diversions),
  });
}

const div = (
  details: CaseDetails,
  diversion: Diversion,
  expects: VerificationCase['expects'] = REFUSED,
): VerificationCase =>
  verificationCase('div', { ...details, needs: NEEDS }, { sends: (setting) => diverted(setting, diversion), expects });

/** The change for the token with this number alone. */
const at =
  (index: number, change: (setting: CaseSetting) => Partial<PassportOptions>): NonNullable<Diversion['change']> =>
  (setting, current) =>
    current === index ? change(setting) : {};

const STRANGER = '12125550142';

/** Calls that were diverted. */
export const DIV: readonly VerificationCase[] = [
  div({ number: 'V-651', title: 'passes a call that was diverted once', source: CHAIN }, { diversions: 1 }, PASSED),
  div(
    { number: 'V-652', title: 'passes a call that was diverted three times', source: CHAIN },
    { diversions: 3 },
    PASSED,
  ),
  div(
    {
      number: 'V-653',
      title: 'passes a diverted call whose Identity headers come in reverse order',
      source: 'RFC 8946 §5, RFC 8224 §4',
    },
    { diversions: 2, reorder: (identity) => identity.toReversed() },
    PASSED,
  ),
  div(
    {
      number: 'V-654',
      title: 'refuses a call that was retargeted and has no div',
      source: 'RFC 8946 §1, RFC 8224 §6.2 step 2',
      level: 'should',
    },
    {
      diversions: 0,
      target: (setting) => divertedTn(setting, 1),
    },
  ),
  div(
    { number: 'V-655', title: 'refuses a div whose dest is not where the call goes', source: CHAIN },
    {
      diversions: 1,
      target: () => STRANGER,
    },
  ),
  div(
    { number: 'V-656', title: 'refuses a div that continues no other token', source: CHAIN },
    {
      diversions: 1,
      change: at(1, () => ({ divTn: STRANGER })),
    },
  ),
  div(
    { number: 'V-657', title: 'refuses a div with another orig than the token before', source: CHAIN },
    {
      diversions: 1,
      change: at(1, () => ({ origTn: STRANGER })),
    },
  ),
  div(
    { number: 'V-658', title: 'refuses a chain that has lost the div in its middle', source: CHAIN },
    {
      diversions: 3,
      reorder: (identity) => identity.filter((_, index) => index !== 2),
    },
  ),
  div(
    { number: 'V-659', title: 'refuses a div whose signature does not verify', source: CHAIN },
    {
      diversions: 1,
      change: at(1, ({ context }) => ({ signer: context.attacker })),
    },
  ),
  div(
    { number: 'V-660', title: 'refuses a diverted call whose shaken signature does not verify', source: CHAIN },
    {
      diversions: 1,
      change: at(0, ({ context }) => ({ signer: context.attacker })),
    },
  ),
  div(
    { number: 'V-661', title: 'refuses an outermost div that is 10 minutes old', source: CHAIN },
    {
      diversions: 1,
      change: at(1, ({ nowSeconds }) => ({ iatSeconds: nowSeconds - 600 })),
    },
  ),
  div(
    {
      number: 'V-662',
      title: 'refuses a div alone: the shaken token was removed',
      source: 'RFC 8946 §4: the original stays',
    },
    {
      diversions: 1,
      reorder: (identity) => identity.slice(1),
    },
  ),
  div(
    { number: 'V-663', title: 'refuses a div without a div claim', source: 'RFC 8946 §3' },
    {
      diversions: 1,
      change: at(1, () => ({ claims: { div: undefined } })),
    },
  ),
  div(
    { number: 'V-664', title: 'refuses a div with a list of numbers in div', source: 'RFC 8946 §3' },
    {
      diversions: 1,
      change: at(1, (setting) => ({ claims: { div: { tn: [setting.destTn] } } })),
    },
  ),
];
