import { writeSync } from 'node:fs';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { killedRecord } from './record-store-killed.js';

/** The child of a fault test: stores records until it is killed, and says which are acknowledged. Arguments: folder, first, last. */
const [, , directory = '', first = '0', last = '0'] = process.argv;

const RECORDS_PER_CALL = 20;
const CALLERS = 4;

// Synchronous: what was said was said when the kill comes.
const say = (line: string): void => void writeSync(1, `${line}\n`);

const store = await openDuckDbRecordStore({ directory });
let next = Number(first);

async function caller(): Promise<void> {
  while (next < Number(last)) {
    const from = next;
    next += RECORDS_PER_CALL;
    const records = Array.from({ length: RECORDS_PER_CALL }, (_, index) => killedRecord(from + index));
    // The last one of each call is handed in twice: a repeat within a call.
    await store.insert([...records, ...records.slice(-1)]);
    say(`stored ${from} ${from + RECORDS_PER_CALL}`);
  }
}

await Promise.all(Array.from({ length: CALLERS }, caller));
say('closing');
await store.close();
say('closed');
