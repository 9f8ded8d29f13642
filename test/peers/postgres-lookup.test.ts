import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { openPostgresLookup, type PostgresLookupOptions } from '../../sdk/src/records/store/postgres-lookup.js';
import type { PostgresColumns, PostgresTable } from '../../sdk/src/records/store/postgres-row.js';
import type { RecordLookup } from '../../sdk/src/records/store/record-store.js';
import { describePeer, peer } from '../peers.js';
import { lookupClaims } from '../support/record-store-conformance.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;
let admin: pg.Pool;
let tables = 0;

const COLUMNS: PostgresColumns = {
  legId: 'leg "id"',
  inviteAt: 'invited',
  answeredAt: 'answered',
  endedAt: 'ended',
  callGroupId: 'call_group',
  calling: 'calling',
  asserted: 'asserted',
  called: 'called',
  translated: 'translated',
  lrn: 'lrn',
  ingressTrunk: 'trunk_in',
  ingressCallId: 'call_id_in',
  egressTrunk: 'trunk_out',
  egressCallId: 'call_id_out',
  disposition: 'disposition',
  origId: 'origid',
  signedOrigId: 'signed_origid',
};
const SOURCE: PostgresTable['source'] = { id: 'class-4', format: 'columns', time: { zone: 'utc' } };

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const iso = (us: number | undefined): string | null =>
  us === undefined ? null : new Date(us / 1_000).toISOString().replace('Z', `${String(us % 1_000).padStart(3, '0')}Z`);

/** Makes a table with columns of the types given, the others text. */
async function createTable(columns: PostgresColumns, types: Readonly<Record<string, string>>): Promise<string> {
  tables += 1;
  const table = `cdr "${tables}"`;
  const names = Object.values({ ...columns });
  const definitions = names.map((name) => `${quoted(name)} ${types[name] ?? 'text'}`);
  await admin.query(`CREATE TABLE ${quoted(table)} (${definitions.join(', ')})`);
  return table;
}

async function insertRow(table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
  const names = Object.keys(row);
  const places = names.map((_, at) => `$${at + 1}`);
  await admin.query(
    `INSERT INTO ${quoted(table)} (${names.map(quoted).join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(row),
  );
}

function open(table: PostgresTable, options: Partial<PostgresLookupOptions> = {}): Promise<RecordLookup> {
  const { host, port, user, database } = server;
  return openPostgresLookup({ connection: { host, port, user, database }, table, ...options });
}

/** A carrier's row of a record. */
function rowOf(record: CallRecord): Readonly<Record<string, unknown>> {
  const { calling, asserted, called, ingress, egress } = record;
  return {
    [COLUMNS.legId]: record.legId,
    invited: iso(record.inviteAtUs),
    answered: iso(record.answeredAtUs),
    ended: iso(record.endedAtUs),
    call_group: record.callGroupId,
    calling: calling?.asWritten,
    asserted: asserted?.asWritten,
    called: called?.asWritten,
    translated: called?.translatedTn,
    lrn: called?.lrn,
    trunk_in: ingress.trunk,
    call_id_in: ingress.callId,
    trunk_out: egress.trunk,
    call_id_out: egress.callId,
    disposition: record.disposition,
    origid: record.received?.origId,
    signed_origid: record.signed?.origId,
  };
}

const TIMES = { invited: 'timestamptz', answered: 'timestamptz', ended: 'timestamptz' };

describePeer('postgres', 'PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
    const { host, port, user, database } = server;
    admin = new pg.Pool({ host, port, user, database });
    admin.on('error', () => undefined);
  });
  afterAll(async () => {
    await admin.end();
    await server.close();
  });

  lookupClaims({
    name: 'PostgreSQL',
    holding: async (records, coverage) => {
      const table = await createTable(COLUMNS, TIMES);
      for (const record of records) await insertRow(table, rowOf(record));
      return open(
        { table, columns: COLUMNS, source: SOURCE, numberForms: ['+{e164}', '{e164}', '1234#{e164}'] },
        { coverage },
      );
    },
  });

  const CALLS = { legId: 'leg', inviteAt: 'at', calling: 'src', called: 'dst' };
  const HOUR_US = 3_600_000_000;

  test('a number is found in each form in which a switch writes it, by the index of its column', async () => {
    const table = await createTable(CALLS, { at: 'timestamptz' });
    await admin.query(`CREATE INDEX ON ${quoted(table)} (dst, at)`);
    const written = ['+12155550112', '12155550112', '2155550112', '9999#12155550112', '2155550113', '+442079460000'];
    for (const [at, dst] of written.entries()) {
      await insertRow(table, { leg: `leg ${at}`, at: `2026-11-02T12:00:0${at}Z`, src: '3125550143', dst });
    }
    await using lookup = await open({ table, columns: CALLS, source: SOURCE });
    const window = { fromUs: Date.UTC(2026, 10, 2) * 1_000, toUs: Date.UTC(2026, 10, 3) * 1_000 };
    const found = await lookup.find({ window, calledTn: '12155550112', callingTn: '13125550143' });
    expect(found.records.map(({ called }) => called?.asWritten)).toEqual(written.slice(0, 3));
    const abroad = await lookup.find({ window, calledTn: '442079460000' });
    expect(abroad.records.map(({ legId }) => legId)).toEqual(['leg 5']);
  });

  test('a column of numbers is looked up in the forms declared for it', async () => {
    const table = await createTable(CALLS, { at: 'bigint', dst: 'bigint' });
    await insertRow(table, { leg: 'a', at: 1_793_620_800, src: '3125550143', dst: 2_155_550_112 });
    const forms = { numberForms: ['{e164}', '{national}'], time: 'epoch-seconds' } as const;
    await using lookup = await open({ table, columns: CALLS, source: SOURCE, ...forms });
    const atUs = 1_793_620_800_000_000;
    const { records } = await lookup.find({ window: { fromUs: atUs, toUs: atUs }, calledTn: '12155550112' });
    expect(records).toMatchObject([{ inviteAtUs: atUs, called: { asWritten: '2155550112', tn: '12155550112' } }]);
    const outside = { fromUs: atUs + 1, toUs: atUs + HOUR_US };
    expect((await lookup.find({ window: outside, calledTn: '12155550112' })).records).toEqual([]);
  });

  test('local times are found by the instant they mean, also in the hour that comes twice and the one that is left out', async () => {
    const table = await createTable(CALLS, { at: 'timestamp' });
    // Clocks in New York go back at 06:00 UTC on 1 November 2026, and forward at 07:00 UTC on 8 March.
    const walls = ['2026-11-01 00:59:59', '2026-11-01 01:30:00', '2026-11-01 02:00:00', '2026-03-08 02:30:00'];
    for (const [at, wall] of walls.entries()) await insertRow(table, { leg: `leg ${at}`, at: wall, dst: '2155550112' });
    const source: PostgresTable['source'] = { ...SOURCE, time: { zone: 'America/New_York' } };
    await using lookup = await open({ table, columns: CALLS, source, time: 'timestamp' });
    const around = async (utc: string): Promise<readonly CallRecord[]> => {
      const atUs = Date.parse(utc) * 1_000;
      const window = { fromUs: atUs - 60_000_000, toUs: atUs + 60_000_000 };
      return (await lookup.find({ window, calledTn: '12155550112' })).records;
    };
    expect(await around('2026-11-01T04:59:59Z')).toMatchObject([{ legId: 'leg 0' }]);
    expect(await around('2026-11-01T05:30:00Z')).toMatchObject([
      { legId: 'leg 1', time: { written: 'local', otherInviteAtUs: Date.parse('2026-11-01T06:30:00Z') * 1_000 } },
    ]);
    expect(await around('2026-11-01T06:30:00Z')).toMatchObject([{ legId: 'leg 1' }]);
    expect(await around('2026-11-01T07:00:00Z')).toMatchObject([{ legId: 'leg 2' }]);
    expect(await around('2026-03-08T07:30:00Z')).toMatchObject([{ legId: 'leg 3' }]);
  });

  test('more rows than one page are read to the limit, in order, and by record id to the end', async () => {
    const table = await createTable(CALLS, { at: 'timestamptz' });
    await admin.query(
      `INSERT INTO ${quoted(table)} SELECT 'leg ' || n, timestamptz '2026-11-02T12:00:00Z' + n * interval '1 ms', '3125550143',` +
        ` '2155550112' FROM generate_series(0, 4999) AS n`,
    );
    await using lookup = await open({ table, columns: CALLS, source: SOURCE });
    const window = { fromUs: Date.UTC(2026, 10, 2) * 1_000, toUs: Date.UTC(2026, 10, 3) * 1_000 };
    const { records, isCut } = await lookup.find({ window, calledTn: '12155550112', limit: 2_500 });
    expect([records.length, isCut, records[2_499]?.legId]).toEqual([2_500, true, 'leg 2499']);
    const all = await lookup.find({ window, calledTn: '12155550112', limit: 10_000 });
    const { recordId } = all.records[4_321]!;
    expect((await lookup.find({ window, recordId })).records.map(({ legId }) => legId)).toEqual(['leg 4321']);
  });

  test('nothing can be written, and a statement that takes too long is ended', async () => {
    await admin.query(
      "CREATE VIEW slow AS SELECT 'a' AS leg, now() AS at, pg_sleep(60)::text AS src, '2155550112'::text AS dst",
    );
    await admin.query('CREATE SEQUENCE touched');
    await admin.query(
      "CREATE VIEW writing AS SELECT nextval('touched')::text AS leg, now() AS at, 'a' AS src, 'b' AS dst",
    );
    const window = { fromUs: 0, toUs: Date.UTC(2100, 0) * 1_000 };
    await using slow = await open({ table: 'slow', columns: CALLS, source: SOURCE }, { statementTimeoutMs: 100 });
    await expect(slow.find({ window, recordId: 'a'.repeat(32) })).rejects.toMatchObject({
      code: 'storage-failed',
      details: { sqlState: '57014' },
    });
    await using writing = await open({ table: 'writing', columns: CALLS, source: SOURCE });
    await expect(writing.find({ window, recordId: 'a'.repeat(32) })).rejects.toMatchObject({
      code: 'storage-failed',
      retryable: false,
      details: { sqlState: '25006' },
    });
  });

  test('a table that is not there, and one without the column that is asked for, are told apart from no record', async () => {
    const window = { fromUs: 0, toUs: 1 };
    await using missing = await open({ table: 'no such table', columns: CALLS, source: SOURCE });
    await expect(missing.find({ window, calledTn: '12155550112' })).rejects.toMatchObject({
      code: 'storage-failed',
      retryable: false,
      details: { sqlState: '42P01' },
    });
    await expect(missing.find({ window, trunk: 'east-1' })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('a look-up whose connection broke can be made again, and finds once the server is back', async () => {
    const table = await createTable(CALLS, { at: 'timestamptz' });
    await insertRow(table, { leg: 'a', at: '2026-11-02T12:00:00Z', dst: '2155550112' });
    await using lookup = await open({ table, columns: CALLS, source: SOURCE });
    const query = { window: { fromUs: 0, toUs: Date.UTC(2100, 0) * 1_000 }, calledTn: '12155550112' };
    expect((await lookup.find(query)).records).toHaveLength(1);
    await server.killed();
    await expect(lookup.find(query)).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
    await server.started();
    expect((await lookup.find(query)).records).toHaveLength(1);
  });
});

test('a look-up in PostgreSQL refuses names and forms that cannot be', async () => {
  const table = { table: 'cdr', columns: { legId: 'leg', inviteAt: 'at' }, source: SOURCE };
  const refused = async (changes: Partial<PostgresTable>): Promise<void> =>
    expect(openPostgresLookup({ connection: {}, table: { ...table, ...changes } })).rejects.toMatchObject({
      code: 'invalid-configuration',
    });
  await refused({ table: 'x'.repeat(64) });
  await refused({ columns: { legId: 'leg', inviteAt: '' } });
  await refused({ numberForms: ['12155550112'] });
  await refused({ time: 'timestamp', source: { ...SOURCE, time: { zone: 'Nowhere/At_All' } } });
});
