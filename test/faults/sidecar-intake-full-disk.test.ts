import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import { RecordIntake } from '../../sdk/src/records/intake/open-record-intake.js';
import { HTTP_RECORDS_SOURCE, recordIntakeApp } from '../../sdk/src/sidecar/intake/record-intake-app.js';
import { testPeer } from '../peers.js';
import { reportFault } from '../support/fault-counts.js';
import { smallDisk } from '../support/small-disk.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const BATCH = 500;
const body = (index: number): string =>
  Array.from({ length: BATCH }, (_, at) =>
    JSON.stringify(sampleRecord(index * BATCH + at, NOON_US + (index * BATCH + at) * 1_000)),
  ).join('\n');

testPeer(
  'tmpfs',
  'on a full disk records over HTTP are refused and not lost, and nobody who submits some waits for it',
  async () => {
    await using disk = await smallDisk();
    const directory = disk.path;
    const sources = [HTTP_RECORDS_SOURCE];
    const intake = await RecordIntake.open({ directory, sources, clock: { nowMs: Date.now }, maxSubmitted: BATCH });
    const app = recordIntakeApp({ intake });
    const send = async (index: number): Promise<number> => {
      const headers = { 'content-type': 'application/x-ndjson' };
      return (await app.request('/v1/records', { method: 'POST', headers, body: body(index) })).status;
    };
    let acknowledged = 0;
    while ((await send(acknowledged)) === 200) acknowledged += 1;
    expect(acknowledged).toBeGreaterThan(2);
    expect(await send(acknowledged)).toBe(503);
    // At once, and without a promise: as many as may wait are taken, the others counted.
    const submitted = Array.from({ length: BATCH + 1 }, (_, at) => sampleRecord(1_000_000 + at, NOON_US - at * 1_000));
    expect(intake.submit(submitted)).toBe(BATCH);
    spawnSync('mount', ['-o', 'remount,size=32m', directory]);
    // What was refused is sent again by whoever sent it; what was submitted goes by itself.
    expect(await send(acknowledged)).toBe(200);
    await intake.close();
    expect(intake.state().submitted).toMatchObject({ accepted: BATCH, refused: 1, inserted: BATCH, pending: 0 });
    await using again = await RecordIntake.open({ directory, sources, clock: { nowMs: Date.now } });
    const { records } = await again.store.statistics();
    expect(records).toBe((acknowledged + 2) * BATCH);
    reportFault('sidecar-intake-full-disk', { acknowledged: (acknowledged + 2) * BATCH, found: records });
  },
);
