// A whole reference platform that is going to be killed. Runs on the built package, so that hundreds of them start fast.
//   node itg-platform-victim.mjs SETTINGS, as JSON: those of startReferencePlatform
// Lines: `open PORT`. What goes wrong in it is told on stderr.
import { writeSync } from 'node:fs';
import { startReferencePlatform } from '../../harness/dist/platform/index.js';

const RATE = { perSecond: 1_000_000, burst: 1_000_000 };
const tell = (message, details) => {
  const { error } = details ?? {};
  writeSync(2, `${JSON.stringify({ message, ...details, ...(error && { error: String(error) }) })}\n`);
};
const log = { info: () => undefined, warn: () => undefined, error: tell };
const platform = await startReferencePlatform({
  ...JSON.parse(process.argv[2]),
  ...{ log, rates: { perClient: RATE, perAddress: RATE } },
});
// Asked to end, it ends in order.
process.once('SIGTERM', () => void platform.close().then(() => process.exit(0)));
writeSync(1, `open ${platform.port}\n`);
