import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { readSourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { readRejects } from '../../sdk/src/records/ingest/rejects.js';
import { rejectsFile, type IntakeSourceState, type IntakeNotice } from '../../sdk/src/records/intake/intake-source.js';
import { RecordIntake } from '../../sdk/src/records/intake/open-record-intake.js';
import { sampleCallRecord } from '../../sdk/src/testing/sample-call-record.js';
import { ASTERISK_SOURCE, asteriskRow } from '../support/cli-records-lab.js';
import {
  FORMAT_SAMPLES,
  formatRows,
  formatSource,
  isEnded,
  writeOld,
  writePackedOld,
} from '../support/packed-records.js';
import { testFolder } from '../support/test-folder.js';

const directory = testFolder();

const clock = { nowMs: Date.now };
const SENT = readSourceConfiguration({ id: 'sent', format: 'hopback', time: { zone: 'utc' } });
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

function opened(sources: readonly SourceConfiguration[], more: { readonly maxSubmitted?: number } = {}) {
  const notices: IntakeNotice[] = [];
  const onNotice = (notice: IntakeNotice): void => void notices.push(notice);
  return RecordIntake.open({ directory: directory.at('store'), sources, clock, onNotice, ...more });
}

const source = (name: string, more: object = {}): SourceConfiguration =>
  readSourceConfiguration({ ...ASTERISK_SOURCE, id: name, path: directory.at(`${name}.csv`), ...more });

const rowsOf = (intake: RecordIntake): Readonly<Record<string, number>> =>
  Object.fromEntries(intake.state().sources.map(({ id, records }) => [id, records]));

test('what is sent is durable when it is answered, told apart by row, and nothing is doubled', async () => {
  const line = JSON.stringify(sampleCallRecord());
  await using intake = await opened([SENT]);
  const first = await intake.push('sent', octets(`${line}\n{"recordId":1}\n\n${line}`));
  expect(first).toMatchObject({ status: 'taken', inserted: 1, repeated: 1, areRejectsKept: true });
  expect(first.status === 'taken' && first.rejects.map(({ line: at, reason }) => [at, reason])).toEqual([
    [2, 'missing-field'],
  ]);
  expect((await intake.store.statistics()).records).toBe(1);
  expect(await intake.push('sent', octets(line))).toMatchObject({ inserted: 0, repeated: 1, rejected: 0 });
  const kept = [];
  for await (const row of readRejects(rejectsFile(directory.at('store'), 'sent', 'tail'))) kept.push(row.line);
  expect(kept).toEqual([2]);
});

test('a source that is not sent takes nothing that is, and after the end nothing is taken', async () => {
  const intake = await opened([source('pbx-1')]);
  expect(await intake.push('pbx-1', octets('x'))).toEqual({ status: 'unknown-source' });
  expect(await intake.push('nobody', octets('x'))).toEqual({ status: 'unknown-source' });
  await intake.close();
  await expect(intake.push('pbx-1', octets('x'))).rejects.toMatchObject({ code: 'closed' });
  expect(intake.submit([sampleCallRecord()])).toBe(0);
  expect(intake.state().submitted.refused).toBe(1);
});

test('records that are submitted are taken at once up to a bound, those above are counted, and all that were taken are stored', async () => {
  const records = Array.from({ length: 5 }, (_, n) => sampleCallRecord({ legId: `leg-${n}` }));
  const intake = await opened([], { maxSubmitted: 3 });
  expect(intake.submit(records)).toBe(3);
  expect(intake.state().submitted).toMatchObject({ accepted: 3, refused: 2, pending: 3, inserted: 0 });
  await intake.close();
  expect(intake.state().submitted).toMatchObject({ pending: 0, inserted: 3, failures: 0 });
  await using again = await opened([]);
  expect((await again.store.statistics()).records).toBe(3);
});

test('a record that no store can take is refused, and keeps none behind it waiting', async () => {
  const intake = await opened([]);
  const records = [
    sampleCallRecord({ recordId: 'none' }),
    { ...sampleCallRecord(), inviteAtUs: -1 },
    sampleCallRecord(),
  ];
  expect(intake.submit(records)).toBe(1);
  await intake.close();
  expect(intake.state().submitted).toMatchObject({ accepted: 1, refused: 2, inserted: 1, pending: 0 });
});

test('a source that stays goes on, one that changed goes on from its place, one that is gone ends', async () => {
  for (const name of ['stays', 'changes', 'goes']) await writeFile(directory.at(`${name}.csv`), `${asteriskRow(1)}\n`);
  await using intake = await opened([source('stays'), source('changes'), source('goes')]);
  await intake.look();
  expect(rowsOf(intake)).toEqual({ stays: 1, changes: 1, goes: 1 });
  await intake.replaceSources([source('stays'), source('changes', { keepRaw: true }), source('comes')]);
  for (const name of ['stays', 'changes', 'goes']) await appendFile(directory.at(`${name}.csv`), `${asteriskRow(2)}\n`);
  await writeFile(directory.at('comes.csv'), `${asteriskRow(1)}\n`);
  await intake.look();
  expect(rowsOf(intake)).toEqual({ stays: 2, changes: 1, comes: 1 });
  expect((await intake.store.statistics()).records).toBe(6);
  expect(intake.state().sources.every(({ repeated, rejected }) => repeated + rejected === 0)).toBe(true);
});

test('where one source cannot be, all stay as they were and go on', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await writeFile(directory.at('changes.csv'), `${asteriskRow(1)}\n`);
  await using intake = await opened([source('changes')]);
  await intake.look();
  const listen = { tcp: { host: '127.0.0.1', port }, agents: ['127.0.0.1'] };
  const hep = { id: 'proxy', format: 'hep', time: { zone: 'utc' }, ownAddresses: ['192.0.2.1'], listen };
  const wanted = [source('changes', { keepRaw: true }), readSourceConfiguration(hep)];
  await expect(intake.replaceSources(wanted)).rejects.toMatchObject({ code: 'unavailable' });
  taken.close();
  await expect(intake.replaceSources([SENT, SENT])).rejects.toMatchObject({ code: 'invalid-configuration' });
  await appendFile(directory.at('changes.csv'), `${asteriskRow(2)}\n`);
  await intake.look();
  expect(rowsOf(intake)).toEqual({ changes: 1 });
  expect((await intake.store.statistics()).records).toBe(2);
});

test('records of ours that are sent make no source known but those that they name', async () => {
  await using intake = await opened([SENT, readSourceConfiguration(ASTERISK_SOURCE)]);
  expect((await intake.store.scope()).sources).toEqual(['pbx-1']);
});

/** Takes in one rotated file for each format, all in one intake. @returns what became of it, or that the look did not end */
async function takenIn(kind: string, write: (file: string, content: Buffer) => Promise<void>) {
  const folder = directory.at(kind);
  await mkdir(folder);
  for (const format of Object.keys(FORMAT_SAMPLES))
    await write(join(folder, `${format}.1`), formatRows(format, 1_048_576));
  const intake = await RecordIntake.open({
    directory: join(folder, 'store'),
    sources: Object.keys(FORMAT_SAMPLES).map((format) => formatSource(format, join(folder, format))),
    clock,
  });
  if (!(await isEnded(intake.look()))) return 'the look did not end';
  const sources = intake.state().sources.map((state) => ({ ...state, lastProgressMs: 0 }));
  await intake.close();
  return sources;
}

test('a rotated file of 1 MB packed with gzip is read as the same file is read plain, whatever its format', async () => {
  const packed = await takenIn('packed', (file, content) => writePackedOld(`${file}.gz`, content));
  expect(packed).not.toBe('the look did not end');
  expect(packed).toEqual(await takenIn('plain', writeOld));
  const few = (packed as readonly IntakeSourceState[]).filter(({ rows: count }) => count < 100);
  expect(few).toEqual([]);
});
