import { z } from 'zod';
import { keyPem, PKI_KEYS_SHAPE } from '../../laboratory/index.js';
import type { WorldCertificateSettings } from '../../network/world/index.js';

/** A network that somebody else's programs have a part in, as they were set up for it. */
export interface Lab {
  readonly format: 'hopback.lab.1';
  /** SIP URIs of switches, by the provider that each is in the place of. */
  readonly external: Readonly<Record<string, string>>;
  /** Ids of callers whose calls somebody else places. */
  readonly externalCallers: readonly string[];
  /** Where providers of ours, and whoever answers for called numbers, take calls, by id. */
  readonly listen: Readonly<Record<string, LabAddress>>;
  readonly certificates: Omit<WorldCertificateSettings, 'issued' | 'crlFile'>;
  /** What the switches sign with, by id. */
  readonly issued: WorldCertificateSettings['issued'];
}

/** Where something listens. */
export interface LabAddress {
  readonly host: string;
  readonly port: number;
}

/** File of a {@link Lab} in its folder; it holds private keys of a test PKI. */
export const LAB_FILE = 'lab.json';

/** Names of the files for the switches. */
export const LAB_FILES = {
  root: 'sti-ca-root.pem',
  stiPaRoot: 'sti-pa-root.pem',
  crl: 'sti-pa-crl.pem',
  crlSigner: 'crl-signer.pem',
  webRoot: 'web-root.pem',
  plan: 'plan.json',
  readme: 'README.md',
} as const;

const id = z.string().min(1).max(100);
const chainPem = z.string().min(1).max(32_768);
const host = z.string().min(1).max(255);
const port = z.int().min(1).max(65_535);

/** What `lab.json` has to be. */
export const LAB_SCHEMA: z.ZodType<Lab> = z.object({
  format: z.literal('hopback.lab.1'),
  external: z.record(id, z.string().min(1).max(500)),
  externalCallers: z.array(id).max(1_000),
  listen: z.record(id, z.object({ host, port })),
  certificates: z.object({
    keys: z.object(PKI_KEYS_SHAPE),
    ...{ host, address: host, httpsPort: port },
  }),
  issued: z.record(id, z.object({ privateKeyPem: keyPem, chainPem })),
});
