import { appendFile, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { FINAL_AFTER_MS } from '../../sdk/src/records/ingest/follow-turn.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { importFiles } from '../../sdk/src/records/ingest/import-files.js';
import { createFollowLab, type FollowLab } from '../support/follow-lab.js';
import {
  createCountingStore,
  createRejectList,
  createRowReader,
  eachOnce,
  rowLines as rows,
} from '../support/followed-rows.js';
import { isEnded, writeOld, writePackedOld } from '../support/packed-records.js';

/** Rows whose packed form has several pieces of 4,096 octets and of 256 KiB. */
const MANY_ROWS = 90_000;

let { directory, log: path, clock, store, notices, append, lookAfter, follow } = {} as FollowLab;
beforeEach(async () => {
  const lab = await createFollowLab();
  ({ directory, log: path, clock, store, notices, append, lookAfter, follow } = lab);
  return lab.end;
});

test('a follower that is closed, and an import that is aborted, in the middle of a large packed file end', async () => {
  await writePackedOld(`${path}.1.gz`, Buffer.from(rows(0, MANY_ROWS)));
  let inserted: (() => void) | undefined;
  const isInserting = new Promise<void>((resolve) => (inserted = resolve));
  const follower = await follow({ batchRecords: 10, store: createCountingStore(() => inserted?.()) });
  expect(await isEnded(isInserting)).toBe(true);
  expect(await isEnded(follower.close())).toBe(true);
  const stop = new AbortController();
  const importing = importFiles([`${path}.1.gz`], {
    ...{ sourceId: 'test-switch', reader: createRowReader(), rejects: createRejectList(), batchRecords: 10 },
    ...{ store: createCountingStore(() => stop.abort()), signal: stop.signal },
  }).catch((error: unknown) => error);
  expect(await isEnded(importing)).toBe(true);
  expect(await importing).toMatchObject({ name: 'AbortError' });
});

/** Members that hold nothing, 2 MiB of them: eight pieces that are read from the disk. */
const NOTHING = Buffer.concat(Array.from({ length: 104_858 }, () => gzipSync('')));

test('a follower that is closed in the middle of a packed file without content reads no further', async () => {
  await writeOld(`${path}.1.gz`, NOTHING);
  let reads = 0;
  let closing: Promise<void> | undefined;
  const { names, facts, open } = nodeFollowedFiles;
  const follower = await follow({
    files: {
      names,
      facts,
      async open(name) {
        const file = await open(name);
        if (file === undefined) return undefined;
        const read: typeof file.read = (...place) => {
          reads += 1;
          closing ??= reads === 6 ? follower.close() : undefined;
          return file.read(...place);
        };
        return { ...file, read };
      },
    },
  });
  await follower.look();
  await closing;
  expect(reads).toBe(6);
});

test('an import of a packed file without content lets others have their turn, and asks after each read whether it is aborted', async () => {
  await writeOld(`${path}.1.gz`, NOTHING);
  const imported = (signal?: AbortSignal): Promise<unknown> =>
    importFiles([`${path}.1.gz`], {
      ...{ sourceId: 'test-switch', reader: createRowReader(), store: createCountingStore() },
      ...{ rejects: createRejectList(), ...(signal && { signal }) },
    }).catch((error: unknown) => error);
  let turns = 0;
  let isRunning = true;
  const turn = (): void => {
    turns += 1;
    if (isRunning) setImmediate(turn);
  };
  turn();
  expect(await imported()).toMatchObject({ files: [{ status: 'imported' }] });
  isRunning = false;
  expect(turns).toBeGreaterThan(100);
  const stop = new AbortController();
  let asked = 0;
  stop.signal.throwIfAborted = () => {
    asked += 1;
    if (asked === 3) stop.abort();
    AbortSignal.prototype.throwIfAborted.call(stop.signal);
  };
  expect(await imported(stop.signal)).toMatchObject({ name: 'AbortError' });
});

type Names = (rotation: number) => { readonly renamed?: string; readonly packed: string };
const ROTATIONS: readonly (readonly [string, Names])[] = [
  [
    'name.1, then name.2.gz, as logrotate does with delaycompress',
    (n) => ({ renamed: `cdr.csv.${n}`, packed: `cdr.csv.${n + 1}.gz` }),
  ],
  ['name.1.gz at once', (n) => ({ packed: `cdr.csv.${n}.gz` })],
  [
    'name-DATE, then name-DATE.gz, as logrotate does with dateext',
    (n) => ({ renamed: `cdr.csv-2026112${n}`, packed: `cdr.csv-2026112${n}.gz` }),
  ],
];

test.each(ROTATIONS)('no row is lost or doubled where files of 1 MB are rotated as %s', async (_, namesOf) => {
  const follower = await follow();
  const look = async (): Promise<void> => expect(await isEnded(follower.look())).toBe(true);
  const share = MANY_ROWS / 3;
  for (const n of [1, 2, 3]) {
    await appendFile(path, rows((n - 1) * share, n * share - 1));
    if (n !== 2) await look();
    const { renamed, packed } = namesOf(n);
    if (renamed !== undefined) {
      await rename(path, join(directory, renamed));
      await look();
    }
    const from = renamed === undefined ? path : join(directory, renamed);
    const content = gzipSync(await readFile(from), { level: 1 });
    expect(content.length).toBeGreaterThan(65_536);
    await writeOld(join(directory, packed), content);
    await unlink(from);
    clock.advance(FINAL_AFTER_MS);
    await look();
  }
  clock.advance(FINAL_AFTER_MS);
  await look();
  expect(store.times).toEqual(eachOnce(0, MANY_ROWS - 1));
  expect(notices).toEqual([]);
});

test('a damaged packed file that begins as another one does is not taken for it: all that can be unpacked is read', async () => {
  // The first 1,024 octets are the same, as with a long head row, and the fault comes before the place of the file that was read.
  const common = rows(0, 200);
  expect(common.length).toBeGreaterThan(1_024);
  await writePackedOld(`${path}.3.gz`, Buffer.from(common + rows(1_000, 4_000)));
  const follower = await follow();
  expect(await isEnded(follower.look())).toBe(true);
  const whole = gzipSync(Buffer.from(common + rows(5_000, 5_300)));
  await writeOld(`${path}.2.gz`, Buffer.concat([whole, Buffer.from('trailing')]));
  expect(await isEnded(follower.look())).toBe(true);
  const missing = Array.from({ length: 301 }, (_, at) => `leg-${5_000 + at}`).filter((leg) => !store.times.has(leg));
  expect(missing).toEqual([]);
  expect(notices.map(({ kind }) => kind)).toEqual(['damaged']);
});

/** Of three members the second has a checksum or a length that is not that of its content. */
const DAMAGES: readonly (readonly [string, number, (second: Buffer) => Buffer])[] = [
  ['checksum', 3_000, (second) => changed(second, second.length - 8)],
  ['length', 3_000, (second) => changed(second, second.length - 4)],
  ['checksum, where members are small,', 3, (second) => changed(second, second.length - 8)],
  ['checksum, where members are streamed in several pieces,', 30_000, (second) => changed(second, second.length - 8)],
];

function changed(octets: Buffer, at: number): Buffer {
  const copy = Buffer.from(octets);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

test.each(DAMAGES)('a member whose %s is wrong is reported once with its %i rows', async (_, count, damage) => {
  const second = gzipSync(rows(100, 99 + count));
  await writeOld(
    `${path}.1.gz`,
    Buffer.concat([gzipSync(rows(0, 99)), damage(second), gzipSync(rows(90_000, 90_009))]),
  );
  const follower = await follow();
  for (let look = 0; look < 3; look += 1) {
    await follower.look();
    clock.advance(FINAL_AFTER_MS);
  }
  const damaged = { member: 2, rows: count };
  expect(notices).toMatchObject([{ kind: 'damaged', path: `${path}.1.gz`, cause: { code: 'gzip-damaged', damaged } }]);
  expect(String(notices[0]?.cause)).toContain(`member 2, ${String(count)} rows of which`);
  expect(store.times).toEqual(eachOnce(0, 99 + count));
  await follower.close();
  const imported = await importFiles([`${path}.1.gz`], {
    ...{ sourceId: 'test-switch', reader: createRowReader() },
    ...{ store: createCountingStore(), rejects: createRejectList() },
  });
  expect(imported.files).toMatchObject([{ status: 'damaged', damaged }]);
  expect(imported.rows).toBe(100 + count);
});

test('rows of a damaged member that came in while its file grew are counted with those that came later', async () => {
  const whole = gzipSync(rows(0, 9_999));
  await writeOld(`${path}.1.gz`, whole.subarray(0, 20_000));
  const follower = await follow();
  await follower.look();
  const before = store.times.size;
  expect(notices).toMatchObject([{ kind: 'damaged', cause: { damaged: { member: 1, rows: before } } }]);
  await append(follower, whole.subarray(20_000, whole.length - 4), `${path}.1.gz`);
  await lookAfter(follower, 2 * FINAL_AFTER_MS);
  expect(store.times).toEqual(eachOnce(0, 9_999));
  expect(notices.slice(1)).toMatchObject([{ kind: 'damaged', cause: { damaged: { member: 1, rows: 10_000 } } }]);
});

test('an empty packed file is read, and files that are damaged from the first octet or not gzip are reported once', async () => {
  await writeOld(`${path}.3.gz`, gzipSync(''));
  await writeOld(`${path}.2.gz`, Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(4_000, 0xa5)]));
  // Every octet occurs, and it is the same in each run.
  const random = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7_919 + (at >> 8) * 104_729 + 5) & 0xff);
  await writeOld(`${path}.1.gz`, random);
  const follower = await follow();
  for (let look = 0; look < 3; look += 1) expect(await isEnded(follower.look())).toBe(true);
  expect(notices.map(({ kind }) => kind).sort()).toEqual(['damaged', 'not-gzip']);
  expect(follower.statistics()).toMatchObject({ unreadFiles: 0, rejected: 0 });
  // Once its content is replaced it is read.
  await writeOld(`${path}.1.gz`, gzipSync(rows(0, 9)));
  await follower.look();
  expect(follower.statistics()).toMatchObject({ rows: 10 });
});
