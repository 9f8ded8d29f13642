import { serve } from '@hono/node-server';
import { readSourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { RecordIntake } from '../../sdk/src/records/intake/open-record-intake.js';
import { HTTP_RECORDS_SOURCE, recordIntakeApp } from '../../sdk/src/sidecar/intake/record-intake-app.js';

// A process that takes records in over HTTP until it is killed: node --import tsx sidecar-intake-process.ts DIRECTORY

const intake = await RecordIntake.open({
  directory: process.argv[2] ?? '',
  sources: [
    HTTP_RECORDS_SOURCE,
    readSourceConfiguration({ id: 'fs-1', format: 'freeswitch-json', time: { zone: 'utc' } }),
  ],
  clock: { nowMs: Date.now },
});
serve({ fetch: recordIntakeApp({ intake }).fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stdout.write(`${String(port)}\n`);
});
