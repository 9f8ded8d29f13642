import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { brotliDecompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { createJetStreamRecordTransport } from '../../sdk/src/records/stream/jetstream-transport.js';
import { testPeer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { startNatsServer } from '../support/nats-server.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { sampleRecord } from '../support/stream-lab.js';

const KILLS = faultCount({ short: 5, full: 20 });

const SUBJECT = 'records.test';

/** Every record of the stream, in order, as often as it is there. */
async function storedIds(connection: NatsConnection): Promise<string[]> {
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info('RECORDS');
  const consumer = await jetstream(connection).consumers.get('RECORDS');
  const ids: string[] = [];
  for (let left = state.messages; left > 0;) {
    const messages = await consumer.fetch({ max_messages: Math.min(left, 100), expires: 5_000 });
    for await (const message of messages) {
      left -= 1;
      expect(message.headers?.get('content-encoding')).toBe('br');
      const lines = brotliDecompressSync(message.data).toString().trimEnd().split('\n');
      ids.push(...lines.map((line) => (JSON.parse(line) as { recordId: string }).recordId));
    }
  }
  return ids;
}

testPeer(
  'nats',
  `a nats-server that is killed ${KILLS} times while records come loses none that it acknowledged`,
  async () => {
    await using directory = await createTemporaryDirectory();
    await using server = await startNatsServer();
    const admin = await connect({ servers: server.address, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    await (await jetstreamManager(admin)).streams.add({ name: 'RECORDS', subjects: [SUBJECT], storage: 'file' });
    const transport = createJetStreamRecordTransport({
      ...{ servers: server.address, subject: SUBJECT, timeoutMs: 500 },
      connection: { reconnectTimeWait: 50 },
    });
    await using spool = await openStreamOnDisk(directory.path, {
      transport,
      policy: { batchRecords: 50, lingerMs: 5 },
    });
    const random = new SeededRandom(3);
    let leg = 0;
    const handIn = setInterval(() => {
      for (let count = 0; count < 10; count += 1) spool.stream.record(sampleRecord((leg += 1), leg % 50));
    }, 5);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const until = spool.stream.status().acknowledged + 100 + random.int(400);
      for await (const { acknowledged } of spool.stream.statuses()) if (acknowledged >= until) break;
      await server.kill();
      await server.start();
    }
    clearInterval(handIn);
    expect(await spool.stream.drain()).toEqual({ status: 'drained' });
    const ids = await storedIds(admin);
    const distinct = new Set(ids);
    const lost = Array.from({ length: leg }, (_, index) => index + 1).filter(
      (one) => !distinct.has(sampleRecord(one).recordId),
    );
    expect({ lost: lost.length, distinct: distinct.size }).toEqual({ lost: 0, distinct: leg });
    reportFault('nats-server-kill', { kills: KILLS, records: leg, lost: 0, repeatedInStream: ids.length - leg });
    await transport.close();
    await admin.close();
  },
  { timeout: 20_000 * KILLS },
);

testPeer(
  'nats',
  'a batch that is too large for a message is split, a stream that is not there keeps everything',
  async () => {
    await using directory = await createTemporaryDirectory();
    await using server = await startNatsServer();
    const admin = await connect({ servers: server.address });
    const transport = createJetStreamRecordTransport({ servers: server.address, subject: SUBJECT, timeoutMs: 500 });
    await using spool = await openStreamOnDisk(directory.path, {
      transport,
      policy: { batchRecords: 10_000, batchBytes: 8_388_608 },
    });
    const noise = new SeededRandom(5);
    const incompressible = (): string => Array.from({ length: 2_000 }, () => noise.int(2 ** 32).toString(36)).join('');
    for (let leg = 1; leg <= 300; leg += 1) {
      const record = { ...sampleRecord(leg), customerId: incompressible() };
      spool.stream.record(record);
    }
    expect(await spool.stream.drain({ timeoutMs: 1_500 })).toMatchObject({ status: 'incomplete', remaining: 300 });
    expect(spool.stream.status().dead).toBe(0);
    await (await jetstreamManager(admin)).streams.add({ name: 'RECORDS', subjects: [SUBJECT], storage: 'file' });
    expect(await spool.stream.drain()).toEqual({ status: 'drained' });
    expect(await storedIds(admin)).toHaveLength(300);
    expect(spool.stream.status()).toMatchObject({ acknowledged: 300, dead: 0 });
    await transport.close();
    await admin.close();
  },
);
