// A DER writer that shares nothing with the reader of the library: a mistake common to both would cancel out and no test would
// see it. It writes whatever it is told, also what no encoder with a schema would; openssl and pkijs read it as well.

/** Tag numbers used in certificates and CRLs. @see X.690 section 8 */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One tag, definite length and contents; the contents are concatenated. */
function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(size), ...contents]);
}

/** SEQUENCE of the given encodings. */
export const sequence = (...items: readonly Uint8Array[]): Uint8Array => tlv(TAG.sequence, ...items);
/** SET of the given encodings, in the order given. */
export const set = (...items: readonly Uint8Array[]): Uint8Array => tlv(TAG.set, ...items);
/** OCTET STRING. */
export const octetString = (bytes: Uint8Array): Uint8Array => tlv(TAG.octetString, bytes);
/** BIT STRING of whole octets, or with so many unused bits at the end. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Uint8Array =>
  tlv(TAG.bitString, Uint8Array.of(unusedBits), bytes);
/** NULL. */
export const asn1Null = (): Uint8Array => tlv(TAG.null);
/** BOOLEAN: 0xff or 0x00. */
export const boolean = (value: boolean): Uint8Array => tlv(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
/** UTF8String. */
export const utf8String = (text: string): Uint8Array => tlv(TAG.utf8String, Buffer.from(text, 'utf8'));
/** PrintableString; the alphabet is not checked. */
export const printableString = (text: string): Uint8Array => tlv(TAG.printableString, Buffer.from(text, 'latin1'));
/** IA5String; the alphabet is not checked. */
export const ia5String = (text: string): Uint8Array => tlv(TAG.ia5String, Buffer.from(text, 'latin1'));
/** ENUMERATED from 0 to 127. */
export const enumerated = (value: number): Uint8Array => tlv(TAG.enumerated, Uint8Array.of(value));

/** `[n] IMPLICIT` over a primitive type, or `[n]` over raw contents. */
export const contextPrimitive = (number: number, bytes: Uint8Array): Uint8Array => tlv(0x80 | number, bytes);
/** `[n] EXPLICIT`, or `[n] IMPLICIT` over a SEQUENCE or SET whose items are given. */
export const contextConstructed = (number: number, ...items: readonly Uint8Array[]): Uint8Array =>
  tlv(0xa0 | number, ...items);

/** Two's complement INTEGER in the fewest octets. */
export function integer(value: number | bigint): Uint8Array {
  let rest = BigInt(value);
  const octets: number[] = [];
  for (;;) {
    const octet = Number(BigInt.asUintN(8, rest));
    octets.unshift(octet);
    rest >>= 8n;
    const signBit = (octet & 0x80) !== 0;
    if ((rest === 0n && !signBit) || (rest === -1n && signBit)) return tlv(TAG.integer, Uint8Array.from(octets));
  }
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...arcs].flatMap(base128);
  return tlv(TAG.oid, Uint8Array.from(octets));
}

/** UTCTime through 2049, GeneralizedTime after, to the second. @see RFC 5280 section 4.1.2.5 */
export function time(ms: number): Uint8Array {
  const iso = new Date(ms).toISOString();
  const text = `${iso.slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  const year = Number(iso.slice(0, 4));
  if (year >= 1950 && year <= 2049) return tlv(TAG.utcTime, Buffer.from(text.slice(2), 'latin1'));
  return tlv(TAG.generalizedTime, Buffer.from(text, 'latin1'));
}

/** BIT STRING of named bits: bit 0 is the leftmost; trailing zero bits are cut. @see X.690 section 11.2.2 */
export function namedBits(bits: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...bits);
  const octets = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(octets, highest < 0 ? 0 : 7 - (highest & 7));
}

/** PEM text (RFC 7468): 64 characters a line. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) | 0x80);
  return octets;
}

function lengthOctets(size: number): Uint8Array {
  if (size < 0x80) return Uint8Array.of(size);
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}
