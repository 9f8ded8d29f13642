import { createExternalSigner } from '@hopback/sdk/stir';
import type { Signer } from '@hopback/sdk/stir';
import { sign } from 'node:crypto';
import { isMain, openLab } from './lab.js';

/** A key management service, as its client sees it. */
export interface KeyService {
  readonly publicKeyPem: (keyId: string) => Promise<string>;
  /** Signs a message with ECDSA and SHA-256, and answers in DER. */
  readonly sign: (keyId: string, message: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
}

/** A signer whose key never leaves the service. It has signed and verified once when it is handed out. */
export async function signerOf(service: KeyService, keyId: string): Promise<Signer> {
  return createExternalSigner({
    publicKey: await service.publicKeyPem(keyId),
    sign: (message, signal) => service.sign(keyId, message, signal),
    // A service that wants the digest gets it: 'sha256-digest'.
    inputKind: 'message',
    format: 'der',
    timeoutMs: 300,
  });
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { publicKeyPem, privateKeyPem } = lab.provider;
  const signer = await signerOf(
    { publicKeyPem: async () => publicKeyPem, sign: async (_keyId, message) => sign('sha256', message, privateKeyPem) },
    'key-1',
  );
  console.log((await signer.sign('header.payload')).length); // 64
  await lab.close();
}
