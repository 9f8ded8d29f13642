import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import { createSeededRandom } from '../../harness/src/faults/seeded-random.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { builtProgram } from '../support/built-program.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { keptLog, liveSample, openFeed, rememberingListener, SAMPLES_MS } from '../support/itg-live-records.js';

const ROUNDS = faultCount({ short: 6, full: 100 });
const BATCHES_PER_ROUND = 200;
const SIZE = 20;
const VICTIM = fileURLToPath(new URL('../support/itg-live-victim.ts', import.meta.url));

/** Runs the victim until so many batches are acknowledged. @returns those that were */
async function killedVictim(directory: string, first: number, killAfter: number): Promise<readonly number[]> {
  const argv = [builtProgram(VICTIM), directory, String(first), String(first + BATCHES_PER_ROUND)];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, batch] = line.split(' ');
    if (word === 'acknowledged') acknowledged.push(Number(batch));
    if (acknowledged.length >= killAfter || word === 'closing') child.kill('SIGKILL');
  }
  await exited;
  return acknowledged;
}

test('after kill -9 every acknowledged record is there once, and is told to who listens', async () => {
  await using directory = await createTemporaryDirectory();
  const seed = Date.now() % 1_000_000;
  const random = createSeededRandom(seed);
  const acknowledged = new Set<number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = round * BATCHES_PER_ROUND;
    const killAfter = 1 + Math.floor(random.next() * BATCHES_PER_ROUND);
    for (const batch of await killedVictim(directory.path, first, killAfter)) acknowledged.add(batch);
  }
  const log = keptLog();
  await using feed = await openFeed(directory.path, log);
  // One that never listened before hears all that the log still has.
  const listener = rememberingListener();
  feed.listen('late', listener);
  await feed.told();
  const found = new Map<string, number>();
  const all: LiveRecord[] = [];
  for (let part = 0; ; part += 1) {
    const [fromMs, toMs] = [SAMPLES_MS + part * 2, SAMPLES_MS + (part + 1) * 2];
    const { records, isCut } = await feed.reader.find({ fromMs, toMs, limit: 5_000 });
    expect(isCut).toBe(false);
    all.push(...records);
    if (records.length === 0 && part * 2_000 > ROUNDS * BATCHES_PER_ROUND * SIZE) break;
  }
  for (const { providerId, record } of all)
    found.set(`${providerId} ${record.recordId}`, (found.get(`${providerId} ${record.recordId}`) ?? 0) + 1);
  const heard = new Set(listener.heard.map(({ providerId, record }) => `${providerId} ${record.recordId}`));
  let lost = 0;
  let untold = 0;
  for (const batch of acknowledged)
    for (let index = 0; index < SIZE; index += 1) {
      const key = `carrier-${batch % 3} ${liveSample(batch * SIZE + index).recordId}`;
      if (!found.has(key)) lost += 1;
      if (!heard.has(key)) untold += 1;
    }
  const doubled = [...found.values()].filter((count) => count > 1).length;
  expect({ seed, lost, doubled, untold, log: log.lines }).toEqual({ seed, lost: 0, doubled: 0, untold: 0, log: [] });
  reportFault('live-records-kill', {
    ...{ seed, kills: ROUNDS, acknowledged: acknowledged.size * SIZE, stored: found.size, lost, doubled, untold },
  });
}, 600_000);
