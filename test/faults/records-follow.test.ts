import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { FileFollower } from '../../sdk/src/records/ingest/follow-files.js';
import type { FollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { FINAL_AFTER_MS } from '../../sdk/src/records/ingest/follow-turn.js';
import { RejectFile, readRejects } from '../../sdk/src/records/ingest/rejects.js';
import { ValueJournal } from '../../sdk/src/log/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createCountingStore, createRejectList, createRowReader, eachOnce } from '../support/followed-rows.js';
import { builtProgram } from '../support/built-program.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { filesWith } from '../support/instant-files.js';
import { createRotatingLog } from '../support/rotating-log.js';
import { legsInLedger, openRowLedger } from '../support/row-ledger.js';
import { testFolder } from '../support/test-folder.js';

const directory = testFolder();

const SEEDS = faultCount({ short: 30, full: 300 });
const LAB_TIMEOUT_MS = 60_000 + 4_000 * SEEDS;

class Killed extends Error {}

function legsIn(path: string): readonly string[] {
  const octets = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(octets) : octets).toString();
  return [...text.matchAll(/^(leg-\d+),/gm)].map(([, leg = '']) => leg);
}

interface LabOptions {
  readonly steps: number;
  /** How likely a process dies at each of its calls. */
  readonly kills: number;
  readonly hasTwoRows?: boolean;
}

/** A log in a directory of its own, and a process after process that follows it. */
function createLab(seed: number, { steps, kills, hasTwoRows = false }: LabOptions) {
  const { next: random } = new SeededRandom(seed, 'follow');
  const path = directory.at(`${seed}`, 'cdr.csv');
  const clock = new ManualClock(Date.now());
  const values = new Map<string, string>();
  const store = createCountingStore();
  const rejects = createRejectList();
  const log = createRotatingLog({
    path,
    random,
    hasTwoRows,
    // Of a row that waits nothing shows in the store.
    isReadTo: (name) => !hasTwoRows && legsIn(join(path, '..', name)).every((leg) => store.times.has(leg)),
  });
  let left = steps;
  /** Set while a process is alive. */
  let isKilled = false;
  const files = (): FollowedFiles =>
    filesWith(() => {
      if (isKilled) throw new Killed();
      while (left > 0 && random() < 0.4) {
        left -= 1;
        log.step();
      }
      if (left > 0 && random() < kills) {
        isKilled = true;
        throw new Killed();
      }
    });
  const start = async (): Promise<FileFollower> => {
    isKilled = false;
    return FileFollower.open({
      sourceId: 'test-switch',
      path,
      reader: createRowReader('csv', { canSave: true }),
      store,
      rejects,
      values: { get: (key) => values.get(key), set: async (key, value) => void values.set(key, value) },
      clock,
      schedule: () => () => undefined,
      batchRecords: 5,
      files: files(),
    });
  };
  return { random, clock, store, rejects, log, start, stepsLeft: () => left, isKilled: () => isKilled };
}

async function runLab(seed: number, options: LabOptions) {
  mkdirSync(directory.at(`${seed}`));
  const lab = createLab(seed, options);
  const follow = async (until: () => boolean): Promise<void> => {
    const follower = await lab.start().catch(() => undefined);
    if (follower === undefined) return;
    while (!until()) {
      await follower.look().catch(() => undefined);
      lab.clock.advance(Math.floor(lab.random() * 20_000));
      if (lab.isKilled()) break;
    }
    await follower.close();
  };
  while (lab.stepsLeft() > 0) await follow(() => lab.stepsLeft() === 0);
  lab.log.finish();
  let looks = 0;
  await follow(() => {
    lab.clock.advance(FINAL_AFTER_MS);
    return (looks += 1) > 4;
  });
  return lab;
}

test.each<readonly [string, LabOptions]>([
  [
    'rotation, truncation, packing and deletion at any instant lose no row and store none twice',
    { steps: 120, kills: 0 },
  ],
  ['a process that dies at any instant loses no row, whatever happens to its files', { steps: 120, kills: 0.02 }],
  ['a process that dies while legs wait for rows restores them', { steps: 120, kills: 0.02, hasTwoRows: true }],
])('%s', { timeout: LAB_TIMEOUT_MS }, async (_claim, options) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { store, rejects, log } = await runLab(seed, options);
    const run = `seed ${seed}: ${log.history().join(' ')}`;
    const expected = eachOnce(0, log.written() - 1);
    expect({ run, legs: new Set(store.times.keys()), rejected: rejects.rows }).toEqual({
      ...{ run, legs: new Set(expected.keys()), rejected: [] },
    });
    if (options.kills === 0) expect({ run, times: store.times }).toEqual({ run, times: expected });
  }
});

const KILLS = faultCount({ short: 20, full: 200 });
const FOLLOWER = fileURLToPath(new URL('../support/follower-process.ts', import.meta.url));

test(
  `a follower killed ${KILLS} times with SIGKILL, while its log grows and rotates: every row is stored once`,
  { timeout: 60_000 + 10_000 * KILLS },
  async () => {
    const ledger = directory.at('ledger');
    const path = directory.at('log', 'cdr.csv');
    mkdirSync(directory.at('log'));
    const { next: random } = new SeededRandom(1, 'kill');
    let stored = new Set<string>();
    const isReadTo = (name: string): boolean => legsIn(directory.at('log', name)).every((leg) => stored.has(leg));
    const log = createRotatingLog({ path, random, isReadTo, burst: 20 });
    const switchAtWork = setInterval(() => {
      stored = new Set(legsInLedger(ledger));
      log.step();
    }, 5);
    const grown: number[] = [];
    try {
      for (let round = 0; round < KILLS; round += 1) {
        const before = legsInLedger(ledger).length;
        await killedFollower(round % 2 === 0 ? 'following' : 'stored', Math.floor(random() * 100));
        grown.push(legsInLedger(ledger).length - before);
      }
    } finally {
      clearInterval(switchAtWork);
    }
    log.finish();
    await followToTheEnd(ledger, path);
    const legs = legsInLedger(ledger);
    expect(legs.length).toBe(new Set(legs).size);
    expect(new Set(legs)).toEqual(new Set(eachOnce(0, log.written() - 1).keys()));
    const rejected = [];
    for await (const row of readRejects(directory.at('rejects.ndjson'))) rejected.push(row);
    expect(rejected).toEqual([]);
    // A kill that comes before anything was read proves little.
    expect(grown.filter((rows) => rows > 0).length).toBeGreaterThanOrEqual(KILLS / 2);
    reportFault('tail-kill', { kills: KILLS, rows: log.written(), stored: legs.length, missing: 0, storedTwice: 0 });
  },
);

/** Starts a follower and kills it so many milliseconds after it has begun, or has stored its first rows. */
async function killedFollower(after: 'following' | 'stored', afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [builtProgram(FOLLOWER), directory.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.includes(after)) timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await once(child, 'close');
  expect(said).not.toContain('failed');
  expect(child.signalCode).toBe('SIGKILL');
}

/** One more follower, which is left to finish. */
async function followToTheEnd(ledger: string, path: string): Promise<void> {
  const clock = new ManualClock(Date.now());
  const store = openRowLedger(ledger);
  await using values = await ValueJournal.open({ directory: directory.at('values') });
  await using rejects = await RejectFile.open({ path: directory.at('rejects.ndjson') });
  await using follower = await FileFollower.open({
    sourceId: 'test-switch',
    path,
    reader: createRowReader(),
    store,
    rejects,
    values,
    clock,
    schedule: () => () => undefined,
  });
  for (let looks = 0; looks < 4; looks += 1) {
    await follower.look();
    clock.advance(FINAL_AFTER_MS);
  }
  store.close();
}
