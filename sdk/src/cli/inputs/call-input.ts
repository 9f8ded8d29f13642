import { sipHeaderLayout } from '../../core/sip-request.js';
import { isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import { canonicalTelephoneNumber, parseSipRequest } from '../../stir/index.js';
import { formatIdentityHeader } from '../../stir/identity-header.js';
import { parsePassport } from '../../stir/passport.js';
import { readSipDate } from '../../stir/verification/request.js';
import type { PassportParty, SipRequestText } from '../../stir/index.js';
import { requirePath, UsageError } from '../kit/command.js';
import { shownText, MAX_INPUT_BYTES } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';

/** What a command was given to read. */
export interface RawInput {
  readonly bytes: Uint8Array;
  /** For people: a path, `standard input`, `the command line`. */
  readonly source: string;
}

/** Identity headers, with the request around them or without. */
export type CallInput =
  | { readonly kind: 'request'; readonly request: SipRequestText }
  | { readonly kind: 'identity-headers'; readonly values: readonly string[] }
  | {
      /** Tokens alone: the Identity header of each was made up from what the token itself says. */
      readonly kind: 'token';
      readonly values: readonly string[];
    };

/** What all commands that read a call say of their operand. */
export const INPUT_NOTE: string =
  'The input is a whole SIP request (an INVITE from a log, headers are enough), one or more Identity header values ' +
  'with or without the header name, or bare PASSporTs, one per line. Give it as a file, on standard input (- or no ' +
  'operand), or as the operand itself: the command recognizes the kind from the content.';

/**
 * Gets the input of a command: an operand that is an Identity header or a token itself, a file, or standard input.
 * @throws {@link UsageError} when there is none or too much; {@link HopbackError} `storage-failed` when a file cannot be read
 */
export async function readInput(operands: readonly string[], io: CliIo): Promise<RawInput> {
  const [operand] = operands;
  if (operands.length > 1)
    throw new UsageError('one input at a time', ['Quote an Identity header: it holds semicolons.']);
  if (operand !== undefined && isIdentityText(operand))
    return { bytes: Buffer.from(operand), source: 'the command line' };
  if (operand === undefined && io.stdin.isTty)
    throw new UsageError('nothing to read', ['Name a file, pipe it in, or give the Identity header itself in quotes.']);
  return readOperand(operand, io);
}

/**
 * Reads the file that an operand names, or standard input for `-` or none.
 * @throws {@link UsageError} when there is more than `maxBytes`; {@link HopbackError} `storage-failed` when the file cannot be read
 */
export async function readOperand(
  operand: string | undefined,
  io: CliIo,
  maxBytes: number = MAX_INPUT_BYTES,
): Promise<RawInput> {
  const isFile = operand !== undefined && operand !== '-';
  const source = isFile ? shownText(requirePath(operand)) : 'standard input';
  const bytes = isFile ? await io.files.read(operand, maxBytes) : await io.stdin.read(maxBytes);
  if (bytes === undefined) throw new UsageError(`${source} has more than ${String(maxBytes)} bytes`);
  return { bytes, source };
}

/**
 * Tells the input apart and takes it to pieces as far as needed.
 * @throws {@link UsageError} when it is none of what can be read
 */
export function parseCallInput({ bytes, source }: RawInput): CallInput {
  if (isCapture(bytes)) {
    throw new UsageError(`${source} is a packet capture`, [
      'Export the INVITE as text: sngrep and Wireshark both can.',
    ]);
  }
  if (bytes.includes(0)) throw new UsageError(`${source} is binary, not a SIP request or an Identity header`);
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (text === '') throw new UsageError(`${source} is empty`);
  const [firstLine = ''] = text.split('\n', 1);
  if (/ SIP\/2\.0\r?$/.test(firstLine) || firstLine.startsWith('SIP/2.0 ')) return requestInput(text, source);
  refuseHeadless(text, source);
  const values = headerValuesOf(text);
  if (values.every(isBareToken)) return { kind: 'token', values: values.map(aroundToken) };
  if (values.every((value) => value.includes('.') || value.includes(';'))) return { kind: 'identity-headers', values };
  throw new UsageError(`${source} is neither a SIP request nor an Identity header nor a PASSporT`);
}

/** A path does not look like this, and who has such a file writes `./` before its name. */
function isIdentityText(operand: string): boolean {
  return /^\s*(?:identity|y)\s*:/i.test(operand) || operand.trimStart().startsWith('eyJ') || operand.includes(';info=');
}

function requestInput(text: string, source: string): CallInput {
  const parsed = parseSipRequest(text);
  if (parsed.status === 'parsed') return { kind: 'request', request: parsed.request };
  const where = `${source}, line ${String(parsed.line)}`;
  if (parsed.reason === 'request-is-a-response') {
    throw new UsageError(`${where}: this is a SIP response`, [
      'Identity headers are verified in the request that carries them.',
    ]);
  }
  const hints = parsed.reason === 'request-bad-start-line' ? START_LINE_HINT : [];
  throw new UsageError(`${where}: the SIP request cannot be read (${parsed.reason})`, hints);
}

const START_LINE_HINT: readonly string[] = [
  'The request line comes first, alone on its line: INVITE sip:… SIP/2.0. Take out what a log put before it.',
];

/** A request without its first line, or below something else: its header fields would be taken for Identity headers. */
function refuseHeadless(text: string, source: string): void {
  const lines = text.split('\n');
  const startLine = lines.findIndex((line) => REQUEST_LINE.test(line));
  if (startLine >= 0)
    throw new UsageError(
      `${source}: the request line is not the first, but line ${String(startLine + 1)}`,
      START_LINE_HINT,
    );
  if (lines.some((line) => OTHER_HEADER.test(line)))
    throw new UsageError(`${source} has the header fields of a SIP request without its request line`, START_LINE_HINT);
}

const REQUEST_LINE = /^[A-Z]{3,16} \S+ SIP\/2\.0\r?$/;

/** A header field other than Identity; a URL is none. */
const OTHER_HEADER = /^(?!(?:identity|y)[ \t]*:)[a-z][a-z-]{0,40}[ \t]*:(?!\/\/)/i;

/** Folded lines are joined, header names dropped. @see RFC 3261 section 7.3.1 */
function headerValuesOf(text: string): readonly string[] {
  const values: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const isFolded = (line.startsWith(' ') || line.startsWith('\t')) && values.length > 0;
    if (isFolded) values.push(`${values.pop() ?? ''} ${line.trim()}`);
    else if (line.trim() !== '') values.push(line.trim());
  }
  return values.map((value) => value.replace(/^(?:identity|y)[ \t]*:/i, '').trim());
}

const isBareToken = (value: string): boolean =>
  !value.includes(';') && value.split('.').length === 3 && value.startsWith('eyJ');

/** `info` and `ppt` as the token's own header has them; a token that cannot be read stays as it is and fails as such. */
function aroundToken(token: string): string {
  const parsed = parsePassport(token);
  const { x5u, ppt } = parsed.status === 'parsed' ? parsed.passport.header.members : {};
  if (typeof x5u !== 'string' || /[<>]/.test(x5u)) return token;
  return formatIdentityHeader({ token, info: x5u, ...(typeof ppt === 'string' ? { ppt } : {}) });
}

/** First octets of pcap (both byte orders, micro- and nanoseconds) and pcapng. */
const CAPTURE_MAGIC: readonly string[] = ['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d', '0a0d0d0a'];

const isCapture = (bytes: Uint8Array): boolean =>
  CAPTURE_MAGIC.includes(Buffer.from(bytes.subarray(0, 4)).toString('hex'));

/**
 * Reads a party as an operator types it: a telephone number or a SIP URI.
 * @param name - of the option, for the message
 * @throws {@link UsageError} when it is neither, or digits that {@link telephoneNumberOption} refuses; the message does not repeat it
 */
export function partyOption(name: string, text: string): PassportParty {
  if (/^(?:sips?|tel):/i.test(text)) return { kind: 'uri', value: text };
  const tn = telephoneNumberOf(name, text);
  if (tn !== undefined) return { kind: 'tn', value: tn };
  throw new UsageError(`--${name} is neither a telephone number nor a SIP URI`);
}

/**
 * Reads a telephone number by the rule of the authentication service: digits alone have their country code, and those that somebody
 * may have dialled as a national number are refused. A foreign number has ten digits as well, and one of the two would be taken for
 * the other.
 * @param name - of the option, for the message
 * @returns the number in canonical form
 * @throws {@link UsageError} when it is no telephone number, or more than one; the message does not repeat it
 * @see RFC 8224 section 8.3
 */
export function telephoneNumberOption(name: string, text: string): string {
  const tn = telephoneNumberOf(name, text);
  if (tn !== undefined) return tn;
  throw new UsageError(`--${name} must be a telephone number`);
}

/**
 * Checks a telephone number that is to be signed.
 * @param name - of the option, for the message
 * @returns it as typed: the authentication service reads it by the same rule, and what it has read already it would not read as such
 * @throws {@link UsageError} as {@link telephoneNumberOption}
 */
export function numberToSignOption(name: string, text: string): string {
  telephoneNumberOption(name, text);
  return text;
}

function telephoneNumberOf(name: string, text: string): string | undefined {
  const number = canonicalTelephoneNumber(text);
  if (number.kind === 'none') return undefined;
  if (!isCanonicalTelephoneNumber(text) || number.tn === text) return number.tn;
  throw new UsageError(`--${name} can be read as a national number and as an international one`, [
    'Write it with + and its country code, or with its country code and nothing else: +12025550101 or 12025550101.',
  ]);
}

/**
 * Reads an instant: ISO 8601 with its offset, seconds since the epoch, or a SIP date.
 * @param name - of the option, for the message
 * @returns milliseconds since the epoch
 * @throws {@link UsageError} when it is none of these, or of a day that no calendar has
 */
export function instantOption(name: string, text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  const sipSeconds = readSipDate(text);
  if (sipSeconds !== undefined) return sipSeconds * 1000;
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = isIso && isDay(text.slice(0, ISO_DAY_CHARS)) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  throw new UsageError(`--${name} is no time`, [
    '2026-11-02T12:00:00Z, seconds since 1970, or "Mon, 02 Nov 2026 12:00:00 GMT"',
  ]);
}

/** `2026-11-02` */
const ISO_DAY_CHARS = 10;

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text);
}

/**
 * Writes header fields into the text of a SIP request and leaves every other octet as it is, whatever its line ends and what
 * stands before its request line. Where header fields begin and end is what the parser says, so that what was read and signed is
 * what is written to.
 * @param text - one character an octet (latin1)
 * @param identityHeaders - values of Identity headers, added behind all others
 * @param date - value of the Date header, in place of one that is there
 * @throws {@link UsageError} when the text is no request octet for octet
 * @see RFC 3261 section 7.3, RFC 8224 section 6.1
 */
export function withHeaders(text: string, identityHeaders: readonly string[], date?: string): string {
  const start = startOfRequest(text);
  const request = text.slice(start);
  const layout = sipHeaderLayout(request);
  if (layout === undefined) {
    throw new UsageError('cannot add header fields to this request: some of its own are not text');
  }
  const kept = date === undefined ? request.slice(0, layout.end) : withoutDates(request, layout);
  const lineEnd = lastLineEnd(kept);
  const added = [
    ...(date === undefined ? [] : [`Date: ${date}`]),
    ...identityHeaders.map((value) => `Identity: ${value}`),
  ];
  const head = kept.endsWith('\n') ? kept : kept + lineEnd;
  return text.slice(0, start) + head + added.map((line) => line + lineEnd).join('') + request.slice(layout.end);
}

/** That of the last line that has one: a request line may stand alone. */
function lastLineEnd(text: string): '\r\n' | '\n' {
  const feed = text.lastIndexOf('\n');
  return feed < 0 || text.charAt(feed - 1) === '\r' ? '\r\n' : '\n';
}

/** Behind a byte order mark, blanks and empty lines, which reading passes over. */
function startOfRequest(text: string): number {
  const behindMark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const blank = text.slice(behindMark).search(/[^ \t\r\n]/);
  return behindMark + Math.max(blank, 0);
}

/** U+FEFF in UTF-8, one character an octet. */
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

function withoutDates(request: string, { headers, end }: NonNullable<ReturnType<typeof sipHeaderLayout>>): string {
  let kept = '';
  let from = 0;
  for (const header of headers) {
    if (header.name !== 'date') continue;
    kept += request.slice(from, header.start);
    from = header.end;
  }
  return kept + request.slice(from, end);
}
