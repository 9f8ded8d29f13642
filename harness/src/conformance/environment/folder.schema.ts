import { z } from 'zod';
import type { ConformanceFolder } from './folder.js';

const pem = z.string().min(1).max(8_192);
const port = z.int().min(0).max(65_535);

/** What `conformance.json` has to be. */
export const conformanceFolderSchema: z.ZodType<ConformanceFolder> = z.object({
  version: z.literal(1),
  host: z.string().min(1).max(255),
  address: z.string().min(1).max(255),
  httpsPort: port,
  httpPort: port,
  keys: z.object({
    root: pem,
    intermediate: pem,
    stiPaRoot: pem,
    stiPaSigner: pem,
    stiPaCrlIssuer: pem,
    tlsRoot: pem,
    signing: pem,
  }),
});
