import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { peer, testPeer } from '../peers.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hopback-drop-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const EXPIRER = fileURLToPath(new URL('../support/record-store-expirer.mjs', import.meta.url));
const DAY_US = 86_400_000_000;
const MINUTE_US = 60_000_000;
const DAYS = 4;
const RECORDS_A_DAY = 10;
/** Two days go as files, the first half of the third by its rows. */
const BEFORE_US = NOON_US + 2 * DAY_US;
const ALL = { fromUs: NOON_US - DAY_US, toUs: NOON_US + DAYS * DAY_US };

/** Half of each day's records before noon, half after. */
const RECORDS: readonly CallRecord[] = Array.from({ length: DAYS * RECORDS_A_DAY }, (_, index) => {
  const minute = (index % RECORDS_A_DAY) - RECORDS_A_DAY / 2;
  return sampleRecord(index, NOON_US + Math.floor(index / RECORDS_A_DAY) * DAY_US + minute * MINUTE_US);
});
const HELD = RECORDS[3]!;
const KEPT = RECORDS.filter(({ inviteAtUs }) => inviteAtUs >= BEFORE_US);
const GIVEN_UP = RECORDS.filter((record) => record.inviteAtUs < BEFORE_US && record !== HELD);

/** A store as a kill leaves it: what came last is in DuckDB's logs alone. */
async function makeStore(directory: string): Promise<void> {
  const living = join(folder, 'living');
  await using store = await openDuckDbRecordStore({ directory: living });
  await store.insert(RECORDS);
  await store.cover({ sourceId: 'sbc-1', ...ALL });
  await store.hold({ query: { window: ALL, recordId: HELD.recordId }, reason: 'a demand' });
  cpSync(living, directory, { recursive: true });
}

/** A system call on a file of the store, and which of its kind on that file it is. */
interface FileOperation {
  readonly call: string;
  readonly path: string;
  readonly occurrence: number;
}

/** Of the operations that remove no file, each so many-th. */
const STRIDE = faultCount({ short: 3, full: 1 });

const CALLS = ['write', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'rename'];

function expirer(directory: string, options: readonly string[]): ReturnType<typeof spawnSync> {
  return spawnSync(
    peer('strace').path,
    ['-f', '-y', '-s', '0', ...options, process.execPath, EXPIRER, directory, String(BEFORE_US)],
    // Counts are those of a thread: all file operations are to be of one.
    { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
  );
}

/** Every change of a file from opening the store to having closed it, in order. */
function operationsOf(directory: string): readonly FileOperation[] {
  const trace = join(folder, 'trace');
  expect(expirer(directory, ['-e', `trace=${CALLS.join(',')}`, '-o', trace])).toMatchObject({ stdout: 'closed\n' });
  const seen = new Map<string, number>();
  const operations: FileOperation[] = [];
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    const [, call = '', path = ''] = /^\d+ +(\w+)\((?:\d+<|")([^>"]+)/.exec(line) ?? [];
    if (!path.startsWith(`${directory}/`)) continue;
    const occurrence = (seen.get(`${call} ${path}`) ?? 0) + 1;
    seen.set(`${call} ${path}`, occurrence);
    operations.push({ call, path, occurrence });
  }
  return operations;
}

async function isThere(store: RecordStore, record: CallRecord): Promise<boolean> {
  const { records } = await store.find({ window: ALL, recordId: record.recordId });
  if (records.length > 0) expect(records).toEqual([record]);
  return records.length > 0;
}

/** What has to be true of a store whose process was killed while it gave up old records. */
async function expectWhole(directory: string): Promise<void> {
  await using store = await openDuckDbRecordStore({ directory });
  for (const record of [...KEPT, HELD]) expect(await isThere(store, record)).toBe(true);
  for (const record of GIVEN_UP) {
    if (await isThere(store, record)) continue;
    // Of what is gone nobody may say "not found".
    const window = { fromUs: record.inviteAtUs, toUs: record.inviteAtUs };
    expect(await store.coverage(window)).toEqual([]);
  }
  await store.expire(BEFORE_US);
  expect(await store.statistics()).toMatchObject({ records: KEPT.length, partitions: 2 });
  for (const record of GIVEN_UP) expect(await isThere(store, record)).toBe(false);
  expect(await isThere(store, HELD)).toBe(true);
  expect(await store.insert(KEPT)).toEqual({ inserted: 0, repeated: KEPT.length, expired: 0 });
}

testPeer(
  'strace',
  'killed before each file operation of dropping days: what is kept or held is there, and nothing that is gone counts as covered',
  async () => {
    const made = join(folder, 'made');
    await makeStore(made);
    const work = join(folder, 'work');
    const fresh = (): void => {
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work);
      cpSync(made, work, { recursive: true });
    };
    fresh();
    const operations = operationsOf(work);
    expect(operations.filter(({ call }) => call === 'unlink').length).toBeGreaterThanOrEqual(4);
    const killedAt = operations.filter(({ call }, index) => call === 'unlink' || index % STRIDE === 0);
    for (const { call, path, occurrence } of killedAt) {
      fresh();
      const inject = `inject=${call}:signal=SIGKILL:when=${occurrence}`;
      const killed = expirer(work, ['-P', path, '-e', `trace=${call}`, '-e', inject, '-o', join(folder, 'trace')]);
      expect({ call, path, stdout: killed.stdout }).toEqual({ call, path, stdout: '' });
      await expectWhole(work);
    }
    expect(readdirSync(join(work, 'days')).filter((name) => name.endsWith('.duckdb'))).toHaveLength(2);
    reportFault('partition-drop-kill-between-operations', {
      ...{ operations: operations.length, kills: killedAt.length },
      ...{ keptLost: 0, heldLost: 0, goneButCovered: 0 },
    });
  },
  { timeout: 300_000 },
);
