import { join } from 'node:path';
import type { RunOptions } from '../run-options.js';
import type { Lab } from './lab.js';
import { LAB_FILES } from './lab.js';

/** What a run in a lab is carried out with. */
export function labRunOptions(
  folder: string,
  { external, externalCallers, listen, certificates, issued }: Lab,
): Pick<RunOptions, 'external' | 'externalCallers' | 'listen' | 'certificates'> {
  return {
    ...{ externalCallers, listen },
    external: Object.fromEntries(Object.entries(external).map(([id, uri]) => [id, { uri }])),
    certificates: { ...certificates, issued, crlFile: join(folder, LAB_FILES.crl) },
  };
}
