import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { SegmentLog } from '../../sdk/src/log/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { programBeside, startRecordReceiver, type RecordReceiver } from '../support/record-receiver.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { withinASecond, type RestartTime } from '../support/restart-time.js';
import { sampleRecord } from '../support/stream-lab.js';

const KILLS = faultCount({ short: 50, full: 1_000 });
const PACKING_KILLS = faultCount({ short: 20, full: 500 });

/** Twice what is asked for, so that a busy machine still comes to 500/s. */
const RECORDS_PER_SECOND = 1_000;

/** What a sender packs above, octets, where it packs nothing. */
const NEVER = Number.MAX_SAFE_INTEGER;
/** Some dozens of records. */
const PACK_ABOVE_BYTES = 32_768;
/** Where nobody listens. */
const AWAY = 'http://127.0.0.1:1/v1/records';

/** What one sender said before it was killed. */
type Life = Awaited<ReturnType<typeof liveAndDie>>;

/** A sender on a spool: where it sends, and what it packs above. */
interface Sender {
  readonly directory: string;
  readonly url: string;
  readonly packAbove?: number;
}

/** Runs a sender until some while after its first durable record, then kills it. */
async function liveAndDie({ directory, url, packAbove = NEVER }: Sender, first: number, killAfterMs: number) {
  const argv = [directory, url, ...[first, RECORDS_PER_SECOND, 1_000_000, packAbove].map(String)];
  const child = spawn(process.execPath, [...programBeside('record-sender-process.ts'), ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  let opened: RestartTime = { tookMs: Number.NaN, processorMs: Number.NaN };
  let durableLeg = first - 1;
  let firstMs: number | undefined;
  let lastMs = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, value, processorMs] = line.split(' ');
    if (word === 'ready') opened = { tookMs: Number(value), processorMs: Number(processorMs) };
    if (word !== 'durable') continue;
    if (firstMs === undefined) {
      firstMs = performance.now();
      setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    }
    lastMs = performance.now();
    durableLeg = Math.max(durableLeg, Number(value));
  }
  const [, signal] = (await exit) as [number | null, NodeJS.Signals | null];
  expect(signal).toBe('SIGKILL');
  return { opened, durableLeg, seconds: (lastMs - (firstMs ?? lastMs)) / 1_000 };
}

/** Runs and kills senders one after the other, then sends the rest: all acknowledged records must have arrived, in order, each once. */
async function killedSenders(
  kills: number,
  sender: (
    round: number,
    receiver: RecordReceiver,
    directory: string,
  ) => Promise<Sender & { readonly killAfterMs: number }>,
) {
  await using directory = await createTemporaryDirectory();
  await using receiver = await startRecordReceiver();
  const lives: (Life & { readonly first: number })[] = [];
  for (let round = 0; round < kills; round += 1) {
    // Far past what the one before can have accepted, so that no leg has two lives.
    const first = 1 + round * 1_000_000;
    const { killAfterMs, ...parts } = await sender(round, receiver, directory.path);
    lives.push({ first, ...(await liveAndDie(parts, first, killAfterMs)) });
  }
  await receiver.control({ faultRate: 0 });
  const argv = [...programBeside('record-sender-process.ts'), directory.path, receiver.url];
  const last = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  expect(await once(last, 'exit')).toEqual([0, null]);
  const ids = await receiver.ids();
  const report = await receiver.report();
  let [acknowledged, lost, beyondAcknowledged] = [0, 0, 0];
  for (const { first, durableLeg } of lives) {
    acknowledged += durableLeg - first + 1;
    for (let leg = first; leg <= durableLeg; leg += 1) if (!ids.has(sampleRecord(leg).recordId)) lost += 1;
    // Behind the last acknowledged record come those whose sync was not reported, without a gap.
    for (let leg = durableLeg + 1; ids.has(sampleRecord(leg).recordId); leg += 1) beyondAcknowledged += 1;
  }
  expect({ lost, distinct: ids.size }).toEqual({ lost: 0, distinct: acknowledged + beyondAcknowledged });
  expect(report).toMatchObject({ distinct: ids.size, outOfOrder: 0 });
  const figures = { acknowledged, lost, storedTwice: 0, repeatsKnownById: report.repeated, beyondAcknowledged };
  return { lives, figures };
}

test(
  `a sender killed ${KILLS} times at over 500 records/s delivers every record that it acknowledged, once after the check of ids`,
  { timeout: 60_000 + 10_000 * KILLS },
  async () => {
    const random = new SeededRandom(20_261_125);
    const { lives, figures } = await killedSenders(KILLS, async (round, receiver, directory) => {
      // In some rounds the platform is down, or partly broken.
      await receiver.control({ faultRate: [0, 0, 0.3, 1][round % 4] ?? 0, seed: round });
      return { directory, url: receiver.url, killAfterMs: 100 + random.int(400) };
    });
    const seconds = lives.reduce((sum, life) => sum + life.seconds, 0);
    const recordsPerSecond = Math.round(figures.acknowledged / seconds);
    expect(recordsPerSecond).toBeGreaterThanOrEqual(500);
    const restartFigures = withinASecond(lives.map(({ opened }) => opened));
    reportFault('spool-kill', { kills: KILLS, recordsPerSecond, ...figures, ...restartFigures });
  },
);

test(
  `a sender killed ${PACKING_KILLS} times while the platform is away and it packs what waits loses nothing that it acknowledged`,
  { timeout: 60_000 + 10_000 * PACKING_KILLS },
  async () => {
    const random = new SeededRandom(20_261_129);
    let packs = 0;
    const { figures } = await killedSenders(PACKING_KILLS, async (round, receiver, directory) => {
      if (round > 0) {
        await using log = await SegmentLog.open({ directory: join(directory, 'packed') });
        packs = Math.max(packs, log.lastSequence);
      }
      // In some rounds the platform is back, so that a life ends between packs and spool.
      const url = round % 5 === 4 ? receiver.url : AWAY;
      return { directory, url, packAbove: PACK_ABOVE_BYTES, killAfterMs: 50 + random.int(400) };
    });
    expect(packs).toBeGreaterThan(PACKING_KILLS);
    reportFault('spool-kill-packing', { kills: PACKING_KILLS, packs, ...figures });
  },
);
