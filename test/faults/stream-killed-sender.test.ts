import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../harness/src/faults/seeded-random.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { programBeside, startRecordReceiver } from '../support/record-receiver.js';
import { sampleRecord } from '../support/stream-lab.js';

const ROUNDS = 20 * Number(process.env['HOPBACK_FAULT_ROUNDS'] ?? '1');

/** Twice what is asked for, so that a busy machine still comes to 500/s. */
const RECORDS_PER_SECOND = 1_000;

/** What one sender said before it was killed. */
interface Life {
  /** How long it took to open its spool, milliseconds. */
  readonly openedMs: number;
  /** Highest leg that it called durable, and how long after its first record that was. */
  readonly durableLeg: number;
  readonly seconds: number;
}

/** Runs a sender until some while after its first durable record, then kills it. */
async function liveAndDie(argv: readonly string[], first: number, killAfterMs: number): Promise<Life> {
  const child = spawn(
    process.execPath,
    [...programBeside('record-sender-process.ts'), ...argv, String(first), String(RECORDS_PER_SECOND), '1000000'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exit = once(child, 'exit');
  let openedMs = Number.NaN;
  let durableLeg = first - 1;
  let firstMs: number | undefined;
  let lastMs = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, value] = line.split(' ');
    if (word === 'ready') openedMs = Number(value);
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
  return { openedMs, durableLeg, seconds: (lastMs - (firstMs ?? lastMs)) / 1_000 };
}

test(
  `a sender killed ${ROUNDS} times at over 500 records/s delivers every record that it acknowledged, once after the check of ids`,
  { timeout: 10_000 * ROUNDS },
  async () => {
    await using directory = await createTemporaryDirectory();
    await using receiver = await startRecordReceiver();
    const random = createSeededRandom(20_261_125);
    const acknowledged: number[] = [];
    let first = 1;
    let seconds = 0;
    let slowestMs = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      // Now and then the platform is down meanwhile, or half broken.
      await receiver.control({ faultRate: [0, 0, 0.3, 1][round % 4] ?? 0, seed: round });
      const life = await liveAndDie([directory.path, receiver.url], first, 100 + random.int(400));
      for (let leg = first; leg <= life.durableLeg; leg += 1) acknowledged.push(leg);
      seconds += life.seconds;
      slowestMs = Math.max(slowestMs, life.openedMs);
      // Far past what the killed one can have accepted, so that no leg has two lives.
      first += 1_000_000;
    }
    await receiver.control({ faultRate: 0 });
    const last = spawn(process.execPath, [...programBeside('record-sender-process.ts'), directory.path, receiver.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [code] = (await once(last, 'exit')) as [number | null];
    expect(code).toBe(0);
    const ids = await receiver.ids();
    const report = await receiver.report();
    const lost = acknowledged.filter((leg) => !ids.has(sampleRecord(leg).recordId));
    expect({ lost: lost.length, distinct: ids.size }).toEqual({ lost: 0, distinct: report.distinct });
    expect(report.outOfOrder).toBe(0);
    expect(acknowledged.length / seconds).toBeGreaterThanOrEqual(500);
    expect(slowestMs).toBeLessThan(1_000);
    console.log(
      `killed ${ROUNDS} times: ${acknowledged.length} records acknowledged at ${Math.round(acknowledged.length / seconds)}/s, 0 lost; ` +
        `${report.repeated} came again and were known by their ids; the slowest restart took ${slowestMs} ms`,
    );
  },
);
