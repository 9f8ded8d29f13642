import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadDuckDb } from '../../sdk/src/records/store/duckdb/duckdb-module.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { RECORD_COLUMNS } from '../../sdk/src/records/store/record-columns.js';
import { SharedRecordStore } from '../../sdk/src/records/store/shared-record-store.js';
import { createRecordsLab, type RecordsLab } from '../support/cli-records-lab.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const DAY_US = 86_400_000_000;
const DAY = new Date(NOON_US / 1_000).toISOString().slice(0, 10);
const NEXT_DAY = new Date((NOON_US + DAY_US) / 1_000).toISOString().slice(0, 10);
/** Of every record of the lab. */
const WINDOW = ['--from', `${DAY}T00:00Z`, '--to', `${NEXT_DAY}T23:59:59Z`];
const RECORDS = [0, 1, 2, 3, 4, 5, 6].map((index) => sampleRecord(index, NOON_US + index * 1_000));
const LATER = sampleRecord(7, NOON_US + DAY_US);

let lab: RecordsLab;
beforeEach(async () => {
  lab = await createRecordsLab();
  await using store = await openDuckDbRecordStore({ directory: lab.store });
  await store.insert([...RECORDS, LATER]);
});
afterEach(() => lab[Symbol.asyncDispose]());

const sql = (statement: string, ...args: readonly string[]) =>
  lab.run(['records', 'sql', '--store', lab.store, ...WINDOW, ...args, statement]);
const rowsOf = async (statement: string, ...args: readonly string[]): Promise<readonly (readonly unknown[])[]> => {
  const { stdout, stderr, exitCode } = await sql(statement, '--json', ...args);
  expect([exitCode, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { readonly rows: readonly (readonly unknown[])[] }).rows;
};

describe('records sql', () => {
  test('shows rows as a table, and as JSON', async () => {
    const statement = 'SELECT attestation, count(*) AS calls FROM records GROUP BY ALL ORDER BY ALL';
    const shown = await sql(statement);
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/^ {2}attestation +calls$/m);
    expect(shown.stdout).toContain('of 8 records from');
    const document = JSON.parse((await sql(statement, '--json')).stdout) as object;
    expect(document).toMatchObject({
      ...{ format: 'hopback.records-sql.1', exitCode: 0, records: 8, isCut: false },
      columns: [
        { name: 'attestation', type: 'VARCHAR' },
        { name: 'calls', type: 'BIGINT' },
      ],
    });
  });

  test('has each value of a record in its column, times in UTC', async () => {
    const names = 'record_id, invite_at, called_number, ingress_trunk, time_resolution_us, rest';
    const [row = []] = await rowsOf(`SELECT ${names} FROM records ORDER BY invite_at LIMIT 1`);
    const [first] = RECORDS;
    const noon = new Date(NOON_US / 1_000).toISOString().slice(0, 19).replace('T', ' ');
    expect(row.slice(0, 5)).toEqual([
      ...[first?.recordId, noon, first?.called?.tn, first?.ingress.trunk],
      String(first?.time.resolutionUs),
    ]);
    expect(JSON.parse(String(row[5]))).toMatchObject({ received: { evidence: first?.received?.evidence } });
  });

  test('describes its columns', async () => {
    const described = await rowsOf('DESCRIBE records');
    expect(described.map(([name, type]) => [name, type])).toEqual(RECORD_COLUMNS.map(({ name, type }) => [name, type]));
  });

  test('cuts what it shows at the limit, and says so', async () => {
    const { stdout } = await sql('SELECT record_id FROM records', '--limit', '3');
    expect(stdout).toContain('3 rows and more: raise --limit');
    expect(await rowsOf('SELECT * FROM range(100000)', '--limit', '5')).toHaveLength(5);
  });

  test('sees the calls of the time that is asked for alone', async () => {
    const { stdout } = await lab.run([
      ...['records', 'sql', '--store', lab.store, '--from', `${NEXT_DAY}T00:00Z`, '--json'],
      'SELECT record_id FROM records',
    ]);
    expect((JSON.parse(stdout) as { readonly rows: unknown }).rows).toEqual([[LATER.recordId]]);
  });

  test('asks the process that has the store open', async () => {
    await using host = await SharedRecordStore.open({ directory: lab.store });
    const fresh = sampleRecord(8, NOON_US + 9_000);
    await host.insert([fresh]);
    expect(await rowsOf(`SELECT count(*) FROM records WHERE record_id = '${fresh.recordId}'`)).toEqual([['1']]);
    expect(host.role).toBe('host');
  });

  test.each([
    "COPY records TO 'copied.csv'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "FROM '/etc/passwd'",
    "ATTACH 'attached.duckdb'",
    "EXPORT DATABASE 'exported'",
    'SELECT 1; SELECT 2',
    'SET threads = 1',
    'INSTALL httpfs',
    'DELETE FROM records',
    'CREATE TABLE copies AS SELECT * FROM records',
    'CHECKPOINT',
    'PRAGMA database_list',
    "SELECT * FROM enable_logging(storage := 'file', storage_path := 'logged')",
    'SELECT record_id FROM records WHERE EXISTS (SELECT * FROM force_checkpoint())',
    "WITH asked AS (SELECT * FROM query('SELECT 1')) SELECT 1 FROM asked",
    'SELECT * FROM duckdb_settings()',
    '/* nothing else */',
    'SELECT nothing_like_it FROM records',
    'SELEC 1',
    ' ',
  ])('refuses %s, with the reason', async (statement) => {
    const { exitCode, stdout, stderr } = await sql(statement);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/statement|SELECT/);
  });

  test.each([
    ['SUMMARIZE records', 49],
    ['FROM records', 8],
    ["SELECT * FROM unnest(['a', 'b'])", 2],
    ["SELECT key FROM records, json_each(records.rest) WHERE key = 'received'", 8],
    ['TABLE records', 8],
  ])('carries out %s', async (statement, rows) => {
    expect(await rowsOf(statement)).toHaveLength(rows);
  });

  test('leaves no copy of the records behind', async () => {
    const before = await temporaries();
    await sql('SELECT * FROM records');
    await sql('SELEC 1');
    expect(await temporaries()).toEqual(before);
  });
});

const temporaries = async (): Promise<readonly string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('hopback-records-table-'));

describe('records export', () => {
  test('writes a file of Parquet for each day, which others read', async () => {
    const folder = lab.path('lake');
    const args = ['records', 'export', '--store', lab.store, '--parquet', folder, ...WINDOW];
    const exported = lab.start(args);
    expect(await exported.ended()).toBe(0);
    const names = [`records-${DAY}.parquet`, `records-${NEXT_DAY}.parquet`];
    expect((await readdir(folder)).toSorted()).toEqual(names);
    expect(exported.lines().join('\n')).toContain(`${names[0] ?? ''}: 7 records`);
    expect((await stat(`${folder}/${names[0] ?? ''}`)).mode & 0o077).toBe(0);
    // Again, over the files that are there: a time that cuts the days replaces none by a part of it.
    const cut = ['--from', `${DAY}T23:59Z`, '--to', `${NEXT_DAY}T00:00Z`];
    expect((await lab.run([...args.slice(0, -WINDOW.length), ...cut])).exitCode).toBe(0);

    const { DuckDBInstance } = await loadDuckDb();
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const read = async (statement: string) => (await connection.runAndReadAll(statement)).getRowsJson();
    expect(await read(`SELECT record_id FROM '${folder}/*.parquet' ORDER BY invite_at`)).toEqual(
      [...RECORDS, LATER].map(({ recordId }) => [recordId]),
    );
    const facts = await read(
      `SELECT decode(value) FROM parquet_kv_metadata('${folder}/${names[0] ?? ''}') WHERE decode(key) = 'hopback_record_columns'`,
    );
    expect(facts).toEqual([['1']]);
    connection.closeSync();
    instance.closeSync();
  });

  test('writes nothing for a time without calls, and says so', async () => {
    const folder = lab.path('lake');
    const args = ['--from', '2001-01-01T00:00Z', '--to', '2001-01-02T00:00Z'];
    const { exitCode, stdout } = await lab.run([
      'records',
      'export',
      '--store',
      lab.store,
      '--parquet',
      folder,
      ...args,
    ]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('no call began')]);
    expect(await readdir(folder)).toEqual([]);
  });

  test('names a folder that cannot be used, with the errno', async () => {
    const file = await lab.put('a-file', '');
    const { exitCode, stderr } = await lab.run([
      'records',
      'export',
      '--store',
      lab.store,
      '--parquet',
      file,
      ...WINDOW,
    ]);
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('a-file')]);
    expect(stderr).toMatch(/EEXIST|ENOTDIR/);
  });
});
