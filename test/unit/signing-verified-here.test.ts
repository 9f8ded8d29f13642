import { expect, test } from 'vitest';
import { createVerificationLab, LAB_X5U } from '../support/verification-lab.js';
import { AttestationPolicy, type AttestationFacts } from '../../sdk/src/stir/signing/attestation-policy.js';
import { AuthenticationService } from '../../sdk/src/stir/signing/authentication-service.js';
import { createLocalSigner } from '../../sdk/src/stir/signing/signer.js';
import { createStaticCertificateSource } from '../../sdk/src/stir/signing/certificate-source.js';
import { expectSigned, FULL_FACTS } from './signing-scenarios.js';

const lab = await createVerificationLab();
let issued = 0;
const service = new AuthenticationService({
  spc: lab.provider.spc,
  signer: await createLocalSigner({ privateKeyPem: lab.provider.privateKeyPem }),
  certificateSource: createStaticCertificateSource({ chainPem: lab.provider.chainPem, x5u: LAB_X5U }),
  policy: new AttestationPolicy(),
  clock: lab.clock,
  randomUuid: () => `00000000-0000-4000-8000-${String((issued += 1)).padStart(12, '0')}`,
});

const CALL = {
  from: '"A" <sip:+12025550101@example.com;user=phone>;tag=1',
  to: '<sip:+12025550199@example.net>',
  requestUri: 'sip:+12025550199@example.net',
};

test.each<[string, AttestationFacts]>([
  ['A', FULL_FACTS],
  ['B', { ...FULL_FACTS, numberOwnership: 'unknown' }],
  ['C', { role: 'gateway' }],
])('the verification service passes a call that was signed with attestation %s', async (attestation, facts) => {
  const { identityHeaders: identity, claims } = expectSigned(service.signNow({ ...CALL, facts }));
  const verdict = await lab.service.verify({ ...CALL, identity });
  expect(verdict).toMatchObject({ verstat: 'TN-Validation-Passed', attestation, origId: claims.origId });
});

test('the verification service passes a call that was diverted twice, and not without the last div', async () => {
  const { identityHeaders } = expectSigned(service.signNow({ ...CALL, facts: FULL_FACTS }));
  const diverted = (identity: readonly string[], divertingTn: string, newTargetTn: string) =>
    expectSigned(service.signDiversionNow({ identity, divertingTn, newTargetTn }));
  const first = diverted(identityHeaders, '12025550199', '12025550150');
  const second = diverted(first.identityHeaders, '12025550150', '12025550151');
  const target = { ...CALL, requestUri: 'sip:+12025550151@example.org' };
  const whole = await lab.service.verify({ ...target, identity: second.identityHeaders });
  expect(whole.verstat).toBe('TN-Validation-Passed');
  const cut = await lab.service.verify({ ...target, identity: first.identityHeaders });
  expect(cut.verstat).not.toBe('TN-Validation-Passed');
});

test('the verification service passes a call that a gateway signed although somebody had scribbled an Identity', async () => {
  const junk = 'junk;info=<https://certs.provider.example/x>;alg=ES256;ppt=shaken';
  const signed = expectSigned(service.signNow({ ...CALL, identity: junk, facts: { role: 'gateway' } }));
  const verdict = await lab.service.verify({ ...CALL, identity: [junk, ...signed.identityHeaders] });
  expect(verdict.verstat).toBe('TN-Validation-Passed');
});
