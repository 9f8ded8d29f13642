import { readEmail, readIntakeLabels, readPastedText, readRequestCsv, readRequestCsvMap } from '@hopback/sdk/traceback';
import { INTAKE_FIELDS, labelIndex, normalLabel } from '../../sdk/src/traceback/intake/intake-fields.js';
import type { IntakeField, IntakeReport, IntakeRequest } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { htmlText } from '../../sdk/src/traceback/intake/visible-text.js';

const receivedAtMs = Date.UTC(2026, 9, 24);
const CALL = 'Called: 2025550101\nTime: 2026-10-23 15:41 UTC\n';
const read = (text: string): IntakeReport => readPastedText(text, { receivedAtMs });
const only = ({ requests }: IntakeReport): IntakeRequest => {
  expect(requests).toHaveLength(1);
  return requests[0]!;
};
const refusal = (code: string): Error => expect.objectContaining({ code }) as Error;

const LABELS = Object.entries(INTAKE_FIELDS).flatMap(([field, { labels }]) =>
  labels.map((label) => [label, field as IntakeField] as const),
);

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
  expect(() => labelIndex({ calling: ['X'], called: ['x'] })).toThrow(refusal('invalid-argument'));
  expect(() => readIntakeLabels({ caled: ['X'] })).toThrow(refusal('invalid-configuration'));
  expect(() => readIntakeLabels({ called: [''] })).toThrow(refusal('invalid-configuration'));
});

test('an id that is stated for several calls names none of them', () => {
  const text = 'Request ID: r-1\nCalled\tTimestamp\n2025550101\t2026-10-23T15:41Z\n2025550102\t2026-10-23T15:42Z\n';
  const { requests } = read(text);
  expect(requests).toHaveLength(2);
  for (const { requestId } of requests) expect(requestId).toMatch(/^intake-[0-9a-f]{32}$/);
  expect(only(read(`Request ID: r-1\n${CALL}`)).requestId).toBe('r-1');
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

test('what is longer than what is read is in doubt as a whole', () => {
  const request = only(read(`${CALL}${'word\n'.repeat(500_000)}`));
  expect(request).toMatchObject({ status: 'doubtful', doubts: [{ kind: 'cut' }] });
  const long = read(`${CALL}${'x'.repeat(40_000)}`);
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
  expect(() => readRequestCsvMap(map)).toThrow(refusal('invalid-configuration'));
});

test('a zone that does not exist, and a time of receipt that is none, are mistakes of the caller', async () => {
  const map = { columns: { called: 'TN', at: 'When' }, zone: 'Nowhere/Town' };
  await expect(readEmail(Buffer.from('From: a'), { receivedAtMs, map })).rejects.toThrow(refusal('invalid-argument'));
  const options = { receivedAtMs, zone: 'Nowhere/Town' };
  expect(() => readPastedText('Called: 2025550101\nTime: 10/23/2026 15:41', options)).toThrow(
    refusal('invalid-argument'),
  );
  expect(() => readPastedText('x', { receivedAtMs: Number.NaN })).toThrow(refusal('invalid-argument'));
});

test('ten thousand rows are read, and one more is left to a person', { timeout: 30_000 }, () => {
  const rows = Array.from({ length: 10_001 }, (_, at) => `1202555${String(at).padStart(4, '0')},2026-10-23T15:41Z`);
  const file = Buffer.from(['called,timestamp', ...rows].join('\n'));
  const report = readRequestCsv(file, { receivedAtMs });
  expect(report.requests).toHaveLength(10_000);
  expect(report.status).toBe('needs-person');
});
