import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ValueJournal } from '../../sdk/src/log/index.js';
import { FileFollower } from '../../sdk/src/records/ingest/follow-files.js';
import { FINAL_AFTER_MS } from '../../sdk/src/records/ingest/follow-turn.js';
import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { createRejectList, createRowReader, FIRST_ROW_US, rowText } from '../support/followed-rows.js';
import { filesWith } from '../support/instant-files.js';
import { createSimulatedLogFiles, type Crash, type SimulatedLogFiles } from '../support/simulated-log-files.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();

const CRASHES: readonly Crash[] = ['process', 'power', 'names', 'torn'];
const NEVER = Number.POSITIVE_INFINITY;
const SOURCE = 'test-switch';

/** A process that dies before one of its operations: of files that it follows, of the store, and of the log with its places. */
type Mortal = Awaited<ReturnType<typeof mortal>>;

function mortal(operationsLeft: number, disk: SimulatedLogFiles) {
  let operations = 0;
  const dies = (): boolean => {
    if (operations >= operationsLeft) {
      // No refusal of the disk: what was written stays as it is.
      disk.killAfter(0);
      return true;
    }
    operations += 1;
    return false;
  };
  disk.setFault(() => (dies() ? 'EKILLED' : undefined));
  return { dies, operations: () => operations };
}

/** The store of a process that may die before a change is made, and after it was made and before anybody heard of it. */
function storeOf(store: RecordStore, { dies }: Mortal): Pick<RecordStore, 'insert' | 'cover'> {
  const around = async <Value>(change: () => Promise<Value>): Promise<Value> => {
    if (dies()) throw new Error('killed');
    const value = await change();
    if (dies()) throw new Error('killed');
    return value;
  };
  return {
    insert: (records) => around(() => store.insert(records)),
    cover: (interval) => around(() => store.cover(interval)),
  };
}

/** A switch that writes six rows, rotates, and writes six more: what it has written is there whoever dies. */
function createSwitch(directory: string): { readonly step: () => boolean; readonly path: string } {
  const path = join(directory, 'cdr.csv');
  const rows = (from: number, to: number): string =>
    Array.from({ length: to - from + 1 }, (_, at) => `${rowText(from + at)}\n`).join('');
  const steps = [
    () => appendFileSync(path, rows(1, 3)),
    () => appendFileSync(path, rows(4, 6)),
    () => renameSync(path, `${path}.1`),
    () => appendFileSync(path, rows(7, 9)),
    () => appendFileSync(path, rows(10, 12)),
  ];
  const step = (): boolean => {
    steps.shift()?.();
    return steps.length > 0;
  };
  return { path, step };
}

const ROWS = 12;

/** Of a dead process every attempt is refused at once, so that whoever waits for one is told. */
function soon(callback: () => void): () => void {
  const immediate = setImmediate(callback);
  return () => clearImmediate(immediate);
}

interface World {
  readonly store: RecordStore;
  readonly clock: ManualClock;
  readonly path: string;
  readonly rejects: ReturnType<typeof createRejectList>;
}

/** One life of a follower; `between` runs before each look and says whether there is to be another. Never rejects when it is killed. */
async function life(world: World, disk: SimulatedLogFiles, after: number, between: () => boolean): Promise<number> {
  const process = mortal(after, disk);
  const { clock, path, rejects } = world;
  const schedule = (): (() => void) => () => undefined;
  const journal = await ValueJournal.open({ directory: '/values', files: disk, clock, schedule: soon }).catch(
    () => undefined,
  );
  if (journal === undefined) return process.operations();
  const follower = await FileFollower.open({
    ...{ sourceId: SOURCE, path, reader: createRowReader(), rejects, clock, schedule },
    store: storeOf(world.store, process),
    values: journal,
    files: filesWith(() => {
      if (process.dies()) throw new Error('killed');
    }),
  }).catch(() => undefined);
  for (let goesOn = follower !== undefined; goesOn;) {
    goesOn = between();
    await follower?.look().catch(() => undefined);
  }
  await follower?.close();
  await journal.close().catch(() => undefined);
  return process.operations();
}

interface Death {
  readonly after: number;
  /** Of the process that comes next: it is killed too. */
  readonly again: number;
  readonly crash: Crash;
}

/** Two processes die, a third reads to the end. @returns operations of the first, and records that came again */
async function lives(name: string, { after, again, crash }: Death): Promise<{ operations: number; repeated: number }> {
  const directory = folder.at(name);
  mkdirSync(directory);
  const clock = new ManualClock(FIRST_ROW_US / 1_000);
  const { path, step } = createSwitch(directory);
  const kept = createMemoryRecordStore({ clock });
  const legs = new Set<string>();
  let repeated = 0;
  const store: RecordStore = {
    ...kept,
    insert: async (records) => {
      const result = await kept.insert(records);
      repeated += result.repeated;
      for (const { legId } of records) legs.add(legId);
      return result;
    },
  };
  const world: World = { store, clock, path, rejects: createRejectList() };
  const disk = createSimulatedLogFiles();
  const operations = await life(world, disk, after, step);
  // The switch goes on, whoever dies.
  while (step());
  const second = disk.afterCrash(crash);
  await life(world, second, again, () => false);
  let looks = 0;
  await life(world, second.afterCrash(crash), NEVER, () => {
    clock.advance(FINAL_AFTER_MS);
    return (looks += 1) < 4;
  });
  const { records } = await kept.statistics();
  expect({ after, again, crash, legs: legs.size, records, rejected: world.rejects.rows }).toEqual({
    ...{ after, again, crash, legs: ROWS, records: ROWS, rejected: [] },
  });
  rmSync(directory, { recursive: true });
  return { operations, repeated };
}

/** How many operations the next process does before it dies as well. */
const AGAIN = faultCount({ short: 3, full: 40 });

test(
  'killed between every pair of file operations of a follower, its store and its places, and again by the next: each row is stored once',
  { timeout: 120_000 + 20_000 * AGAIN },
  async () => {
    const { operations } = await lives('whole', { after: NEVER, again: NEVER, crash: 'process' });
    expect(operations).toBeGreaterThan(40);
    let [kills, repeated] = [0, 0];
    for (let after = 0; after <= operations; after += 1) {
      for (const crash of CRASHES) {
        for (let turn = 0; turn < AGAIN; turn += 1) {
          // Spread over what a process does until its first look is through.
          const again = AGAIN > 3 ? turn : (after * 7 + turn * 13) % 40;
          repeated += (await lives(`${after}-${crash}-${turn}`, { after, again, crash })).repeated;
          kills += 2;
        }
      }
    }
    reportFault('tail-kill-between-operations', {
      ...{ operations, kills, rowsMissing: 0, storedTwice: 0, repeatsKnownById: repeated },
    });
  },
);
