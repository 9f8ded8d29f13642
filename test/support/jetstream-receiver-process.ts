/**
 * A platform behind JetStream in a process of its own, for benches: takes the batches of a stream through a consumer that acknowledges each,
 * and keeps each record once by its id. Arguments: address of the server, name of the stream. Says `ready` once it consumes. A line with a
 * number asks for so many more records: it says `counting`, and when they are there, how long that took, as a `JetStreamReceipt`.
 */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createInterface } from 'node:readline';
import { readBatch, ReceivedRecords } from './received-records.js';

/** What came since it was asked. */
export interface JetStreamReceipt {
  /** Records behind the first batch, and the time from that batch to the last, milliseconds. */
  readonly records: number;
  readonly ms: number;
  /** Records kept so far, each once, and those that came again. */
  readonly distinct: number;
  readonly repeated: number;
}

/** Batches that the server sends before the first of them is acknowledged: some more than a stream has on their way. */
const BATCHES_AHEAD = 16;

const [servers = '', stream = ''] = process.argv.slice(2);
const connection = await connect({ servers });
await (await jetstreamManager(connection)).consumers.add(stream, { durable_name: 'receiver', ack_policy: 'explicit' });
const consumer = await jetstream(connection).consumers.get(stream, 'receiver');

const received = new ReceivedRecords();
let wanted = Number.POSITIVE_INFINITY;
let first: { readonly atMs: number; readonly records: number } | undefined;

createInterface({ input: process.stdin })
  .on('line', (line) => {
    wanted = received.ids.size + Number(line);
    first = undefined;
    process.stdout.write('counting\n');
  })
  // The bench is gone, by whatever end: so is its platform.
  .on('close', () => process.exit());

const messages = await consumer.consume({ max_messages: BATCHES_AHEAD });
process.stdout.write('ready\n');
for await (const message of messages) {
  for (const record of readBatch(message.data, message.headers?.get('content-encoding'))) received.keep(record);
  message.ack();
  const records = received.ids.size;
  const atMs = performance.now();
  first ??= { atMs, records };
  if (records < wanted) continue;
  wanted = Number.POSITIVE_INFINITY;
  const receipt: JetStreamReceipt = {
    ...{ records: records - first.records, ms: atMs - first.atMs },
    ...{ distinct: records, repeated: received.repeated },
  };
  process.stdout.write(`${JSON.stringify(receipt)}\n`);
}
