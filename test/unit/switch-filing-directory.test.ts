import { ManualClock } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FilingDirectory, treatCall, trunkPolicy } from '../../sdk/src/switch/index.js';
import { filingName, readFilingList } from '../../sdk/src/switch/filing-directory.js';
import type { FilingDirectoryOptions, FilingReference } from '../../sdk/src/switch/index.js';
import { forAll } from '../support/for-all.js';

const HEADER = 'number,business_name,frn,previous_business_names,other_dba_names,last_updated,removed_on';
const CLOCK = new ManualClock();
const DAY_MS = 86_400_000;

const csv = (...lines: readonly string[]): string => `${[HEADER, ...lines].join('\n')}\n`;
const THREE = csv(
  'RMD0001234,"Example, Inc.",123456,Old Example LLC,Ex Tel; Télé Ex,2026-09-14,',
  'RMD0000009,Gone Carrier LLC,0000000009,,,09/14/2026,2026-10-01',
  'RMD0000010,Other Telecom,0000000010,,,,',
);

function directory(reference: FilingReference, options: Partial<FilingDirectoryOptions> = {}) {
  return new FilingDirectory({ trunks: { t: reference }, leastFilings: 1, clock: CLOCK, ...options });
}

function filingOf(reference: FilingReference, file = THREE) {
  const made = directory(reference);
  expect(made.load(file, { listedAtMs: CLOCK.nowMs() })).toMatchObject({ status: 'loaded' });
  return made.filingOfTrunk('t');
}

test.each<readonly [FilingReference, string]>([
  [{ rmdNumber: 'RMD0001234' }, 'present'],
  [{ rmdNumber: '1234', frn: '0000123456' }, 'present'],
  [{ frn: '123456' }, 'present'],
  [{ businessName: 'EXAMPLE' }, 'present'],
  [{ businessName: 'old example' }, 'present'],
  [{ businessName: 'Tele-Ex' }, 'present'],
  [{ rmdNumber: 'RMD9' }, 'removed'],
  [{ businessName: 'Gone Carrier' }, 'removed'],
  [{ frn: '11' }, 'absent'],
  [{ rmdNumber: 'RMD11', frn: '11' }, 'absent'],
  // A name that is spelled otherwise accuses nobody, nor does a number that belongs to another filing.
  [{ businessName: 'Nobody' }, 'unknown'],
  [{ frn: '11', businessName: 'Other Telecom, LLC' }, 'unknown'],
  [{ rmdNumber: 'RMD0001234', frn: '10' }, 'unknown'],
  [{ rmdNumber: 'RMD0001234', frn: '11' }, 'unknown'],
])('the filing of a trunk with %j is %s', (reference, status) => {
  expect(filingOf(reference)).toBe(status);
});

test('numbers of a line that cannot be read are not said to be absent', () => {
  const many = Array.from({ length: 200 }, (_, index) => `RMD${1_000_000 + index},C${index},${2_000_000 + index},,,,`);
  const file = csv(...many, 'RMD0000077,A "quoted" name,0000000077,,,,');
  expect(readFilingList(file)).toMatchObject({ status: 'read', unread: 1, isWhole: true });
  expect([filingOf({ frn: '77' }, file), filingOf({ frn: '78' }, file)]).toEqual(['unknown', 'absent']);
});

test('a file without numbers of filings says nothing of them', () => {
  const file = 'business_name,frn\nExample,5\n';
  expect([filingOf({ rmdNumber: 'RMD5' }, file), filingOf({ frn: '5' }, file)]).toEqual(['unknown', 'present']);
});

test('names that different filers share say nothing where these differ', () => {
  const file = csv(
    'RMD1,Twin LLC,1,,,,',
    'RMD2,Twin Inc,2,,,,2026-10-01',
    'RMD3,Self,3,,,,',
    'RMD4,Self,3,,,,2026-10-01',
  );
  expect([filingOf({ businessName: 'Twin' }, file), filingOf({ businessName: 'Self' }, file)]).toEqual([
    'unknown',
    'present',
  ]);
});

test('before a file, and when it is too old, nothing is said', () => {
  const clock = new ManualClock();
  const made = directory({ frn: '11' }, { clock });
  expect(made.filingOfTrunk('t')).toBe('unknown');
  made.load(THREE, { listedAtMs: clock.nowMs() - 4 * DAY_MS });
  expect(made.filingOfTrunk('t')).toBe('absent');
  expect(made.status()).toMatchObject({ filings: 3, isStale: false, trunks: { absent: ['t'] } });
  clock.advance(DAY_MS + 1);
  expect([made.filingOfTrunk('t'), made.status().isStale]).toEqual(['unknown', true]);
  made.load(THREE, { listedAtMs: clock.nowMs() });
  expect(made.filingOfTrunk('t')).toBe('absent');
});

test('a file that is a part, older or from tomorrow leaves the last one in its place', () => {
  const made = directory({ frn: '10' }, { leastFilings: 3 });
  const nowMs = CLOCK.nowMs();
  const at = { listedAtMs: nowMs };
  expect(made.load(THREE, at)).toEqual({ status: 'loaded', filings: 3, unread: 0 });
  const reasons = [
    made.load(csv('RMD1,One,1,,,,', 'RMD2,Two,2,,,,'), at),
    made.load(THREE.slice(0, -9), at),
    made.load(`${THREE}RMD5,"open,5,,,,\n`, at),
    made.load(csv(...THREE.split('\n').slice(1, 4), 'RMD5,short,5'), at),
    made.load(THREE, { listedAtMs: nowMs - 1 }),
    made.load(THREE, { listedAtMs: nowMs + DAY_MS }),
    made.load(THREE, { listedAtMs: Number.NaN }),
    made.load('', at),
    made.load('number,frn\n1,1\n', at),
  ].map((load) => (load.status === 'refused' ? load.reason : load.status));
  expect(reasons).toEqual([
    ...['too-few', 'cut-off', 'cut-off', 'too-many-unread', 'older-than-last', 'date-ahead', 'date-ahead'],
    ...['no-header', 'column-missing'],
  ]);
  expect(made.filingOfTrunk('t')).toBe('present');
});

test('a file that ends behind a line end within a quoted field is cut off', () => {
  const lines = Array.from({ length: 200 }, (_, index) => `RMD${index + 1},"C\n${index}\nInc.",${index + 1},,,,`);
  const file = csv(...lines);
  const made = directory({ frn: '200' }, { leastFilings: 150 });
  for (const last of ['"C\n198\n', '"C\n'])
    expect(made.load(file.slice(0, file.lastIndexOf(last) + last.length), { listedAtMs: CLOCK.nowMs() })).toEqual({
      ...{ status: 'refused', reason: 'cut-off' },
    });
  expect(made.load(file, { listedAtMs: CLOCK.nowMs() })).toMatchObject({ status: 'loaded', filings: 200 });
});

test('a quote that is open in the midst of a file costs its line alone', () => {
  const lines = Array.from({ length: 200 }, (_, index) => `RMD${index + 1},C${index},${index + 1},,,,`);
  const file = csv(...lines.slice(0, 100), 'RMD500,"open,500,,,,', ...lines.slice(100));
  expect(readFilingList(file)).toMatchObject({ status: 'read', unread: 1, isWhole: true });
});

test('a number that a filing names beside its own is not said to be absent', () => {
  const file =
    'Number,Business Name,FRN,Other FRN(s),Removed On\n' +
    'RMD1,One,1,"2, 0000000003;4",\nRMD2,Two,2,,2026-10-01\nRMD3,Three,5,,\n';
  const all = ['1', '2', '3', '4', '6'].map((frn) => filingOf({ frn }, file));
  expect(all).toEqual(['present', 'removed', 'unknown', 'unknown', 'absent']);
});

test('a file that has lost a tenth of its filings is refused', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `RMD${index + 1},C${index},${index + 1},,,,`);
  const made = directory({ frn: '99' });
  made.load(csv(...lines), { listedAtMs: CLOCK.nowMs() });
  expect(made.load(csv(...lines.slice(0, 89)), { listedAtMs: CLOCK.nowMs() })).toMatchObject({ reason: 'too-few' });
  expect(made.load(csv(...lines.slice(0, 95)), { listedAtMs: CLOCK.nowMs() }).status).toBe('loaded');
  expect(made.filingOfTrunk('t')).toBe('absent');
});

test('a call of an upstream provider without a filing is marked, or refused by policy', () => {
  const made = directory({ frn: '11' }, { trunks: { '192.0.2.7': { frn: '11' } } });
  made.load(THREE, { listedAtMs: CLOCK.nowMs() });
  const filing = made.filingOf({ raw: '', source_address: '192.0.2.7' });
  expect([filing, made.filingOf({ raw: '', source_address: '192.0.2.8' }), made.filingOf({ raw: '' })]).toEqual([
    ...['absent', 'unknown', 'unknown'],
  ]);
  const none = { isEmergency: false, isMarkedEmergency: false, isAnonymous: false, isSigned: false };
  const call = { facts: { statedNumbers: [], ...none }, filing };
  expect(treatCall(call, trunkPolicy({ role: 'gateway' }))).toMatchObject({
    ...{ action: 'continue', concerns: ['upstream-not-filed'] },
  });
  expect(treatCall(call, trunkPolicy({ role: 'gateway', upstreamFiling: 'reject' }))).toMatchObject({
    ...{ action: 'reject', status: 403 },
  });
});

test.each([{}, { frn: 'x' }, { rmdNumber: 'ABC' }, { businessName: ' - ' }])(
  'a trunk with %j is refused',
  (reference) => {
    expect(() => directory(reference)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  },
);

test('names are compared without case, marks and legal forms', () => {
  const names = ['Exámple  Tel., L.L.C.', 'The Co', 'Inc', ''];
  expect(names.map(filingName)).toEqual(['example tel l l c', 'the', 'inc', '']);
});

const line = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc
    .tuple(fc.nat(999), fc.string({ maxLength: 12 }), fc.nat(999))
    .map(([one, name, two]) => `RMD${one},${name},${two},,,,`),
);

test('whatever a file of filings holds, it is read, and nobody who has a line in it is absent', () => {
  forAll([fc.array(line, { maxLength: 20 }), fc.boolean(), fc.nat(999)], 100, (lines, hasHeader, number) => {
    const text = `${hasHeader ? `${HEADER}\n` : ''}${lines.join('\n')}\n`;
    const made = directory({ frn: String(number) }, { leastFilings: 0 });
    const load = made.load(text, { listedAtMs: CLOCK.nowMs() });
    const reading = readFilingList(text);
    if (reading.status === 'unreadable') expect(load.status).toBe('refused');
    const isMentioned = text.includes(String(number));
    if (isMentioned && made.filingOfTrunk('t') === 'absent')
      // Only as a part of another number, or in a name.
      expect(reading.status === 'read' && reading.filings.every(({ frn }) => Number(frn) !== number)).toBe(true);
  });
});

test('any octets are read', () => {
  forAll([fc.uint8Array({ maxLength: 400 })], 100, (bytes) => {
    expect(['read', 'unreadable']).toContain(readFilingList(bytes).status);
    const behind = Buffer.concat([Buffer.from(`${HEADER}\n`), bytes]);
    expect(readFilingList(behind).status).toBe('read');
  });
});
