import {
  INTAKE_FIELDS,
  readEmail,
  readIntakeLabels,
  readPastedText,
  readRequestCsv,
  readRequestCsvMap,
} from '@hopback/sdk/traceback';
import type { IntakeField, IntakeReport, IntakeRequest } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { htmlText } from '../../sdk/src/traceback/intake/visible-text.js';
import { labelIndex, normalLabel } from '../../sdk/src/traceback/intake/intake-fields.js';
import { statedNumber } from '../../sdk/src/traceback/intake/field-values.js';

const receivedAtMs = Date.UTC(2026, 9, 24);
const read = (text: string): IntakeReport => readPastedText(text, { receivedAtMs });
const only = ({ requests }: IntakeReport): IntakeRequest => {
  expect(requests).toHaveLength(1);
  return requests[0]!;
};

const LABELS = Object.entries(INTAKE_FIELDS).flatMap(([field, { labels }]) =>
  labels.map((label) => [label, field as IntakeField] as const),
);

test('a campaign name is cut out of a description without splitting a character', () => {
  const description = `${'x'.repeat(79)}\u{1f600} and more`;
  const text = `Called Number: 202-555-0101\nCall Date/Time (UTC): 2026-10-23 14:41:10\nCampaign Description: ${description}`;
  const campaign = { name: `${'x'.repeat(79)}\ufffd`, description };
  expect(only(read(text))).toMatchObject({ request: { campaign } });
});

test('no label stands for two fields, and each finds its own, however it is spelled', () => {
  const fields = new Map<string, string>();
  const index = labelIndex();
  for (const [label, field] of LABELS) {
    const normal = normalLabel(label);
    expect([label, fields.get(normal) ?? field]).toEqual([label, field]);
    fields.set(normal, field);
    for (const spelled of [label, label.toUpperCase(), `*${label.replaceAll(' ', '_')}*`, `  ${label} (UTC)`])
      expect([spelled, index.meaningOf(spelled)?.field]).toEqual([spelled, field]);
  }
  expect(index.meaningOf('Called Party No.')?.field).toBe('called');
  expect(index.meaningOf('Case #')?.field).toBe('tracebackId');
  expect(index.meaningOf('UTC Timestamp')).toEqual({ field: 'at', hint: 'utc' });
  expect(index.meaningOf('UTC; calling')).toBeUndefined();
  expect(index.meaningOf('Called number and something else')).toBeUndefined();
});

test('labels of the user come before those of the table; one cannot mean two fields', () => {
  expect(labelIndex({ calling: ['Called'] }).meaningOf('called')?.field).toBe('calling');
  expect(() => labelIndex({ calling: ['X'], called: ['x'] })).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
  expect(() => readIntakeLabels({ caled: ['X'] })).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  expect(() => readIntakeLabels({ called: [''] })).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
});

test.each([
  ['+1 (202) 555-0101', ['+1 (202) 555-0101']],
  ['tel:+1-202-555-0101', ['+12025550101']],
  ['sip:+12025550101@example.com;user=phone', ['+12025550101']],
  ['"A" <sip:2025550101@192.0.2.1>', ['+12025550101']],
  ['1234#12025550101', ['+12025550101']],
  ['2025550101;rn=+12025550190', ['+12025550101']],
  ['12025550101.0', ['12025550101']],
  ['12,025,550,101', ['12025550101']],
  ['1.2025550101E+10', ['12025550101']],
  ['="2025550101"', ['2025550101']],
  ["'2025550101", ['2025550101']],
  ['(202) 555-0101 ext. 12', ['(202) 555-0101']],
  ['202-555-0101 (Example Wireless)', ['202-555-0101']],
  ['011 44 20 7946 0000', ['011 44 20 7946 0000']],
  ['＋１２０２５５５０１０１', ['+12025550101']],
  ['202-555-0101 / 202-555-0102', ['202-555-0101', '202-555-0102']],
  ['+1 202 555 0101; +1 202 555 0102', ['+1 202 555 0101', '+1 202 555 0102']],
])('reads the numbers in %s', (text, numbers) => {
  expect(statedNumber(text, { isCalled: true })).toMatchObject({ status: 'read', numbers, isIrregular: false });
});

test.each([
  [
    'a number that is not complete or not North American',
    'irregular',
    ['555-0101', '20255501011', '442079460000', '911'],
  ],
  ['a number whose digits a spreadsheet has rounded', 'digits-lost', ['1.20256E+10', '1,20256e10', '1.2E+10']],
  [
    'text that is not a number, of which no part is taken',
    'unread',
    [
      ...['see recording', '202-555-0101 @ 3:41 PM', '2025550102 <sip:+12025550101@example.com>', '1'.repeat(400)],
      ...['202-555-0101 to 202-555-0102', '1-800-EXAMPLE', 'sip:alice@example.com', '202-555-XXXX'],
    ],
  ],
])('recognizes %s', (_what, expected, texts) => {
  const readings = texts.map((text) => statedNumber(text, { isCalled: true }));
  const found = readings.map((one) => (one.status === 'read' && one.isIrregular ? 'irregular' : one.status));
  expect(found).toEqual(texts.map(() => expected));
});

test('a withheld calling number is not stated, and not a doubt', () => {
  const request = only(read('Called: 2025550101\nCalling: Anonymous\nTime: 2026-10-23 15:41 UTC'));
  expect(request).toMatchObject({ status: 'clear', notStated: ['calling', 'downstream', 'dueAt'] });
  expect(request.fields.find(({ field }) => field === 'calling')?.value).toBe('withheld');
});

test('a value that does not have the form of its field is left out and reported', () => {
  const text =
    'Called: 2025550101\nTime: 2026-10-23 15:41 UTC\nAttestation: none\nOrigid: 12\nSPC: ???\nDuration: long';
  const request = only(read(text));
  // An origid and a signer could mean another call; an attestation of none is not stated, and a duration finds nothing.
  expect(request).toMatchObject({
    status: 'doubtful',
    doubts: [
      { kind: 'not-understood', field: 'origId' },
      { kind: 'not-understood', field: 'spc' },
    ],
  });
  const unread = request.unread.map(({ label, reason }) => `${label ?? ''} ${reason}`);
  expect(unread.toSorted()).toEqual(
    ['Attestation', 'Duration', 'Origid', 'SPC'].map((label) => `${label} value-not-understood`),
  );
});

test('a deadline that could be several instants is left out, and the earlier of two binds', () => {
  const call = 'Called: 2025550101\nTime: 2026-10-23 15:41 UTC\n';
  const unclear = only(read(`${call}Due: 10/11/2026 5 PM`));
  expect(unclear.unread).toEqual([expect.objectContaining({ reason: 'zone-unclear', label: 'Due' })]);
  expect(unclear).toMatchObject({ status: 'clear', notStated: ['calling', 'downstream', 'dueAt'] });
  const two = only(read(`${call}Due: 2026-10-25 17:00 UTC\nDeadline: 2026-10-24 17:00 UTC`));
  expect(two).toMatchObject({ status: 'clear', request: { dueAt: '2026-10-24T17:00:00Z' } });
});

test('an id that is stated for several calls names none of them', () => {
  const text = 'Request ID: r-1\nCalled\tTimestamp\n2025550101\t2026-10-23T15:41Z\n2025550102\t2026-10-23T15:42Z\n';
  const { requests } = read(text);
  expect(requests).toHaveLength(2);
  for (const { requestId } of requests) expect(requestId).toMatch(/^intake-[0-9a-f]{32}$/);
  expect(only(read('Request ID: r-1\nCalled: 2025550101\nTime: 2026-10-23 15:41 UTC')).requestId).toBe('r-1');
});

test('an id does not change when a doubt is settled, nor by the spelling of a number', () => {
  const idOf = (number: string, options = {}): string =>
    only(readPastedText(`Called: ${number}\nTime: 2/10/2026 15:41`, { receivedAtMs, ...options })).requestId;
  const ids = [
    idOf('2025550101'),
    idOf('+1 (202) 555-0101'),
    idOf('2025550101', { zone: 'America/New_York' }),
    idOf('2025550101', { zone: 'UTC', dateOrder: 'day-first' }),
  ];
  expect(new Set(ids).size).toBe(1);
  expect(idOf('2025550102')).not.toBe(ids[0]);
});

test('a date behind the calls is that of a letter, and a zone there is of all calls', () => {
  const text = 'Called\tTime of day\n2025550101\t15:41\n\nTime zone: UTC\nDate: 10/20/2026';
  const report = read(text);
  expect(only(report)).toMatchObject({ status: 'incomplete', missing: ['at'] });
  expect(report.unread).toEqual([expect.objectContaining({ reason: 'without-call', label: 'Date' })]);
});

test('what is longer than what is read is in doubt as a whole', () => {
  const call = 'Called: 2025550101\nTime: 2026-10-23 15:41 UTC\n';
  const request = only(read(`${call}${'word\n'.repeat(500_000)}`));
  expect(request).toMatchObject({ status: 'doubtful', doubts: [{ kind: 'cut' }] });
  const long = read(`${call}${'x'.repeat(40_000)}`);
  expect(long.unread).toEqual([expect.objectContaining({ reason: 'too-long', place: { part: 'text', line: 3 } })]);
});

test('HTML becomes the lines that a reader sees', () => {
  const lines = (html: string): readonly string[] =>
    htmlText(html)
      .text.split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  expect(lines('<p>A &amp; B</p>C<br>D<!-- E --><script>F</script><style>G</style>')).toEqual(['A & B', 'C', 'D']);
  expect(lines('<table><tr><td>1<td>2<tr><td><p>3</p><p>x</p></td><td>4</td></table>')).toEqual(['1\t2', '3 x\t4']);
  expect(lines('a<span hidden>b</span>c<i style="font-size:0px">d<i>e</i></i>f')).toEqual(['acf']);
  expect(lines('1 < 2 &lt;b&gt; &#x202e;&#0;&bogus;')).toEqual(['1 < 2 <b> \u202e\ufffd&bogus;']);
  expect(lines('<scr<script>ipt>x</script>y')).toEqual(['ipt>xy']);
});

test.each([
  ['nothing is mapped to the number', { columns: { at: 0 } }],
  ['nothing is mapped to the time', { columns: { called: 0 } }],
  ['a field that nobody knows', { columns: { called: 0, at: 1, caled: 2 } }],
  ['a layout that there is not', { columns: { called: 0, at: 1 }, timeLayout: 'julian' }],
  ['names without a head', { columns: { called: 'TN', at: 1 }, headerRows: 0 }],
  ['a separator of two characters', { columns: { called: 0, at: 1 }, separator: ', ' }],
  ['a member that nobody knows', { columns: { called: 0, at: 1 }, zon: 'utc' }],
])('a field map is refused: %s', (_name, map) => {
  expect(() => readRequestCsvMap(map)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
});

test('the map of attached CSV says in which zone its times are, and not those of the letter', async () => {
  const lines = [
    'From: ITG <requests@tracebacks.org>',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Called: 2025550101\nTime: 2026-10-23 15:41',
    '--b',
    'Content-Type: text/csv; name=a.csv',
    '',
    'TN,When',
    '2025550102,2026-10-23 15:42',
    '--b--',
  ];
  const map = { columns: { called: 'TN', at: 'When' }, zone: 'America/Chicago' };
  const { requests } = await readEmail(Buffer.from(lines.join('\n')), { receivedAtMs, map });
  expect(requests).toMatchObject([
    { status: 'doubtful', doubts: [{ kind: 'zone-absent' }] },
    { status: 'clear', request: { call: { at: { zone: 'America/Chicago' } } } },
  ]);
  await expect(
    readEmail(Buffer.from('From: a'), { receivedAtMs, map: { ...map, zone: 'Nowhere/Town' } }),
  ).rejects.toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('ten thousand rows are read, and one more is left to a person', { timeout: 30_000 }, () => {
  const rows = Array.from({ length: 10_001 }, (_, at) => `1202555${String(at).padStart(4, '0')},2026-10-23T15:41Z`);
  const file = Buffer.from(['called,timestamp', ...rows].join('\n'));
  const report = readRequestCsv(file, { receivedAtMs });
  expect(report.requests).toHaveLength(10_000);
  expect(report.status).toBe('needs-person');
});
