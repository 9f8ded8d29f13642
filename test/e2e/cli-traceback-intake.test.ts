import { readdir, readFile, stat } from 'node:fs/promises';
import { ManualClock } from '@hopback/sdk/testing';
import type { IntakeReport } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { runInProcess, type CliRun, type RunOptions } from '../support/cli-lab.js';
import { testFolder } from '../support/test-folder.js';

const VECTORS = 'test/vectors/intake';
const clock = new ManualClock(Date.UTC(2026, 9, 24));

const folder = testFolder();

const intake = (args: readonly string[], options: RunOptions = {}): Promise<CliRun> =>
  runInProcess(['traceback', 'intake', ...args], clock, options);

const report = (ran: CliRun): IntakeReport => ran.json() as unknown as IntakeReport;

test.each([
  [
    'portal-labels.txt',
    0,
    ['✓', '1 call asked about, all clear', 'called', '(202) 555-0101', 'line 5: “Called Number”'],
  ],
  [
    'mail-attachments.eml',
    0,
    ['2 calls asked about', 'from     ITG Requests', 'a.wav: recording', 'letter.pdf: not opened'],
  ],
  ['day-or-month.txt', 3, ['? ', '2026-02-10 or 2026-10-02', '--date-order']],
  ['csv-excel-ruined.csv', 3, ['a spreadsheet has rounded this number', '✗ missing: called']],
  ['mail-unknown-sender.eml', 3, ['not from a known requester domain', '--requester']],
  ['no-request.txt', 1, ['✗', 'no traceback request in it', 'a number in running text']],
])('%s ends with %i, and says why', async (name, exitCode, said) => {
  const ran = await intake([`${VECTORS}/${name}`]);
  expect({ exitCode: ran.exitCode, stderr: ran.stderr }).toEqual({ exitCode, stderr: '' });
  for (const part of said) expect(ran.stdout).toContain(part);
});

test('what an option declares settles a doubt', async () => {
  const labels = await folder.write('labels.json', '{"called":["Target TN"],"calling":["Spoof"],"at":["When seen"]}');
  const map = await folder.write(
    'map.json',
    '{"columns":{"called":"TN","at":"When"},"timeLayout":"compact","zone":"UTC"}',
  );
  for (const [name, ...options] of [
    ['day-or-month.txt', '--date-order', 'month-first'],
    ['zone-absent.txt', '--zone', 'America/New_York'],
    ['mail-unknown-sender.eml', '--requester', 'itg'],
    ['mail-forwarded-as-attachment.eml', '--forwarder', 'example.com'],
    ['own-labels.txt', '--labels', labels],
    ['csv-declared.csv', '--csv-map', map],
  ]) {
    expect((await intake([`${VECTORS}/${name}`])).exitCode).not.toBe(0);
    expect((await intake([`${VECTORS}/${name}`, ...options])).exitCode).toBe(0);
  }
});

test('the format of standard input is recognized by its content', async () => {
  const kindOf = async (stdin: string | Uint8Array, ...args: readonly string[]): Promise<string> =>
    report(await intake(['-', '--json', ...args], { stdin })).kind;
  expect(await kindOf(await readFile(`${VECTORS}/mail-plain.eml`))).toBe('email');
  expect(await kindOf(await readFile(`${VECTORS}/portal-labels.txt`))).toBe('text');
  expect(await kindOf(await readFile(`${VECTORS}/csv-titled.csv`), '--format', 'csv')).toBe('csv');
  expect(await kindOf('Received: 2026-10-23 15:41 UTC\nCalled: 2025550101\n')).toBe('text');
  expect(await kindOf('Received: from a.example.com by b.example.com\n\nCalled: 2025550101\n')).toBe('email');
  const utf16 = Buffer.from('\ufeffCalled: 2025550101\r\nTime: 2026-10-23 15:41 UTC\r\n', 'utf16le');
  expect((await intake(['-'], { stdin: utf16 })).exitCode).toBe(0);
});

test('--json prints the report and the exit code', async () => {
  const ran = await intake([`${VECTORS}/portal-labels.txt`, '--json', '--provider', 'Example Telephone']);
  expect(ran.json()).toMatchObject({
    ...{ format: 'hopback.traceback-intake.1', exitCode: 0, status: 'clear', files: [] },
    requests: [{ status: 'clear', request: { provider: { name: 'Example Telephone' }, tracebackId: '4711' } }],
  });
});

test('--out writes a file for each request, doubtful ones under another name, and nothing twice', async () => {
  const args = [`${VECTORS}/csv-excel-ruined.csv`, '--out', folder.path];
  expect((await intake(args)).stdout).toContain('4 files written, 0 there already, 1 of them .doubtful.json');
  const names = await readdir(folder.path);
  expect(names.filter((name) => name.endsWith('.doubtful.json'))).toHaveLength(1);
  expect(names.filter((name) => !name.endsWith('.doubtful.json'))).toHaveLength(3);
  for (const name of names) {
    const path = folder.at(name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const { format } = JSON.parse(await readFile(path, 'utf8')) as { readonly format: string };
    const expected = name.includes('.doubtful.')
      ? 'hopback.traceback-intake-doubtful.1'
      : 'hopback.traceback-request.1';
    expect(format).toBe(expected);
  }
  expect((await intake(args)).stdout).toContain('0 files written, 4 there already');
  expect(await readdir(folder.path)).toEqual(names);
});

test('an id of a peer leads to no other directory', async () => {
  const text = 'Request ID: ../../evil\nCalled: 2025550101\nTime: 2026-10-23 15:41 UTC\n';
  const ran = await intake(['-', '--out', folder.path], { stdin: text });
  expect(ran.exitCode).toBe(0);
  expect(await readdir(folder.path)).toEqual([expect.stringMatching(/^request-[0-9a-f]{32}\.json$/)]);
});

test.each([
  ['nothing to read', [], {}],
  ['two files', ['a', 'b'], {}],
  ['an empty input', ['-'], { stdin: '' }],
  ['a text without header fields as e-mail', ['-', '--format', 'email'], { stdin: '\n\nbody' }],
  ['an Outlook message', ['-'], { stdin: Buffer.from('d0cf11e0a1b11ae1', 'hex') }],
  ['a PDF', ['-'], { stdin: '%PDF-1.4' }],
  ['a zone that there is not', ['-', '--zone', 'Nowhere/Town'], { stdin: 'x' }],
  ['an order that there is not', ['-', '--date-order', 'year-first'], { stdin: 'x' }],
])('%s ends with 2', async (_name, args, options) => {
  const ran = await intake(args, options);
  expect({ exitCode: ran.exitCode, stdout: ran.stdout }).toEqual({ exitCode: 2, stdout: '' });
});

test('files and directories that cannot be used end with 4, a map that cannot be with 2', async () => {
  expect((await intake([folder.at('none.txt')])).exitCode).toBe(4);
  const request = `${VECTORS}/portal-labels.txt`;
  expect((await intake([request, '--out', folder.at('none')])).exitCode).toBe(4);
  const ran = await intake([request, '--csv-map', await folder.write('map.json', '{"columns":{"caled":0}}')]);
  expect(ran.exitCode).toBe(2);
  expect(ran.stderr).toContain('columns');
});

test('nothing that a peer wrote moves the cursor or begins a line', async () => {
  const text =
    'Called: 2025550101\nTime: 2026-10-23 15:41 UTC\nCampaign: \u001b[2J\u202ered\u0007\nX\u001b]0;t\u0007 y: z\n';
  const ran = await intake(['-'], { stdin: text });
  expect(ran.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('the session of the guide is what the command prints', async () => {
  const path = `${VECTORS}/guide.eml`;
  const { stdout } = await intake([path]);
  const guide = await readFile('docs/guides/traceback-intake.md', 'utf8');
  expect(guide).toContain(stdout.replace(path, 'request.eml'));
  expect(guide).toContain((await readFile(path, 'utf8')).replaceAll('\r\n', '\n').trimEnd());
});
