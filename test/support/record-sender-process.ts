/**
 * A switch in a process of its own, to be killed: hands records to a stream at some rate and says `ready MS PROCESSOR-MS` when it
 * has opened its spool, and `durable LEG` for every step of what is on disk. `node --import tsx record-sender-process.ts DIRECTORY URL FIRST-LEG RECORDS-PER-SECOND COUNT PACK-ABOVE-BYTES`; a count of 0 sends what is
 * spooled, says `drained` and ends.
 */
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import { sampleRecord } from './stream-lab.js';
import { openStreamOnDisk } from './stream-on-disk.js';

const [directory = '', url = '', first = '1', rate = '1000', count = '0', packAbove] = process.argv.slice(2);
const transport = createHttpsRecordTransport({ url, authorization: bearerToken('c2VjcmV0'), timeoutMs: 2_000 });
const opened = performance.now();
const processor = process.cpuUsage();
const { stream } = await openStreamOnDisk(directory, {
  transport,
  policy: {
    ...{ lingerMs: 20, batchRecords: 100 },
    ...(packAbove !== undefined && { packAboveBytes: Number(packAbove), breakerFailures: 2 }),
  },
});
const { user, system } = process.cpuUsage(processor);
process.stdout.write(`ready ${Math.round(performance.now() - opened)} ${Math.round((user + system) / 1_000)}\n`);

if (count === '0') {
  await stream.drain();
  process.stdout.write(`drained ${stream.status().lastSequence}\n`);
  await stream.close();
  process.exit();
}

/** Legs by sequence number: one for one from the first that this process was given. */
let firstSequence: number | undefined;
let leg = Number(first);
const started = performance.now();
stream.spool.onDurable((durable) => {
  if (firstSequence !== undefined && durable >= firstSequence)
    process.stdout.write(`durable ${Number(first) + durable - firstSequence}\n`);
});
const timer = setInterval(() => {
  const due = Number(first) + ((performance.now() - started) * Number(rate)) / 1_000;
  for (; leg < due && leg < Number(first) + Number(count); leg += 1) {
    const acceptance = stream.record(sampleRecord(leg, leg % 50));
    if (!acceptance.accepted) throw new Error(`refused: ${acceptance.reason}`);
    firstSequence ??= acceptance.sequence;
  }
  if (leg >= Number(first) + Number(count)) clearInterval(timer);
}, 1);
