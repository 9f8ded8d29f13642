import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RECORD_COLUMNS } from '../../sdk/src/records/store/record-columns.js';
import { NOON_US, sampleRecord, sparseRecord } from '../support/stored-records.js';

/** A record put together again from its columns. */
function restored(values: Readonly<Record<string, unknown>>): unknown {
  const record = JSON.parse(String(values['rest'])) as Record<string, unknown>;
  for (const { name, path } of RECORD_COLUMNS) {
    const value = values[name];
    if (path === undefined || value === undefined) continue;
    const names = path.split('.');
    const last = names.pop() ?? '';
    let members = record;
    for (const member of names) members = (members[member] ??= {}) as Record<string, unknown>;
    members[last] = value;
  }
  return record;
}

const FULL = sparseRecord('full', NOON_US, {
  answeredAtUs: NOON_US + 1_500_000,
  endedAtUs: NOON_US + 4_000_000,
  time: { written: 'local', zone: 'America/New_York', resolutionUs: 1_000, otherInviteAtUs: NOON_US + 3_600_000_000 },
  calling: { asWritten: '+13125550143', tn: '13125550143' },
  asserted: { asWritten: '+13125550144', tn: '13125550144' },
  called: {
    asWritten: '1234#18005550199',
    ...{ tn: '18005550199', translatedTn: '12155550112', lrn: '12155550100', techPrefix: '1234#' },
  },
  ingress: { trunk: 'east-1', provider: 'upstream-a', address: '192.0.2.1:5060', callId: 'in@192.0.2.1' },
  egress: { trunk: 'west-9', callId: 'out@203.0.113.5' },
  release: { sipStatus: 200, q850Cause: 16, cause: 'NORMAL_CLEARING', party: 'calling' },
  // Seconds that are no whole number stay in the rest.
  received: { attestation: 'B', origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11', spc: '1234', iatSeconds: 1.5 },
  signed: { attestation: 'A', basis: 'customer' },
  customerId: 'c-1',
  blockedBy: 'rule 7',
});

test.each([
  ['full', FULL],
  ['bare', sparseRecord('bare', NOON_US)],
  ...[0, 1, 2, 3].map((index) => [`sample ${String(index)}`, sampleRecord(index, NOON_US)] as const),
] as const)('the columns have all of a record: %s', (_name, record) => {
  const values = Object.fromEntries(RECORD_COLUMNS.map(({ name, valueOf }) => [name, valueOf(record)]));
  expect(restored(values)).toEqual(record);
});

test('durations are seconds', () => {
  const valueOf = (name: string): unknown => RECORD_COLUMNS.find((column) => column.name === name)?.valueOf(FULL);
  expect([valueOf('setup_seconds'), valueOf('talk_seconds')]).toEqual([1.5, 2.5]);
});

test('the guide has every column, in order, with its type and meaning', () => {
  const guide = readFileSync('docs/guides/query-records.md', 'utf8');
  const rows = [...guide.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) +\|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(RECORD_COLUMNS.map(({ name, type, text }) => [name, type, text]));
});
