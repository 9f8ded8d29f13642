import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CallRecord } from '../../sdk/src/contract/call-record.js';
import { rawEvidence } from '../../sdk/src/records/raw-evidence.js';
import { createHepReader, type HepSource } from '../../sdk/src/records/ingest/hep-reader.js';
import type { RowReading } from '../../sdk/src/records/ingest/record-reader.js';

interface HepSample {
  readonly file: string;
  readonly source: HepSource;
  /** What a packet makes, by its number from 1; what is given up at the end under `expired`. */
  readonly readings: Readonly<Record<string, readonly RowReading[]>>;
}

const folder = new URL('../vectors/records/hep/', import.meta.url);

function sampleOf(name: string): HepSample {
  return JSON.parse(readFileSync(new URL(`${name}.expected.json`, folder), 'utf8')) as HepSample;
}

/** Packets of a file, each a line of hexadecimal digits, as if all had come at once. */
function readPackets({ file, source }: HepSample): HepSample['readings'] {
  const reader = createHepReader(source);
  const readings: Record<string, readonly RowReading[]> = {};
  const lines = readFileSync(new URL(file, folder), 'latin1').trimEnd().split('\n');
  for (const [index, line] of lines.entries()) {
    const made = reader.readPacket(Buffer.from(line, 'hex'), 0).filter(({ status }) => status !== 'waiting');
    if (made.length > 0) readings[String(index + 1)] = made;
  }
  readings['expired'] = reader.expire(Number.POSITIVE_INFINITY);
  return readings;
}

const SAMPLES = ['proxy', 'traps'];

test.each(SAMPLES)('hep/%s makes the expected records', (name) => {
  const sample = sampleOf(name);
  expect(readPackets(sample)).toEqual(sample.readings);
});

test.each(SAMPLES)('hep/%s with keepRaw makes the same records, which are verified by their packets', (name) => {
  const sample = sampleOf(name);
  const readings = readPackets({ ...sample, source: { ...sample.source, keepRaw: true } });
  const packets = new Set(readFileSync(new URL(sample.file, folder), 'latin1').trimEnd().split('\n'));
  let records = 0;
  for (const [packet, made] of Object.entries(readings)) {
    for (const [at, reading] of made.entries()) {
      const expected = sample.readings[packet]?.[at];
      if (reading.status !== 'record' || expected?.status !== 'record') {
        expect(reading).toEqual(expected);
        continue;
      }
      records += 1;
      const { raw, ...source } = reading.record.source;
      expect({ ...reading.record, source }).toEqual(expected.record);
      expect(CallRecord.parse(reading.record).source.raw).toEqual(raw);
      const evidence = rawEvidence(reading.record);
      if (evidence.status !== 'kept') throw new Error('no packets');
      expect(evidence.matches).toBe(true);
      for (const row of evidence.rows) expect(packets).toContain(Buffer.from(row).toString('hex'));
    }
  }
  expect(records).toBeGreaterThan(4);
});

test.each(SAMPLES)('hep/%s makes records that our own schema accepts as they are', (name) => {
  const records = Object.values(sampleOf(name).readings)
    .flat()
    .flatMap((reading) => (reading.status === 'record' ? [reading.record] : []));
  expect(records.length).toBeGreaterThan(4);
  for (const record of records) expect(CallRecord.parse(record)).toEqual(record);
});
