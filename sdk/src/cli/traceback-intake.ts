import { hash } from 'node:crypto';
import { join } from 'node:path';
import { defined } from '../core/text.js';
import { HopbackError } from '../errors.js';
import { readEmail, readIntakeLabels, readPastedText, readRequestCsv, readRequestCsvMap } from '../traceback/index.js';
import type {
  IntakeDoubt,
  IntakeField,
  IntakeOptions,
  IntakeReport,
  IntakeRequest,
  RequestCsvMap,
} from '../traceback/index.js';
import { MAX_INTAKE_EMAIL_BYTES } from '../traceback/intake/read-email.js';
import { readOperand } from './inputs/call-input.js';
import { jsonFile } from './inputs/key-files.js';
import { EXIT, optionSpecs, requirePath, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import { shownText } from './kit/node-io.js';
import type { CliIo } from './kit/node-io.js';
import { countText, jsonLine, report } from './kit/output.js';
import { checkZone } from './inputs/records-query.js';
import type { RequesterKind } from '../contract/traceback-exchange.js';

type ReadField = IntakeRequest['fields'][number];
type UnreadField = IntakeReport['unread'][number];

/** Fields in the words of the output. */
const FIELD_WORDS: Readonly<Partial<Record<IntakeField, string>>> = {
  at: 'time',
  timeOfDay: 'time of day',
  asWritten: 'time as written',
  callId: 'Call-ID',
  origId: 'origid',
  recordId: 'record',
  spc: 'SPC',
  durationSeconds: 'duration, s',
  requestId: 'request',
  tracebackId: 'traceback',
  issuedAt: 'issued',
  dueAt: 'due',
  requesterKind: 'kind of requester',
  requesterName: 'requester',
  requesterEmail: 'requester e-mail',
  campaignDescription: 'description',
  recordingSha256: 'recording SHA-256',
};

function fieldWord(field: IntakeField): string {
  return FIELD_WORDS[field] ?? field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** What a doubt is, and what settles it. */
const DOUBT_WORDS: Readonly<Record<IntakeDoubt['kind'], readonly [what: string, settles?: string]>> = {
  'day-or-month': ['the date can be read in several ways', '--date-order month-first, or day-first'],
  'time-does-not-exist': ['clocks were set forward past this time: another zone must be meant'],
  'time-in-the-future': ['later than the request itself'],
  'weekday-contradicts': ['the stated day of the week does not match the date'],
  'half-of-day': ['neither AM nor PM is stated'],
  'zone-absent': ['no time zone is stated', '--zone, where you know it'],
  'zone-ambiguous': ['the stated time zone has several meanings'],
  'zone-out-of-season': ['standard time is written while clocks showed daylight time, or the other way round'],
  'zone-contradicts': ['two time zones are stated'],
  'several-values': ['several numbers where one was expected'],
  'digits-lost': ['a spreadsheet has rounded this number: ask for it again, as text'],
  'number-irregular': ['neither a national number nor one with a country code'],
  'not-understood': ['stated, but not understood: do not search for the call without it'],
  'fields-contradict': ['stated twice, differently'],
  'bodies-disagree': ['the plain and the HTML body of the e-mail ask about different calls'],
  'calls-not-told-apart': ['which of the calls each field belongs to is not certain'],
  'direction-of-writing': ['control characters change the order in which this text is shown'],
  'requester-unknown': [
    'not from a known requester domain, or forwarded by someone outside those domains',
    '--requester, where you know who asks, or --forwarder for a domain of your own',
  ],
  cut: ['longer than what is read'],
};

const UNREAD_WORDS: Readonly<Record<UnreadField['reason'], string>> = {
  'unknown-label': 'label not known; --labels adds it',
  'no-value': 'no value after it',
  'value-not-understood': 'value not understood',
  'number-in-text': 'a number in running text',
  'row-not-read': 'row does not fit the head',
  'without-call': 'belongs to no call',
  'zone-unclear': 'more than one instant',
  'too-long': 'too long',
};

/** Characters of a value that are shown. */
const MAX_SHOWN_CHARS = 60;

/** One call that is asked about: what was read of it and where, what is in doubt, missing, assumed and not understood. */
function requestLines(request: IntakeRequest, at: number, of: number, common: readonly ReadField[]): readonly string[] {
  const mark = request.status === 'clear' ? '✓' : '?';
  const what = { clear: 'clear', doubtful: 'for a person to settle', incomplete: 'incomplete: for a person' }[
    request.status
  ];
  const doubts = request.status === 'clear' ? [] : request.doubts;
  const missing = request.status === 'incomplete' ? request.missing : [];
  const assumed = request.assumed.filter(({ field }) => field !== 'requestId' && field !== 'tracebackId');
  return [
    '',
    `${mark} call ${String(at)} of ${String(of)}: ${what}  ${request.requestId}`,
    ...fieldLines(request.fields.filter((field) => !common.some((other) => isSameField(field, other)))),
    ...doubts.flatMap(doubtLines),
    ...(missing.length === 0 ? [] : [`  ✗ missing: ${words(missing)}`]),
    ...request.unread.map((unread) => `  ${unreadLine(unread)}`),
    ...(request.notStated.length === 0 ? [] : [`  · not stated: ${words(request.notStated)}`]),
    ...(assumed.length === 0
      ? []
      : [`  · assumed: ${assumed.map(({ field, value }) => `${fieldWord(field)} ${cut(value)}`).join(', ')}`]),
  ];
}

/** What was read once and holds for every call. */
function commonFields(requests: readonly IntakeRequest[]): readonly ReadField[] {
  const [first, ...others] = requests;
  if (first === undefined || others.length === 0) return [];
  return first.fields.filter((field) =>
    others.every(({ fields }) => fields.some((other) => isSameField(field, other))),
  );
}

function isSameField(one: ReadField, other: ReadField): boolean {
  const [{ part, line }, place] = [one.place, other.place];
  return one.field === other.field && one.asWritten === other.asWritten && part === place.part && line === place.line;
}

function words(fields: readonly IntakeField[]): string {
  return fields.map(fieldWord).join(', ');
}

/** What was read, where, and from what. */
function fieldLines(fields: readonly ReadField[]): readonly string[] {
  const names = fields.map(({ field }) => fieldWord(field));
  const values = fields.map(({ value }) => cut(value));
  const [nameWidth, valueWidth] = [names, values].map((texts) => Math.max(0, ...texts.map((text) => text.length)));
  return fields.map(({ label, asWritten, value, place }, at) => {
    const name = (names[at] ?? '').padEnd(nameWidth ?? 0);
    const written = asWritten === value ? '' : ` ${cut(asWritten)}`;
    return `  ${name}  ${(values[at] ?? '').padEnd(valueWidth ?? 0)}  ${placeText(place)}: “${label}”${written}`;
  });
}

function doubtLines({ kind, field, asWritten, readings }: IntakeDoubt): readonly string[] {
  const [what, settles] = DOUBT_WORDS[kind];
  const subject = [field === undefined ? '' : fieldWord(field), cut(asWritten)].filter((text) => text !== '').join(' ');
  const choice = readings.length === 0 ? '' : `: ${readings.map(cut).join(' or ')}`;
  return [
    `  ? ${subject === '' ? '' : `${subject}: `}${what}${choice}`,
    ...(settles === undefined ? [] : [`    settled by ${settles}`]),
  ];
}

/** Something that was left alone, of the whole input. */
function unreadLine({ reason, label, asWritten, place }: UnreadField): string {
  const what = [label === undefined ? '' : `“${label}”`, cut(asWritten)].filter((text) => text !== '').join(' ');
  return `· not read, ${placeText(place)}: ${what} (${UNREAD_WORDS[reason]})`;
}

function placeText({ part, line }: ReadField['place']): string {
  return part === 'text' || part === 'file' ? `line ${String(line)}` : `${part}, line ${String(line)}`;
}

function cut(text: string): string {
  const line = text.replaceAll('\n', ' / ');
  return line.length > MAX_SHOWN_CHARS ? `${line.slice(0, MAX_SHOWN_CHARS)}…` : line;
}

/** How it came, and what came with it. */
function messageLines({ email, attachments }: IntakeReport): readonly string[] {
  const sender = [email?.fromName, email?.fromAddress === undefined ? undefined : `<${email.fromAddress}>`];
  const from = sender.filter((text) => text !== undefined).join(' ');
  const date = email?.date === undefined ? '' : `, ${email.date}`;
  return [
    ...(email === undefined ? [] : [`  from     ${from === '' ? 'nobody' : from}${date}; nothing proves the sender`]),
    ...(email?.subject === undefined ? [] : [`  subject  ${email.subject}`]),
    ...attachments.map(
      ({ name, mimeType, sizeBytes, sha256, kind }) =>
        `  ${kind === 'other' ? '!' : '·'} attached ${name === '' ? 'without a name' : name}: ${ATTACHMENT_WORDS[kind]}, ${mimeType}, ` +
        `${countText(sizeBytes, 'byte')}, SHA-256 ${sha256}`,
    ),
  ];
}

const ATTACHMENT_WORDS: Readonly<Record<IntakeReport['attachments'][number]['kind'], string>> = {
  recording: 'recording',
  requests: 'requests, read below',
  other: 'not opened: look at it yourself',
};

const FORMATS = ['text', 'email', 'csv'] as const;
type InputFormat = (typeof FORMATS)[number];

const ORDERS = ['month-first', 'day-first'] as const;
const REQUESTERS: readonly RequesterKind[] = ['itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement'];

/** How the input is read, and what the reader knows beside it. */
const INTAKE_OPTIONS = optionSpecs({
  'format <FORMAT>': { choices: FORMATS, text: 'format of the input; default detected' },
  'csv-map <FILE>':
    'JSON file that says what the columns of CSV mean, also of attached CSV: {"columns": {"called": "TN", "at": "When"}, "zone": "UTC"}',
  'labels <FILE>': 'JSON file with labels of your own, by field: {"called": ["Target TN"]}',
  'zone <ZONE>': 'zone of times that state none: utc, or an IANA name such as America/New_York',
  'date-order <ORDER>': { choices: ORDERS, text: 'whether 10/11/2026 is in October or in November' },
  'requester <KIND>': {
    choices: REQUESTERS,
    text: 'kind of requester, if the request does not state it or the sender is not known',
  },
  'forwarder <DOMAIN...>': 'your own domain: for mail that it forwards, the original sender is the requester',
  'provider <NAME>': 'your own name as registered',
});

/**
 * Reads the one operand as whatever it is: a file, or standard input.
 * @throws {@link UsageError} when there is none, or nothing in it can be read; {@link HopbackError} `storage-failed` when a file cannot be
 * read, `invalid-configuration` when a map or labels cannot be
 */
async function readIntakeInput(options: OptionsOf<typeof INTAKE_OPTIONS>, io: CliIo) {
  const { operands } = options;
  if (operands.length > 1) throw new UsageError('one file at a time');
  const [operand] = operands;
  if (operand === undefined && io.stdin.isTty)
    throw new UsageError('nothing to read', [
      'Name a file, or pipe the request in: hopback traceback intake request.eml',
    ]);
  const { known, map } = await knowledgeOf(options, io);
  const { bytes, source } = await readOperand(operand, io, MAX_INTAKE_EMAIL_BYTES);
  refuseDocument(bytes, source);
  const format = (options.text('format') as InputFormat | undefined) ?? formatOf(bytes, operand ?? '', map);
  const read = await readAs(format, bytes, { known, map });
  if (read.status === 'unreadable') throw unreadable(source, read);
  return { read, source };
}

interface Knowledge {
  readonly known: IntakeOptions;
  readonly map: RequestCsvMap | undefined;
}

async function knowledgeOf(options: OptionsOf<typeof INTAKE_OPTIONS>, io: CliIo): Promise<Knowledge> {
  const zone = options.text('zone');
  const [name, forwarders] = [options.text('provider'), options.texts('forwarder')];
  checkZone(zone);
  const map = await fileOf(options.text('csv-map'), readRequestCsvMap, io);
  checkZone(map?.zone);
  const known: IntakeOptions = {
    receivedAtMs: io.clock.nowMs(),
    ...defined({
      zone,
      dateOrder: options.text('date-order') as IntakeOptions['dateOrder'],
      requesterKind: options.text('requester') as RequesterKind | undefined,
      forwarders: forwarders.length === 0 ? undefined : forwarders,
      provider: name === undefined ? undefined : { name },
      labels: await fileOf(options.text('labels'), readIntakeLabels, io),
    }),
  };
  return { known, map };
}

async function fileOf<Value>(
  path: string | undefined,
  read: (value: unknown, options: { readonly at: string }) => Value,
  io: CliIo,
): Promise<Value | undefined> {
  return path === undefined ? undefined : read(await jsonFile(path, io), { at: shownText(path) });
}

async function readAs(format: InputFormat, bytes: Uint8Array, { known, map }: Knowledge): Promise<IntakeReport> {
  const mapped = map === undefined ? known : { ...known, map };
  if (format === 'email') return readEmail(bytes, mapped);
  if (format === 'csv') return readRequestCsv(bytes, mapped);
  return readPastedText(textOf(bytes), known);
}

/** A file saved by an editor: UTF-8, or what Windows programs write, with or without a byte order mark. */
function textOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** By its name where that says so, else by what it begins with. */
function formatOf(bytes: Uint8Array, path: string, map: RequestCsvMap | undefined): InputFormat {
  if (/\.eml$/i.test(path)) return 'email';
  if (/\.(?:csv|tsv)$/i.test(path)) return 'csv';
  if (isMessage(Buffer.from(bytes.subarray(0, 65_536)).toString('latin1'))) return 'email';
  return map === undefined ? 'text' : 'csv';
}

/** Header fields that a message has, and no pasted text. `Received` with a time is one of a call. */
const MARKS_OF_MAIL =
  /^(?:(?:return-path|message-id|mime-version|delivered-to|dkim-signature) *:|received: *(?:from|by) )/i;

function isMessage(text: string): boolean {
  for (const line of text.split(/\r?\n/)) {
    const [, name = ''] = /^([!-9;-~]{1,76}):/.exec(line) ?? [];
    if (MARKS_OF_MAIL.test(line)) return true;
    if (name === '' && !/^[ \t]/.test(line)) return false;
  }
  return false;
}

/** What people save in place of what is in it, by its first octets. */
const DOCUMENTS: readonly (readonly [string, string, string])[] = [
  ['d0cf11e0', 'an Outlook message or an old Office document', 'Save the message as .eml, or a table as CSV.'],
  ['504b0304', 'an Office document or a ZIP archive', 'Save a table as CSV, and a letter as text.'],
  ['25504446', 'a PDF', 'Copy its text: hopback traceback intake - reads what is pasted.'],
];

/** @throws {@link UsageError} for a document that would be read as letters without sense */
function refuseDocument(bytes: Uint8Array, source: string): void {
  const magic = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  for (const [begins, what, hint] of DOCUMENTS)
    if (magic === begins) throw new UsageError(`${source} is ${what}, which is not opened`, [hint]);
}

function unreadable(source: string, { because }: IntakeReport): UsageError {
  if (because === 'empty') return new UsageError(`${source} is empty`);
  if (because === 'too-large') return new UsageError(`${source} is larger than a request may be`);
  return new UsageError(`${source} is no e-mail that can be read`, ['--format text reads it as text']);
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;

const OPTIONS = optionSpecs({
  ...INTAKE_OPTIONS,
  'out <DIR>': 'existing directory: write each request into its own file there',
  'limit <N>': `maximum number of calls to show, up to ${String(MAX_LIMIT)}; default ${String(DEFAULT_LIMIT)}; all are read`,
});

const INTAKE: CommandBody = {
  usage: ['FILE|- [--zone ZONE] [--date-order ORDER] [--out DIR]', 'FILE.csv|- --csv-map FILE [--out DIR]'],
  options: OPTIONS,
  notes: [
    'Shows for each call the values and their places in the text, values with several possible meanings, missing ' +
      'values, and parts that look like a field but were not understood. The command does not guess. A clear ' +
      'request goes to DIR as ID.json, an unclear one as ID.doubtful.json with all possible readings; existing ' +
      'files do not change. Telephone numbers are shown in full. The text of an e-mail does not prove who sent it.',
    'Exit codes: 0 all requests are clear; 1 the input has no request; 2 command line or input not valid; 3 a person has to check a ' +
      'value; 4 a file or the directory cannot be used.',
    '  hopback traceback intake request.eml --provider "Example Telephone" --out requests\n' +
      '  cat request.txt | hopback traceback intake - --zone America/New_York',
  ],
  run,
};

async function run(options: OptionsOf<typeof OPTIONS>, io: CliIo): Promise<ExitCode> {
  const limit = options.number('limit', 1, MAX_LIMIT) ?? DEFAULT_LIMIT;
  const directory = options.text('out');
  const { read, source } = await readIntakeInput(options, io);
  const written = directory === undefined ? [] : await writeRequests(read, requirePath(directory), io);
  const document = { ...read, exitCode: EXIT_OF_STATUS[read.status], files: written };
  return report(options, io, document, reportLines(read, source, limit, written));
}

const EXIT_OF_STATUS: Readonly<Record<IntakeReport['status'], ExitCode>> = {
  clear: EXIT.ok,
  'no-request': EXIT.negative,
  unreadable: EXIT.usage,
  'needs-person': EXIT.indeterminate,
};

/** A file of a request. */
interface WrittenFile {
  readonly path: string;
  readonly requestId: string;
  /** `there-already`: the same request came before. */
  readonly status: 'written' | 'there-already';
}

async function writeRequests(
  { requests }: IntakeReport,
  directory: string,
  io: CliIo,
): Promise<readonly WrittenFile[]> {
  io.keepPrivate();
  const names = await io.files.list(directory);
  if (names === undefined) throw new HopbackError('storage-failed', `there is no directory ${shownText(directory)}`);
  const there = new Set(names);
  const written: WrittenFile[] = [];
  for (const request of requests) {
    const name = fileName(request);
    const path = join(directory, name);
    const isThere = there.has(name);
    there.add(name);
    if (!isThere) await io.files.write(path, contentOf(request), { mode: 0o600, overwrite: false });
    written.push({ path, requestId: request.requestId, status: isThere ? 'there-already' : 'written' });
  }
  return written;
}

/** What is not clear is no request yet, and must not be taken for one by whoever reads the directory. */
function contentOf(request: IntakeRequest): string {
  if (request.status === 'clear') return jsonLine(request.request);
  return jsonLine({ format: 'hopback.traceback-intake-doubtful.1', ...request });
}

/** Ids are stated by others: one that is no plain name goes into no path. */
function fileName({ requestId, status }: IntakeRequest): string {
  const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(requestId) && !requestId.toLowerCase().endsWith('.doubtful');
  const name = isName ? requestId : `request-${hash('sha256', requestId, 'hex').slice(0, 32)}`;
  return status === 'clear' ? `${name}.json` : `${name}.doubtful.json`;
}

function reportLines(
  read: IntakeReport,
  source: string,
  limit: number,
  written: readonly WrittenFile[],
): readonly string[] {
  const { requests, unread } = read;
  const shown = requests.slice(0, limit);
  const common = commonFields(requests);
  const news = written.filter(({ status }) => status === 'written');
  const doubtful = written.filter(({ path }) => path.endsWith('.doubtful.json'));
  return [
    headline(read, source),
    ...messageLines(read),
    ...(common.length === 0 ? [] : ['', 'of all calls', ...fieldLines(common)]),
    ...shown.flatMap((request, at) => requestLines(request, at + 1, requests.length, common)),
    ...(requests.length > shown.length
      ? ['', `· the first ${String(shown.length)} are shown: --limit shows more`]
      : []),
    ...(unread.length === 0 ? [] : ['', ...unread.slice(0, limit).map(unreadLine)]),
    ...(unread.length > limit ? [`· ${String(unread.length - limit)} more were not read`] : []),
    ...(written.length === 0
      ? []
      : [
          '',
          `· ${countText(news.length, 'file')} written, ${String(written.length - news.length)} there already, ` +
            `${String(doubtful.length)} of them .doubtful.json`,
        ]),
  ];
}

function headline({ status, requests }: IntakeReport, source: string): string {
  if (status === 'no-request') return `✗ ${source}: no traceback request in it`;
  if (requests.length === 0) return `? ${source}: no call could be read, but a person must check something in it`;
  const open = requests.filter((request) => request.status !== 'clear').length;
  const calls = `${source}: ${countText(requests.length, 'call')} asked about`;
  if (open === 0 && status === 'needs-person') return `? ${calls}, all clear, but a person must check something else`;
  return open === 0
    ? `✓ ${calls}, all clear`
    : `? ${calls}, ${String(requests.length - open)} clear, ${String(open)} for a person`;
}

export const COMMANDS = { 'traceback intake': INTAKE };
