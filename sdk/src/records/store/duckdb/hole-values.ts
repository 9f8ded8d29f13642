import type { BodyWriter } from './body-writer.js';
import { COUNT_BASE, HOLE, MAX_COUNT, PER_MILLISECOND, PER_SECOND } from './record-form.js';
import type { Kind } from './record-members.js';

/** Writes a text into a hole. */
export function writtenPiece(text: string, kinds: number, holes: BodyWriter): string {
  const { length } = text;
  const isDigits = (kinds & DIGIT_KIND) !== 0 && length <= MAX_DIGITS;
  if (isDigits && (text.charCodeAt(0) !== ZERO || length === 1)) {
    const value = Number(text);
    const isShort = value < MAX_DIGITS_5;
    holes.fixed(value, isShort ? 5 : 7);
    return isShort ? DIGITS_5 : DIGITS_7;
  }
  if ((kinds & HEX_KIND) !== 0 && length >= MIN_RUN && length % 2 === 0 && length < 2 * MAX_COUNT) {
    holes.hex(text, 0, length);
    return HEX[length >>> 1] ?? hexHole(length >>> 1);
  }
  if (length === UUID_LENGTH && isUuid(text)) {
    holes.hex(text, 0, length);
    return UUID;
  }
  holes.text(text);
  return TEXT;
}

/** Writes a number into a hole, times as distances from the beginning of the call. */
export function writtenNumber(
  value: number,
  kind: Kind,
  into: { readonly holes: BodyWriter; readonly inviteAtUs: number },
): string {
  const { holes, inviteAtUs } = into;
  if (!Number.isSafeInteger(value) || Math.abs(value) > MAX_NUMBER) {
    holes.text(JSON.stringify(value));
    return JSON_TEXT;
  }
  if (kind === 'us') {
    const distance = value - inviteAtUs;
    // Sources that write whole seconds have whole seconds between their times.
    const isWhole = distance % PER_SECOND === 0;
    const units = isWhole ? distance / PER_SECOND : distance;
    holes.unsigned(2 * (units < 0 ? -2 * units - 1 : 2 * units) + (isWhole ? 1 : 0));
    return MICROSECONDS;
  }
  if (kind === 'ms') {
    holes.signed(value - Math.floor(inviteAtUs / PER_MILLISECOND));
    return MILLISECONDS;
  }
  if (kind === 's') {
    holes.signed(value - Math.floor(inviteAtUs / PER_SECOND));
    return SECONDS;
  }
  holes.signed(value);
  return NUMBER;
}

const MAX_DIGITS_5 = 2 ** 40;
const MAX_DIGITS = 15;

/** Shortest run of hexadecimal digits, and shortest text, that is worth an entry in the list of what can be repeated. */
export const MIN_RUN: number = 8;

export const FORM: string = String.fromCharCode(HOLE.form);
const UUID = String.fromCharCode(HOLE.uuid);
const DIGITS_5 = String.fromCharCode(HOLE.digits5);
const DIGITS_7 = String.fromCharCode(HOLE.digits7);
export const TEXT: string = String.fromCharCode(HOLE.text);
const NUMBER = String.fromCharCode(HOLE.number);
const MICROSECONDS = String.fromCharCode(HOLE.microseconds);
const MILLISECONDS = String.fromCharCode(HOLE.milliseconds);
const SECONDS = String.fromCharCode(HOLE.seconds);
export const RECORD_ID: string = String.fromCharCode(HOLE.recordId);
export const INVITE_AT_US: string = String.fromCharCode(HOLE.inviteAtUs);
export const AT_HOST: string = `@${FORM}${String.fromCharCode(HOLE.whole)}"`;
export const JSON_TEXT: string = String.fromCharCode(HOLE.json);

export const QUOTED_BASE64: string = `"${String.fromCharCode(HOLE.base64)}"`;

/** The holes of usual lengths and places, made once. */
const HEX: readonly string[] = Array.from({ length: 65 }, (_, size) => hexHole(size));
export const QUOTED_REPEATS: readonly string[] = Array.from({ length: 64 }, (_, index) => `"${repeatHole(index)}"`);
export const REPEATS: readonly string[] = Array.from({ length: 64 }, (_, index) => repeatHole(index));

function hexHole(size: number): string {
  return String.fromCharCode(HOLE.hex, COUNT_BASE + size);
}

export function repeatHole(index: number): string {
  return String.fromCharCode(HOLE.repeat, COUNT_BASE + index);
}

/** Numbers that four times themselves are still exact of. */
const MAX_NUMBER = 2 ** 51;

/** Kinds of characters, and of texts that have no others. */
export const DIGIT_KIND: number = 1;
export const HEX_KIND: number = 2;
/** Written in JSON as it is. */
export const PLAIN_KIND: number = 4;
const ANY_KIND = DIGIT_KIND | HEX_KIND | PLAIN_KIND;

const KINDS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 48 && code <= 57) return ANY_KIND;
  if (code >= 97 && code <= 102) return HEX_KIND | PLAIN_KIND;
  return code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c ? 0 : PLAIN_KIND;
});

export const PLUS: number = 0x2b;
const ZERO = 0x30;
const UUID_LENGTH = 36;

/** The kinds that all characters of a text share; none for an empty one. */
export function kindsOf(text: string): number {
  let kinds = text.length === 0 ? 0 : ANY_KIND;
  for (let at = 0; at < text.length && kinds !== 0; at += 1) kinds &= KINDS[text.charCodeAt(at)] ?? 0;
  return kinds;
}

function isUuid(text: string): boolean {
  for (let at = 0; at < UUID_LENGTH; at += 1) {
    const isHyphen = at === 8 || at === 13 || at === 18 || at === 23;
    const code = text.charCodeAt(at);
    if (isHyphen ? code !== 0x2d : ((KINDS[code] ?? 0) & HEX_KIND) === 0) return false;
  }
  return true;
}

/** Whether every surrogate of a text has its other half. */
export function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0xd800 || code > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at += 1;
  }
  return true;
}
