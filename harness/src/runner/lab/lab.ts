import { z } from 'zod';
import { keyPem, PKI_KEYS_SHAPE } from '../../laboratory/index.js';
import type { ReadonlyDeep } from '../../scenario/index.js';

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

/** A network that somebody else's programs have a part in, as they were set up for it: `lab.json`. */
export const LAB_SCHEMA = z.object({
  format: z.literal('hopback.lab.1'),
  /** SIP URIs of switches, by the provider that each is in the place of. */
  external: z.record(id, z.string().min(1).max(500)),
  /** Ids of callers whose calls somebody else places. */
  externalCallers: z.array(id).max(1_000),
  /** Where providers of ours, and whoever answers for called numbers, take calls, by id. */
  listen: z.record(id, z.object({ host, port })),
  certificates: z.object({
    keys: z.object(PKI_KEYS_SHAPE),
    host,
    address: host,
    httpsPort: port,
  }),
  /** What the switches sign with, by id. */
  issued: z.record(id, z.object({ privateKeyPem: keyPem, chainPem })),
});
/** A lab. */
export type Lab = ReadonlyDeep<z.output<typeof LAB_SCHEMA>>;
