import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { callRecord, legReading, legSource, MAX_NAME_CHARS, nameOf } from '../../sdk/src/records/ingest/formats/leg.js';
import type { LegParts } from '../../sdk/src/records/ingest/formats/leg.js';
import type { RowReading, SourceDescription } from '../../sdk/src/records/ingest/record-reader.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';

const ROW = { text: 'row', sha256: 'ab'.repeat(32), line: 1 };
const INVITE = { status: 'instant', atUs: 1_781_528_400_000_000, basis: { written: 'utc', resolutionUs: 1 } } as const;

const SOURCE: SourceDescription = { id: 'sbc-1', format: 'columns', time: { zone: 'utc' } };
const PARTS: LegParts = { legId: 'l', callGroupId: 'g', invite: INVITE, disposition: 'busy' };

function record(parts: Partial<LegParts>, more: Partial<SourceDescription> = {}): CallRecord {
  const leg = { ...PARTS, ...parts };
  return callRecord(ROW, legSource({ ...SOURCE, ...more }, 3), leg, leg);
}

function reading(parts: Partial<LegParts>): readonly RowReading[] {
  const leg = { ...PARTS, ...parts };
  return legReading(ROW, legSource(SOURCE, 3), leg, leg);
}

test('what a row does not say is no member of the record', () => {
  const members = 'format recordId source legId callGroupId inviteAtUs time ingress egress disposition'.split(' ');
  expect(Object.keys(record({ calling: '', called: undefined, customerId: '', release: undefined }))).toEqual(members);
});

/** Parts of a leg, what is declared of its source, and members of its record: `null` where it has none. */
interface LegVector {
  readonly what: string;
  readonly parts: Partial<LegParts>;
  readonly source?: Partial<SourceDescription>;
  readonly record: Readonly<Record<string, unknown>>;
}
const LEGS = JSON.parse(
  readFileSync(new URL('../vectors/rows/legs.json', import.meta.url), 'utf8'),
) as readonly LegVector[];

test.each(LEGS)('$what', ({ parts, source, record: members }) => {
  const made: Readonly<Record<string, unknown>> = { ...record(parts, source) };
  for (const [member, value] of Object.entries(members)) expect(made[member] ?? null).toEqual(value);
});

test('both instants of the hour that comes twice are in the record', () => {
  const invite = { ...INVITE, otherUs: INVITE.atUs + 3_600_000_000 };
  expect(record({ invite }).time).toEqual({
    written: 'utc',
    resolutionUs: 1,
    otherInviteAtUs: INVITE.atUs + 3_600_000_000,
  });
});

test('names of legs and calls that are too long stay apart from each other', () => {
  const of = (end: string): CallRecord => {
    const name = `${'x'.repeat(MAX_NAME_CHARS)}${end}`;
    return record({ legId: name, callGroupId: name });
  };
  expect(of('a').legId).toHaveLength(MAX_NAME_CHARS);
  expect(of('a').recordId).not.toBe(of('b').recordId);
  expect(of('a').callGroupId).not.toBe(of('b').callGroupId);
  expect(of('a').callGroupId).toBe(of('a').legId);
  const atBound = 'x'.repeat(MAX_NAME_CHARS);
  expect(record({ legId: atBound }).legId).toBe(atBound);
  expect(nameOf('  ')).toBeUndefined();
});

test.each([
  ['was answered before it began', { answeredAtUs: INVITE.atUs - 1_000_001 }],
  ['ended before it began', { endedAtUs: INVITE.atUs - 1_000_001 }],
  ['ended before it was answered', { answeredAtUs: INVITE.atUs + 9_000_000, endedAtUs: INVITE.atUs + 7_999_999 }],
])('a leg that %s is no record', (what, times) => {
  expect(reading(times)).toEqual([{ status: 'rejected', reason: 'bad-time', detail: `the call ${what}` }]);
});

test('times of one leg that are rounded differently make a record', () => {
  const times = { answeredAtUs: INVITE.atUs - 1_000_000, endedAtUs: INVITE.atUs - 900_000 };
  expect(reading(times)).toMatchObject([{ status: 'record', record: times }]);
});
