/**
 * The form of a record is its JSON text with holes: members, words that few records differ in (trunks, providers, certificates,
 * steps of a verification) and, for each hole, what kind of value fills it. Records of the same trunk and outcome share their forms,
 * so that a record is kept as a few numbers of forms and the octets that fill the holes: a quarter of its JSON, and exactly it.
 *
 * Holes are written with control characters, which JSON text never holds unescaped.
 */
export const HOLE = {
  /** Another form: the next number of the body's list. */
  form: 0x01,
  /** Octets as hexadecimal digits; followed by a character that tells how many octets, see `COUNT_BASE`. */
  hex: 0x02,
  /** A UUID. */
  uuid: 0x03,
  /** Decimal digits without a leading zero, in 5 octets; in 7. */
  digits5: 0x04,
  digits7: 0x05,
  /** Text inside a JSON string. */
  text: 0x06,
  /** The same as an earlier hole; followed by a character that tells which, see `COUNT_BASE`. */
  repeat: 0x07,
  /** A whole number. */
  number: 0x0e,
  /** A time in microseconds, milliseconds or seconds, as the distance from `inviteAtUs`. */
  microseconds: 0x0f,
  milliseconds: 0x10,
  seconds: 0x11,
  recordId: 0x12,
  inviteAtUs: 0x13,
  /** Any JSON value, as its text. */
  json: 0x14,
  /** No value: the string that ends here can be repeated as a whole, beside the part that filled a hole in it. */
  whole: 0x15,
  /** Octets in base64. */
  base64: 0x16,
} as const;

/** Added to counts that stand in a form, so that they are printable. */
export const COUNT_BASE = 0x20;

/** Most holes that can be referred back to, most octets of one run of hexadecimal digits: below the surrogates with `COUNT_BASE`. */
export const MAX_COUNT = 0x4000;

/** Microseconds, milliseconds and seconds of `inviteAtUs`: what times are told from. */
export const PER_MILLISECOND = 1_000;
export const PER_SECOND = 1_000_000;

/**
 * How the values of a member are kept: as they are; as a part of the form; as a form of its own, one by one; an address; a time; text, or
 * octets in base64, that is not looked into; what stands in columns.
 */
export type Kind =
  | 'value'
  | 'word'
  | 'section'
  | 'sections'
  | 'address'
  | 'us'
  | 'ms'
  | 's'
  | 'text'
  | 'base64'
  | 'recordId'
  | 'inviteAtUs';

/** What is known of the values of a member. */
interface Member {
  /** `"name":`, and with a comma before it. */
  readonly first: string;
  readonly further: string;
  readonly kind: Kind;
}

/** The members of an object, in their order. */
export interface Shape {
  readonly names: readonly string[];
  readonly members: readonly Member[];
  /** Another one of the same place. */
  readonly before: Shape | undefined;
  /** How many there are, this one and those before. */
  readonly count: number;
}

/** Members whose values few records differ in; they become part of the form. */
const WORDS = [
  ...['format', 'id', 'readerVersion', 'written', 'zone', 'resolutionUs', 'disposition', 'trunk', 'provider'],
  ...['sipStatus', 'q850Cause', 'cause', 'party', 'verstat', 'attestation', 'spc', 'profile', 'freshnessSeconds'],
  ...['trustStore', 'origSource', 'destSource', 'index', 'ppt', 'status', 'x5u', 'certificateSha256', 'basis'],
  ...['trustAnchorSha256', 'passed', 'step', 'result', 'reason', 'seenCount', 'surplusHeaders', 'blockedBy'],
];

/** Members that call records have. Others are kept as well, as `unknownMember` says. */
export const MEMBERS: ReadonlyMap<string, Member> = knownMembers();

function knownMembers(): Map<string, Member> {
  const table = new Map<string, Member>();
  const add = (kind: Kind, names: readonly string[]): void => {
    for (const name of names) table.set(name, { first: `"${name}":`, further: `,"${name}":`, kind });
  };
  add('word', WORDS);
  // Forms of their own: what they hold varies apart from the rest.
  add('section', ['ingress', 'egress', 'release', 'received', 'signed', 'raw']);
  add('sections', ['passports']);
  add('address', ['address']);
  add('us', ['answeredAtUs', 'endedAtUs', 'otherInviteAtUs']);
  add('ms', ['checkedAtMs', 'firstSeenMs']);
  add('s', ['iatSeconds', 'dateSeconds']);
  // Raw rows: a Call-ID or a number in them is not worth finding, since the rest of the row is all its own.
  add('text', ['text']);
  add('base64', ['base64']);
  add('recordId', ['recordId']);
  add('inviteAtUs', ['inviteAtUs']);
  add('value', [
    'source',
    'sha256',
    'legId',
    'callGroupId',
    'time',
    'calling',
    'asserted',
    'called',
    'asWritten',
    'tn',
  ]);
  add('value', ['translatedTn', 'lrn', 'techPrefix', 'callId', 'origId', 'evidence', 'request', 'orig', 'dest', 'div']);
  add('value', ['signingInputSha256', 'exceptions', 'expected', 'actual', 'callKey', 'customerId', 'target']);
  return table;
}

/** Whether an object has these members in this order, and no others. */
export function hasNames(value: object, names: readonly string[]): boolean {
  let at = 0;
  for (const name in value) {
    if (names[at] !== name) return false;
    at += 1;
  }
  return at === names.length;
}

/** A member that no call record has had so far. */
export function unknownMember(name: string): Member {
  const quoted = `${JSON.stringify(name)}:`;
  return { first: quoted, further: `,${quoted}`, kind: 'value' };
}

/** Octets that a writer begins with: some 10,000 records. */
const INITIAL_SIZE = 2 * 1024 * 1024;

/** Characters up to which a text is written here: two calls into Node take longer. Its length is one octet as `unsigned` writes it. */
const MAX_SHORT = 0x7f;

const NIBBLES: Uint8Array = nibbles();

/** Collects the octets of many records in one buffer, which grows as it needs to. Never throws but for want of memory. */
export class BodyWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(size: number = INITIAL_SIZE) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Everything written since the last `reset`. Another buffer after it has grown. */
  bytes(): Buffer {
    return this.#bytes;
  }

  length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** An unsigned whole number, 7 bits an octet, lowest first. */
  unsigned(value: number): void {
    this.#room(MAX_NUMBER_SIZE);
    // In local variables here and below: fields would be read and written for each octet.
    const target = this.#bytes;
    let end = this.#length;
    let rest = value;
    // Bit operations stop at 32 bits; microseconds do not.
    while (rest >= 0x1000_0000) {
      target[end] = (rest % 0x80) | 0x80;
      end += 1;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      target[end] = (rest & 0x7f) | 0x80;
      end += 1;
      rest >>>= 7;
    }
    target[end] = rest;
    this.#length = end + 1;
  }

  /** A whole number of either sign: zigzag, then as `unsigned`. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Hexadecimal digits from `from` to `to`, two an octet; hyphens are left out. */
  hex(digits: string, from: number, to: number): void {
    this.#room((to - from) >>> 1);
    const target = this.#bytes;
    let end = this.#length;
    for (let at = from; at < to; at += 1) {
      const high = digits.charCodeAt(at);
      if (high === HYPHEN) continue;
      at += 1;
      target[end] = ((NIBBLES[high] ?? 0) << 4) | (NIBBLES[digits.charCodeAt(at)] ?? 0);
      end += 1;
    }
    this.#length = end;
  }

  /** A whole number below 256 ** size in `size` octets, lowest first. */
  fixed(value: number, size: number): void {
    this.#room(size);
    this.#length = this.#bytes.writeUIntLE(value % 0x1_0000_0000_0000, this.#length, Math.min(size, 6));
    if (size > 6) {
      this.#bytes[this.#length] = Math.floor(value / 0x1_0000_0000_0000);
      this.#length += 1;
    }
  }

  /** A text: its length in octets as `unsigned`, then UTF-8. */
  text(written: string): void {
    if (this.#shortAscii(written)) return;
    const size = Buffer.byteLength(written);
    this.unsigned(size);
    this.#room(size);
    this.#length += this.#bytes.write(written, this.#length, 'utf8');
  }

  /** Octets: their number as `unsigned`, then they. */
  octets(written: Uint8Array): void {
    this.unsigned(written.length);
    this.#room(written.length);
    this.#bytes.set(written, this.#length);
    this.#length += written.length;
  }

  /** All that another writer has. */
  copy(other: BodyWriter): void {
    const size = other.length();
    this.#room(size);
    other.bytes().copy(this.#bytes, this.#length, 0, size);
    this.#length += size;
  }

  #room(needed: number): void {
    if (this.#length + needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + needed));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  /** A short text of ASCII, one octet a character. @returns false where it is none: nothing counts as written */
  #shortAscii(written: string): boolean {
    const size = written.length;
    if (size > MAX_SHORT) return false;
    this.#room(size + 1);
    const target = this.#bytes;
    const from = this.#length + 1;
    for (let at = 0; at < size; at += 1) {
      const code = written.charCodeAt(at);
      if (code > 0x7f) return false;
      target[from + at] = code;
    }
    target[this.#length] = size;
    this.#length = from + size;
    return true;
  }
}

/** Octets of the longest whole number: twice 2 ** 53 in groups of 7 bits. */
const MAX_NUMBER_SIZE = 8;

const HYPHEN = 0x2d;

function nibbles(): Uint8Array {
  const table = new Uint8Array(128);
  for (let value = 0; value < 16; value += 1) table[value.toString(16).charCodeAt(0)] = value;
  return table;
}

/** A form taken apart at its holes: look-ups read the same few hundred forms again and again. */
export interface ParsedForm {
  /** What stands before each hole, and behind the last. */
  readonly texts: readonly string[];
  /** Of each of them what comes behind its last quotation mark; undefined where it has none. */
  readonly tails: readonly (string | undefined)[];
  /** What fills the holes: values of `HOLE`. */
  readonly holes: readonly number[];
  /** The counts of holes that have one, by the places of the holes; 0 for others. */
  readonly counts: readonly number[];
  /** How many other forms stand in it, those inside them not counted. */
  readonly forms: number;
}

/** Takes a form apart. Never throws. */
export function parseForm(form: string): ParsedForm {
  const texts: string[] = [];
  const holes: number[] = [];
  const counts: number[] = [];
  let from = 0;
  for (let at = 0; at < form.length; at += 1) {
    const hole = form.charCodeAt(at);
    if (hole >= COUNT_BASE) continue;
    texts.push(form.slice(from, at));
    holes.push(hole);
    // The character after these two is a count, whatever it looks like.
    const hasCount = hole === HOLE.hex || hole === HOLE.repeat;
    if (hasCount) at += 1;
    counts.push(hasCount ? form.charCodeAt(at) - COUNT_BASE : 0);
    from = at + 1;
  }
  texts.push(form.slice(from));
  return {
    texts,
    tails: texts.map(behindQuote),
    holes,
    counts,
    forms: holes.filter((hole) => hole === HOLE.form).length,
  };
}

/** What comes behind the last quotation mark; undefined where there is none. Never throws. */
export function behindQuote(text: string): string | undefined {
  const at = text.lastIndexOf('"');
  return at < 0 ? undefined : text.slice(at + 1);
}

/** First value of FNV-1a of 32 bits. @see RFC 9923 */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * What a name, number or identifier is looked up by: 32 bits of it, which a column of numbers holds in four octets and scans at
 * memory speed. Different texts may share one, so that whatever is found by it is compared in full afterwards. FNV-1a over UTF-16
 * code units. Never throws.
 * @returns 1 to 4,294,967,295; 0 stands for "none" in the columns
 */
export function lookupKey(text: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash >>> 0 || 1;
}

/** As {@link lookupKey}, 0 where there is nothing. */
export function optionalKey(text: string | undefined): number {
  return text === undefined ? 0 : lookupKey(text);
}
