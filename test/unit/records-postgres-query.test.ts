import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rawEvidence } from '../../sdk/src/records/record-id.js';
import {
  countStatement,
  createPostgresRows,
  findStatement,
  numberForms,
  quotedIdentifier,
} from '../../sdk/src/records/store/postgres-row.js';
import type { PostgresTable } from '../../sdk/src/records/store/postgres-row.js';
import { forAll } from '../support/for-all.js';

const TABLE: PostgresTable = {
  schema: 'billing',
  table: 'cdr',
  columns: { legId: 'uniqueid', inviteAt: 'calldate', calling: 'src', called: 'dst', ingressTrunk: 'peer "in"' },
  source: {
    id: 'pbx-1',
    format: 'columns',
    time: { zone: 'America/New_York' },
    providers: { 'east-1': 'upstream-a', '192.0.2.1': 'upstream-b' },
  },
};
const WINDOW = { fromUs: 1_793_620_800_000_001, toUs: 1_793_620_800_000_002 };

test('no value ever stands in the text of a statement, and names are quoted', () => {
  const hostile = fc.constantFrom('"; DROP TABLE cdr; --', "' OR 1=1", '$1', '\\', '12155550112');
  forAll([hostile, hostile], 100, (trunk, recordId) => {
    const { text = '', values = [] } = findStatement(TABLE, { window: WINDOW, trunk, recordId }) ?? {};
    expect(text).toBe(
      `SELECT "uniqueid"::text AS "legId", to_char("calldate" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS "inviteAt", ` +
        `"src"::text AS "calling", "dst"::text AS "called", "peer ""in"""::text AS "ingressTrunk" FROM "billing"."cdr" ` +
        `WHERE "calldate" >= $1::timestamptz AND "calldate" <= $2::timestamptz AND ("peer ""in""" = $3) ` +
        `ORDER BY "calldate", "uniqueid"`,
    );
    expect(values).toEqual(['2026-11-02T12:00:00.000001Z', '2026-11-02T12:00:00.000002Z', trunk]);
  });
});

test('a number is asked for in the forms declared, and a foreign one in none of the national ones', () => {
  expect(numberForms(TABLE, '12155550112')).toEqual(['+12155550112', '12155550112', '2155550112', '01112155550112']);
  expect(numberForms(TABLE, '442079460000')).toEqual(['+442079460000', '442079460000', '011442079460000']);
  expect(numberForms({ ...TABLE, numberForms: ['1234#{national}'] }, '12155550112')).toEqual(['1234#2155550112']);
});

test('a number that is none matches nothing, and a column that is not there is refused', () => {
  expect(findStatement(TABLE, { window: WINDOW, calledTn: '+1 215' })).toBeUndefined();
  expect(findStatement(TABLE, { window: WINDOW, trunk: '\0' })).toBeUndefined();
  expect(() => findStatement(TABLE, { window: WINDOW, callId: 'a' })).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
});

test('windows without an end are asked for as far as times can be written', () => {
  for (const time of ['timestamptz', 'timestamp', 'epoch-seconds', 'epoch-milliseconds'] as const) {
    const window = { fromUs: -Infinity, toUs: Infinity };
    const { values = [] } = findStatement({ ...TABLE, time }, { window, trunk: 'a' }) ?? {};
    expect(values.join(' ')).not.toMatch(/NaN|Infinity/);
  }
});

test('names that are none are refused', () => {
  for (const name of ['', '\0', 'x'.repeat(64)]) {
    expect(() => quotedIdentifier(name)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  }
  expect(countStatement(TABLE).text).toContain('FROM "billing"."cdr"');
});

test('a row becomes a record with numbers read as those of files are', () => {
  const rows = createPostgresRows(TABLE);
  const record = rows?.recordOf({
    legId: '1793620800.17',
    inviteAt: '2026-11-02 12:00:00.000001',
    calling: '3125550143',
    called: '1234#12155550112',
    ingressTrunk: 'east-1',
  });
  expect(record).toMatchObject({
    inviteAtUs: WINDOW.fromUs,
    calling: { asWritten: '3125550143', tn: '13125550143' },
    called: { tn: '12155550112', techPrefix: '1234#' },
    ingress: { trunk: 'east-1', provider: 'upstream-a' },
    disposition: 'failed',
  });
});

test('with keepRaw a record has its row as it was selected, and is verified by it', () => {
  const row = { legId: '1793620800.17', inviteAt: '2026-11-02 12:00:00.000001', calling: 'Zoë', called: null };
  const without = createPostgresRows(TABLE)?.recordOf(row);
  const record = createPostgresRows({ ...TABLE, source: { ...TABLE.source, keepRaw: true } })?.recordOf(row);
  if (record === undefined) throw new Error('no record');
  const { raw, ...source } = record.source;
  expect({ ...record, source }).toEqual(without);
  expect(raw).toEqual([{ text: JSON.stringify(row) }]);
  expect(rawEvidence(record)).toMatchObject({ status: 'kept', matches: true });
});

test('any row becomes a record or none, and never throws', () => {
  const names = 'legId inviteAt answeredAt calling called lrn disposition sipStatus ingressAddress'.split(' ');
  const text = fc.oneof(fc.string(), fc.constantFrom(null, '2026-03-08 02:30:00.000000', '1e99', '-5', '[::1]:5060'));
  const times = fc.constantFrom('timestamptz', 'timestamp', 'epoch-seconds', 'epoch-microseconds');
  forAll([fc.dictionary(fc.constantFrom(...names), text), times], 100, (row, time) => {
    const record = createPostgresRows({ ...TABLE, time })?.recordOf(row);
    if (record !== undefined) expect(Number.isSafeInteger(record.inviteAtUs)).toBe(true);
  });
});
