import { hash } from 'node:crypto';
import type { SignatureFacts, SignatureRecord } from './attestation-record.js';
import type { RecordDelivery } from './signing-outcome.js';
import type { SigningIdentity, TokenDraft } from './signing-session.js';

/**
 * What a record says of the signature itself.
 * @param identity - who signed
 * @param draft - what was signed
 * @returns facts without key material
 */
export function signatureFacts(identity: SigningIdentity, draft: TokenDraft): SignatureFacts {
  const { certificate, x5u } = draft.credential.credential.signingCertificate;
  return {
    spc: identity.spc,
    signedAtMs: draft.credential.nowMs,
    signingInputSha256: hash('sha256', draft.signingInput),
    certificateSha256: certificate.sha256,
    x5u,
    signerKind: identity.signer.kind,
  };
}

/**
 * Hands a record to the sink; whatever the sink does, the call goes on.
 * @param sink - `onRecord` of the service
 * @param record - of one signature
 * @returns what became of it; never throws
 */
export function deliverRecord(
  sink: ((record: SignatureRecord) => void) | undefined,
  record: SignatureRecord,
): RecordDelivery {
  if (sink === undefined) return 'no-sink';
  try {
    const returned: unknown = sink(record);
    // An async function fits the type of a sink; its rejection would end the process.
    if (returned instanceof Promise) returned.catch(() => undefined);
    return 'delivered';
  } catch {
    return 'failed';
  }
}
