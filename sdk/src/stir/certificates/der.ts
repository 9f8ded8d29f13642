/**
 * Deepest nesting that is read. An X.509 certificate or CRL needs about 10 levels; the rest is room for unusual
 * extensions. It keeps hostile nesting away from every decoder that recurses.
 */
export const DER_MAX_DEPTH = 24;

/** Longest object identifier in bytes. The longest in use (2.25.UUID) take 20; a longer one is only there to make big-number work. */
export const DER_MAX_OBJECT_IDENTIFIER_BYTES = 64;

/** Identifier octets of the ASN.1 types that certificates and CRLs are made of. @see X.690 section 8.1.2 */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One DER element: views into the bytes that were read, never copies. */
export interface DerElement {
  /** Identifier octet: class, constructed bit and number together. */
  readonly tag: number;
  /** Identifier, length and content: the exact bytes that a signature or a comparison covers. */
  readonly encoded: Uint8Array;
  readonly content: Uint8Array;
}

/** Reads the elements of a constructed one in order, so that leftovers and wrong orders cannot be overlooked. */
export type DerCursor = ReturnType<typeof derCursor>;

/** What the functions here throw for bytes that are not DER, or not of the expected type; every exported parser catches it. */
export class MalformedDer extends Error {
  override readonly name = 'MalformedDer';
}

/**
 * Reads exactly one DER element that fills the given bytes, after checking that everything in it is DER: definite and
 * shortest lengths, one-octet identifiers, canonical booleans and integers, bounded depth, nothing after the end.
 * Content of primitive context-specific elements is left unread. An explicitly encoded DEFAULT is let pass: issuers do that.
 * @see X.690 section 10
 */
export function readDer(bytes: Uint8Array): DerElement {
  const header = headerAt(bytes, 0);
  if (header.end !== bytes.length) throw new MalformedDer(`${bytes.length - header.end} bytes after the end`);
  checkDer(bytes, header, 1);
  return elementAt(bytes, 0);
}

/** A cursor over the elements inside a constructed element from `readDer`, which must have the tag. */
export function derCursor(element: DerElement, tag: number = DER_TAG.sequence) {
  const { content } = expectTag(element, tag);
  let offset = 0;
  const takeAny = (): DerElement => {
    const next = elementAt(content, offset);
    offset += next.encoded.length;
    return next;
  };
  return {
    /** The next element whatever it is; there must be one. */
    takeAny,
    /** The next element, which must have this identifier octet. */
    take: (wanted: number): DerElement => expectTag(takeAny(), wanted),
    /** The next element if it has this identifier octet. */
    takeOptional: (wanted: number): DerElement | undefined =>
      offset < content.length && content[offset] === wanted ? takeAny() : undefined,
    atEnd: () => offset === content.length,
    /** Nothing may be left. */
    end: () => {
      if (offset !== content.length) throw new MalformedDer('an element that does not belong there');
    },
  };
}

/**
 * Every element inside a constructed one, at most `maxChildren`: what is made of an element costs far more memory and time than its bytes,
 * so that a long list of tiny elements has to be refused before anything is made of it.
 */
export function derChildren(
  element: DerElement,
  maxChildren: number,
  tag: number = DER_TAG.sequence,
): readonly DerElement[] {
  const { content } = expectTag(element, tag);
  const children: DerElement[] = [];
  for (let offset = 0; offset < content.length;) {
    if (children.length === maxChildren) throw new MalformedDer(`list of more than ${maxChildren} elements`);
    const child = elementAt(content, offset);
    children.push(child);
    offset += child.encoded.length;
  }
  return children;
}

/** The one element inside an explicit tag. */
export function derExplicit(element: DerElement, tag: number): DerElement {
  const cursor = derCursor(element, element.tag);
  const inner = cursor.take(tag);
  cursor.end();
  return inner;
}

/** Dotted text of an object identifier. */
export function derObjectIdentifier(element: DerElement): string {
  const bytes = expectTag(element, DER_TAG.objectIdentifier).content;
  const arcs: bigint[] = [];
  let value = 0n;
  for (const byte of bytes) {
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(value);
      value = 0n;
    }
  }
  const [first = 0n, ...rest] = arcs;
  // The first two arcs share one number: 40 × (0, 1 or 2) + the second, which only under 2 may exceed 39.
  const root = first >= 80n ? 2n : first / 40n;
  return [root, first - root * 40n, ...rest].join('.');
}

/** Lower-case hex of an INTEGER without leading zeros; a leading `-` when negative. */
export function derIntegerHex(element: DerElement): string {
  const { content } = element;
  if (element.tag !== DER_TAG.integer || (content[0] ?? 0) >= 0x80) return derInteger(element).toString(16);
  const digits = hex(content);
  // In the shortest form at most two zeros lead, those of an octet that keeps the number positive.
  let zeros = 0;
  while (zeros < digits.length - 1 && digits[zeros] === '0') zeros += 1;
  return digits.slice(zeros);
}

/** Value of an INTEGER or ENUMERATED. */
export function derInteger(element: DerElement): bigint {
  if (element.tag !== DER_TAG.integer && element.tag !== DER_TAG.enumerated) throw new MalformedDer('not an INTEGER');
  const { content } = element;
  const unsigned = BigInt(`0x${hex(content)}`);
  return (content[0] ?? 0) < 0x80 ? unsigned : unsigned - (1n << BigInt(content.length * 8));
}

export function derBoolean(element: DerElement): boolean {
  return expectTag(element, DER_TAG.boolean).content[0] === 0xff;
}

/** Bytes of a BIT STRING with a whole number of octets, as signatures and keys are. */
export function derBitStringBytes(element: DerElement): Uint8Array {
  const { content } = expectTag(element, DER_TAG.bitString);
  if (content[0] !== 0) throw new MalformedDer('BIT STRING with unused bits');
  return content.subarray(1);
}

/** A UTCTime or GeneralizedTime in the only forms that certificates and CRLs may use: to the second, with `Z`. @see RFC 5280 section 4.1.2.5 */
export function derTimeMs({ tag, content }: DerElement): number {
  const yearDigits = tag === DER_TAG.utcTime ? 2 : tag === DER_TAG.generalizedTime ? 4 : 0;
  if (yearDigits === 0 || content.length !== yearDigits + 11 || !isDigitsAndZ(content))
    throw new MalformedDer('time that is not to the second with Z');
  const twoDigits = (at: number): number => ((content[at] ?? 0) - 0x30) * 10 + (content[at + 1] ?? 0) - 0x30;
  const part = (index: number): number => twoDigits(yearDigits + index * 2);
  const year = yearDigits === 4 ? twoDigits(0) * 100 + twoDigits(2) : twoDigits(0) + (twoDigits(0) < 50 ? 2000 : 1900);
  const date = new Date(0);
  const timeMs = date.setUTCFullYear(year, part(0) - 1, part(1)) + ((part(2) * 60 + part(3)) * 60 + part(4)) * 1000;
  const exists = date.getUTCMonth() + 1 === part(0) && date.getUTCDate() === part(1);
  if (!exists || part(2) > 23 || part(3) > 59 || part(4) > 59)
    throw new MalformedDer(`no such time: ${Buffer.from(content).toString('latin1')}`);
  return timeMs;
}

function isDigitsAndZ(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length - 1; index += 1) {
    const byte = bytes[index] as number;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return bytes[bytes.length - 1] === 0x5a;
}

/**
 * Whether a file is DER rather than PEM. Both may begin with `0` (an `openssl s_client` text does); the length of a certificate or CRL
 * takes more than one octet, and no text goes on with such an octet.
 */
export function looksLikeDer(body: Uint8Array): boolean {
  const second = body[1] ?? 0;
  return body[0] === DER_TAG.sequence && second > 0x80 && second <= 0x84;
}

/** Text of an IA5String, tagged as one or implicitly: one character for each octet, those outside ASCII included. */
export function derIa5Text({ content }: DerElement): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function elementAt(bytes: Uint8Array, offset: number): DerElement {
  const { tag, start, end } = headerAt(bytes, offset);
  return { tag, encoded: bytes.subarray(offset, end), content: bytes.subarray(start, end) };
}

/** Where one element is. Plain numbers: a view costs more than all the rest, and a CRL has a hundred thousand elements to check. */
interface DerHeader {
  readonly tag: number;
  /** First byte of the content. */
  readonly start: number;
  /** First byte after the content. */
  readonly end: number;
}

function headerAt(bytes: Uint8Array, offset: number, limit: number = bytes.length): DerHeader {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined || offset + 2 > limit) throw new MalformedDer('ends inside an element');
  if ((tag & 0x1f) === 0x1f) throw new MalformedDer('identifier of more than one octet');
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const octets = first - 0x80;
    // Four octets of length are 4 GiB, more than any limit here; 0x80 alone is BER's indefinite form.
    if (octets === 0 || octets > 4) throw new MalformedDer('indefinite or oversized length');
    length = 0;
    for (let index = 0; index < octets; index += 1) length = length * 256 + (bytes[start + index] ?? 0);
    start += octets;
    if (length < 0x80 || length < 256 ** (octets - 1))
      throw new MalformedDer('length that is not in its shortest form');
  }
  if (start + length > limit) throw new MalformedDer('ends inside an element');
  return { tag, start, end: start + length };
}

function checkDer(bytes: Uint8Array, { tag, start, end }: DerHeader, depth: number): void {
  if (depth > DER_MAX_DEPTH) throw new MalformedDer(`nested deeper than ${DER_MAX_DEPTH}`);
  if (!isConstructed(tag)) {
    // Text types and times have no rule of their own here, and are the most frequent.
    PRIMITIVE_CHECKS[tag]?.(bytes.subarray(start, end));
    // A SEQUENCE or SET is always constructed.
    if (tag === 0x10 || tag === 0x11) throw new MalformedDer('primitive SEQUENCE or SET');
    return;
  }
  // Of the universal types DER lets only SEQUENCE and SET be constructed.
  if (tag < 0x40 && tag !== DER_TAG.sequence && tag !== DER_TAG.set)
    throw new MalformedDer(`constructed form of ${hexTag(tag)}`);
  for (let offset = start; offset < end;) {
    const child = headerAt(bytes, offset, end);
    checkDer(bytes, child, depth + 1);
    offset = child.end;
  }
}

const PRIMITIVE_CHECKS: Readonly<Record<number, (content: Uint8Array) => void>> = {
  [DER_TAG.boolean]: (content) => {
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
      throw new MalformedDer('BOOLEAN that is neither 00 nor FF');
  },
  [DER_TAG.integer]: checkInteger,
  [DER_TAG.enumerated]: checkInteger,
  [DER_TAG.bitString]: (content) => {
    const unused = content[0];
    if (unused === undefined || unused > 7 || (content.length === 1 && unused !== 0))
      throw new MalformedDer('BIT STRING without its unused-bits octet');
    if (((content.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0 && content.length > 1)
      throw new MalformedDer('BIT STRING whose unused bits are set');
  },
  [DER_TAG.null]: (content) => {
    if (content.length !== 0) throw new MalformedDer('NULL with content');
  },
  [DER_TAG.objectIdentifier]: (content) => {
    const last = content.at(-1);
    if (last === undefined || last >= 0x80) throw new MalformedDer('object identifier that is empty or cut off');
    if (content.length > DER_MAX_OBJECT_IDENTIFIER_BYTES) throw new MalformedDer('object identifier that is too long');
    const padded = content.some((byte, index) => byte === 0x80 && (index === 0 || (content[index - 1] ?? 0) < 0x80));
    if (padded) throw new MalformedDer('object identifier with padding');
  },
};

function checkInteger(content: Uint8Array): void {
  const [first, second] = content;
  if (first === undefined) throw new MalformedDer('INTEGER without content');
  if (second === undefined) return;
  if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))
    throw new MalformedDer('INTEGER that is not in its shortest form');
}

function expectTag(element: DerElement, tag: number): DerElement {
  if (element.tag !== tag) throw new MalformedDer(`expected ${hexTag(tag)}, found ${hexTag(element.tag)}`);
  return element;
}

function isConstructed(tag: number): boolean {
  return (tag & 0x20) !== 0;
}

function hexTag(tag: number): string {
  return tag.toString(16).padStart(2, '0');
}
