import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { importFiles, type ImportProgress } from '../../sdk/src/records/ingest/import-files.js';
import { HopbackError } from '../../sdk/src/errors.js';
import {
  createCountingStore,
  createRejectList,
  createRowReader,
  eachOnce,
  FIRST_ROW_US,
  rowLines as rows,
  rowText,
} from '../support/followed-rows.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();
const parts = () => ({
  sourceId: 'test-switch',
  reader: createRowReader(),
  store: createCountingStore(),
  rejects: createRejectList(),
  longestCallMs: 2_000,
});
const second = (n: number): number => FIRST_ROW_US + n * 1_000_000;

test('plain and packed files are read alike, whatever they are called, each row once', async () => {
  const paths = [
    await folder.write('cdr.1', gzipSync(rows(0, 99))),
    // Packed in two members, as when one gzip was appended to another.
    await folder.write('cdr.2.csv', Buffer.concat([gzipSync(rows(100, 120)), gzipSync(rows(121, 149))])),
    await folder.write('cdr.gz', rows(150, 199).trimEnd()),
  ];
  const at = parts();
  const report = await importFiles(paths, at);
  expect(report).toMatchObject({ rows: 200, records: 200, inserted: 200, rejected: 0 });
  expect(report.files.map(({ status }) => status)).toEqual(['imported', 'imported', 'imported']);
  expect(at.store.times).toEqual(eachOnce(0, 199));
});

test('records go to the store in batches, and reading waits for a store that is slow', async () => {
  let isStoring = false;
  let overlaps = 0;
  const store = createCountingStore(async () => {
    overlaps += isStoring ? 1 : 0;
    isStoring = true;
    await new Promise((resolve) => setImmediate(resolve));
    isStoring = false;
  });
  const progress: ImportProgress[] = [];
  const path = await folder.write('cdr.csv', rows(0, 49_999));
  await importFiles([path], { ...parts(), store, batchRecords: 1_000, onProgress: (at) => progress.push(at) });
  expect(store.times).toEqual(eachOnce(0, 49_999));
  expect(overlaps).toBe(0);
  expect(store.batches.length).toBeGreaterThan(5);
  const { bytesRead, sizeBytes, records } = progress.at(-1)!;
  expect([bytesRead, records]).toEqual([sizeBytes, 50_000]);
});

test('a row that cannot be read is rejected with its file, line and bytes, and stops nothing', async () => {
  const path = await folder.write('cdr.csv', `${rowText(0)}\nno leg,x\n${rowText(1)}\n"open\n${rowText(2)}\n`);
  const at = parts();
  const report = await importFiles([path], at);
  expect(report).toMatchObject({ rows: 5, records: 3, rejected: 2 });
  expect(at.rejects.rows).toMatchObject([
    { sourceId: 'test-switch', file: path, line: 2, reason: 'bad-field', field: 'leg', sizeBytes: 8 },
    { file: path, line: 4, reason: 'bad-quoting' },
  ]);
  expect(Buffer.from(at.rejects.rows[0]!.bytes).toString()).toBe('no leg,x');
});

test('coverage reaches from the first row to a longest call before the last, over all files', async () => {
  const at = parts();
  await importFiles([await folder.write('a', rows(0, 9)), await folder.write('b', rows(10, 19))], at);
  expect(at.store.covered).toEqual([{ sourceId: 'test-switch', fromUs: second(0), toUs: second(17) }]);
});

test('coverage has a gap where a row was rejected: its call may have begun a longest call before', async () => {
  const at = parts();
  await importFiles([await folder.write('a', `${rows(0, 9)}bad\n${rows(10, 19)}`)], at);
  expect(at.store.covered).toEqual([
    { sourceId: 'test-switch', fromUs: second(0), toUs: second(7) },
    { sourceId: 'test-switch', fromUs: second(10), toUs: second(17) },
  ]);
});

test('coverage has a gap where a source was silent, and none where one row has a wrong clock', async () => {
  const at = { ...parts(), longestSilenceMs: 60_000 };
  const content = `${rows(0, 9)}${rowText(9_000_000)}\n${rows(10, 19)}${rows(1_000, 1_009)}`;
  await importFiles([await folder.write('a', content)], at);
  expect(at.store.covered).toEqual([
    { sourceId: 'test-switch', fromUs: second(0), toUs: second(17) },
    { sourceId: 'test-switch', fromUs: second(1_001), toUs: second(1_007) },
  ]);
});

test('a packed file that was cut off gives what it has, is told apart, and breaks the coverage', async () => {
  const packed = gzipSync(rows(0, 30_000));
  const paths = [
    await folder.write('a', packed.subarray(0, packed.length >> 1)),
    await folder.write('b', rows(40_000, 40_009)),
    folder.at('missing'),
  ];
  const at = parts();
  const report = await importFiles(paths, at);
  expect(report.files.map(({ status }) => status)).toEqual(['damaged', 'imported', 'unreadable']);
  expect(report.records).toBeGreaterThan(1_000);
  expect(at.store.times.get('leg-40009')).toBe(1);
  expect(at.store.covered).toHaveLength(2);
});

test('a store that fails ends the import with its error and claims nothing', async () => {
  const store = createCountingStore((batch) => {
    if (batch === 1) throw new HopbackError('storage-failed', 'disk full', { retryable: true });
  });
  const path = await folder.write('cdr.csv', rows(0, 49_999));
  const importing = importFiles([path], { ...parts(), store, batchRecords: 1_000 });
  await expect(importing).rejects.toMatchObject({ code: 'storage-failed' });
  expect(store.covered).toEqual([]);
});

test('an import can be stopped, and what was read so far is stored', async () => {
  const stop = new AbortController();
  const at = { ...parts(), batchRecords: 1_000, signal: stop.signal, onProgress: () => stop.abort() };
  const path = await folder.write('cdr.csv', rows(0, 49_999));
  await expect(importFiles([path], at)).rejects.toMatchObject({ name: 'AbortError' });
  expect(at.store.batches).toHaveLength(1);
});
