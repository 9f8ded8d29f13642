import { writeSync } from 'node:fs';
import { SharedRecordStore } from '../../sdk/src/records/store/shared-record-store.js';
import { NOON_US, sampleRecord } from './stored-records.js';

/**
 * The child of tests that share a store with another process. Arguments: folder, records to store. Says `host` or `guest`, stores them,
 * says `stored N`, and closes when it is told anything, or the parent is gone.
 */
const [, , directory = '', records = '0'] = process.argv;

// Synchronous: what was said was said when a kill comes.
const say = (line: string): void => void writeSync(1, `${line}\n`);

const store = await SharedRecordStore.open({ directory, memoryLimitMb: 256 });
say(store.role);
const { inserted } = await store.insert(
  Array.from({ length: Number(records) }, (_, index) => sampleRecord(index, NOON_US + index)),
);
say(`stored ${inserted}`);
await new Promise<void>((resolve) => {
  process.stdin.once('data', () => resolve());
  process.stdin.once('end', () => resolve());
});
await store.close();
say('closed');
process.stdin.destroy();
