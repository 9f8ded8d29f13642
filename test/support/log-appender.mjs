// Appends records to a log until it is killed, and says on standard output how far they are durable. Runs on the built package, so that
// hundreds of them start fast.
//   node log-appender.mjs DIRECTORY [SEGMENT_BYTES] [COUNT]
// Lines: `open FIRST LAST MILLISECONDS PROCESSOR-MILLISECONDS`, `durable SEQUENCE`, `refused CODE`, `threw MESSAGE`, `end DURABLE`.
import { writeSync } from 'node:fs';
import { SegmentLog } from '../../sdk/dist/log/index.js';

const [directory, segmentBytes = '262144', count = 'Infinity'] = process.argv.slice(2);
const say = (line) => void writeSync(1, `${line}\n`);

/** A record of about 900 bytes that says which it is: as recordText of log-records.ts. */
const textOf = (sequence) => `${sequence}:`.padEnd(900 + (sequence % 50), String(sequence % 10));

const startMs = performance.now();
const processor = process.cpuUsage();
const log = await SegmentLog.open({ directory, segmentBytes: Number(segmentBytes) });
const { user, system } = process.cpuUsage(processor);
const [tookMs, processorMs] = [performance.now() - startMs, (user + system) / 1_000].map(Math.round);
say(`open ${log.firstSequence} ${log.lastSequence} ${tookMs} ${processorMs}`);
log.onDurable((sequence) => say(`durable ${sequence}`));

let failures = 0;
for (let left = Number(count); left > 0;) {
  // Some records a turn, so that groups are of many sizes.
  for (let turn = 1 + (log.lastSequence % 7); turn > 0 && left > 0; turn -= 1) {
    try {
      if (!log.append(textOf(log.lastSequence + 1)).accepted) break;
      left -= 1;
    } catch (error) {
      say(`threw ${String(error)}`);
    }
  }
  const state = log.state();
  if (state.failures > failures) say(`refused ${state.lastError?.code}`);
  failures = state.failures;
  do await new Promise((resolve) => setImmediate(resolve));
  while (
    // Whoever counts wants many groups: not all of them at once.
    Number.isFinite(left) &&
    log.lastSequence - log.durableSequence > 50
  );
}
// Refusals that were injected pass: it goes on by itself.
while (log.durableSequence < log.lastSequence)
  await log.flush().catch((error) => say(`refused ${error.details?.code}`));
await log.close();
say(`end ${log.durableSequence}`);
