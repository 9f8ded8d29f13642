import { readEmail, readPastedText, readRequestCsv } from '@hopback/sdk/traceback';
import type { IntakeOptions, IntakeReport, IntakeRequest } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';

const RECEIVED_AT_MS = Date.UTC(2026, 9, 24, 12);
const CALL = 'Called: 2025550101\nTime: 2026-10-23 15:41 UTC';

function text(written: string, options: Partial<IntakeOptions> = {}): IntakeReport {
  return readPastedText(written, { receivedAtMs: RECEIVED_AT_MS, ...options });
}

function csv(written: string): IntakeReport {
  return readRequestCsv(new TextEncoder().encode(written), { receivedAtMs: RECEIVED_AT_MS });
}

function email(body: string, type = 'text/plain'): Promise<IntakeReport> {
  const head = [
    'From: ITG <requests@tracebacks.org>',
    'Date: Fri, 23 Oct 2026 15:50:12 -0400',
    'Subject: Traceback request',
    'MIME-Version: 1.0',
    `Content-Type: ${type}`,
  ];
  const message = [...head, '', body].join('\n').replaceAll('\n', '\r\n');
  return readEmail(new TextEncoder().encode(message), { receivedAtMs: RECEIVED_AT_MS });
}

/** Status, time and doubts of each request. */
function shown({ requests }: IntakeReport): readonly string[] {
  return requests.map((request: IntakeRequest) => {
    if (request.status === 'incomplete') return `incomplete without ${request.missing.join()}`;
    const readings = request.status === 'clear' ? [request.request] : request.readings;
    const doubts = request.status === 'clear' ? [] : request.doubts.map(({ kind, field }) => `${kind} ${field ?? ''}`);
    const times = readings.map(({ call: { at } }) => `${at.local} ${at.zone ?? '-'}`);
    return [request.status, times.join(' or '), ...doubts].join('; ').trim();
  });
}

const NEW_YORK = { zone: 'America/New_York' };

test.each<[string, string, string]>([
  [
    'an unknown zone',
    'Date: 10/23/2026\nTime: 3:41 PM\nTime Zone: Brasilia',
    'doubtful; 2026-10-23T15:41 America/New_York; not-understood zone',
  ],
  [
    'an unknown zone in a label',
    'Date/Time (Brasilia): 10/23/2026 3:41 PM',
    'doubtful; 2026-10-23T15:41 America/New_York; not-understood zone',
  ],
  [
    'local time',
    'Time: 10/23/2026 3:41 PM local time',
    'doubtful; 2026-10-23T15:41 America/New_York; zone-ambiguous at',
  ],
  ['a sentence about all times', 'Time: 10/23/2026 15:41\n\nAll times are UTC.', 'clear; 2026-10-23T15:41 UTC'],
  [
    'the same in brackets',
    'Time: 10/23/2026 3:41 PM\n(times in Pacific Time unless noted)',
    'clear; 2026-10-23T15:41 America/Los_Angeles',
  ],
  [
    'a sentence that is not understood',
    'Time: 10/23/2026 3:41 PM\nTimes are in the zone of the called party.',
    'doubtful; 2026-10-23T15:41 America/New_York; not-understood zone',
  ],
  [
    'a comment that says so',
    'Time: 10/23/2026 15:41\nComments: please hurry. All times UTC.',
    'clear; 2026-10-23T15:41 UTC',
  ],
  ...[
    'All times are EDT except call 2, which is PDT.',
    'Times in EDT except call 2 (PDT).',
    'All times are Eastern (the second call: Pacific).',
    'All times are EDT; times with a star are PDT.',
    'All times are EDT but the last one.',
  ].map((line): [string, string, string] => [
    `an exception that a person has to apply: ${line}`,
    `Time: 10/23/2026 15:41\n${line}`,
    'doubtful; 2026-10-23T15:41 America/New_York; not-understood zone',
  ]),
  ...[
    'All times are Eastern unless otherwise noted.',
    'All times are Eastern except where indicated.',
    'All times are Eastern (EDT) unless stated otherwise.',
    'We tried to reach you three times.',
    'Response times are important: 24 hours.',
    'All times are approximate.',
  ].map((line): [string, string, string] => [
    `a sentence that changes nothing: ${line}`,
    `Time: 10/23/2026 15:41\n\n${line}`,
    'clear; 2026-10-23T15:41 America/New_York',
  ]),
  [
    'hints that say nothing of a zone',
    'Time (MM/DD/YYYY hh:mm): 10/23/2026 15:41',
    'clear; 2026-10-23T15:41 America/New_York',
  ],
  [
    'an offset in a field of its own',
    'Date: 2026-10-23\nTime: 15:41\nUTC Offset: -5',
    'clear; 2026-10-23T15:41 -05:00',
  ],
])('the zone of the reader does not take the place of what is stated: %s', (_what, time, expected) => {
  expect(shown(text(`Called: 2025550101\n${time}`, NEW_YORK))).toEqual([expected]);
});

test.each<[string, string]>([
  ['Time: 26-10-23 15:41 UTC', 'doubtful; 2023-10-26T15:41 UTC or 2026-10-23T15:41 UTC; day-or-month at'],
  ['Time: 23.10.26 15:41 UTC', 'clear; 2026-10-23T15:41 UTC'],
  ['Time: 10/23/26 15:41 UTC', 'clear; 2026-10-23T15:41 UTC'],
  ['Time: Monday, October 23, 2026 15:41 UTC', 'doubtful; 2026-10-23T15:41 UTC; weekday-contradicts at'],
  ['Time: Friday, October 23, 2026 15:41 UTC', 'clear; 2026-10-23T15:41 UTC'],
  // Of the two days one was a Thursday.
  ['Time: Thu 2/5/2026 15:41 UTC', 'clear; 2026-02-05T15:41 UTC'],
  ['Time: 10/23/2026 00:30 PM UTC', 'incomplete without at'],
  ['Date: 10/23/2026\nTime: 3:41\nAM/PM: PM\nZone: UTC', 'clear; 2026-10-23T15:41 UTC'],
  ['Date: 10/23/2026\nTime: half past three\nZone: UTC', 'doubtful; 2026-10-23T00:00 UTC; not-understood timeOfDay'],
])('%j is %s', (time, expected) => {
  expect(shown(text(`Called: 2025550101\n${time}`))).toEqual([expected]);
});

test('an hour of one figure is of one half of the day where the writer shows how hours are counted', () => {
  const table = (...times: readonly string[]): IntakeReport =>
    text(
      ['Called Number | Date/Time', ...times.map((time, at) => `202555010${String(at)} | 10/23/2026 ${time} EDT`)].join(
        '\n',
      ),
    );
  const open = 'doubtful; 2026-10-23T03:41 -04:00 or 2026-10-23T15:41 -04:00; half-of-day at';
  expect(shown(table('3:41'))).toEqual([open]);
  expect(shown(table('3:41', '10:05'))).toEqual([open, 'clear; 2026-10-23T10:05 -04:00']);
  expect(shown(table('3:41', '15:05'))).toEqual(['clear; 2026-10-23T03:41 -04:00', 'clear; 2026-10-23T15:05 -04:00']);
  expect(shown(table('3:41', '02:05'))).toEqual(['clear; 2026-10-23T03:41 -04:00', 'clear; 2026-10-23T02:05 -04:00']);
  expect(shown(table('3:41', '4:05 PM', '15:10'))[0]).toBe(open);
  const rows = 'Called,Date/Time,Zone\n2025550101,10/23/2026 3:41,EDT\n';
  expect(shown(csv(rows))).toEqual([open]);
  expect(shown(csv(`${rows}2025550102,10/23/2026 15:05,EDT\n`))[0]).toBe('clear; 2026-10-23T03:41 -04:00');
});

test('what takes back a field is a comment, which a person has to read', () => {
  for (const label of ['Correction', 'Corrected time', 'ERRATUM']) {
    const [request] = text(`${CALL}\n${label}: the call was at 4:41 PM EDT.`).requests;
    expect(request).toMatchObject({ status: 'clear', request: { comment: 'the call was at 4:41 PM EDT.' } });
  }
});

test.each<[string, string]>([
  ['Calling: 202-555-01o2', 'doubtful; 2026-10-23T15:41 UTC; not-understood calling'],
  ['Call-ID: a b', 'doubtful; 2026-10-23T15:41 UTC; not-understood callId'],
  ['Downstream: noc@example.com', 'doubtful; 2026-10-23T15:41 UTC; not-understood downstream'],
  ['Direction: sideways', 'doubtful; 2026-10-23T15:41 UTC; not-understood direction'],
  ['Calling: anonymous', 'clear; 2026-10-23T15:41 UTC'],
  ['Call-ID: n/a\nAttestation: none\nDownstream SPC: unknown', 'clear; 2026-10-23T15:41 UTC'],
])('a value that cannot be read is a doubt, and one that says "none" is not: %j', (lines, expected) => {
  expect(shown(text(`${CALL}\n${lines}`))).toEqual([expected]);
});

const head = (from: string, day: number): string =>
  `---------- Forwarded message ---------\nFrom: ${from}\nDate: ${String(day)} Oct 2026 15:50:00 -0400\nSubject: Traceback\nTo: noc@example.com\n\n`;

test('of two forwarded requests each has its own requester, traceback and downstream provider', () => {
  const report = text(
    `FYI\n\n${head('ITG <requests@tracebacks.org>', 23)}Traceback ID: 4711\nDownstream: Example Wireless\n${CALL}\n\n` +
      `${head('FCC <enforcement@fcc.gov>', 22)}Called: 2025550103\nTime: 2026-10-22 15:41 UTC\n`,
  );
  const requests = report.requests.flatMap((request) => (request.status === 'clear' ? [request.request] : []));
  const downstream = { name: 'Example Wireless' };
  expect(requests).toMatchObject([
    { tracebackId: '4711', downstream, requester: { kind: 'itg' }, issuedAt: '2026-10-23T19:50:00Z' },
    { requester: { kind: 'fcc', email: 'enforcement@fcc.gov' }, issuedAt: '2026-10-22T19:50:00Z' },
  ]);
  expect(requests[1]).not.toHaveProperty('downstream');
});

test('a call is not put together of two messages', () => {
  const report = text(`Called: 2025550101\n\n${head('FCC <enforcement@fcc.gov>', 22)}Time: 2026-10-22 15:41 UTC\n`);
  expect(shown(report)).toEqual(['incomplete without at']);
  expect(report.unread).toEqual([expect.objectContaining({ reason: 'without-call', label: 'Time' })]);
});

test('the requester is the sender of the request, not of mail quoted below it', async () => {
  const report = await email(`${CALL}\n\n${head('Bob <bob@carrier.example>', 22)}We will look into it.\n`);
  expect(report.requests).toMatchObject([
    { status: 'clear', request: { requester: { email: 'requests@tracebacks.org' } } },
  ]);
});

test('a reminder and the request that it quotes are one, with the earlier deadline', () => {
  const due = 'Due: 2026-10-24 12:00 UTC\n';
  const fields = 'Traceback ID: 4711\nDownstream: Example Wireless\n';
  const report = text(
    `${head('ITG <requests@tracebacks.org>', 23)}${due}${CALL}\n\n${head('ITG <requests@tracebacks.org>', 23)}${fields}${CALL}\n`,
  );
  expect(report.requests).toMatchObject([
    { request: { tracebackId: '4711', downstream: { name: 'Example Wireless' }, dueAt: '2026-10-24T12:00:00Z' } },
  ]);
});

test('a downstream provider in the midst of one of several calls is not silently that of the others', () => {
  const other = 'Called: 2025550103\nTime: 2026-10-23 15:45 UTC';
  const ofOne = text(`Call 1\n${CALL}\nDownstream: Example Wireless\n\nCall 2\n${other}\n`);
  expect(shown(ofOne)).toEqual([
    'doubtful; 2026-10-23T15:41 UTC; calls-not-told-apart',
    'doubtful; 2026-10-23T15:45 UTC; calls-not-told-apart',
  ]);
  expect(text(`Downstream: Example Wireless\n\nCall 1\n${CALL}\n\nCall 2\n${other}\n`).status).toBe('clear');
  const rows = text(
    'Called\tTime\tDownstream\n2025550101\t2026-10-23 15:41 UTC\tA\n2025550103\t2026-10-23 15:45 UTC\t\n',
  );
  const named = rows.requests.map((one) => (one.status === 'clear' ? one.request.downstream?.name : 'in doubt'));
  expect(named).toEqual(['A', undefined]);
});

test('From, To and Date of a call are no head of a mail', () => {
  const report = text('From: 202-555-0142\nTo: 202-555-0101\nDate: 10/23/2026 3:41 PM EDT\nSubject: SSA impostor');
  expect(report.requests).toMatchObject([{ request: { call: { called: '202-555-0101', calling: '202-555-0142' } } }]);
});

test.each<[string, string | undefined]>([
  ['+44 (0)20 7946 0123', '+44  20 7946 0123'],
  ['"SSA" <2025550101>', '2025550101'],
  ['"2025550109" <2025550101>', undefined],
  ['+1 202 (0) 555 0101', undefined],
])('the called number in %s is %s', (written, expected) => {
  const [request] = text(`Called: ${written}\nTime: 2026-10-23 15:41 UTC`).requests;
  expect(request?.status === 'clear' ? request.request.call.called : undefined).toBe(expected);
});

test('a CSV file is read whatever stands above its table, AM and PM in a column of their own included', () => {
  const rows = 'Called;Calling;Time\n2025550101;2025550142;2026-10-23 15:41\n';
  const report = csv(
    `Traceback request, October 2026, by the ITG\nTraceback ID;4711\nAll times are Eastern;;\n${rows}`,
  );
  expect(report.requests).toMatchObject([
    { status: 'clear', request: { tracebackId: '4711', call: { at: { zone: 'America/New_York' } } } },
  ]);
  const halves = 'Called,Date,Time,AM/PM,Zone\n2025550101,10/23/2026,3:41,PM,UTC\n';
  expect(shown(csv(halves))).toEqual(['clear; 2026-10-23T15:41 UTC']);
});

test.each<[string, string]>([
  ['a comma without quotes', 'Name,Calling,Called,Time\nSmith, John,2025550142,2025550101,2026-10-23 15:41 UTC\n'],
  ['heads that nobody knows', 'Target Line,Moment\n2025550101,2026-10-23 15:41 UTC\n'],
])('a row that is not read is no file without a request: %s', (_what, file) => {
  const { status, requests, unread } = csv(file);
  expect({ status, requests }).toEqual({ status: 'needs-person', requests: [] });
  expect(unread.map(({ reason }) => reason)).toContain('row-not-read');
});

test('what may be a request and was not read is for a person', async () => {
  expect(text('Please trace the call to 202-555-0101 at 3:41 PM EDT on October 23, 2026.').status).toBe('needs-person');
  const attached = (name: string): string =>
    `--b\nContent-Type: text/plain\n\n${CALL}\n--b\nContent-Type: application/octet-stream\n` +
    `Content-Disposition: attachment; filename="${name}"\n\nPK\n--b--\n`;
  expect((await email(attached('more-calls.xlsx'), 'multipart/mixed; boundary=b')).status).toBe('needs-person');
  expect((await email(attached('calls.zip'), 'multipart/mixed; boundary=b')).status).toBe('needs-person');
  expect((await email(attached('logo.png'), 'multipart/mixed; boundary=b')).status).toBe('clear');
  expect(text('Your invoice of October is attached. Call 202-555-0199 with questions.').status).toBe('no-request');
});

test('cells that span rows of an HTML table count for each row, and hidden text is not read', async () => {
  const table =
    '<tr><th>Calling</th><th>Called</th><th>Time</th><th>Campaign</th></tr>' +
    '<tr><td rowspan="2">2025550142</td><td>2025550101</td><td>2026-10-23 15:41 UTC</td><td>SSA</td></tr>' +
    '<tr><td>2025550103</td><td>2026-10-23 15:45 UTC</td><td>SSA</td></tr>' +
    '<tr><td>2025550143</td><td>2025550104</td><td>2026-10-23 15:49 UTC</td><td>SSA</td></tr>';
  const { requests } = await email(`<table>${table}</table>`, 'text/html');
  expect(requests.map((one) => (one.status === 'clear' ? one.request.call.calling : one.status))).toEqual([
    '2025550142',
    '2025550142',
    '2025550143',
  ]);
  const body = '<p>Called: 2025550101</p><p style=display:none>Called: 2025550199</p><p>Time: 2026-10-23 15:41 UTC</p>';
  expect((await email(body, 'text/html')).requests).toMatchObject([{ request: { call: { called: '2025550101' } } }]);
});

test('a zone that holds for all calls is shown as the zone, and not as the time of the first', () => {
  const rows = 'Called\tTime\n2025550101\t10/23/2026 1:15 PM\n2025550103\t10/23/2026 9:02 AM\n';
  const { requests } = text(`All times are Eastern.\n\n${rows}`);
  const zones = requests.map(({ fields }) => fields.find(({ field }) => field === 'zone')?.value);
  expect(zones).toEqual(['America/New_York', 'America/New_York']);
});

test('a value that begins like a label is the value of the label before it', () => {
  const { requests } = text(`${CALL}\nProvider: Alder Voice\nProvider ID: to:A`);
  expect(requests).toMatchObject([{ request: { provider: { providerId: 'to:A' }, call: { called: '2025550101' } } }]);
});
