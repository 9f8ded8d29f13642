import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { storeFolders } from '../support/record-store-folder.js';

const folders = storeFolders();
afterEach(folders.clear);

const FIXTURE = fileURLToPath(new URL('../fixtures/record-store-1/', import.meta.url));
const unpacked = (name: string): Buffer => gunzipSync(readFileSync(join(FIXTURE, name)));
const recordsIn = (name: string): readonly CallRecord[] =>
  unpacked(name)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CallRecord);

/** Lays the store down as a killed process left it: the last rows of a day are in DuckDB's log alone. */
function layDown(directory: string): void {
  mkdirSync(join(directory, 'days'));
  const days = readdirSync(join(FIXTURE, 'days')).map((name) => `days/${name}`);
  for (const name of ['state.duckdb.gz', ...days])
    writeFileSync(join(directory, name.slice(0, -'.gz'.length)), unpacked(name));
}

test('a store that an earlier release wrote opens with every record, hold, audit entry and interval', async () => {
  layDown(folders.make());
  const expected = JSON.parse(readFileSync(join(FIXTURE, 'expected.json'), 'utf8')) as Record<string, unknown>;
  const records = recordsIn('records.ndjson.gz');
  await using store = await folders.reopened(new ManualClock());
  for (const record of [...records, ...recordsIn('held.ndjson.gz')]) {
    const window = { fromUs: record.inviteAtUs, toUs: record.inviteAtUs };
    const found = await store.find({ window, recordId: record.recordId });
    expect(JSON.stringify(found.records)).toBe(JSON.stringify([record]));
  }
  expect(await store.insert(records)).toEqual({ inserted: 0, repeated: records.length, expired: 0 });
  expect(await store.statistics()).toMatchObject(expected['statistics'] as object);
  expect(await store.holds()).toEqual(expected['holds']);
  expect(await store.holdAudit()).toEqual(expected['audit']);
  expect(await store.scope()).toEqual(expected['scope']);
  const all = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
  expect(await store.coverage(all)).toEqual(expected['coverage']);
});
