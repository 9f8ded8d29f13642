import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallRecord } from '../../sdk/src/contract/call-record.js';
import {
  asteriskChannel,
  channelBirthSeconds,
  dialDestinations,
} from '../../sdk/src/records/ingest/formats/asterisk-cdr.js';
import {
  instantNearest,
  isNoTime,
  readWrittenTime,
  ROUNDING_US,
  rowClock,
  TIME_LAYOUTS,
} from '../../sdk/src/records/ingest/formats/row-times.js';
import { csvFields, type RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { TEXT_READERS } from '../support/record-readers.js';
import { rowsOf, sampleNames, sampleOf } from '../support/record-samples.js';
import { forAll } from '../support/for-all.js';

const STATUSES = ['record', 'skipped', 'waiting', 'rejected'];

/** Readings are well-formed, and every record is one that we would read ourselves. */
function expectSound(readings: readonly RowReading[]): void {
  expect(readings.length).toBeGreaterThan(0);
  for (const reading of readings) {
    expect(STATUSES).toContain(reading.status);
    if (reading.status === 'record') {
      const { inviteAtUs, answeredAtUs = inviteAtUs, endedAtUs = answeredAtUs } = reading.record;
      expect(CallRecord.parse(reading.record)).toEqual(reading.record);
      expect(answeredAtUs).toBeGreaterThanOrEqual(inviteAtUs - ROUNDING_US);
      expect(endedAtUs).toBeGreaterThanOrEqual(Math.max(inviteAtUs, answeredAtUs) - ROUNDING_US);
    }
    if (reading.status === 'rejected') expect(reading.detail).not.toMatch(/\d{7}/);
  }
}

const samples = Object.keys(TEXT_READERS).flatMap((format) =>
  sampleNames(format).map((name) => ({ format, ...sampleOf(format, name) })),
);

/** One change to a text, its place as a share of the length so that one recipe fits every row. */
const place = fc.noBias(fc.nat({ max: 999_999 })).map((millionths) => millionths / 1_000_000);
const piece = fc.oneof(
  fc.constantFrom(', ', '\0', '\uFEFF', '9'.repeat(40), ...'" "" , ; % { } -1 0 . + # é'.split(' ')),
  fc.string({ maxLength: 12, unit: 'binary' }),
);
const change = fc.record({ at: place, cut: fc.nat({ max: 40 }), put: piece });

function changed(text: string, changes: readonly { at: number; cut: number; put: string }[]): string {
  return changes.reduce((current, { at, cut, put }) => {
    const from = Math.floor(at * current.length);
    return current.slice(0, from) + put + current.slice(from + cut);
  }, text);
}

test.each(samples)('$format/$file: reads or rejects changed rows', ({ format, file, source }) => {
  const reader = TEXT_READERS[format]!(source);
  const rows = rowsOf(format, file, reader.framing);
  const seen = new Set<string>();
  forAll(
    [fc.nat({ max: rows.length - 1 }), fc.array(change, { minLength: 1, maxLength: 3 })],
    400,
    (index, changes) => {
      const text = changed(rows[index]!.text, changes);
      const readings = reader.read({ text, sha256: sourceSha256(text), line: index + 1 });
      expectSound(readings);
      for (const { status } of readings) seen.add(status);
    },
  );
  expect(seen).toContain('rejected');
  const given = reader.expire(Number.POSITIVE_INFINITY);
  if (given.length > 0) expectSound(given);
  expect(reader.waiting()).toBe(0);
});

test('a cause that is no whole number is none of Q.850', () => {
  const { source } = samples.find(({ file }) => file === 'traps.ACT')!;
  const reader = TEXT_READERS['ribbon-act']!(source);
  const row = rowsOf('ribbon-act', 'traps.ACT', reader.framing).find(({ text }) => text.includes(',6000,16,'))!;
  for (const cause of ['1.6', '0x10', '1e1', '128', '500']) {
    const text = row.text.replace(',6000,16,', `,6000,${cause},`);
    const [reading] = reader.read({ text, sha256: sourceSha256(text), line: 1 });
    expect(reading).toMatchObject({ status: 'record', record: { release: { cause } } });
    expectSound([reading!]);
  }
});

test.each(Object.keys(TEXT_READERS))('%s: any text is read, skipped or rejected', (format) => {
  const { source } = sampleOf(format, sampleNames(format)[0]!);
  const reader = TEXT_READERS[format]!(source);
  const json = fc.json({ maxDepth: 4 });
  forAll([fc.oneof(fc.string({ maxLength: 300, unit: 'binary' }), json), fc.nat({ max: 5 })], 1_000, (text, line) => {
    expectSound(reader.read({ text, sha256: sourceSha256(text), line }));
  });
});

const field = fc.string({ maxLength: 20, unit: fc.constantFrom('a', '"', ',', ' ', '\n', ';', '1') });

test('what is written as RFC 4180 says comes back field by field', () => {
  forAll([fc.array(fc.tuple(field, fc.boolean()), { minLength: 1, maxLength: 20 })], 2_000, (written) => {
    const row = written.map(([text, wantsQuotes]) =>
      wantsQuotes || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
    );
    expect(csvFields(row.join(','))).toEqual({ status: 'fields', fields: written.map(([text]) => text) });
  });
});

test('any row falls into fields that give the row again, or is rejected', () => {
  forAll([fc.string({ maxLength: 60, unit: fc.constantFrom('a', '"', ',', ' ', '1') })], 2_000, (text) => {
    const read = csvFields(text);
    if (read.status === 'rejected') return;
    const quoted = read.fields.map((one) => `"${one.replaceAll('"', '""')}"`).join(',');
    expect(csvFields(quoted)).toEqual(read);
  });
});

test('any text is a time or none in every layout', () => {
  const digits = fc.string({ maxLength: 45, unit: fc.constantFrom(...'0123456789-:/. TZ+'.split('')) });
  const clock = rowClock({ zone: 'Europe/London' });
  forAll([fc.oneof(fc.string({ maxLength: 50 }), digits), fc.constantFrom(...TIME_LAYOUTS)], 5_000, (text, layout) => {
    const written = readWrittenTime(text, layout);
    const read = clock.read(text, layout);
    if (written === undefined) expect(read.status).toBe('rejected');
    if (read.status === 'instant') expect(Number.isSafeInteger(read.atUs)).toBe(true);
    expect(typeof isNoTime(text)).toBe('boolean');
  });
});

test('an instant written in the local time of a zone is read back, or one of the two that it may be', () => {
  const zones = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns'];
  // Until November 2011, St. John's changed its clocks at 00:01.
  const seconds = fc.integer({ min: Date.UTC(2012, 0, 1) / 1_000, max: Date.UTC(2037, 0, 1) / 1_000 });
  const formats = new Map(
    zones.map((zone) => [
      zone,
      {
        clock: rowClock({ zone }),
        format: new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }),
      },
    ]),
  );
  forAll([seconds, fc.constantFrom(...zones)], 3_000, (at, zone) => {
    const { clock, format } = formats.get(zone)!;
    const read = clock.read(format.format(at * 1_000), 'date-time');
    if (read.status !== 'instant') throw new Error(`${at} in ${zone}: ${read.reason}`);
    expect(instantNearest(read, at * 1_000_000)).toBe(at * 1_000_000);
  });
});

test('any text is a channel, a dial string and a unique id or none', () => {
  const text = fc.string({ maxLength: 60, unit: fc.constantFrom(...'PJSIP/@-&,|;:.0123456789ab'.split('')) });
  forAll([text], 3_000, (any) => {
    expect(asteriskChannel(any)?.peer).not.toBe('');
    expect(dialDestinations(any).length).toBeGreaterThan(0);
    const seconds = channelBirthSeconds(any);
    if (seconds !== undefined) expect(any).toContain(String(seconds).padStart(10, '0'));
  });
});
