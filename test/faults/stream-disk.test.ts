import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import { peer, testPeer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { reportFault } from '../support/fault-counts.js';
import { programBeside, startRecordReceiver } from '../support/record-receiver.js';
import { fillUp, smallDisk } from '../support/small-disk.js';
import { sampleRecord } from '../support/stream-lab.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { acknowledgedWithoutSync, SYNC_CALLS } from '../support/sync-trace.js';

testPeer(
  'strace',
  'a trace of a sender shows a sync of its spool before each record that it calls durable',
  async () => {
    await using directory = await createTemporaryDirectory();
    await using receiver = await startRecordReceiver();
    const trace = join(directory.path, 'trace');
    const stream = join(directory.path, 'stream');
    const argv = [
      ...['-f', '-y', '-s', '64', '-e', SYNC_CALLS, '-o', trace, process.execPath],
      ...[...programBeside('record-sender-process.ts'), stream, receiver.url, '1', '500', '1000'],
    ];
    // The sender ends when its records are sent.
    expect(spawnSync(peer('strace').path, argv, { timeout: 45_000 })).toMatchObject({ status: 0 });
    const found = acknowledgedWithoutSync(readFileSync(trace, 'utf8').split('\n'), join(stream, 'spool'));
    expect(found.wrong).toEqual([]);
    expect(found.acknowledgements).toBeGreaterThan(5);
    reportFault('sync-before-acknowledgement', {
      ...{ of: 'stream', acknowledgements: found.acknowledgements, withoutSync: found.wrong.length },
    });
  },
  { timeout: 60_000 },
);

testPeer(
  'tmpfs',
  'on a full disk record() neither throws nor calls anything durable, and everything accepted arrives when there is room',
  async () => {
    await using disk = await smallDisk();
    await using receiver = await startRecordReceiver();
    await receiver.control({ faultRate: 1 });
    const transport = createHttpsRecordTransport({
      url: receiver.url,
      authorization: bearerToken('x'),
      timeoutMs: 250,
    });
    await using spool = await openStreamOnDisk(join(disk.path, 'stream'), { transport, segmentBytes: 65_536 });
    const { stream } = spool;
    const accepted: number[] = [];
    const handIn = (from: number, to: number): void => {
      for (let leg = from; leg <= to; leg += 1) if (stream.record(sampleRecord(leg)).accepted) accepted.push(leg);
    };
    handIn(1, 500);
    const durable = await stream.flush();
    fillUp(disk.path);
    handIn(501, 1_000);
    await expect(stream.flush()).rejects.toMatchObject({ code: 'storage-failed', details: { code: 'ENOSPC' } });
    const durableWhileFull = stream.durableSequence - durable;
    expect(stream.durableSequence).toBeLessThan(stream.status().lastSequence);
    handIn(1_001, 1_200);
    rmSync(join(disk.path, 'hog'));
    await receiver.control({ faultRate: 0 });
    expect(await stream.drain()).toEqual({ status: 'drained' });
    const ids = await receiver.ids();
    const lost = accepted.filter((leg) => !ids.has(sampleRecord(leg).recordId)).length;
    expect({ lost, distinct: ids.size, accepted: accepted.length }).toEqual({
      lost: 0,
      distinct: 1_200,
      accepted: 1_200,
    });
    reportFault('full-disk', { of: 'stream', diskMiB: 4, records: accepted.length, durableWhileFull, thrown: 0, lost });
  },
  { timeout: 60_000 },
);
