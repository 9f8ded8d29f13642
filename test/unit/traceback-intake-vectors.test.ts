import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readEmail, readPastedText, readRequestCsv } from '@hopback/sdk/traceback';
import type { IntakeReport, IntakeRequest, RequestCsvOptions, StatedTime, UnreadField } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';

interface IntakeVector {
  readonly description: string;
  readonly input: string;
  readonly options?: Partial<RequestCsvOptions>;
  readonly expected: Readonly<Record<string, unknown>> & {
    readonly requests: readonly Readonly<Record<string, unknown>>[];
  };
}

const FOLDER = fileURLToPath(new URL('../vectors/intake/', import.meta.url));
const RECEIVED_AT_MS = Date.UTC(2026, 9, 24);

const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const vectors = names.map((name): [string, IntakeVector] => [
  name.replace('.json', ''),
  JSON.parse(readFileSync(`${FOLDER}${name}`, 'utf8')) as IntakeVector,
]);

function read({ input, options = {} }: IntakeVector): IntakeReport | Promise<IntakeReport> {
  const bytes = readFileSync(`${FOLDER}${input}`);
  const known = { receivedAtMs: RECEIVED_AT_MS, ...options };
  if (input.endsWith('.eml')) return readEmail(bytes, known);
  return input.endsWith('.csv') ? readRequestCsv(bytes, known) : readPastedText(bytes.toString('utf8'), known);
}

const timeOf = ({ local, zone, precision }: StatedTime): string => `${local} ${zone ?? '(no zone)'} ${precision}`;
const unreadOf = ({ reason, label }: UnreadField): string => (label === undefined ? reason : `${reason} ${label}`);

/** A request in the words of a vector: of what is in doubt the first reading, and all times. */
function summaryOf(request: IntakeRequest): Readonly<Record<string, unknown>> {
  const readings =
    request.status === 'clear' ? [request.request] : request.status === 'doubtful' ? request.readings : [];
  const [first] = readings;
  const value = (field: string): string | undefined => request.fields.find((one) => one.field === field)?.value;
  return {
    ...first,
    ...first?.call,
    status: request.status,
    called: first?.call.called ?? value('called'),
    calling: first?.call.calling ?? value('calling'),
    campaign: first?.campaign?.name ?? value('campaign'),
    transcript: first?.campaign?.transcript,
    recordingSha256: first?.campaign?.recordingSha256,
    at: readings.map(({ call }) => timeOf(call.at)),
    doubts: request.status === 'clear' ? [] : request.doubts.map(({ kind }) => kind),
    missing: request.status === 'incomplete' ? request.missing : [],
    unread: request.unread.map(unreadOf),
  };
}

test.each(vectors)('%s is read as its vector says, with the same ids each time', async (_name, vector) => {
  const { requests, ...expected } = vector.expected;
  const report = await read(vector);
  expect(report.requests.map(summaryOf)).toMatchObject(requests);
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
  expect((await read(vector)).requests.map(({ requestId }) => requestId)).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
