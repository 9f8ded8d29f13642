import type { NodeBehaviour } from './node-behaviour.js';

/** As much as nobody waits for. */
const HOSTILE_BYTES = 16_777_216;

/** Nobody is there, nobody answers, or more comes than anybody should read. */
export const certificateServer: NodeBehaviour<'certificate-server'> = {
  serves: ({ fault }) => {
    if (fault === 'dead') return { kind: 'reset' };
    return fault === 'slow'
      ? { kind: 'stall' }
      : { kind: 'compression-bomb', sizeBytes: HOSTILE_BYTES, encoding: 'gzip' };
  },
};
