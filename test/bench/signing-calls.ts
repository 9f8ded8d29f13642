import { randomUUID } from 'node:crypto';
import {
  AttestationPolicy,
  AuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
} from '@hopback/sdk/stir';
import type { AttestationFacts, SigningRequest } from '@hopback/sdk/stir';
import type { SignedCall, Signer } from './signed-calls.js';

/** An authentication service with everything on: the policy decides by the facts of each call, each record is handed over. */
export async function createWarmSigner({ provider, x5u }: Signer, onRecord: () => void) {
  return new AuthenticationService({
    spc: provider.spc,
    signer: await createLocalSigner({ privateKeyPem: provider.privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem: provider.chainPem, x5u }),
    policy: new AttestationPolicy(),
    clock: { nowMs: Date.now },
    randomUuid: randomUUID,
    onRecord,
  });
}

/**
 * An INVITE to be signed: header values as received, and what the provider knows of the caller.
 * @param index - position of the call: not every one deserves the same level
 */
export function signingRequest({ request }: SignedCall, index: number): SigningRequest {
  const { from, pAssertedIdentity, to, requestUri } = request;
  const facts: AttestationFacts = {
    role: 'originating',
    trunk: `trunk-${index % 16}`,
    customer: `customer-${index % 512}`,
    customerKnown: true,
    callerAuthenticated: true,
    numberOwnership: index % 4 === 0 ? 'unknown' : 'owned',
    receivedFrom: 'customer',
  };
  return { facts, from, pAssertedIdentity, to, requestUri };
}
