import { visibleText } from './visible-text.js';

/** A mailbox: an address that has been looked at, and a name in any characters. */
export interface Mailbox {
  readonly name?: string;
  readonly address: string;
}

/** What a message is made of. */
export interface MessageParts {
  readonly from: Mailbox;
  readonly to?: string;
  readonly subject: string;
  readonly dateMs: number;
  /** With its angle brackets, as all ids. */
  readonly messageId: string;
  readonly inReplyTo?: string;
  readonly references?: string;
  readonly text: string;
}

/**
 * Writes a message with a plain text body. Whatever is in names, subject and text, no header comes of it: line ends become spaces, what is
 * not ASCII or looks like an encoded word is encoded, and the body is quoted-printable.
 * @see RFC 5322, RFC 2047, RFC 2045 section 6.7
 */
export function internetMessage(parts: MessageParts): string {
  const { from, to, inReplyTo, references } = parts;
  const headers = [
    `From: ${mailboxText(from)}`,
    ...(to === undefined ? [] : [`To: ${to}`]),
    `Subject: ${headerText(parts.subject)}`,
    `Date: ${dateText(parts.dateMs)}`,
    `Message-ID: ${parts.messageId}`,
    ...(inReplyTo === undefined ? [] : [`In-Reply-To: ${inReplyTo}`]),
    ...(references === undefined ? [] : [`References: ${references.split(' ').join('\r\n ')}`]),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
  ];
  return [...headers, '', quotedPrintable(parts.text), ''].join('\r\n');
}

/** Longest subject; what is longer is cut. */
const MAX_SUBJECT_CHARS = 256;

/** Characters that a line has at most without its end: those that every mail program shows. @see RFC 5322 section 2.1.1 */
const MAX_LINE = 76;

/** Octets of an encoded word: 45 make 60 characters of base64, and a word has 75 at most. @see RFC 2047 section 2 */
const MAX_WORD_OCTETS = 45;

function headerText(text: string): string {
  const visible = visibleText(text).slice(0, MAX_SUBJECT_CHARS);
  return isPlain(visible) ? visible : encodedWords(visible);
}

/** Short words of ASCII, none of them an encoded one: they need no folding, since a subject has 256 characters and a line may have 998. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text) && !text.includes('=?');
}

function mailboxText({ name, address }: Mailbox): string {
  const visible = visibleText(name ?? '').slice(0, MAX_SUBJECT_CHARS);
  if (visible === '') return address;
  if (!isPlain(visible)) return `${encodedWords(visible)} <${address}>`;
  return `"${visible.replace(/["\\]/g, '\\$&')}" <${address}>`;
}

/** @see RFC 2047 section 4.1 */
function encodedWords(text: string): string {
  const words: string[] = [];
  let octets = 0;
  let word = '';
  for (const character of text) {
    const size = Buffer.byteLength(character);
    // A character is not divided between two words.
    if (octets + size > MAX_WORD_OCTETS) {
      words.push(word);
      [word, octets] = ['', 0];
    }
    word += character;
    octets += size;
  }
  words.push(word);
  return words.map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ');
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @see RFC 5322 section 3.3 */
function dateText(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${DAYS[at.getUTCDay()] ?? ''}, ${two(at.getUTCDate())} ${MONTHS[at.getUTCMonth()] ?? ''} ${String(at.getUTCFullYear())}`;
  return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}

/** @see RFC 2045 section 6.7 */
function quotedPrintable(text: string): string {
  return text
    .split('\n')
    .map((line) => softLines(line).join('=\r\n'))
    .join('\r\n');
}

function softLines(line: string): readonly string[] {
  const octets = Buffer.from(line);
  const lines: string[] = [];
  let current = '';
  for (const [at, octet] of octets.entries()) {
    const isBlank = octet === 0x20 || octet === 0x09;
    const isPlainOctet = (octet > 0x20 && octet < 0x7f && octet !== 0x3d) || (isBlank && at < octets.length - 1);
    // `From ` and a lone dot at the start of a line are changed on some ways.
    const isFragile = current === '' && (octet === 0x46 || octet === 0x2e);
    const written =
      isPlainOctet && !isFragile ? String.fromCharCode(octet) : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    if (current.length + written.length >= MAX_LINE) {
      lines.push(current);
      current = '';
    }
    current += written;
  }
  return [...lines, current];
}
