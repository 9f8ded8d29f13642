import { randomUUID } from 'node:crypto';
import {
  AttestationPolicy,
  AuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
  DEFAULT_ATTESTATION_POLICY,
} from '@hopback/sdk/stir';
import type { AttestationFacts } from '@hopback/sdk/stir';
import { createPassport } from '@hopback/sdk/testing';
import { createVerificationLab } from './verification-lab.js';

/** What is known of a customer who is known. */
export const KNOWN_CUSTOMER: AttestationFacts = {
  role: 'originating',
  customerKnown: true,
  callerAuthenticated: true,
  numberOwnership: 'owned',
};

/** What a redirect server needs: a verification service, and an authentication service whose policy takes requests for a level. */
export async function createRedirectLab() {
  const stir = await createVerificationLab();
  const { provider, x5u, clock } = stir;
  const signing = new AuthenticationService({
    ...{ spc: '1234', clock, randomUuid: randomUUID },
    policy: new AttestationPolicy({ ...DEFAULT_ATTESTATION_POLICY, explicitAttestation: 'permitted' }),
    signer: await createLocalSigner({ privateKeyPem: provider.privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem: provider.chainPem, x5u }),
  });
  /** Value of an Identity header for a call of 12025550101 to 12025550199 that is made now. */
  const identityHeader = (): string =>
    createPassport({ signer: provider, x5u, iatSeconds: Math.floor(clock.nowMs() / 1_000) }).identityHeader;
  return { stir, signing, identityHeader };
}
