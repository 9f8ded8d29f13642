import { join } from 'node:path';
import { ValueJournal } from '../../sdk/src/log/index.js';
import { FileFollower } from '../../sdk/src/records/ingest/follow-files.js';
import { RejectFile } from '../../sdk/src/records/ingest/rejects.js';
import { createRowReader } from './followed-rows.js';
import { openRowLedger } from './row-ledger.js';

// A process that follows a log until it is killed: node --import tsx follower-process.ts DIRECTORY

const directory = process.argv[2] ?? '';
const values = await ValueJournal.open({ directory: join(directory, 'values') });
const ledger = openRowLedger(join(directory, 'ledger'));
let hasStored = false;
await FileFollower.open({
  sourceId: 'test-switch',
  path: join(directory, 'log', 'cdr.csv'),
  reader: createRowReader(),
  store: {
    cover: ledger.cover,
    insert: async (records) => {
      const result = await ledger.insert(records);
      if (!hasStored) process.stdout.write('stored\n');
      hasStored = true;
      return result;
    },
  },
  rejects: await RejectFile.open({ path: join(directory, 'rejects.ndjson') }),
  values,
  clock: { nowMs: () => Date.now() },
  pollMs: 5,
  batchRecords: 20,
  onNotice: ({ kind, cause }) => {
    if (kind === 'failed') process.stdout.write(`failed ${String(cause)}\n`);
  },
});
process.stdout.write('following\n');
setInterval(() => undefined, 1_000);
