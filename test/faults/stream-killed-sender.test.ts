import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../harness/src/faults/seeded-random.js';
import { openSegmentLog } from '../../sdk/src/log/index.js';
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
interface Life {
  /** How long it took to open its spool, milliseconds, by the clock and by the processor. */
  readonly opened: RestartTime;
  /** Highest leg that it called durable, and how long after its first record that was. */
  readonly durableLeg: number;
  readonly seconds: number;
}

/** Runs a sender until some while after its first durable record, then kills it. */
async function liveAndDie(
  argv: readonly string[],
  first: number,
  killAfterMs: number,
  packAbove = NEVER,
): Promise<Life> {
  const child = spawn(
    process.execPath,
    [
      ...programBeside('record-sender-process.ts'),
      ...argv,
      String(first),
      String(RECORDS_PER_SECOND),
      '1000000',
      String(packAbove),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
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

/** What the platform has of each life. Behind the last acknowledged record come those whose sync nobody heard of, without a hole. */
function heldAgainst(
  lives: readonly (readonly [first: number, durable: number])[],
  ids: ReadonlySet<string>,
): { readonly acknowledged: number; readonly lost: number; readonly beyond: number } {
  let [acknowledged, lost, beyond] = [0, 0, 0];
  for (const [first, durable] of lives) {
    acknowledged += durable - first + 1;
    for (let leg = first; leg <= durable; leg += 1) if (!ids.has(sampleRecord(leg).recordId)) lost += 1;
    for (let leg = durable + 1; ids.has(sampleRecord(leg).recordId); leg += 1) beyond += 1;
  }
  return { acknowledged, lost, beyond };
}

/** Opens the spool once more, and sends what is in it. */
async function sendTheRest(directory: string, url: string): Promise<void> {
  const last = spawn(process.execPath, [...programBeside('record-sender-process.ts'), directory, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [code] = (await once(last, 'exit')) as [number | null];
  expect(code).toBe(0);
}

/** Sends the rest, and expects that all acknowledged records arrived, in order, each once. */
async function arrivedOnce(
  directory: string,
  receiver: RecordReceiver,
  lives: readonly (readonly [first: number, durable: number])[],
) {
  await sendTheRest(directory, receiver.url);
  const ids = await receiver.ids();
  const report = await receiver.report();
  const { acknowledged, lost, beyond } = heldAgainst(lives, ids);
  // What arrived was acknowledged, or handed in and on disk when the kill came: nothing else, and each of it once.
  expect({ lost, distinct: ids.size }).toEqual({ lost: 0, distinct: acknowledged + beyond });
  expect(report).toMatchObject({ distinct: ids.size, outOfOrder: 0 });
  return { acknowledged, lost, storedTwice: 0, repeatsKnownById: report.repeated, beyondAcknowledged: beyond };
}

test(
  `a sender killed ${KILLS} times at over 500 records/s delivers every record that it acknowledged, once after the check of ids`,
  { timeout: 60_000 + 10_000 * KILLS },
  async () => {
    await using directory = await createTemporaryDirectory();
    await using receiver = await startRecordReceiver();
    const random = createSeededRandom(20_261_125);
    const lives: (readonly [first: number, durable: number])[] = [];
    let first = 1;
    let seconds = 0;
    const restarts: RestartTime[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      // Now and then the platform is down meanwhile, or half broken.
      await receiver.control({ faultRate: [0, 0, 0.3, 1][round % 4] ?? 0, seed: round });
      const life = await liveAndDie([directory.path, receiver.url], first, 100 + random.int(400));
      lives.push([first, life.durableLeg]);
      seconds += life.seconds;
      restarts.push(life.opened);
      // Far past what the killed one can have accepted, so that no leg has two lives.
      first += 1_000_000;
    }
    await receiver.control({ faultRate: 0 });
    const arrived = await arrivedOnce(directory.path, receiver, lives);
    const { acknowledged } = arrived;
    const recordsPerSecond = Math.round(acknowledged / seconds);
    expect(recordsPerSecond).toBeGreaterThanOrEqual(500);
    const restartFigures = withinASecond(restarts);
    reportFault('spool-kill', {
      ...{ kills: KILLS, recordsPerSecond, ...arrived, ...restartFigures },
    });
  },
);

test(
  `a sender killed ${PACKING_KILLS} times while the platform is away and it packs what waits loses nothing that it acknowledged`,
  { timeout: 60_000 + 10_000 * PACKING_KILLS },
  async () => {
    await using directory = await createTemporaryDirectory();
    await using receiver = await startRecordReceiver();
    const random = createSeededRandom(20_261_129);
    const lives: (readonly [first: number, durable: number])[] = [];
    let first = 1;
    let packs = 0;
    for (let round = 0; round < PACKING_KILLS; round += 1) {
      // Now and then it is back for a while, so that a life ends between packs and spool.
      const url = round % 5 === 4 ? receiver.url : AWAY;
      const life = await liveAndDie([directory.path, url], first, 50 + random.int(400), PACK_ABOVE_BYTES);
      lives.push([first, life.durableLeg]);
      first += 1_000_000;
      await using log = await openSegmentLog({ directory: join(directory.path, 'packed') });
      packs = Math.max(packs, log.lastSequence);
    }
    const arrived = await arrivedOnce(directory.path, receiver, lives);
    expect(packs).toBeGreaterThan(PACKING_KILLS);
    reportFault('spool-kill-packing', {
      ...{ kills: PACKING_KILLS, packs, ...arrived },
    });
  },
);
