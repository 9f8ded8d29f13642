import { z } from 'zod';
import { keyPem, PKI_KEYS_SHAPE } from '../../laboratory/index.js';
import type { Lab } from './lab.js';

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
