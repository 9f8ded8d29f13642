/** An object under construction: same members, still writable. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Text of a peer for a terminal or a log line: control characters, line breaks, marks that change the direction of writing and
 * characters without a width become U+FFFD, so that nobody's Identity header moves the cursor or forges a line. Linear; never throws for
 * peer input.
 * @param text - as received
 * @param maxChars - what is longer ends in `…`; default 512
 * @returns the text, fit for one line
 * @see Unicode Technical Report 36 section 2.5 for what marks of direction do
 * @example
 * ```ts
 * console.log(printableText('Example\u0007 Telco')); // Example� Telco
 * ```
 */
export function printableText(text: string, maxChars: number = MAX_PRINTED_CHARS): string {
  const shown = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return shown.replace(UNPRINTABLE, '\ufffd');
}

/** More than any value that a person compares by eye; a certificate subject stays below 200. */
const MAX_PRINTED_CHARS = 512;

/** C0, DEL and C1; line and paragraph separators; marks, embeddings and isolates of the bidirectional algorithm; zero-width characters. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Half a surrogate pair that stands alone: with the flag `u` whole pairs are characters, and none of these. */
const LONE_SURROGATE: RegExp = /\p{Surrogate}/u;
const LONE_SURROGATES: RegExp = /\p{Surrogate}/gu;

/**
 * A text without halves of surrogate pairs: each becomes U+FFFD, as `String.prototype.toWellFormed` has it. Such a half is in no UTF-8, so that
 * whoever signs, hashes or stores the text would have another one, or none. Never throws.
 * @see ECMA-262 section 22.1.3.34
 */
export function wellFormedText(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replaceAll(LONE_SURROGATES, '\u{fffd}') : text;
}

/**
 * Plain data of which every text and every name of a member is well-formed; the same object where it was before. What is no plain data, such
 * as octets, stays as it is.
 * @see {@link wellFormedText}
 */
export function wellFormedValue<Value>(value: Value): Value {
  return wellFormed(value) as Value;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return wellFormedText(value);
  if (Array.isArray(value)) {
    const elements = (value as readonly unknown[]).map(wellFormed);
    return elements.some((element, index) => element !== value[index]) ? elements : value;
  }
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const members = Object.entries(value);
  const changed = members.map(([name, member]) => [wellFormedText(name), wellFormed(member)] as const);
  const isChanged = changed.some(
    ([name, member], index) => name !== members[index]?.[0] || member !== members[index][1],
  );
  return isChanged ? Object.fromEntries(changed) : value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * A telephone number as it may be logged: the area and exchange stay readable, the line is hidden. `12155551212` becomes
 * `1215555XXXX`; other numbers keep at most six digits and never their last four. Numbers of up to three digits (911, 411) are
 * nobody's and stay. A text that is no number is hidden whole, so that nothing of a peer reaches a log as written.
 * Never throws for peer input.
 * @param tn - canonical, or with a leading `+`
 * @returns at most 34 characters of `+`, digits, `*`, `#` and `X`
 * @see ITU-T E.164 section 6.2
 * @example
 * ```ts
 * console.log(maskTelephoneNumber('12025550101')); // 1202555XXXX
 * ```
 */
export function maskTelephoneNumber(tn: string): string {
  const plus = tn.startsWith('+') ? '+' : '';
  const digits = tn.slice(plus.length, MAX_SHOWN);
  if (!isDialable(digits)) return 'X'.repeat(Math.min(tn.length, MAX_SHOWN));
  if (digits.length <= SERVICE_CODE_DIGITS) return plus + digits;
  const isNorthAmerican = digits.length === 11 && digits.startsWith('1');
  const hidden = Math.max(HIDDEN_DIGITS, digits.length - (isNorthAmerican ? 7 : 6));
  const shown = Math.max(0, digits.length - hidden);
  return plus + digits.slice(0, shown) + 'X'.repeat(digits.length - shown);
}

/** Longest mask; more than a dial string has. */
const MAX_SHOWN = 33;

/** N11 codes and the like. */
const SERVICE_CODE_DIGITS = 3;

/** The line number of a North American subscriber; ten thousand lines share what is left. */
const HIDDEN_DIGITS = 4;

function isDialable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!((code >= 0x30 && code <= 0x39) || code === 0x2a || code === 0x23)) return false;
  }
  return true;
}

/** The whole seconds of what a date can hold. @see ECMA-262 section 21.4.1.1 */
const MOST_SECONDS = 8_640_000_000_000;

/**
 * An instant as answers write it: RFC 3339 in UTC, with as many decimals as there are. Never throws.
 * @param us - microseconds since the epoch
 * @returns `2026-11-02T12:00:00Z`, `2026-11-02T12:00:00.25Z`; beyond what dates hold, the last instant that they do
 */
export function utcText(us: number): string {
  const seconds = Math.min(Math.max(Math.floor(us / 1_000_000), -MOST_SECONDS), MOST_SECONDS);
  const decimals = String(Math.trunc(us - seconds * 1_000_000))
    .padStart(6, '0')
    .slice(0, 6)
    .replace(/0{1,6}$/, '');
  return `${new Date(seconds * 1_000).toISOString().replace(/\.\d{3}Z$/, '')}${decimals === '' ? '' : `.${decimals}`}Z`;
}

/** An object of which no member is `undefined`: members that may have been are optional. */
type Defined<Members> = {
  [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
} & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<Members[Name], undefined>;
};

/** The members that are there: without those whose value is undefined. */
export function defined<const Members extends object>(members: Members): Defined<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<Members>;
}

/** At least one of something. */
export type Some<Item> = [Item, ...Item[]];

/** Items by each of their keys, in the order in which they come. */
export function grouped<Key, Item>(items: Iterable<Item>, keysOf: (item: Item) => Iterable<Key>): Map<Key, Some<Item>> {
  const groups = new Map<Key, Some<Item>>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
  }
  return groups;
}

/** Members of a value that may be anything; none where it is no object. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Whether a value is an object, and no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value that JSON stands for; undefined for a text that is no JSON. Never throws. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What a map remembers under a key, or else what is computed now and remembered. */
export function remember<Key, Value>(known: Map<Key, Value>, key: Key, compute: () => Value): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  const value = compute();
  known.set(key, value);
  return value;
}

/** `2026-11-02T12:00:00Z`; an instant beyond what dates hold as it is. */
export function instantText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : `${date.toISOString().slice(0, 19)}Z`;
}

/** `90 s`, `5 min`, `3 h`, `12 days`. */
export function durationText(seconds: number): string {
  if (seconds < 120) return `${String(seconds)} s`;
  if (seconds < 7200) return `${String(Math.floor(seconds / 60))} min`;
  return seconds < 172_800 ? `${String(Math.floor(seconds / 3600))} h` : `${String(Math.floor(seconds / 86_400))} days`;
}
