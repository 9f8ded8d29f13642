import { isIP } from 'node:net';
import { createTestPki, testKeyFromPem } from '@hopback/sdk/testing';
import type { CertificateServerOptions, TestPki, TestPkiKeys, TestPkiRole } from '@hopback/sdk/testing';
import type { WorldCertificateSettings } from './world.js';

/** The PKI of a network: a new one, or with its keys the one that was there before. */
export function networkPki({
  nowMs,
  keys,
}: {
  readonly nowMs: number;
  readonly keys?: Readonly<Record<TestPkiRole, string>>;
}): Promise<TestPki> {
  if (keys === undefined) return createTestPki({ nowMs, label: LABEL });
  const made = Object.entries(keys).map(([role, pem]) => [role, testKeyFromPem(pem)] as const);
  return createTestPki({
    ...{ nowMs, label: LABEL, keys: Object.fromEntries(made) as TestPkiKeys },
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
