import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { SegmentLog } from '../../sdk/src/log/index.js';
import { peer, testPeer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { changedRecords, LOG_APPENDER, readEverything, recordText } from '../support/log-records.js';
import { fillUp, smallDisk } from '../support/small-disk.js';
import { acknowledgedWithoutSync, SYNC_CALLS } from '../support/sync-trace.js';

function appendSome(log: SegmentLog, count: number): void {
  for (let left = count; left > 0; left -= 1) {
    expect(log.append(recordText(log.lastSequence + 1))).toMatchObject({ accepted: true });
  }
}

const SEGMENT_BYTES = 262_144;
const durableSequences = (log: SegmentLog, through: number): Promise<void> =>
  new Promise((resolve) => {
    const end = log.onDurable((durable) => {
      if (durable < through) return;
      end();
      resolve();
    });
  });

testPeer(
  'tmpfs',
  'a full disk: nothing is acknowledged or lost, and the log goes on by itself when there is room again',
  async () => {
    await using disk = await smallDisk();
    const directory = join(disk.path, 'log');
    await using log = await SegmentLog.open({ directory, segmentBytes: SEGMENT_BYTES });
    appendSome(log, 500);
    await log.flush();
    fillUp(disk.path);
    appendSome(log, 500);
    await expect(log.flush()).rejects.toMatchObject({
      code: 'storage-failed',
      retryable: true,
      details: { code: 'ENOSPC' },
    });
    expect(log.durableSequence).toBeLessThan(1_000);
    expect(log.state()).toMatchObject({ isFailing: true, lastError: { code: 'ENOSPC' } });
    const full = await readEverything(log);
    expect(full.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: log.durableSequence }, (_, at) => at + 1),
    );
    const all = durableSequences(log, 1_000);
    rmSync(join(disk.path, 'hog'));
    await all;
    expect(log.state()).toMatchObject({ isFailing: false, pendingRecords: 0, lost: { records: 0 } });
    const records = await readEverything(log);
    expect(records).toHaveLength(1_000);
    expect(changedRecords(records)).toEqual([]);
    reportFault('full-disk', { of: 'log', diskMiB: 4, records: 1_000, durableWhileFull: full.length, lost: 0 });
  },
);

testPeer('tmpfs', 'a disk that the log itself has filled: what is trimmed makes room for what is pending', async () => {
  await using disk = await smallDisk();
  const directory = join(disk.path, 'log');
  await using log = await SegmentLog.open({ directory, segmentBytes: SEGMENT_BYTES });
  while (!log.state().isFailing) {
    appendSome(log, 200);
    await log.flush().catch(() => undefined);
  }
  const { lastSequence, durableSequence } = log;
  expect(durableSequence).toBeLessThan(lastSequence);
  const all = durableSequences(log, lastSequence);
  await log.trim(durableSequence - 10);
  await all;
  const records = await readEverything(log, durableSequence - 9);
  expect(records.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: lastSequence - durableSequence + 10 }, (_, at) => durableSequence - 9 + at),
  );
});

testPeer(
  'tmpfs',
  'opened on a full disk: records are read, and trimming the only segment gives its room to new ones without a number given twice',
  async () => {
    await using disk = await smallDisk();
    const directory = join(disk.path, 'log');
    const before = await SegmentLog.open({ directory });
    appendSome(before, 1_000);
    await before.flush();
    // As if it were killed: nothing marks the end of the log.
    const [name = ''] = readdirSync(directory);
    const killed = readFileSync(join(directory, name));
    await before.close();
    writeFileSync(join(directory, name), killed);
    fillUp(disk.path);
    await using log = await SegmentLog.open({ directory });
    expect(await readEverything(log)).toHaveLength(1_000);
    expect(log.state()).toMatchObject({ durableSequence: 1_000, lastError: { code: 'ENOSPC' } });
    appendSome(log, 100);
    await expect(log.flush()).rejects.toMatchObject({ code: 'storage-failed' });
    const all = durableSequences(log, 1_100);
    await log.trim(1_000);
    await all;
    const records = await readEverything(log);
    expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 100 }, (_, at) => 1_001 + at));
    expect(changedRecords(records)).toEqual([]);
  },
);

const REFUSED_RECORDS = faultCount({ short: 600, full: 6_000 });

const POINTS = [
  'posix/io/rw/writev',
  'posix/io/rw/writev/reduce',
  'posix/io/sync/fdatasync',
  'posix/io/sync/fsync',
] as const;

for (const point of POINTS) {
  for (const [code, errno] of Object.entries({ ENOSPC: 28, EIO: 5 })) {
    testPeer(
      'libfiu',
      `${point} fails one time in three with ${code}: nothing is thrown into the call path, and every record becomes durable`,
      async () => {
        const count = REFUSED_RECORDS;
        await using directory = await createTemporaryDirectory();
        const enable = `enable_random name=${point},probability=0.33,failinfo=${errno}`;
        const appender = [process.execPath, LOG_APPENDER, directory.path, '16384', String(count)];
        const argv = ['-x', '-f', '', '-c', enable, ...appender];
        const { stdout, stderr } = spawnSync(peer('libfiu').path, argv, { encoding: 'utf8', maxBuffer: 2 ** 28 });
        const lines = stdout.split('\n').filter((line) => line !== '');
        expect(stderr).toBe('');
        expect(lines.filter((line) => line.startsWith('threw'))).toEqual([]);
        expect(lines.at(-1)).toBe(`end ${count}`);
        const refused = lines.filter((line) => line === `refused ${code}`);
        // Fewer bytes taken than given are no refusal.
        if (point.endsWith('reduce')) expect(refused).toEqual([]);
        else expect(refused.length).toBeGreaterThan(0);
        await using log = await SegmentLog.open({ directory: directory.path });
        const records = await readEverything(log);
        expect(records.map(({ sequence }) => sequence)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
        expect(changedRecords(records)).toEqual([]);
        expect(log.state().lost).toMatchObject({ records: 0, recordsInDoubt: 0 });
        reportFault('disk-refuses', { point, code, records: count, refusals: refused.length, thrown: 0, lost: 0 });
      },
      { timeout: 120_000 + 100 * REFUSED_RECORDS },
    );
  }
}

testPeer(
  'strace',
  'a trace shows a sync of what was written, and of a new name, before each acknowledgement',
  async () => {
    await using directory = await createTemporaryDirectory();
    const trace = join(directory.path, 'trace');
    const argv = ['-f', '-y', '-s', '64', '-e', SYNC_CALLS, '-o', trace];
    const log = join(directory.path, 'log');
    const { status } = spawnSync(peer('strace').path, [...argv, process.execPath, LOG_APPENDER, log, '65536', '600']);
    expect(status).toBe(0);
    const { acknowledgements, wrong } = acknowledgedWithoutSync(readFileSync(trace, 'utf8').split('\n'), log);
    expect(wrong).toEqual([]);
    expect(acknowledgements).toBeGreaterThan(5);
    reportFault('sync-before-acknowledgement', { of: 'log', acknowledgements, withoutSync: wrong.length });
  },
);
