import type { PassportFaultName } from '@hopback/sdk/testing';
import type { Capability, VerificationCase } from '../case.js';
import type { CaseDetails } from './build-case.js';
import { callWith, fault, identityOf, path, token, verificationCase } from './build-case.js';

const CODES: readonly Capability[] = ['codes'];
const RFC = 'RFC 8224 §6.2.2';

const code = (details: CaseDetails, codes: readonly number[], sends: VerificationCase['sends']): VerificationCase =>
  verificationCase(
    'responses',
    { ...details, needs: [...CODES, ...(details.needs ?? [])] },
    { sends, expects: { outcome: 'refused', codes } },
  );

const byFault = (details: CaseDetails, codes: readonly number[], name: PassportFaultName): VerificationCase =>
  code(details, codes, fault(name));

/** Which response, or code, a finding is told by. */
export const RESPONSES: readonly VerificationCase[] = [
  code(
    {
      number: 'V-801',
      title: 'answers 403 for an iat that is 10 minutes old',
      source: `${RFC}, ATIS-1000082 (row 15)`,
    },
    [403],
    token(({ nowSeconds }) => ({ iatSeconds: nowSeconds - 600 })),
  ),
  code(
    {
      number: 'V-802',
      title: 'answers 403 or 438 for an iat that is a year ahead',
      source: `${RFC} has 403 for a stale Date alone, ATIS-1000082 (row 15) for every iat out of bounds`,
    },
    [403, 438],
    token(({ nowSeconds }) => ({ iatSeconds: nowSeconds + 31_536_000 })),
  ),
  byFault(
    { number: 'V-803', title: 'answers 436 for an Identity header without info', source: 'ATIS-1000082 (row 6)' },
    [436],
    'info-missing',
  ),
  byFault(
    { number: 'V-804', title: 'answers 436 for an info that is no URL', source: 'ATIS-1000082 (row 7)' },
    [436],
    'info-not-a-url',
  ),
  code(
    {
      number: 'V-805',
      title: 'answers 436 for a certificate that is not there',
      source: `${RFC}, ATIS-1000082 (row 8)`,
    },
    [436],
    (setting) => callWith(setting, [identityOf(setting, { x5u: setting.publishFault('status-404', '') })]),
  ),
  byFault(
    { number: 'V-806', title: 'answers 436 for an info that differs from x5u', source: 'ATIS-1000082 (row 10)' },
    [436],
    'info-differs-from-x5u',
  ),
  byFault(
    {
      number: 'V-807',
      title: 'answers 437 or 438 for a typ that is not passport',
      source: `ATIS-1000082 (row 11) has 437, ${RFC} 438`,
    },
    [437, 438],
    'typ-jwt',
  ),
  byFault(
    {
      number: 'V-808',
      title: 'answers 437 or 438 for an alg that is not ES256',
      source: `ATIS-1000082 (row 12) has 437, ${RFC} 438`,
    },
    [437, 438],
    'alg-es384',
  ),
  byFault(
    { number: 'V-809', title: 'answers 438 for a claim that is missing', source: 'ATIS-1000082 (row 14)' },
    [438],
    'origid-missing',
  ),
  code(
    {
      number: 'V-810',
      title: 'answers 438 for a token of another caller',
      source: `${RFC}, ATIS-1000082 (row 16)`,
      needs: ['parties'],
    },
    [438],
    token(() => ({ origTn: '12125550142' })),
  ),
  code(
    {
      number: 'V-811',
      title: 'answers 438 for a token of another called number',
      source: `${RFC}, ATIS-1000082 (row 16)`,
      needs: ['parties'],
    },
    [438],
    token(() => ({ destTn: '12125550142' })),
  ),
  code(
    {
      number: 'V-812',
      title: 'answers 437 for a path to a root that it does not trust',
      source: `${RFC}, ATIS-1000082 (row 17)`,
    },
    [437],
    path('other-root'),
  ),
  code(
    {
      number: 'V-813',
      title: 'answers 437 for a certificate that has expired',
      source: `${RFC}, ATIS-1000082 (row 17)`,
    },
    [437],
    path('leaf-expired'),
  ),
  code(
    {
      number: 'V-814',
      title: 'answers 437 for a certificate that is revoked',
      source: `${RFC}, ATIS-1000082 (row 17)`,
    },
    [437],
    (setting) => {
      const { spc } = setting.provider.certificate;
      const signer = setting.pki.issueServiceProvider({ spc, serialNumber: setting.revokedSerials.endEntity });
      return callWith(setting, [identityOf(setting, { signer, x5u: setting.publish(signer.chainPem) })]);
    },
  ),
  byFault(
    {
      number: 'V-815',
      title: 'answers 438 for a signature that does not verify',
      source: `${RFC}, ATIS-1000082 (row 18)`,
    },
    [438],
    'signature-by-other-key',
  ),
  byFault(
    { number: 'V-816', title: 'answers 438 for an attest that does not exist', source: 'ATIS-1000082 (row 19)' },
    [438],
    'attest-d',
  ),
  byFault(
    { number: 'V-817', title: 'answers 438 for the compact form', source: 'ATIS-1000082 (row 4)' },
    [438],
    'compact-form',
  ),
  byFault(
    {
      number: 'V-818',
      title: 'answers 438 for a type that it does not know, or 428 as for a call without Identity',
      source: 'ATIS-1000082 (row 5); RFC 8224 §6.2 step 1 ignores it',
    },
    [428, 438],
    'ppt-unknown',
  ),
  verificationCase(
    'responses',
    {
      number: 'V-821',
      title: 'says TN-Validation-Failed of a signature that does not verify',
      source: 'ATIS-1000082 (row 18)',
      needs: ['verstat'],
    },
    { sends: fault('signature-by-other-key'), expects: { outcome: 'refused', verstat: ['TN-Validation-Failed'] } },
  ),
  verificationCase(
    'responses',
    {
      number: 'V-822',
      title: 'says TN-Validation-Failed of a path to a root that it does not trust',
      source: 'ATIS-1000082 (row 17)',
      needs: ['verstat'],
    },
    { sends: path('other-root'), expects: { outcome: 'refused', verstat: ['TN-Validation-Failed'] } },
  ),
  verificationCase(
    'responses',
    {
      number: 'V-823',
      title: 'says No-TN-Validation of an iat that is 10 minutes old',
      source: 'ATIS-1000082 (row 15)',
      level: 'should',
      needs: ['verstat'],
    },
    {
      sends: token(({ nowSeconds }) => ({ iatSeconds: nowSeconds - 600 })),
      expects: { outcome: 'refused', verstat: ['No-TN-Validation'] },
    },
  ),
  verificationCase(
    'responses',
    {
      number: 'V-824',
      title: 'says No-TN-Validation of a certificate that is not there',
      source: 'ATIS-1000082 (row 8)',
      level: 'should',
      needs: ['verstat'],
    },
    {
      sends: (setting) => callWith(setting, [identityOf(setting, { x5u: setting.publishFault('status-404', '') })]),
      expects: { outcome: 'refused', verstat: ['No-TN-Validation'] },
    },
  ),
];
