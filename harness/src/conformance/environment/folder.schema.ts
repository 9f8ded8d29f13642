import { z } from 'zod';
import { keyPem, PKI_KEYS_SHAPE } from '../../laboratory/index.js';
import type { ConformanceFolder } from './folder.js';

const port = z.int().min(0).max(65_535);

/** What `conformance.json` has to be. */
export const conformanceFolderSchema: z.ZodType<ConformanceFolder> = z.object({
  version: z.literal(1),
  host: z.string().min(1).max(255),
  address: z.string().min(1).max(255),
  httpsPort: port,
  httpPort: port,
  keys: z.object({ ...PKI_KEYS_SHAPE, signing: keyPem }),
});
