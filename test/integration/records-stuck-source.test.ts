import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { HopbackError } from '../../sdk/src/errors.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { readSourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import type { SourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import type { IntakeSource, IntakeSourceNotice } from '../../sdk/src/records/intake/intake-source.js';
import { openIntakeSource } from '../../sdk/src/records/intake/open-intake-source.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { sampleCallRecord } from '../../sdk/src/testing/sample-call-record.js';
import { createFollowLab, type FollowLab } from '../support/follow-lab.js';
import { proxySample, sendPackets } from '../support/hep-packets.js';
import { createCountingStore, rowText } from '../support/followed-rows.js';

const MINUTE_MS = 60_000;

let { directory, log, clock, notices, append, lookAfter, follow } = {} as FollowLab;
beforeEach(async () => {
  const lab = await createFollowLab();
  ({ directory, log, clock, notices, append, lookAfter, follow } = lab);
  return lab.end;
});

/** Time goes by; what became due has its turn. */
async function pass(minutes: number): Promise<void> {
  for (let step = 0; step < minutes * 6; step += 1) {
    clock.advance(MINUTE_MS / 6);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const kinds = (): readonly string[] => notices.map(({ kind }) => kind).filter((kind) => kind !== 'failed');

test('a source whose disk does not answer is reported stuck after five minutes, once, and resumed when the disk answers', async () => {
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
  expect({ isStuck, isOld: clock.nowMs() - oldestUnreadMs > 10 * MINUTE_MS }).toEqual({ isStuck: true, isOld: true });
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
    await append(follower, `${rowText(row)}\n`);
    clock.advance(MINUTE_MS);
  }
  await follower.look();
  expect(kinds()).toEqual([]);
  expect(follower.statistics()).toMatchObject({ isStuck: false, rows: 8 });
});

test('a last line that its switch never finished is not stuck: nothing waits to be read', async () => {
  await writeFile(log, `${rowText(0)}\n${rowText(1).slice(0, 9)}`);
  const follower = await follow();
  await follower.look();
  const notUnread = (): void => {
    expect(follower.statistics()).toMatchObject({ unreadBytes: 9, isStuck: false });
    expect(follower.statistics()).not.toHaveProperty('oldestUnreadMs');
  };
  notUnread();
  for (let minute = 0; minute < 30; minute += 1) await lookAfter(follower, MINUTE_MS);
  notUnread();
  await follower.close();
  // Also after a restart, and where it came in two pieces.
  const next = await follow();
  await next.look();
  await appendFile(log, rowText(1).slice(9, 12));
  for (let minute = 0; minute < 30; minute += 1) await lookAfter(next, MINUTE_MS);
  expect(kinds()).toEqual([]);
  await append(next, `${rowText(1).slice(12)}\n`);
  expect(next.statistics()).toMatchObject({ rows: 1, rejected: 0, unreadBytes: 0 });
});

test('a last line that grows and never ends is stuck, and goes on when it ends', async () => {
  await writeFile(log, `${rowText(0)}\n"`);
  const follower = await follow();
  await follower.look();
  for (let half = 0; half < 12; half += 1) {
    await append(follower, 'an unclosed quote\n');
    await lookAfter(follower, MINUTE_MS / 2);
  }
  expect(kinds()).toEqual(['stuck']);
  await append(follower, `"\n`);
  expect(kinds()).toEqual(['stuck', 'resumed']);
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

const kindsOf = (told: readonly IntakeSourceNotice[]): readonly string[] =>
  told.map(({ kind }) => kind).filter((kind) => kind === 'stuck' || kind === 'resumed');

/** Sends the source a record. */
type Send = (source: IntakeSource, notices: readonly IntakeSourceNotice[]) => Promise<unknown>;

const RECORD = new TextEncoder().encode(JSON.stringify(sampleCallRecord()));
const SENT: readonly (readonly [string, SourceConfiguration, Send])[] = [
  [
    'rows are posted to',
    readSourceConfiguration({ id: 'sent', format: 'hopback', time: { zone: 'utc' }, stuckAfterMs: 2 * MINUTE_MS }),
    async (source) => source.push?.(RECORD),
  ],
  [
    'agents send HEP to',
    readSourceConfiguration({
      ...proxySample().source,
      listen: { udp: { host: '127.0.0.1', port: 0 }, lingerUs: 0 },
      stuckAfterMs: 2 * MINUTE_MS,
    }),
    async (source, told) => {
      const { rows } = source.state();
      const port = Number(/port (\d+)/.exec(told[0]?.detail ?? '')?.[1]);
      const { packets } = proxySample();
      await sendPackets(port, packets);
      // A call that has ended is a record once a millisecond has passed: packets that all come within one are no record yet. Sent again, they are of calls
      // that are known.
      const isTakenIn = (): boolean => source.state().rows >= rows + packets.length && source.state().records > 0;
      while (!isTakenIn()) await new Promise((resolve) => setImmediate(resolve));
      return source.look();
    },
  ],
];

describe.each(SENT)('a source that %s', (_, configuration, send) => {
  let insert: RecordStore['insert'];
  let told: IntakeSourceNotice[];
  const opened = (): Promise<IntakeSource> => {
    told = [];
    return openIntakeSource(configuration, {
      ...{ directory: join(directory, 'store'), clock, schedule: clock.schedule },
      sink: { insert: (records) => insert(records), cover: async () => undefined },
      onNotice: (notice) => told.push(notice),
    });
  };

  test('is stuck while its store refuses, after the time that is configured, and goes on when it takes', async () => {
    insert = () => Promise.reject(new HopbackError('storage-failed', 'disk full', { retryable: true }));
    const source = await opened();
    await pass(10);
    expect(source.state()).toMatchObject({ isStuck: false });
    await send(source, told).catch(() => undefined);
    await pass(1);
    expect(kindsOf(told)).toEqual([]);
    await pass(2);
    expect(kindsOf(told)).toEqual(['stuck']);
    expect(source.state()).toMatchObject({ isStuck: true });
    insert = async (records) => ({ inserted: records.length, repeated: 0, expired: 0 });
    await send(source, told);
    expect(kindsOf(told)).toEqual(['stuck', 'resumed']);
    expect(source.state()).toMatchObject({ isStuck: false, lastProgressMs: clock.nowMs() });
    expect(source.state()).not.toHaveProperty('oldestUnreadMs');
    await source.close();
    expect(clock.pendingTimers()).toBe(0);
  });

  test('is stuck while its store does not answer, with the time since it waits', async () => {
    let answer: (() => void) | undefined;
    const silence = new Promise<void>((resolve) => (answer = resolve));
    let asked: (() => void) | undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    insert = async (records) => {
      asked?.();
      await silence;
      return { inserted: records.length, repeated: 0, expired: 0 };
    };
    const source = await opened();
    await pass(10);
    const sending = send(source, told);
    await isAsked;
    const sinceMs = clock.nowMs();
    await pass(3);
    expect(kindsOf(told)).toEqual(['stuck']);
    expect(source.state()).toMatchObject({ isStuck: true, oldestUnreadMs: sinceMs });
    answer?.();
    await sending;
    expect(kindsOf(told)).toEqual(['stuck', 'resumed']);
    await source.close();
  });
});
