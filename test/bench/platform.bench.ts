import type { BenchOfParts } from './bench.js';

/** Everything that the reference platform is held to, in one run. */
export const bench: BenchOfParts = {
  name: 'platform',
  description:
    'the reference platform: ingest, restarts, memory, campaigns, transcripts, tracebacks and participation, one after the other',
  parts: [
    'platform-ingest',
    'platform-restart',
    'platform-memory',
    'campaigns',
    'transcripts',
    'platform-trace',
    'platform-participation',
  ],
};
