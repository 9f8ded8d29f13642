import { expect, test } from 'vitest';
import type { CallRecord, RawRow } from '../../sdk/src/contract/call-record.js';
import {
  createAsteriskCelReader,
  MAX_ROWS_OF_CHANNEL,
  MAX_SAVED_RAW_CHARS,
} from '../../sdk/src/records/ingest/formats/asterisk-cel.js';
import { createHepReader, type HepReaderOptions } from '../../sdk/src/records/ingest/hep-reader.js';
import { createHopbackNdjsonReader } from '../../sdk/src/records/ingest/formats/hopback-ndjson.js';
import { createKamailioAccReader } from '../../sdk/src/records/ingest/formats/kamailio-acc.js';
import type { RecordReader, RowReading, SourceRow } from '../../sdk/src/records/ingest/record-reader.js';
import { rawEvidence, recordIdOf, sourceSha256 } from '../../sdk/src/records/record-id.js';
import { answeredCall, captured, CALL_US } from '../support/captured-call.js';
import { recordsOf, rowsOf, sampleOf } from '../support/record-samples.js';
import { NOON_US, sparseRecord } from '../support/stored-records.js';

function rowOf(text: string, line = 1): SourceRow {
  return { text, sha256: sourceSha256(text), line };
}

function verified(record: CallRecord | undefined): number | string {
  const evidence = record === undefined ? undefined : rawEvidence(record);
  if (evidence?.status !== 'kept') return 'not kept';
  return evidence.matches ? evidence.rows.length : 'other bytes';
}

const CEL = sampleOf('asterisk-cel', 'calls');
const CEL_ROWS = rowsOf('asterisk-cel', CEL.file, 'csv');

function celReader(keepRaw: boolean): RecordReader {
  return createAsteriskCelReader({ ...CEL.source, keepRaw });
}

test('whether rows are kept may change between two runs: legs begun without them have none, and no wrong ones', () => {
  for (const [was, is] of [
    [false, true],
    [true, false],
  ] as const) {
    const first = celReader(was);
    for (const row of CEL_ROWS.slice(0, 3)) first.read(row);
    const second = celReader(is);
    expect(second.restoreWaiting?.(first.saveWaiting?.() ?? '')).toBe(true);
    const begun = new Set(recordsOf(first.expire(Number.POSITIVE_INFINITY)).map(({ legId }) => legId));
    const records = recordsOf(CEL_ROWS.slice(3).flatMap((row) => second.read(row)));
    expect(records.filter(({ legId }) => begun.has(legId)).map(verified)).toEqual([...begun].map(() => 'not kept'));
    const later = records.filter(({ legId }) => !begun.has(legId)).map(verified);
    expect(later.length).toBeGreaterThan(0);
    for (const one of later) expect(one).toEqual(is ? expect.any(Number) : 'not kept');
  }
});

test('nothing of the rows is saved where they are not kept', () => {
  const reader = celReader(false);
  for (const row of CEL_ROWS.slice(0, 3)) reader.read(row);
  expect(reader.saveWaiting?.()).not.toContain('texts');
});

function celStart(index: number, extra = ''): SourceRow {
  const id = `${1_781_528_400 + index}.1`;
  const fields = ['CHAN_START', `${1_781_528_400 + index}.0`, '', '12025550101', '', '', '', '12125550143', 'in'];
  return rowOf([...fields, 'PJSIP/carrier-a-1', '', extra, '', '3', id, id].join(','));
}

test('of very many channels that wait, the rows of some are saved and the hashes of all', () => {
  const first = celReader(true);
  const count = 200;
  for (let index = 0; index < count; index += 1) first.read(celStart(index, 'x'.repeat(16_000)));
  const saved = first.saveWaiting?.() ?? '';
  expect(saved.length).toBeGreaterThan(MAX_SAVED_RAW_CHARS / 2);
  expect(saved.length).toBeLessThan(2 * MAX_SAVED_RAW_CHARS);
  const second = celReader(true);
  expect(second.restoreWaiting?.(saved)).toBe(true);
  const records = recordsOf(second.expire(Number.POSITIVE_INFINITY));
  const all = recordsOf(first.expire(Number.POSITIVE_INFINITY));
  expect(records.map(({ source }) => source.sha256)).toEqual(all.map(({ source }) => source.sha256));
  expect(all.map(verified)).toEqual(all.map(() => 1));
  const kept = records.filter((record) => verified(record) === 1);
  expect(kept.length).toBeGreaterThan(100);
  expect(kept.length).toBeLessThan(count);
  expect(records.map(verified).filter((one) => one !== 1)).toEqual(
    Array.from({ length: count - kept.length }, () => 'not kept'),
  );
});

test('a channel of more rows than have hashes of their own is recorded with the hash alone', () => {
  const reader = celReader(true);
  const start = celStart(0);
  reader.read(start);
  const event = rowOf(start.text.replace('CHAN_START', 'BRIDGE_ENTER'));
  for (let row = 1; row < MAX_ROWS_OF_CHANNEL; row += 1) reader.read(event);
  const again = celReader(true);
  again.restoreWaiting?.(reader.saveWaiting?.() ?? '');
  expect(recordsOf(again.expire(Number.POSITIVE_INFINITY)).map(verified)).toEqual([MAX_ROWS_OF_CHANNEL]);
  reader.read(event);
  const [record] = recordsOf(reader.expire(Number.POSITIVE_INFINITY));
  expect([verified(record), record?.source.sha256]).toEqual(['not kept', expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test('rows of accounting that wait are verified after a restart, Latin-1 among them', () => {
  const source = { id: 'proxy', format: 'kamailio-acc', time: { zone: 'utc' }, keepRaw: true } as const;
  const reader = (): RecordReader => createKamailioAccReader(source, { form: 'json' });
  const dialog = '"callid":"c1","from_tag":"a","to_tag":"b","sip_code":"200"';
  const invite = Buffer.from(`{"method":"INVITE",${dialog},"sip_reason":"Zoë","time":1795615200}`, 'latin1');
  const first = reader();
  first.read({ text: invite.toString('latin1'), sha256: sourceSha256(invite), line: 1 });
  const second = reader();
  expect(second.restoreWaiting?.(first.saveWaiting?.() ?? '')).toBe(true);
  const [record] = recordsOf(second.read(rowOf(`{"method":"BYE",${dialog},"time":1795615260}`)));
  expect(verified(record)).toBe(2);
  expect(record?.source.raw?.map((row) => Object.keys(row)[0]).toSorted()).toEqual(['base64', 'text']);
});

const HEP = {
  id: 'proxy-1',
  format: 'hep',
  time: { zone: 'utc' },
  ownAddresses: ['198.51.100.1'],
  keepRaw: true,
} as const;

function hepRecords(options: HepReaderOptions, callIds: readonly string[] = ['c1']): readonly CallRecord[] {
  const reader = createHepReader(HEP, options);
  const packet = new Uint8Array(65_535);
  for (const callId of callIds) {
    // Twice: a repeat is no row of its own.
    for (const message of [...answeredCall(), ...answeredCall()]) {
      // As a socket does: the next packet is written over the last.
      const bytes = captured({ ...message, callId });
      packet.set(bytes);
      reader.readPacket(packet.subarray(0, bytes.length), CALL_US);
    }
  }
  return recordsOf(reader.expire(Number.POSITIVE_INFINITY));
}

test('a captured call is verified by its packets, each of them once', () => {
  expect(hepRecords({}).map(verified)).toEqual([answeredCall().length]);
});

test('calls whose packets find no room are recorded with the hash alone', () => {
  const one = answeredCall().reduce((sum, message) => sum + captured({ ...message, callId: 'c1' }).length, 0);
  const records = hepRecords({ maxRawBytes: one + 10 }, ['c1', 'c2']);
  expect(records.map(verified)).toEqual([answeredCall().length, 'not kept']);
  const [first, second] = hepRecords({}, ['c1', 'c2']);
  expect(records.map(({ source }) => source.sha256)).toEqual([first?.source.sha256, second?.source.sha256]);
});

const LEG = sparseRecord('leg', NOON_US);

function ndjson(source: Readonly<Record<string, unknown>>, keepRaw: boolean): RowReading | undefined {
  const { source: own, ...record } = LEG;
  const { id, format, readerVersion } = own;
  const line = JSON.stringify({ ...record, source: { id, format, readerVersion, ...source } });
  const [reading] = createHopbackNdjsonReader({
    ...{ id: 'archive', format: 'hopback' },
    time: { zone: 'utc' },
    keepRaw,
  }).read(rowOf(line));
  return reading;
}

test.each([true, false])('a line of our own format keeps the raw rows that it brings, keepRaw %j', (keepRaw) => {
  const raw: readonly RawRow[] = [{ text: 'a,b' }];
  const reading = ndjson({ sha256: sourceSha256('a,b'), raw }, keepRaw);
  expect(reading).toMatchObject({ status: 'record', record: { source: { raw } } });
});

test('a line that brings other bytes than its hash is of is rejected, and one with bytes and no hash', () => {
  expect(ndjson({ sha256: sourceSha256('a,b'), raw: [{ text: 'a,c' }] }, true)).toMatchObject({
    ...{ status: 'rejected', reason: 'bad-field', field: 'source.raw' },
  });
  expect(ndjson({ raw: [{ text: 'a,b' }] }, true)).toMatchObject({
    ...{ status: 'rejected', reason: 'missing-field', field: 'source.sha256' },
  });
  for (const raw of [[], [{}], [{ text: 'a,b', base64: 'YSxi' }], [{ base64: '*' }], 'a,b'])
    expect(ndjson({ sha256: sourceSha256('a,b'), raw }, true)).toMatchObject({
      status: 'rejected',
      reason: 'bad-field',
    });
});

test('a line without a hash is itself the row, and one whose hash is of a row that is not there has none', () => {
  const own = ndjson({}, true);
  expect(own?.status === 'record' && verified(own.record)).toBe(1);
  expect(ndjson({}, false)).toMatchObject({ record: { source: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } } });
  const without = [ndjson({}, false), ndjson({ sha256: sourceSha256('a,b') }, true)];
  for (const reading of without) expect(reading?.status === 'record' && verified(reading.record)).toBe('not kept');
});

test('every record that a reader makes with raw rows is read back from its line', () => {
  const text = '\u0001'.repeat(131_072);
  const legId = LEG.legId;
  const recordId = recordIdOf({ sourceId: LEG.source.id, legId, inviteAtUs: NOON_US });
  const record = { ...LEG, recordId, source: { ...LEG.source, sha256: sourceSha256(text), raw: [{ text }] } };
  const [reading] = createHopbackNdjsonReader({ id: 'archive', format: 'hopback', time: { zone: 'utc' } }).read(
    rowOf(JSON.stringify(record)),
  );
  expect(reading).toEqual({ status: 'record', record });
});
