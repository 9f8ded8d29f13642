import type { VerificationCase } from '../case.js';
import { callWith, identityOf, PASSED, token, verificationCase } from './build-case.js';

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
