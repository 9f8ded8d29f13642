import { hash } from 'node:crypto';
import PostalMime from 'postal-mime';
import type { Attachment, Email } from 'postal-mime';
import { defined } from '../../core/text.js';
import { htmlText, textOfBytes, visibleText } from './visible-text.js';
import { emailAddress, senderOf } from './field-values.js';
import type { AssembledRequest } from './assemble-request.js';
import { MAX_INTAKE_CALLS } from './call-reading.js';
import { intakeKnowledge, reportOf, unreadableReport } from './intake-options.js';
import type { IntakeKnowledge, IntakeOptions, RequestCsvMap } from './intake-options.js';
import type {
  IntakeAttachment,
  IntakeDoubt,
  IntakeReport,
  IntakeRequest,
  ReceivedEmail,
  UnreadField,
} from './intake-report.js';
import { mapped, MAX_INTAKE_CSV_BYTES, readCsvPart } from './read-request-csv.js';
import { distinctRequests, readTextPart } from './read-pasted-text.js';
import type { PartReading, TextPart } from './read-pasted-text.js';
import { instantText } from './stated-time.js';

/** Octets of an e-mail that are read: a recording of five minutes as WAV has 5 MB, in base64 7. */
export const MAX_INTAKE_EMAIL_BYTES = 33_554_432;

/**
 * Lines that an e-mail may have beside one for every 24 octets. The MIME parser takes 8 us a line whatever its length, so that a message
 * of line ends alone would keep it busy for minutes. Base64 has 78 octets a line, a text some 40.
 */
const MAX_SHORT_LINES = 20_000;
const OCTETS_A_LINE = 24;

/** Messages within messages that are opened: whoever forwards a forwarded request makes three. */
const MAX_NESTED_MESSAGES = 4;

/** Parts within parts; mail programs make six at most. */
const MAX_NESTED_PARTS = 32;

/** Octets of all headers. A long way through the relays leaves 30 KiB. */
const MAX_HEADER_BYTES = 262_144;

/** Files of one e-mail that are looked into. */
const MAX_ATTACHMENTS = 64;

/**
 * Reads the traceback requests of an e-mail: of its plain and its HTML body, of attached CSV and text files, and of messages that are
 * forwarded in it. Recordings that came with it are noted by name, type and SHA-256. Where the two bodies ask about different calls
 * nothing is clear. Headers say who sent it and prove nothing. Never throws for peer input.
 * @param bytes - of the message, 32 MiB at most
 * @param options - what the reader knows beside the e-mail
 * @returns a report, with what an answer needs of the headers
 * @throws {@link HopbackError} `invalid-argument` when a zone, a label or `receivedAtMs` of the options cannot be
 * @see RFC 5322, RFC 2045, RFC 2046
 * @example
 * ```ts
 * const lines = ['From: ITG <requests@tracebacks.org>', 'Subject: Request', '', 'Called: 202-555-0101', 'Time: 2026-10-23 15:41 UTC'];
 * const report = await readEmail(new TextEncoder().encode(lines.join('\r\n')), { receivedAtMs: Date.UTC(2026, 9, 24) });
 * console.log(report.status, report.email?.fromAddress); // clear requests@tracebacks.org
 * ```
 */
export async function readEmail(bytes: Uint8Array, options: IntakeOptions): Promise<IntakeReport> {
  const { map } = options;
  const known = intakeKnowledge(options);
  const knownOfRows = intakeKnowledge(mapped(options));
  const sha256 = hash('sha256', bytes, 'hex');
  const unreadable = (because: NonNullable<IntakeReport['because']>): IntakeReport =>
    unreadableReport({ kind: 'email', sha256, because });
  if (bytes.length === 0) return unreadable('empty');
  if (bytes.length > MAX_INTAKE_EMAIL_BYTES) return unreadable('too-large');
  if (hasTooManyLines(bytes)) return unreadable('too-many-lines');
  const parsed = await parsedMessage(bytes);
  if (parsed === undefined) return unreadable('not-an-email');
  const read = await readMessage(parsed, {
    known,
    knownOfRows,
    map,
    depth: 0,
    prefix: '',
    passedOnBy: [],
  });
  const requests = distinctRequests(read.requests).slice(0, MAX_INTAKE_CALLS);
  const email = receivedEmail(parsed);
  const texts = [parsed.subject, parsed.text, parsed.html].filter((text) => text !== undefined);
  const { unread, attachments } = read;
  return reportOf(
    {
      kind: 'email',
      sha256,
      email,
      requests,
      unread,
      attachments,
      texts,
    },
    known,
  );
}

function hasTooManyLines(bytes: Uint8Array): boolean {
  let left = MAX_SHORT_LINES + bytes.length / OCTETS_A_LINE;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0 && left >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) left -= 1;
  return left < 0;
}

const LINE_FEED = 0x0a;

/** Undefined where the bounds of a message are passed, or there is not one header. */
async function parsedMessage(bytes: Uint8Array): Promise<Email | undefined> {
  try {
    const email = await PostalMime.parse(bytes, {
      forceRfc822Attachments: true,
      maxNestingDepth: MAX_NESTED_PARTS,
      maxHeadersSize: MAX_HEADER_BYTES,
    });
    return email.headers.length === 0 ? undefined : email;
  } catch {
    // It rejects what is too deep or too long; whatever else it stumbles over is no e-mail either.
    return undefined;
  }
}

/** How an e-mail came: only what is well formed. */
function receivedEmail(email: Email): ReceivedEmail {
  const header = (key: string): string => email.headers.find((line) => line.key === key)?.value ?? '';
  const sender = senderOf(decodedFrom(email));
  const messageId = messageIds(header('message-id'))[0];
  const references = messageIds(header('references')).slice(-MOST_REFERENCES);
  const [replyTo] = (email.replyTo ?? []).flatMap(({ address }) => emailAddress(address ?? '') ?? []);
  const dateMs = Date.parse(header('date'));
  const subject = visibleText(email.subject ?? '').slice(0, 512);
  return defined({
    messageId,
    references: references.length === 0 ? undefined : references.join(' '),
    subject: subject === '' ? undefined : subject,
    ...sender,
    replyTo,
    date: Number.isNaN(dateMs) ? undefined : instantText(dateMs),
  });
}

/** Ids of messages that an answer names at most: the whole thread of a week. */
const MOST_REFERENCES = 16;

/** @see RFC 5322 section 3.6.4 */
function messageIds(text: string): readonly string[] {
  return [...text.slice(0, 16_384).matchAll(/<[!-;=?-~]{1,250}>/g)].map(([id]) => id);
}

function decodedFrom({ from }: Email): string {
  const { name = '', address = '' } = from ?? {};
  return address === '' ? visibleText(name) : `${visibleText(name)} <${visibleText(address)}>`;
}

interface MessageOptions {
  readonly known: IntakeKnowledge;
  /** Of attached CSV files, whose map may declare a zone of its own. */
  readonly knownOfRows: IntakeKnowledge;
  readonly map: RequestCsvMap | undefined;
  /** Messages around this one. */
  readonly depth: number;
  /** Before the names of parts: `message: `. */
  readonly prefix: string;
  /** Senders of those. */
  readonly passedOnBy: readonly string[];
}

interface MessageReading extends PartReading {
  readonly attachments: readonly IntakeAttachment[];
}

async function readMessage(email: Email, options: MessageOptions): Promise<MessageReading> {
  const { known, prefix, passedOnBy } = options;
  const { fromName, fromAddress, date } = receivedEmail(email);
  const noted = email.attachments.slice(0, MAX_ATTACHMENTS).map((file) => ({ file, note: noteOf(file) }));
  const recordings = noted.filter(({ note }) => note.kind === 'recording');
  const context: Omit<TextPart, 'part'> = {
    known,
    passedOnBy,
    fromName,
    fromAddress,
    issuedAt: date,
    recordingSha256: recordings.length === 1 ? recordings[0]?.note.sha256 : undefined,
  };
  const body = readBodies(email, context, prefix);
  const requests = [...body.requests];
  const unread = [...body.unread];
  const attachments: IntakeAttachment[] = [];
  for (const { file, note } of noted) {
    const name = visibleText(file.filename ?? '').slice(0, 256);
    const place = { part: `${prefix}attachment ${name}`.trim(), line: 1 };
    if (requests.length >= MAX_INTAKE_CALLS) {
      unread.push({ reason: 'too-long', asWritten: name, place });
      attachments.push(note);
      continue;
    }
    const read = await readAttachment(file, {
      ...options,
      context: { ...context, shared: body.shared },
      part: place.part,
    });
    requests.push(...read.requests);
    unread.push(...read.unread);
    attachments.push(read.requests.length > 0 ? { ...note, kind: 'requests' } : note, ...read.attachments);
  }
  return { requests, unread, shared: [], attachments };
}

/** Both bodies are read, so that nobody can show a person one request and a program another. */
function readBodies(email: Email, context: Omit<TextPart, 'part'>, prefix: string): PartReading {
  const subject =
    email.subject === undefined ? {} : { subject: { part: `${prefix}subject`, text: visibleText(email.subject) } };
  const message = { ...context, ...subject };
  const plain =
    email.text === undefined ? NOTHING : readTextPart(email.text, { ...message, part: `${prefix}plain body` });
  if (email.html === undefined) return plain;
  const { text, isCut } = htmlText(email.html);
  const doubts: readonly IntakeDoubt[] = isCut ? [{ kind: 'cut', asWritten: '', readings: [] }] : [];
  const html = readTextPart(text, { ...message, doubts, part: `${prefix}html body` });
  if (plain.requests.length === 0) return html;
  const isSame = callsText(plain.requests) === callsText(html.requests);
  const better = clearOf(html) > clearOf(plain) ? html : plain;
  if (html.requests.length === 0 || isSame) return better;
  return { ...better, requests: better.requests.map((one) => ({ ...one, request: inDoubt(one.request) })) };
}

const NOTHING: PartReading = { requests: [], unread: [], shared: [] };

function clearOf({ requests }: PartReading): number {
  return requests.filter(({ request }) => request.status === 'clear').length;
}

function callsText(requests: readonly AssembledRequest[]): string {
  return requests
    .map(({ derivedId }) => derivedId)
    .toSorted()
    .join(' ');
}

/** Of a call that is clear in one body, and another one in the other. */
function inDoubt(request: IntakeRequest): IntakeRequest {
  const doubt: IntakeDoubt = { kind: 'bodies-disagree', asWritten: '', readings: [] };
  if (request.status !== 'clear') return { ...request, doubts: [...request.doubts, doubt] };
  const { request: only, status: _clear, ...told } = request;
  return { ...told, status: 'doubtful', doubts: [doubt], readings: [only] };
}

interface AttachmentOptions extends MessageOptions {
  readonly context: Omit<TextPart, 'part'>;
  readonly part: string;
}

async function readAttachment(file: Attachment, options: AttachmentOptions): Promise<MessageReading> {
  const { context, part, knownOfRows, map, depth } = options;
  const bytes = bytesOf(file);
  const what = kindOf(file);
  if (what === 'csv' && bytes.length <= MAX_INTAKE_CSV_BYTES)
    return { ...readCsvPart(bytes, { known: knownOfRows, map, part }, context), attachments: [] };
  if (what === 'text') return { ...readTextPart(textOfBytes(bytes), { ...context, part }), attachments: [] };
  if (what === 'html')
    return { ...readTextPart(htmlText(textOfBytes(bytes)).text, { ...context, part }), attachments: [] };
  if (what !== 'message' && what !== 'csv') return { ...NOTHING, attachments: [] };
  const inner = what === 'message' && depth < MAX_NESTED_MESSAGES ? await parsedMessage(bytes) : undefined;
  if (inner === undefined) {
    const left: UnreadField = {
      reason: 'too-long',
      asWritten: visibleText(file.filename ?? 'message').slice(0, 256),
      place: { part, line: 1 },
    };
    return { ...NOTHING, unread: [left], attachments: [] };
  }
  const { fromAddress = '' } = context;
  const passedOnBy = [...options.passedOnBy, fromAddress];
  return readMessage(inner, { ...options, passedOnBy, depth: depth + 1, prefix: `${options.prefix}message: ` });
}

function bytesOf({ content }: Attachment): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
}

function noteOf(file: Attachment): IntakeAttachment {
  const bytes = bytesOf(file);
  return {
    name: visibleText(file.filename ?? '').slice(0, 256),
    mimeType: visibleText(file.mimeType).slice(0, 128),
    sizeBytes: bytes.length,
    sha256: hash('sha256', bytes, 'hex'),
    kind: kindOf(file) === 'recording' ? 'recording' : 'other',
  };
}

type FileKind = 'recording' | 'csv' | 'text' | 'html' | 'message' | 'other';

/** By its name where it has one that says so: mail programs send CSV files as `application/vnd.ms-excel`. */
function kindOf({ mimeType, filename }: Attachment): FileKind {
  const extension = /\.([a-z0-9]{1,8})$/i.exec((filename ?? '').trim())?.[1]?.toLowerCase() ?? '';
  const byName = KINDS_BY_NAME[extension];
  if (byName !== undefined) return byName;
  if (mimeType.startsWith('audio/')) return 'recording';
  return Object.hasOwn(KINDS_BY_TYPE, mimeType) ? (KINDS_BY_TYPE[mimeType] ?? 'other') : 'other';
}

const KINDS_BY_NAME: Readonly<Record<string, FileKind | undefined>> = {
  wav: 'recording',
  mp3: 'recording',
  m4a: 'recording',
  ogg: 'recording',
  opus: 'recording',
  flac: 'recording',
  amr: 'recording',
  csv: 'csv',
  tsv: 'csv',
  txt: 'text',
  eml: 'message',
  htm: 'html',
  html: 'html',
};

const KINDS_BY_TYPE: Readonly<Record<string, FileKind>> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'text/plain': 'text',
  'text/html': 'html',
  'message/rfc822': 'message',
};
