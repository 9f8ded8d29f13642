import {
  answerEmail,
  portalFields,
  readEmail,
  readPastedText,
  readRequestCsv,
  requestText,
} from '@hopback/sdk/traceback';
import { INTAKE_FIELDS } from '../../sdk/src/traceback/intake/intake-fields.js';
import { MAX_INTAKE_READINGS } from '../../sdk/src/traceback/intake/intake-report.js';
import type { IntakeReport, TracebackAnswer, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { htmlText } from '../../sdk/src/traceback/intake/visible-text.js';
import { readTimeWords } from '../../sdk/src/traceback/intake/time-words.js';
import { messageText } from '../support/internet-message.js';
import { answerTo } from '../support/traceback-course.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const receivedAtMs = Date.UTC(2026, 9, 24);

/** Words of requests, and words that cause trouble in them. */
const word = fc.oneof(
  fc.constantFrom(...Object.values(INTAKE_FIELDS).flatMap(({ labels }) => labels)),
  fc.constantFrom(':', ' = ', '\t', '|', ',', ';', '"', '\0', '  ', ' - ', '> ', '--', '----', '(UTC)'),
  fc.constantFrom('\n', '\r\n', '\n\n'),
  fc.constantFrom('2025550101', '(202) 555-0102', '1.2E+10', '10/11/2026', '3:41 PM', 'EST', '2026-10-23T15:41Z'),
  fc.constantFrom('From: a@example.com', 'Date: ', 'Subject: x', '\u202e', '\ufeff', '<td>', '</tr>', '<!--', 'Call 2'),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(''));

function holds(report: IntakeReport): void {
  for (const request of report.requests) {
    expect(request.requestId.length).toBeGreaterThan(0);
    if (request.status === 'clear') expect(request.request.call.called ?? request.request.call.recordId).toBeDefined();
    if (request.status === 'doubtful') {
      expect(request.readings.length).toBeLessThanOrEqual(MAX_INTAKE_READINGS);
      expect(request.doubts.length + request.readings.length).toBeGreaterThan(1);
      for (const { requestId } of request.readings) expect(requestId).toBe(request.requestId);
    }
    if (request.status === 'incomplete') expect(request.missing.length).toBeGreaterThan(0);
  }
  expect(() => JSON.stringify(report)).not.toThrow();
}

test('any text is read, and never throws', () => {
  forAll([text], 500, (any) => {
    holds(readPastedText(any, { receivedAtMs }));
  });
});

test('any bytes are read as CSV, and never throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    text.map((any) => Buffer.from(`called,timestamp,x\n${any}`)),
  );
  forAll([bytes], 100, (any) => {
    holds(readRequestCsv(any, { receivedAtMs }));
    holds(readRequestCsv(any, { receivedAtMs, map: { columns: { called: 0, at: 1 }, timeLayout: 'iso-8601' } }));
  });
});

test('any bytes are read as e-mail, and never throw', async () => {
  const header = fc.constantFrom(
    'From: ITG <requests@tracebacks.org>',
    'Content-Type: text/html; charset=utf-16',
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: message/rfc822',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename=a.csv',
    'Subject: =?x?q?a?=',
    '--b',
    '',
  );
  const mail = fc
    .tuple(fc.array(header, { maxLength: 8 }), text)
    .map(([headers, body]) => Buffer.from(`${headers.join('\r\n')}\r\n\r\n${body}`));
  await forAllAsync([fc.oneof(fc.uint8Array({ maxLength: 300 }), mail)], 100, async (any) => {
    holds(await readEmail(any, { receivedAtMs }));
  });
});

test('any text is a time or none, and any HTML becomes text without tags that were closed', () => {
  forAll([text], 100, (any) => {
    expect(() => readTimeWords(any)).not.toThrow();
    expect(htmlText(any).text).not.toContain('\u0001');
  });
});

// Values as they can stand in a request: visible, one line or several, with everything in them that could be taken for a field.
const field = fc.constantFrom('; Called: 2025550199', '\tTo: 2025550198', ', Date: 10/11/2026', 'Call 2');
const trap = fc.oneof(field, fc.constantFrom(' = ', '| x', '> y', '*', '- a'));
const visibleWord = fc.oneof(fc.stringMatching(/^[A-Za-z0-9.'é&/-]{1,12}$/), trap);
const line = fc
  .array(visibleWord, { minLength: 1, maxLength: 6 })
  .map((words) => words.join(' ').replaceAll('\t', ' ').trim())
  .filter((value) => value !== '');
const prose = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));
const token = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.@_,;:-]{0,30}[A-Za-z0-9]$/);
const code = fc.stringMatching(/^[0-9A-Z]{1,15}$/);
const number = fc.stringMatching(/^\+1202555[0-9]{4}$/);
const name = line.filter((value) => !/\b(?:ocn|spc|frn)\b/i.test(value));
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

const provider = fc
  .record({
    name,
    providerId: optional(token),
    ocn: optional(code),
    spc: optional(code),
    frn: optional(fc.stringMatching(/^\d{10}$/)),
  })
  .map(defined);
const at = fc
  .record({
    day: fc.integer({ min: 0, max: 5_000 }),
    clock: fc.constantFrom(
      ['15:41', 'minute'],
      ['15:41:07', 'second'],
      ['15:41:07.25', 'millisecond'],
      ['15:00', 'hour'],
      ['00:00', 'day'],
    ),
    zone: fc.constantFrom('UTC', '-04:00', '+05:30', 'America/New_York', 'Europe/Berlin'),
    asWritten: line,
  })
  .map(({ day, clock: [clock, precision], zone, asWritten }) => ({
    asWritten,
    local: `${new Date(Date.UTC(2010, 0, 1) + day * 86_400_000).toISOString().slice(0, 10)}T${clock}`,
    zone,
    precision,
  }));
const call = fc
  .record({
    called: number,
    calling: optional(number),
    at,
    callId: optional(token),
    origId: optional(fc.uuid()),
    recordId: optional(token),
    attestation: optional(fc.constantFrom('A', 'B', 'C')),
    spc: optional(code),
    durationSeconds: optional(fc.nat(999_999)),
  })
  .map(defined);
const instant = fc
  .integer({ min: 0, max: 10_000_000 })
  .map((s) => new Date(Date.UTC(2026, 0, 1) + s * 1_000).toISOString().replace('.000Z', 'Z'));
const request = fc
  .record({
    format: fc.constant('hopback.traceback-request.1'),
    requestId: token,
    tracebackId: token,
    direction: fc.constantFrom('back', 'forward'),
    hop: fc.integer({ min: 1, max: 99 }),
    requester: fc
      .record({
        kind: fc.constantFrom('itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement'),
        name: line,
        email: optional(fc.constantFrom('requests@tracebacks.org', 'a.b+c@example.com')),
      })
      .map(defined),
    issuedAt: instant,
    dueAt: optional(instant),
    provider,
    downstream: optional(provider),
    campaign: optional(
      fc
        .record({
          campaignId: optional(token),
          name: line,
          description: optional(prose),
          transcript: optional(prose),
          recordingSha256: optional(fc.stringMatching(/^[0-9a-f]{64}$/)),
        })
        .map(defined),
    ),
    call,
    comment: optional(prose),
  })
  .map(defined) as fc.Arbitrary<TracebackRequest>;

test('a request that we wrote as text is read back as the same request, whatever stands in its values', () => {
  forAll([request], 300, (written) => {
    const report = readPastedText(requestText(written), { receivedAtMs });
    expect(report.requests).toHaveLength(1);
    const [read] = report.requests;
    expect(read).toMatchObject({ status: 'clear' });
    if (read?.status === 'clear') expect(read.request).toEqual(written);
    expect([...report.unread, ...(read?.unread ?? [])]).toEqual([]);
  });
});

/** All that an answer has, in their order. */
const HEADERS = [
  ...['From', 'To', 'Subject', 'Date', 'Message-ID'],
  ...['MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'],
];

const anything = fc.string({ unit: 'binary', maxLength: 60 });
const finding: fc.Arbitrary<TracebackFinding> = fc.oneof(
  anything.map((upstream) => ({ arm: 'received-from', upstream: { name: upstream } }) as const),
  anything.map((contact) => ({ arm: 'point-of-entry', upstream: { name: contact, email: contact } }) as const),
  anything.map((reason) => ({ arm: 'refused', reason }) as const),
);

test('whatever peers wrote, an answer has the headers that it has, and its text arrives', async () => {
  await forAllAsync([request, finding, anything, anything], 100, async (asked, found, subject, comment) => {
    const given = answerTo(subject, { name: subject }, found, { answerId: comment });
    const answer: TracebackAnswer = { ...given, tracebackId: subject, comment };
    for (const { value } of portalFields(answer, asked)) expect(value).not.toMatch(/[\r\n\u202e\0]/);
    const replied = { messageId: comment, references: subject, replyTo: comment };
    const inReplyTo = { subject, fromAddress: 'itg@example.org', ...replied };
    const email = answerEmail(answer, asked, { from: { name: subject, address: 'noc@example.com' }, inReplyTo });
    const { headers, body } = messageText(email.message);
    const names = headers.map(([key]) => key).filter((key) => key !== 'In-Reply-To' && key !== 'References');
    expect(names).toEqual(HEADERS);
    expect(headers).toContainEqual(['To', 'itg@example.org']);
    expect(body.trimEnd()).toBe(email.text.trimEnd());
    const read = await readEmail(Buffer.from(email.message), { receivedAtMs });
    expect(read.email?.fromAddress).toBe('noc@example.com');
    for (const part of email.message.split('\r\n')) expect(part.length).toBeLessThanOrEqual(998);
    expect(email.message).toMatch(/^[\r\n -~]*$/);
  });
});
