import { isIP } from 'node:net';
import { createTestPki } from '@hopback/sdk/testing';
import type { CertificateServerOptions, TestPki } from '@hopback/sdk/testing';
import { pkiKeysFromPem } from '../../laboratory/index.js';
import type { PkiKeysPem } from '../../laboratory/index.js';
import type { WorldCertificateSettings } from './world.js';

/** The PKI of a network: a new one, or with its keys the one that was there before. */
export function networkPki({ nowMs, keys }: { readonly nowMs: number; readonly keys?: PkiKeysPem }): Promise<TestPki> {
  if (keys === undefined) return createTestPki({ nowMs, label: LABEL });
  return createTestPki({
    ...{ nowMs, label: LABEL, keys: pkiKeysFromPem(keys) },
    // Serial numbers of networks under the same keys must differ, or a verifier that remembers them is confused.
    firstSerialNumber: Math.floor(nowMs / MS_PER_SECOND),
  });
}

const LABEL = 'Network';
const MS_PER_SECOND = 1_000;

/** Where a certificate server is to be, for somebody who was told before. */
export function serverPlace({ host, address, httpsPort }: WorldCertificateSettings): CertificateServerOptions {
  return { host, address, port: httpsPort, ...(isIP(host) === 0 && { names: [host] }) };
}

/** Path of the certificate of a provider at the certificate server. */
export const certificatePath = (id: string): string => `/${id}.pem`;
