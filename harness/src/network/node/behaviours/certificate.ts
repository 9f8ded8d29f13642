import type { NodeBehaviour } from './node-behaviour.js';

/** It signs with the certificate that has the fault. */
export const certificate: NodeBehaviour<'certificate'> = { hasFaultyCredential: true };
