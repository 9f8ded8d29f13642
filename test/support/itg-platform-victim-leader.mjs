// A platform with one job that comes round without end, of which several run on one server of PostgreSQL. Runs on the built package.
//   node itg-platform-victim-leader.mjs URL KEY-RING-FILE
// Lines: `open`, and `ran` for each time that this process runs the job.
import { writeSync } from 'node:fs';
import { openKeyRing } from '../../harness/dist/platform/database/index.js';
import { startPlatform } from '../../harness/dist/platform/index.js';

const [url, keyRingFile] = process.argv.slice(2);
const say = (line) => void writeSync(1, `${line}\n`);
const close = async () => undefined;
const area = {
  ...{ name: 'beat', routes: [], schemas: {}, operations: {}, reactions: {}, close, [Symbol.asyncDispose]: close },
  jobs: [{ name: 'beat.tick', everyMs: 20, run: async () => say('ran') }],
};
await startPlatform({
  ...{ database: { url, poolConnections: 2 }, keyRing: await openKeyRing(keyRingFile) },
  areas: [{ definition: { name: 'beat', migrations: [] }, open: () => area }],
});
say('open');
