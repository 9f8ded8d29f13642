import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rawEvidence } from '../../sdk/src/records/record-id.js';
import { CallRecord } from '../../sdk/src/contract/call-record.js';
import { createHepReader, type HepSource } from '../../sdk/src/records/ingest/hep-reader.js';
import type { RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import { TEXT_READERS } from '../support/record-readers.js';
import { readSample, sampleNames, sampleOf, splitSample } from '../support/record-samples.js';

const samples = Object.keys(TEXT_READERS).flatMap((format) =>
  sampleNames(format).map((name) => [format, name] as const),
);

const withoutRaw = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (member, one: unknown) => (member === 'raw' ? undefined : one));

/** Checks that records are valid, and verified by rows of their file. @returns how many were */
function expectVerified(readings: readonly RowReading[], inFile: ReadonlySet<string>, isOwnFormat = false): number {
  let verified = 0;
  for (const reading of readings) {
    if (reading.status !== 'record') continue;
    const { record } = reading;
    expect(CallRecord.parse(record)).toEqual(record);
    // A line of our own format that has the hash of the switch's row is not that row.
    if (isOwnFormat && record.source.raw === undefined) continue;
    const evidence = rawEvidence(record);
    if (evidence.status !== 'kept') throw new Error(`${record.legId} has no raw rows`);
    expect([record.legId, evidence.matches]).toEqual([record.legId, true]);
    for (const row of evidence.rows) expect(inFile).toContain(Buffer.from(row).toString('hex'));
    verified += 1;
  }
  return verified;
}

test.each(samples)('%s/%s imports with the expected records', (format, name) => {
  const { file, source, readings, waiting } = sampleOf(format, name);
  // Whole, and in pieces that end anywhere: the rows are found by what an import finds them with.
  for (const pieceBytes of [1_048_576, 61]) {
    const reader = TEXT_READERS[format]!(source);
    const { framing } = reader;
    expect(readSample(reader, splitSample(format, file, { framing, pieceBytes }))).toEqual({ readings, waiting });
  }
});

test.each(samples)('%s/%s with keepRaw makes the same records, verified by the bytes of the file', (format, name) => {
  const { file, source, readings, waiting } = sampleOf(format, name);
  const reader = TEXT_READERS[format]!({ ...source, keepRaw: true });
  const found = splitSample(format, file, { framing: reader.framing });
  const made = readSample(reader, found);
  expect(withoutRaw(made)).toEqual({ readings, waiting });
  const inFile = new Set(found.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
  const all = [...Object.values(made.readings).flat(), ...reader.expire(Number.POSITIVE_INFINITY)];
  expectVerified(all, inFile, format === 'hopback');
});

test.each(Object.keys(TEXT_READERS))('%s has samples with records, and with rows that are rejected', (format) => {
  const statuses = sampleNames(format)
    .flatMap((name) => Object.values(sampleOf(format, name).readings).flat())
    .map(({ status }) => status);
  expect(statuses).toEqual(expect.arrayContaining(['record', 'rejected']));
});

/** Reads packets as if all had come at once. @returns readings by the number of the packet, and `expired` */
function readPackets(source: HepSource, packets: readonly string[]): Readonly<Record<string, readonly RowReading[]>> {
  const reader = createHepReader(source);
  const readings: Record<string, readonly RowReading[]> = {};
  for (const [index, packet] of packets.entries()) {
    const made = reader.readPacket(Buffer.from(packet, 'hex'), 0).filter(({ status }) => status !== 'waiting');
    if (made.length > 0) readings[String(index + 1)] = made;
  }
  return { ...readings, expired: reader.expire(Number.POSITIVE_INFINITY) };
}

test.each(['proxy', 'traps'])('hep/%s makes the expected records, with keepRaw verified by their packets', (name) => {
  const sample = sampleOf('hep', name);
  const source = sample.source as HepSource;
  const packets = readFileSync(`test/vectors/records/hep/${sample.file}`, 'latin1').trimEnd().split('\n');
  expect(readPackets(source, packets)).toEqual(sample.readings);
  const kept = readPackets({ ...source, keepRaw: true }, packets);
  expect(withoutRaw(kept)).toEqual(sample.readings);
  expect(expectVerified(Object.values(kept).flat(), new Set(packets))).toBeGreaterThan(4);
});
