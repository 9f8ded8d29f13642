import { expect, test } from 'vitest';
import { createAsteriskCelReader, MAX_WAITING_CHANNELS } from '../../sdk/src/records/ingest/formats/asterisk-cel.js';
import type { RecordReader, SourceRow } from '../../sdk/src/records/ingest/record-reader.js';
import { recordsOf, rowsOf, sampleOf } from '../support/record-samples.js';

function celReader(): RecordReader {
  return createAsteriskCelReader(sampleOf('asterisk-cel', 'calls').source);
}

const rows = rowsOf('asterisk-cel', 'calls.csv', 'csv');

test('a call that is still up at the end of the file waits, and makes its record when it is given up', () => {
  const reader = celReader();
  for (const row of rows) reader.read(row);
  expect(reader.waiting()).toBe(1);
  expect(reader.expire(1_781_528_603_000_000)).toEqual([]);
  const [record, ...others] = recordsOf(reader.expire(Number.POSITIVE_INFINITY));
  expect(others).toEqual([]);
  expect(record).toMatchObject({ legId: '1781528603.40', disposition: 'failed', ingress: { trunk: 'carrier-a' } });
  expect(record?.endedAtUs).toBeUndefined();
  expect(reader.waiting()).toBe(0);
});

test('events of a call that was given up are rejected, so that it has no second record', () => {
  const reader = celReader();
  for (const row of rows.slice(0, 3)) reader.read(row);
  expect(recordsOf(reader.expire(Number.POSITIVE_INFINITY))).toHaveLength(2);
  const later = rows.slice(14, 23).flatMap((row) => reader.read(row));
  expect(recordsOf(later)).toEqual([]);
  expect(new Set(later.map(({ status }) => status))).toEqual(new Set(['rejected', 'skipped']));
});

test.each([false, true])(
  'a reader that is stopped at any row and restored makes the same records, keepRaw %j',
  (keepRaw) => {
    const reader = (): RecordReader =>
      createAsteriskCelReader({ ...sampleOf('asterisk-cel', 'calls').source, keepRaw });
    const whole = reader();
    const expected = rows.map((row) => whole.read(row));
    expect(recordsOf(expected.flat()).length).toBeGreaterThan(3);
    for (let stop = 0; stop <= rows.length; stop += 1) {
      const first = reader();
      const before = rows.slice(0, stop).map((row) => first.read(row));
      const second = reader();
      expect(second.restoreWaiting?.(first.saveWaiting?.() ?? '')).toBe(true);
      expect(second.waiting()).toBe(first.waiting());
      expect([...before, ...rows.slice(stop).map((row) => second.read(row))]).toEqual(expected);
    }
  },
);

test.each(['', '{}', '[]', '{"format":"hopback.asterisk-cel.2","channels":[]}'])('does not restore %j', (saved) => {
  const reader = celReader();
  expect(reader.restoreWaiting?.(saved)).toBe(false);
  expect(reader.waiting()).toBe(0);
});

test('a file whose ends are missing does not fill the memory: the oldest call is given up', () => {
  const reader = celReader();
  const start = (index: number): SourceRow => {
    const id = `${1_781_528_400 + index}.1`;
    const fields = ['CHAN_START', `${1_781_528_400 + index}.0`, '', '12025550101', '', '', '', '12125550143', 'in'];
    const text = [...fields, 'PJSIP/carrier-a-1', '', '', '3', '', id, id].join(',');
    return { text, sha256: 'ab'.repeat(32), line: index + 1 };
  };
  for (let index = 0; index < MAX_WAITING_CHANNELS; index += 1) reader.read(start(index));
  expect(reader.waiting()).toBe(MAX_WAITING_CHANNELS);
  const given = recordsOf(reader.read(start(MAX_WAITING_CHANNELS)));
  expect(given.map(({ legId }) => legId)).toEqual(['1781528400.1']);
  expect(reader.waiting()).toBe(MAX_WAITING_CHANNELS);
});
