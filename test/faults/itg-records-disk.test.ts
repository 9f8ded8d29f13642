import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { testPeer } from '../peers.js';
import { reportFault } from '../support/fault-counts.js';
import { TEST_NUMBER } from '../support/itg-records-area.js';
import { batchCall, keptLog, liveSample, openFeed, outcome, SAMPLES_MS } from '../support/itg-live-records.js';
import { fillUp, smallDisk } from '../support/small-disk.js';

const SIZE = 200;
const batch = (index: number) => Array.from({ length: SIZE }, (_, at) => liveSample(index * SIZE + at));

testPeer(
  'tmpfs',
  'on a full disk no batch is acknowledged, and every acknowledged batch is there when there is room again',
  async () => {
    await using disk = await smallDisk();
    const log = keptLog();
    await using feed = await openFeed(disk.path, log);
    const acknowledged: number[] = [];
    for (let index = 0; index < 4; index += 1) {
      expect(outcome(await feed.take(batchCall(batch(index))))).toBe(SIZE);
      acknowledged.push(index);
    }
    fillUp(disk.path);
    let refused = 0;
    for (let index = 4; refused < 3 && index < 200; index += 1) {
      const answer = outcome(await feed.take(batchCall(batch(index))));
      if (answer === SIZE) acknowledged.push(index);
      else {
        expect(answer).toBe('unavailable');
        refused += 1;
      }
    }
    expect(refused).toBe(3);
    expect(log.lines.join()).toContain('was not taken');
    expect(log.lines.join()).not.toMatch(TEST_NUMBER);
    rmSync(join(disk.path, 'hog'));
    for (;;) {
      const answer = outcome(await feed.take(batchCall(batch(300))));
      if (answer === SIZE) break;
      expect(answer).toBe('unavailable');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    acknowledged.push(300);
    let found: readonly unknown[] = [];
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const query = { fromMs: SAMPLES_MS, toMs: SAMPLES_MS + 1_000, limit: 50_000 };
      const result = await feed.reader.find(query).catch(() => undefined);
      if (result !== undefined) {
        found = result.records.map(({ record }) => record.recordId);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const there = new Set(found);
    expect(there.size).toBe(found.length);
    const lost = acknowledged.flatMap(batch).filter(({ recordId }) => !there.has(recordId)).length;
    expect(lost).toBe(0);
    reportFault('live-records-full-disk', {
      acknowledged: acknowledged.length * SIZE,
      refused,
      stored: found.length,
      lost,
    });
  },
  { timeout: 180_000 },
);
