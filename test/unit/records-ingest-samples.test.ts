import { expect, test } from 'vitest';
import { callRecordSchema } from '../../sdk/src/platform/wire/call-record.schema.js';
import { TEXT_READERS } from '../support/record-readers.js';
import { readSample, rowsOf, sampleNames, sampleOf } from '../support/record-samples.js';

const samples = Object.keys(TEXT_READERS).flatMap((format) =>
  sampleNames(format).map((name) => [format, name] as const),
);

test.each(samples)('%s/%s imports with the expected records', (format, name) => {
  const { file, source, readings, waiting } = sampleOf(format, name);
  const reader = TEXT_READERS[format]!(source);
  expect(readSample(reader, rowsOf(format, file, reader.framing))).toEqual({ readings, waiting });
});

test.each(samples)('%s/%s makes records that our own schema accepts as they are', (format, name) => {
  const records = Object.values(sampleOf(format, name).readings)
    .flat()
    .flatMap((reading) => (reading.status === 'record' ? [reading.record] : []));
  for (const record of records) expect(callRecordSchema.parse(record)).toEqual(record);
});

test.each(Object.keys(TEXT_READERS))('%s has samples with records, and with rows that are rejected', (format) => {
  const statuses = sampleNames(format)
    .flatMap((name) => Object.values(sampleOf(format, name).readings).flat())
    .map(({ status }) => status);
  expect(statuses).toEqual(expect.arrayContaining(['record', 'rejected']));
});
