import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { SourceListener } from '../../sdk/src/records/ingest/listen-source.js';
import type { RejectedRow } from '../../sdk/src/records/ingest/rejects.js';
import { readSourceConfiguration, type HepConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { proxySample, sendPackets } from '../support/hep-packets.js';

const { source, packets } = proxySample();
const configuration = readSourceConfiguration({
  ...source,
  listen: { udp: { host: '127.0.0.1', port: 0 }, lingerUs: 0 },
}) as HepConfiguration;

async function send(listener: SourceListener, sent: readonly Buffer[]): Promise<void> {
  await sendPackets(listener.listening[0]?.port ?? 0, sent);
  while (listener.counters().udpPackets < sent.length) await new Promise((resolve) => setImmediate(resolve));
}

test('calls are stored, and those that are up when it closes as far as they are known; packets that cannot be read are rejected', async () => {
  const stored: CallRecord[] = [];
  const rejected: RejectedRow[] = [];
  const listener = await SourceListener.open({
    configuration,
    store: {
      insert: async (records) => {
        stored.push(...records);
        return { inserted: records.length, repeated: 0, expired: 0 };
      },
    },
    rejects: { reject: (row) => void rejected.push(row), flush: async () => undefined },
  });
  await send(listener, [...packets, Buffer.from('no packet')]);
  await listener.close();
  const { records, inserted, pending, waiting, lost } = listener.statistics();
  expect(records).toBeGreaterThan(5);
  expect({ inserted, pending, waiting, lost }).toEqual({ inserted: records, pending: 0, waiting: 0, lost: 0 });
  expect(stored.length).toBe(records);
  expect(rejected).toContainEqual(expect.objectContaining({ sourceId: 'proxy-5', reason: 'bad-packet', line: 0 }));
});

test('records that the store refuses are kept, reported, and inserted again', async () => {
  const due: (() => void)[] = [];
  const failures: unknown[] = [];
  let refusals = 3;
  let stored = 0;
  await using listener = await SourceListener.open({
    configuration,
    store: {
      insert: async (records) => {
        refusals -= 1;
        if (refusals >= 0) throw new Error('the disk is full');
        stored += records.length;
        return { inserted: records.length, repeated: 0, expired: 0 };
      },
    },
    rejects: { reject: () => undefined, flush: async () => undefined },
    schedule: (callback) => {
      due.push(callback);
      return () => undefined;
    },
    onFailed: (cause) => failures.push(cause),
  });
  await send(listener, packets);
  await expect(listener.commit()).rejects.toThrow('full');
  await expect(listener.commit()).rejects.toThrow('full');
  const before = due.length;
  due.at(-1)?.();
  while (due.length === before) await new Promise((resolve) => setImmediate(resolve));
  expect(failures.length).toBe(3);
  const { pending } = listener.statistics();
  expect(pending).toBeGreaterThan(0);
  await listener.commit();
  expect({ stored, pending: listener.statistics().pending }).toEqual({ stored: pending, pending: 0 });
});
