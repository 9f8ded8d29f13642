import { ManualClock, TestPki, TEST_DEST_TN, TEST_NOW_MS, TEST_ORIG_TN } from '@hopback/sdk/testing';
import { TEST_ORIG_ID } from '../../sdk/src/testing/passport.js';
import { compactVerify, importSPKI } from 'jose';
import { AttestationPolicy, type AttestationFacts } from '../../sdk/src/stir/signing/attestation-policy.js';
import { AuthenticationService } from '../../sdk/src/stir/signing/authentication-service.js';
import type { AuthenticationServiceOptions } from '../../sdk/src/stir/signing/signing-session.js';
import { createLocalSigner } from '../../sdk/src/stir/signing/signer.js';
import { createStaticCertificateSource } from '../../sdk/src/stir/signing/certificate-source.js';
import type { DiversionOutcome, SigningOutcome } from '../../sdk/src/stir/signing/signing-outcome.js';
import type { NumberSigningRequest } from '../../sdk/src/stir/signing/signing-request.js';

/** Where the provider of the tests publishes its certificate. */
export const X5U = 'https://certificates.example.com/shaken/1234.pem';

/** Facts of a call that deserves full attestation. */
export const FULL_FACTS: AttestationFacts = {
  role: 'originating',
  customer: 'customer-7',
  trunk: 'trunk-1',
  customerKnown: true,
  callerAuthenticated: true,
  numberOwnership: 'owned',
  receivedFrom: 'customer',
};

/** The plainest call: one number calls another. */
export const CALL: NumberSigningRequest = { origTn: TEST_ORIG_TN, destTn: TEST_DEST_TN, facts: FULL_FACTS };

/** Makes a world in which signing works, to be changed in one respect by each test. */
export async function createSigningWorld() {
  const pki = new TestPki();
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const clock = new ManualClock();
  const options: AuthenticationServiceOptions = {
    spc: '1234',
    signer: await createLocalSigner({ privateKeyPem: provider.privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem: provider.chainPem, x5u: X5U }),
    policy: new AttestationPolicy(),
    clock,
    randomUuid: () => TEST_ORIG_ID,
  };
  const service = (changes: Partial<AuthenticationServiceOptions> = {}): AuthenticationService =>
    new AuthenticationService({ ...options, ...changes });
  return { pki, provider, clock, options, service };
}

export type SigningWorld = Awaited<ReturnType<typeof createSigningWorld>>;

/** The outcome as a signed call or diversion, or a failed test that tells what it was instead. */
export function expectSigned<Outcome extends SigningOutcome | DiversionOutcome>(
  outcome: Outcome,
): Extract<Outcome, { readonly status: 'signed' }> {
  if (outcome.status === 'signed') return outcome as Extract<Outcome, { readonly status: 'signed' }>;
  throw new Error(`${reasonOf(outcome)} (${outcome.detail})`);
}

export const reasonOf = (outcome: SigningOutcome | DiversionOutcome): string =>
  outcome.status === 'signed' ? 'signed' : `${outcome.status}: ${outcome.reason}`;

/** What jose reads out of a token whose signature it finds good; rejects when it does not. */
export async function verifiedByJose(
  token: string,
  publicKeyPem: string,
): Promise<{ readonly header: unknown; readonly claims: unknown; readonly payloadText: string }> {
  const verified = await compactVerify(token, await importSPKI(publicKeyPem, 'ES256'), { algorithms: ['ES256'] });
  const payloadText = new TextDecoder().decode(verified.payload);
  return { header: verified.protectedHeader, claims: JSON.parse(payloadText), payloadText };
}

/** Seconds of the clock that tests start with. */
export const NOW_SECONDS: number = TEST_NOW_MS / 1000;
