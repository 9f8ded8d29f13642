import {
  MAX_INTAKE_EMAIL_BYTES,
  readEmail,
  readIntakeLabels,
  readPastedText,
  readRequestCsv,
  readRequestCsvMap,
} from '../traceback/index.js';
import type { IntakeOptions, IntakeReport, RequestCsvMap, RequesterKind } from '../traceback/index.js';
import type { CliIo } from './io.js';
import { jsonFile } from './json-file.js';
import { requirePath } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { checkZone } from './record-times.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

/** Options of how a request is read. */
export type IntakeOption =
  'format' | 'csv-map' | 'labels' | 'zone' | 'date-order' | 'requester' | 'forwarder' | 'provider';

const FORMATS = ['text', 'email', 'csv'] as const;
type InputFormat = (typeof FORMATS)[number];

const ORDERS = ['month-first', 'day-first'] as const;
const REQUESTERS: readonly RequesterKind[] = ['itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement'];

/** How the input is read, and what the reader knows beside it. */
export const INTAKE_OPTIONS: OptionSpecs<IntakeOption> = {
  format: { value: 'FORMAT', choices: FORMATS, text: 'what the input is; default what it looks like' },
  'csv-map': {
    value: 'FILE',
    text: 'JSON file that says what the columns of CSV mean, also of attached CSV: {"columns": {"called": "TN", "at": "When"}, "zone": "UTC"}',
  },
  labels: { value: 'FILE', text: 'JSON file with labels of your own, by field: {"called": ["Target TN"]}' },
  zone: { value: 'ZONE', text: 'zone of times that state none: utc, or an IANA name such as America/New_York' },
  'date-order': { value: 'ORDER', choices: ORDERS, text: 'whether 10/11/2026 is in October or in November' },
  requester: {
    value: 'KIND',
    choices: REQUESTERS,
    text: 'who asks, where the request does not say or the sender is not known',
  },
  forwarder: {
    value: 'DOMAIN',
    multiple: true,
    text: 'your own domain: who asks is whoever sent the message that its people forward',
  },
  provider: { value: 'NAME', text: 'who is asked: your own name, as it is filed' },
};

/** What was read, and how the input is named for people. */
export interface IntakeInput {
  readonly report: IntakeReport;
  readonly source: string;
}

/**
 * Reads the one operand as whatever it is: a file, or standard input.
 * @throws {@link UsageError} when there is none, or nothing in it can be read; {@link HopbackError} `storage-failed` when a file cannot be
 * read, `invalid-configuration` when a map or labels cannot be
 */
export async function readIntakeInput(options: Options<IntakeOption>, io: CliIo): Promise<IntakeInput> {
  const { operands } = options;
  if (operands.length > 1) throw new UsageError('one file at a time');
  const [operand] = operands;
  if (operand === undefined && io.stdin.isTty)
    throw new UsageError('nothing to read', [
      'Name a file, or pipe the request in: hopback traceback intake request.eml',
    ]);
  const isFile = operand !== undefined && operand !== '-';
  const source = isFile ? shownText(requirePath(operand)) : 'standard input';
  const { known, map } = await knowledgeOf(options, io);
  const bytes = isFile
    ? await io.files.read(operand, MAX_INTAKE_EMAIL_BYTES)
    : await io.stdin.read(MAX_INTAKE_EMAIL_BYTES);
  if (bytes === undefined) throw new UsageError(`${source} has more than ${String(MAX_INTAKE_EMAIL_BYTES)} bytes`);
  refuseDocument(bytes, source);
  const format =
    (options.text('format') as InputFormat | undefined) ?? formatOf(bytes, { path: isFile ? operand : '', map });
  const report = await readAs(format, bytes, { known, map });
  if (report.status === 'unreadable') throw unreadable(source, report);
  return { report, source };
}

interface Knowledge {
  readonly known: IntakeOptions;
  readonly map: RequestCsvMap | undefined;
}

async function knowledgeOf(options: Options<IntakeOption>, io: CliIo): Promise<Knowledge> {
  const [mapPath, labelsPath] = [options.text('csv-map'), options.text('labels')];
  const [zone, dateOrder] = [options.text('zone'), options.text('date-order') as IntakeOptions['dateOrder']];
  const [requesterKind, name] = [options.text('requester') as RequesterKind | undefined, options.text('provider')];
  const forwarders = options.texts('forwarder');
  checkZone(zone);
  const map =
    mapPath === undefined ? undefined : readRequestCsvMap(await jsonFile(mapPath, io), { at: shownText(mapPath) });
  checkZone(map?.zone);
  const labels =
    labelsPath === undefined
      ? undefined
      : readIntakeLabels(await jsonFile(labelsPath, io), { at: shownText(labelsPath) });
  const known: IntakeOptions = {
    receivedAtMs: io.clock.nowMs(),
    ...(zone === undefined ? {} : { zone }),
    ...(dateOrder === undefined ? {} : { dateOrder }),
    ...(requesterKind === undefined ? {} : { requesterKind }),
    ...(forwarders.length === 0 ? {} : { forwarders }),
    ...(name === undefined ? {} : { provider: { name } }),
    ...(labels === undefined ? {} : { labels }),
  };
  return { known, map };
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
function formatOf(
  bytes: Uint8Array,
  { path, map }: { readonly path: string; readonly map: RequestCsvMap | undefined },
): InputFormat {
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
