import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HopbackError } from '../../sdk/src/errors.js';
import { followFiles } from '../../sdk/src/records/ingest/follow-file.js';
import type { FileFollower, FollowOptions } from '../../sdk/src/records/ingest/follow-file.js';
import type { FollowNotice } from '../../sdk/src/records/ingest/follow-turn.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/followed-files.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import type { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createCountingStore, createRejectList, createRowReader, rowText } from '../support/followed-rows.js';

const MINUTE_MS = 60_000;

let directory: string;
let log: string;
let clock: ManualClock;
let notices: FollowNotice[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hopback-stuck-'));
  log = join(directory, 'cdr.csv');
  clock = createManualClock(Date.now());
  notices = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function follow(options: Partial<FollowOptions> = {}): Promise<FileFollower> {
  const values = new Map<string, string>();
  return followFiles({
    sourceId: 'test-switch',
    path: log,
    reader: createRowReader(),
    store: createCountingStore(),
    rejects: createRejectList(),
    values: { get: (key) => values.get(key), set: async (key, value) => void values.set(key, value) },
    clock,
    schedule: clock.schedule,
    files: { names: nodeFollowedFiles.names, facts: nodeFollowedFiles.facts, open: nodeFollowedFiles.open },
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
}

/** Time goes by; what became due has its turn. */
async function pass(minutes: number): Promise<void> {
  for (let step = 0; step < minutes * 6; step += 1) {
    clock.advance(MINUTE_MS / 6);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const kinds = (): readonly string[] => notices.map(({ kind }) => kind).filter((kind) => kind !== 'failed');

test('a source whose disk does not answer is told to be stuck after five minutes, once, and to go on when it does', async () => {
  await writeFile(log, `${rowText(0)}\n`);
  let answer: (() => void) | undefined;
  const silence = new Promise<void>((resolve) => (answer = resolve));
  const open: typeof nodeFollowedFiles.open = async (path) => {
    await silence;
    return nodeFollowedFiles.open(path);
  };
  const follower = await follow({ files: { ...nodeFollowedFiles, watch: () => () => undefined, open } });
  const openedMs = clock.nowMs();
  await pass(4);
  expect(kinds()).toEqual([]);
  expect(follower.statistics()).toMatchObject({ isStuck: false, lastProgressMs: openedMs });
  await pass(7);
  expect(kinds()).toEqual(['stuck']);
  const { isStuck, oldestUnreadMs = 0 } = follower.statistics();
  expect({ isStuck, isOld: clock.nowMs() - oldestUnreadMs >= 11 * MINUTE_MS }).toEqual({ isStuck: true, isOld: true });
  answer?.();
  await follower.look();
  expect(kinds()).toEqual(['stuck', 'resumed']);
  expect(follower.statistics()).toMatchObject({ isStuck: false, rows: 1, lastProgressMs: clock.nowMs() });
  expect(follower.statistics()).not.toHaveProperty('oldestUnreadMs');
  await follower.close();
  expect(clock.pendingTimers()).toBe(0);
});

test('a source whose store refuses everything is stuck as long as it does, after the time that is configured', async () => {
  let isDown = true;
  const store = createCountingStore(() => {
    if (isDown) throw new HopbackError('storage-failed', 'disk full', { retryable: true });
  });
  await writeFile(log, `${rowText(0)}\n`);
  const follower = await follow({ store, stuckAfterMs: MINUTE_MS });
  await follower.look().catch(() => undefined);
  await pass(2);
  expect(kinds()).toEqual(['stuck']);
  expect(follower.statistics()).toMatchObject({ isStuck: true });
  isDown = false;
  await follower.look();
  expect(kinds()).toEqual(['stuck', 'resumed']);
  await follower.close();
});

test('a source that is silent is not stuck, and neither is one that goes on', async () => {
  await writeFile(log, `${rowText(0)}\n`);
  const follower = await follow();
  for (let minute = 0; minute < 30; minute += 1) {
    // Real files take real time, which this clock knows nothing of: no look is under way while it goes on.
    await follower.look();
    clock.advance(MINUTE_MS);
  }
  for (let row = 1; row < 8; row += 1) {
    await appendFile(log, `${rowText(row)}\n`);
    await follower.look();
    clock.advance(MINUTE_MS);
  }
  await follower.look();
  expect(kinds()).toEqual([]);
  expect(follower.statistics()).toMatchObject({ isStuck: false, rows: 8 });
  await follower.close();
});

test('a file that this process may not read is data that waits', async () => {
  await writeFile(log, `${rowText(0)}\n`);
  const files = { ...nodeFollowedFiles, watch: () => () => undefined, open: async () => undefined };
  const follower = await follow({ files });
  await follower.look();
  await pass(6);
  await follower.look();
  expect(kinds()).toEqual(['stuck']);
  await follower.close();
});
