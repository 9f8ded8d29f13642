import { appendFile, open, readdir, readFile, stat, type FileHandle } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi, type MockInstance } from 'vitest';
import { RejectFile, readRejects, type RejectedRow } from '../../sdk/src/records/ingest/rejects.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();
let path: string;
beforeEach(() => {
  path = folder.at('sub', 'rejects.ndjson');
});
afterEach(() => void vi.restoreAllMocks());

const row = (line: number, bytes = 'a,b'): RejectedRow => ({
  sourceId: 'sbc-1',
  file: '/var/cdr/a.csv',
  line,
  reason: 'too-few-fields',
  field: 'calldate',
  detail: '2 fields, not 16',
  sha256: '0'.repeat(64),
  bytes: Buffer.from(bytes),
  sizeBytes: bytes.length,
});
async function read(): Promise<readonly RejectedRow[]> {
  const rows: RejectedRow[] = [];
  for await (const found of readRejects(path)) rows.push(found);
  return rows;
}

/** Has every file refuse what is appended to it, until it is restored: all of them have one prototype. */
async function fullDisk(): Promise<MockInstance<FileHandle['appendFile']>> {
  await using any = await open(folder.path);
  const prototype = Object.getPrototypeOf(any) as FileHandle;
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  return vi.spyOn(prototype, 'appendFile').mockRejectedValue(full);
}

test('bytes are taken when the row is rejected, so that they may be written over', async () => {
  await using file = await RejectFile.open({ path });
  const bytes = Buffer.from('a,b');
  file.reject({ ...row(1), bytes });
  bytes.fill(0);
  await file.flush();
  expect((await read())[0]?.bytes).toEqual(Buffer.from('a,b'));
});

test('only this user may read the rows, which hold telephone numbers', async () => {
  await using file = await RejectFile.open({ path });
  await file.flush();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a full file is put aside, the oldest goes, and rows are read back oldest first', async () => {
  await using file = await RejectFile.open({ path, maxBytes: 4_096, filesKept: 2 });
  for (let line = 1; line <= 100; line += 1) {
    file.reject(row(line));
    await file.flush();
  }
  expect((await readdir(folder.at('sub'))).sort()).toEqual(['rejects.ndjson', 'rejects.ndjson.1', 'rejects.ndjson.2']);
  const lines = (await read()).map(({ line }) => line);
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, at) => 101 - lines.length + at));
  const { written, filesRemoved } = file.statistics();
  expect([written, filesRemoved > 0]).toEqual([100, true]);
});

test('the half line of a writer that was killed costs no other', async () => {
  await using first = await RejectFile.open({ path });
  first.reject(row(1));
  await first.close();
  await appendFile(path, (await readFile(path, 'utf8')).slice(0, 40));
  await using second = await RejectFile.open({ path });
  second.reject(row(2));
  await second.flush();
  expect((await read()).map(({ line }) => line)).toEqual([1, 2]);
});

test('a full disk stops nothing: rows are counted as lost, and later ones written', async () => {
  await using file = await RejectFile.open({ path });
  const full = await fullDisk();
  file.reject(row(1));
  await file.flush();
  expect(file.statistics()).toMatchObject({ written: 0, lost: 1, lastFailure: { code: 'ENOSPC' } });
  full.mockRestore();
  file.reject(row(2));
  await file.flush();
  expect((await read()).map(({ line }) => line)).toEqual([2]);
});

test('rows that wait for a disk that does not take them fill no memory', async () => {
  await using file = await RejectFile.open({ path });
  for (let line = 1; line <= 300; line += 1) file.reject(row(line, 'x'.repeat(65_536)));
  await file.flush();
  const { written, lost } = file.statistics();
  expect([written + lost, lost > 0]).toEqual([300, true]);
});

test('a file that cannot be opened is refused', async () => {
  await expect(RejectFile.open({ path: folder.path })).rejects.toMatchObject({ code: 'storage-failed' });
});
