import { expect, test } from 'vitest';
import { rawEvidence } from '../../sdk/src/records/raw-evidence.js';
import { CallRecord } from '../../sdk/src/contract/call-record.js';
import { TEXT_READERS } from '../support/record-readers.js';
import { foundRows, readSample, sampleNames, sampleOf, splitSample } from '../support/record-samples.js';

const samples = Object.keys(TEXT_READERS).flatMap((format) =>
  sampleNames(format).map((name) => [format, name] as const),
);

test.each(samples)('%s/%s imports with the expected records', (format, name) => {
  const { file, source, readings, waiting } = sampleOf(format, name);
  // Whole, and in pieces that end anywhere: the rows are found by what an import finds them with.
  for (const pieceBytes of [1_048_576, 61]) {
    const reader = TEXT_READERS[format]!(source);
    const { framing } = reader;
    expect(readSample(reader, splitSample(format, file, { framing, pieceBytes }))).toEqual({ readings, waiting });
  }
});

test.each(samples)('%s/%s with keepRaw makes the same records, with their rows', (format, name) => {
  const { file, source, readings, waiting } = sampleOf(format, name);
  const reader = TEXT_READERS[format]!({ ...source, keepRaw: true });
  const made = readSample(reader, splitSample(format, file, { framing: reader.framing }));
  const withoutRaw = JSON.parse(JSON.stringify(made), (member, value: unknown) =>
    member === 'raw' ? undefined : value,
  ) as unknown;
  expect(withoutRaw).toEqual({ readings, waiting });
});

test.each(samples)('%s/%s with keepRaw makes records that are verified by the bytes of the file', (format, name) => {
  const { file, source } = sampleOf(format, name);
  const reader = TEXT_READERS[format]!({ ...source, keepRaw: true });
  const found = foundRows(format, file, reader.framing);
  const readings = [...found.flatMap(({ row }) => reader.read(row)), ...reader.expire(Number.POSITIVE_INFINITY)];
  const inFile = new Set(found.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
  for (const reading of readings) {
    if (reading.status !== 'record') continue;
    const { record } = reading;
    // A line of our own format that has the hash of the switch's row is not that row.
    if (format === 'hopback' && record.source.raw === undefined) continue;
    const evidence = rawEvidence(record);
    if (evidence.status !== 'kept') throw new Error(`${record.legId} has no raw rows`);
    expect([record.legId, evidence.matches]).toEqual([record.legId, true]);
    for (const row of evidence.rows) expect(inFile).toContain(Buffer.from(row).toString('hex'));
    expect(CallRecord.parse(record)).toEqual(record);
  }
});

test.each(samples)('%s/%s makes records that our own schema accepts as they are', (format, name) => {
  const records = Object.values(sampleOf(format, name).readings)
    .flat()
    .flatMap((reading) => (reading.status === 'record' ? [reading.record] : []));
  for (const record of records) expect(CallRecord.parse(record)).toEqual(record);
});

test.each(Object.keys(TEXT_READERS))('%s has samples with records, and with rows that are rejected', (format) => {
  const statuses = sampleNames(format)
    .flatMap((name) => Object.values(sampleOf(format, name).readings).flat())
    .map(({ status }) => status);
  expect(statuses).toEqual(expect.arrayContaining(['record', 'rejected']));
});
