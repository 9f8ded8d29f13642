import { createExternalSigner } from '@hopback/sdk/stir';
import type { Signer } from '@hopback/sdk/stir';

/** A key management service, as its client sees it. */
export interface KeyService {
  readonly publicKeyPem: (keyId: string) => Promise<string>;
  /** Signs a SHA-256 digest with ECDSA and answers in DER. */
  readonly signDigest: (keyId: string, digest: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
}

/** A signer whose key never leaves the service. It has signed and verified once when it is handed out. */
export async function signerOf(service: KeyService, keyId: string): Promise<Signer> {
  return createExternalSigner({
    publicKey: await service.publicKeyPem(keyId),
    sign: (digest, signal) => service.signDigest(keyId, digest, signal),
    inputKind: 'sha256-digest',
    format: 'der',
    timeoutMs: 300,
  });
}
