import { expect, test } from 'vitest';
import { leadsTo, startByDuration, startNotAfter } from '../../sdk/src/records/ingest/formats/row-times.js';
import type { RecordFormat } from '../../sdk/src/contract/call-record.js';
import type { RowReading, SourceTime } from '../../sdk/src/records/ingest/record-reader.js';
import { TEXT_READERS } from '../support/record-readers.js';

type Declared = NonNullable<SourceTime['repeatedHour']>;
const BOTH: readonly Declared[] = ['earlier', 'later'];

/** Reads rows of one source in New York, and tells what the last of them makes. */
function lastOf(format: RecordFormat, rows: readonly string[], more: object = {}): readonly RowReading[] {
  const reader = TEXT_READERS[format]!({ id: 'switch-1', format, time: { zone: 'America/New_York' }, ...more });
  return rows.map((text, at) => reader.read({ text, sha256: 'ab'.repeat(32), line: at + 2 })).at(-1) ?? [];
}

function atUs(utc: string): number {
  return Date.parse(utc) * 1_000;
}

function cdr(times: readonly [string, string, string], duration: number): string {
  const quoted = times.map((time) => `"${time}"`).join(',');
  return `"","12025550101","12125550143","in","","PJSIP/a-00000001","","","",${quoted},${duration},0,"ANSWERED","DOC"`;
}

/** Fields of a row by their places, the others empty. */
function placed(length: number, fields: Readonly<Record<number, string>>): string {
  return Array.from({ length }, (_, place) => fields[place] ?? '').join(',');
}

function stop(start: readonly [string, string], end: readonly [string, string], duration: string): string {
  const [[startDate, startTime], [endDate, endTime]] = [start, end];
  const leg = { 0: 'STOP', 1: 'SBC01', 2: '0x1', 5: startDate, 6: startTime, 19: '12025550101', 33: 'TG' };
  return placed(126, { ...leg, 10: endDate, 11: endTime, 13: duration, 14: '16' });
}

function attempt(start: readonly [string, string], endTime: string): string {
  return placed(116, { 0: 'ATTEMPT', 1: 'SBC01', 2: '0x1', 5: start[0], 6: start[1], 9: endTime, 11: '16', 30: 'TG' });
}

const ACC = { layout: { form: 'csv', columns: ['method', 'from_tag', 'to_tag', 'callid', 'sip_code', 'time'] } };
const CDR_FLAT = { layout: { form: 'flat', columns: ['start_time', 'end_time', 'duration', 'callid', 'sip_code'] } };

test('a start that comes twice is that which is not behind the end, whichever is declared', () => {
  const rows: readonly (readonly [RecordFormat, readonly string[], object])[] = [
    ['asterisk-cdr', [cdr(['2026-11-01 01:59:50', '', '2026-11-01 01:00:25'], 0)], {}],
    ['ribbon-act', [stop(['11/01/2026', '01:59:50.0'], ['11/01/2026', '01:00:25.0'], '3000')], {}],
    ['ribbon-act', [attempt(['11/01/2026', '01:59:50.0'], '01:00:25.0')], {}],
    ['kamailio-acc', ['INVITE,a,b,c,200,2026-11-01 01:59:50', 'BYE,a,b,c,200,2026-11-01 01:00:25'], ACC],
    ['kamailio-acc', ['2026-11-01 01:59:50|2026-11-01 01:00:25|35|c|200'], CDR_FLAT],
    ['kamailio-acc', ['2026-11-01 01:59:50|2026-11-01 01:00:25||c|200'], CDR_FLAT],
  ];
  for (const [format, texts, more] of rows) {
    for (const repeatedHour of BOTH) {
      const [reading] = lastOf(format, texts, { ...more, time: { zone: 'America/New_York', repeatedHour } });
      const record = reading?.status === 'record' ? reading.record : undefined;
      expect(record).toMatchObject({
        inviteAtUs: atUs('2026-11-01T05:59:50Z'),
        endedAtUs: atUs('2026-11-01T06:00:25Z'),
      });
      expect(record?.time).not.toHaveProperty('otherInviteAtUs');
    }
  }
});

test('a start that comes twice is that from which the duration leads to the end', () => {
  const times = ['2026-11-01 01:50:00', '', '2026-11-01 02:10:00'] as const;
  for (const repeatedHour of BOTH) {
    const more = { time: { zone: 'America/New_York', repeatedHour } };
    const began = (duration: number): unknown => lastOf('asterisk-cdr', [cdr(times, duration)], more);
    expect(began(1_200)).toMatchObject([{ record: { inviteAtUs: atUs('2026-11-01T06:50:00Z') } }]);
    expect(began(4_800)).toMatchObject([{ record: { inviteAtUs: atUs('2026-11-01T05:50:00Z') } }]);
  }
});

test('an ATTEMPT of Ribbon without the date of its end that goes on over midnight ends on the next day', () => {
  const row = attempt(['12/31/2026', '23:59:58.0'], '00:00:09.0');
  const utc = { time: { zone: 'utc' } };
  expect(lastOf('ribbon-act', [row], utc)).toMatchObject([{ record: { endedAtUs: atUs('2027-01-01T00:00:09Z') } }]);
  const sameDay = attempt(['12/31/2026', '23:59:48.0'], '23:59:58.0');
  expect(lastOf('ribbon-act', [sameDay], utc)).toMatchObject([{ record: { endedAtUs: atUs('2026-12-31T23:59:58Z') } }]);
});

test('a start of one meaning is left as it is', () => {
  const basis = { written: 'utc', resolutionUs: 1_000_000 } as const;
  const start = { status: 'instant', atUs: 10_000_000, basis } as const;
  expect(startNotAfter(start, [{ ...start, atUs: 0 }, undefined])).toBe(start);
  expect(startByDuration(start, { ...start, atUs: 0 }, 5)).toBe(start);
  expect(leadsTo({ ...start, otherUs: 20_000_000 }, 19_000_000)).toBe(true);
  expect(leadsTo(start, 11_000_001)).toBe(false);
});
