import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { expect } from 'vitest';
import { peer, testPeer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { reportFault } from '../support/fault-counts.js';
import { programBeside, startRecordReceiver, type RecordReceiver } from '../support/record-receiver.js';
import { sampleRecord } from '../support/stream-lab.js';

const RECORDS = 3_000;

/** The clock of the machine, as one who sets it leaves it: the monotonic one goes on. */
const JUMPS = ['+0', '+1h', '-1h', '-1d', '+0'] as const;

async function distinctAtLeast(receiver: RecordReceiver, count: number): Promise<void> {
  const lateMs = performance.now() + 40_000;
  for (;;) {
    const { distinct } = await receiver.report();
    if (distinct >= count) return;
    if (performance.now() > lateMs) throw new Error(`${distinct} of ${count} records came`);
  }
}

testPeer(
  'faketime',
  'a clock that is set an hour forward, an hour back and a day back loses no record and makes no storm',
  async () => {
    await using directory = await createTemporaryDirectory();
    await using receiver = await startRecordReceiver();
    await receiver.control({ faultRate: 0.2, seed: 11 });
    const timestamps = await directory.write('faketime', `${JUMPS[0]}\n`);
    // The library alone: the program itself would fix the time at the start.
    const library = spawnSync(peer('faketime').path, ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'], {
      encoding: 'utf8',
    });
    const sender = spawn(
      process.execPath,
      [...programBeside('record-sender-process.ts'), directory.path, receiver.url, '1', '1000', String(RECORDS)],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          ...process.env,
          LD_PRELOAD: library.stdout.trim(),
          FAKETIME_TIMESTAMP_FILE: timestamps,
          FAKETIME_NO_CACHE: '1',
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        },
      },
    );
    const exit = once(sender, 'exit');
    try {
      for (const [index, jump] of JUMPS.entries()) {
        await distinctAtLeast(receiver, (index * RECORDS) / (2 * JUMPS.length));
        // In one step: the library ends a process that finds the file empty.
        await rename(await directory.write('next', `${jump}\n`), timestamps);
      }
      await distinctAtLeast(receiver, RECORDS);
    } finally {
      sender.kill('SIGKILL');
      await exit;
    }
    const ids = await receiver.ids();
    const report = await receiver.report();
    for (let leg = 1; leg <= RECORDS; leg += 1) expect(ids.has(sampleRecord(leg).recordId)).toBe(true);
    // A fifth of the requests met a fault; a storm would be hundreds for a batch.
    expect(report.requests / report.batches).toBeLessThan(2);
    reportFault('clock-jumps', {
      ...{ jumps: JUMPS.slice(1).join(' '), records: RECORDS, lost: RECORDS - ids.size },
      ...{ requests: report.requests, batches: report.batches },
    });
  },
  { timeout: 60_000 },
);
