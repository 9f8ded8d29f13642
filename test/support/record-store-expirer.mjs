// Gives up what is before a time in a store, closes it and says `closed`, unless it is killed. Runs on the built package, so that some
// dozens of them start fast: node record-store-expirer.mjs FOLDER BEFORE_US
import { openDuckDbRecordStore } from '../../sdk/dist/records/index.js';

const [directory, beforeUs] = process.argv.slice(2);
// One thread: file operations come in the same order each time.
const store = await openDuckDbRecordStore({ directory, threads: 1 });
await store.expire(Number(beforeUs));
await store.close();
process.stdout.write('closed\n');
