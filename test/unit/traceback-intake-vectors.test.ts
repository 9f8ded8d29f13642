import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readEmail, readPastedText, readRequestCsv } from '@hopback/sdk/traceback';
import type { IntakeOptions, IntakeReport, IntakeRequest, StatedTime } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { statedNumber } from '../../sdk/src/traceback/intake/field-values.js';

interface ExpectedReport extends Readonly<Record<string, unknown>> {
  /** What is expected of each request; a string is its `shown`. */
  readonly requests: readonly (Readonly<Record<string, unknown>> | string)[];
}

interface FileVector {
  readonly description: string;
  readonly input: string;
  readonly options?: Partial<IntakeOptions>;
  readonly expected: ExpectedReport;
}

interface WrittenVector {
  readonly what: string;
  /** How the text comes: pasted, as a CSV file, or as the body of an e-mail of this content type. */
  readonly as?: string;
  readonly text: string | readonly string[];
  readonly options?: Partial<IntakeOptions>;
  readonly expected: ExpectedReport;
}

interface TimeVectors {
  readonly one: Readonly<Record<string, string>>;
  readonly person: readonly { readonly text: string; readonly doubts: readonly string[]; readonly readings: number }[];
  readonly none: readonly string[];
}

type Reading = () => IntakeReport | Promise<IntakeReport>;

const FOLDER = fileURLToPath(new URL('../vectors/intake/', import.meta.url));
const RECEIVED_AT_MS = Date.UTC(2026, 9, 24);
const vectorIn = (path: string): unknown => JSON.parse(readFileSync(`${FOLDER}${path}`, 'utf8'));

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name): [string, Reading, ExpectedReport] => {
    const { input, options = {}, expected } = vectorIn(name) as FileVector;
    const known = { receivedAtMs: RECEIVED_AT_MS, ...options };
    const read: Reading = () => {
      const bytes = readFileSync(`${FOLDER}${input}`);
      if (input.endsWith('.eml')) return readEmail(bytes, known);
      return input.endsWith('.csv') ? readRequestCsv(bytes, known) : readPastedText(bytes.toString('utf8'), known);
    };
    return [name.replace('.json', ''), read, expected];
  });

const written = (vectorIn('words/written.json') as readonly WrittenVector[]).map(
  ({ what, as = 'pasted', text, options = {}, expected }): [string, Reading, ExpectedReport] => {
    const known = { receivedAtMs: RECEIVED_AT_MS, ...options };
    const whole = [text].flat().join('\n');
    const read: Reading = () => {
      if (as === 'pasted') return readPastedText(whole, known);
      return as === 'csv' ? readRequestCsv(Buffer.from(whole), known) : readEmail(emailOf(whole, as), known);
    };
    return [`${what}: ${whole.trimEnd().split('\n').at(-1) ?? ''}`, read, expected];
  },
);

function emailOf(body: string, type: string): Buffer {
  const head = [
    'From: ITG <requests@tracebacks.org>',
    'Date: Fri, 23 Oct 2026 15:50:12 -0400',
    'Subject: Traceback request',
    'MIME-Version: 1.0',
    `Content-Type: ${type}`,
  ];
  return Buffer.from([...head, '', body].join('\n').replaceAll('\n', '\r\n'));
}

const timeOf = ({ local, zone, precision }: StatedTime): string => `${local} ${zone ?? '(no zone)'} ${precision}`;
const unreadOf = ({ reason, label }: IntakeReport['unread'][number]): string =>
  label === undefined ? reason : `${reason} ${label}`;

const readingsOf = (request: IntakeRequest) =>
  request.status === 'clear' ? [request.request] : request.status === 'doubtful' ? request.readings : [];

/** Status, times and doubts of a request in one line. */
function shownOf(request: IntakeRequest): string {
  if (request.status === 'incomplete') return `incomplete without ${request.missing.join()}`;
  const times = readingsOf(request).map(({ call: { at } }) => `${at.local} ${at.zone ?? '-'}`);
  const doubts = request.status === 'clear' ? [] : request.doubts.map(({ kind, field }) => `${kind} ${field ?? ''}`);
  return [request.status, times.join(' or '), ...doubts].join('; ').trim();
}

/** A request in the words of a vector: of what is in doubt the first reading, and all times. */
function summaryOf(request: IntakeRequest): Readonly<Record<string, unknown>> {
  const readings = readingsOf(request);
  const [first] = readings;
  const value = (field: string): string | undefined => request.fields.find((one) => one.field === field)?.value;
  return {
    ...request,
    ...first,
    ...first?.call,
    shown: shownOf(request),
    called: first?.call.called ?? value('called'),
    calling: first?.call.calling ?? value('calling'),
    zone: value('zone'),
    campaign: first?.campaign?.name ?? value('campaign'),
    description: first?.campaign?.description,
    transcript: first?.campaign?.transcript,
    recordingSha256: first?.campaign?.recordingSha256,
    at: readings.map(({ call }) => timeOf(call.at)),
    doubts: request.status === 'clear' ? [] : request.doubts.map(({ kind }) => kind),
    missing: request.status === 'incomplete' ? request.missing : [],
    unread: request.unread.map(unreadOf),
  };
}

test.each([...files, ...written])('%s, with the same ids each time', async (_name, read, wanted) => {
  const { requests, ...expected } = wanted;
  const report = await read();
  expect(report.requests.map(summaryOf)).toMatchObject(
    requests.map((request) => (typeof request === 'string' ? { shown: request } : request)),
  );
  const { status, unread, attachments, email } = report;
  expect({
    status,
    unread: unread.map(unreadOf),
    attachments: attachments.map(({ name, kind, sha256 }) =>
      kind === 'recording' ? `${name} ${kind} ${sha256}` : `${name} ${kind}`,
    ),
    email,
  }).toMatchObject(expected);
  const ids = report.requests.map(({ requestId }) => requestId);
  expect((await read()).requests.map(({ requestId }) => requestId)).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

const { one, person, none } = vectorIn('words/times.json') as TimeVectors;

/** What a time means, as the time of a call. */
function timesIn(time: string): { readonly at: readonly string[]; readonly doubts: readonly string[] } {
  const text = `Called: 2025550101\nDate/Time: ${time}`;
  const [request] = readPastedText(text, { receivedAtMs: RECEIVED_AT_MS }).requests;
  if (request === undefined) return { at: [], doubts: [] };
  return {
    at: readingsOf(request).map(({ call }) => timeOf(call.at)),
    doubts: request.status === 'clear' ? [] : request.doubts.map(({ kind }) => kind),
  };
}

test.each(Object.entries(one))('%s is one time', (text, expected) => {
  expect(timesIn(text)).toEqual({ at: [expected], doubts: [] });
});

test.each(person)('$text is for a person: $doubts', ({ text, doubts, readings }) => {
  const { at, doubts: found } = timesIn(text);
  expect({ found, readings: at.length }).toEqual({ found: doubts, readings });
});

test.each(none)('%j is no time, and nothing is made of it', (text) => {
  expect(timesIn(text).at).toEqual([]);
});

interface NumberVectors {
  readonly read: Readonly<Record<string, readonly string[]>>;
  readonly irregular: readonly string[];
  readonly 'digits-lost': readonly string[];
  readonly unread: readonly string[];
}
const { read: numbers, ...others } = vectorIn('words/numbers.json') as NumberVectors;

test.each(Object.entries(numbers))('reads the numbers in %s', (text, expected) => {
  const status = { status: 'read', numbers: expected, isIrregular: false };
  expect(statedNumber(text, { isCalled: true })).toMatchObject(status);
});

test.each(Object.entries(others))('a stated number is %s', (expected, texts) => {
  const readings = texts.map((text) => statedNumber(text, { isCalled: true }));
  const found = readings.map((read) => (read.status === 'read' && read.isIrregular ? 'irregular' : read.status));
  expect(found).toEqual(texts.map(() => expected));
});
