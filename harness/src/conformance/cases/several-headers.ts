import type { Capability, SentCall, VerificationCase } from '../case.js';
import type { CaseSetting } from '../case-setting.js';
import type { CaseDetails } from './build-case.js';
import { callWith, identityOf, PASSED, REFUSED, verificationCase } from './build-case.js';

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
