import { AsnConvert } from '@peculiar/asn1-schema';
import { MalformedDer } from './der.js';

/** A schema class of the ASN.1 library. */
type Schema<T> = new () => T;

/**
 * Decodes an extension value with a schema of the ASN.1 library.
 * @param value - bytes already known to be one DER element
 * @throws {@link MalformedDer} when they do not fit the schema
 */
export function decode<T>(value: Uint8Array, schema: Schema<T>): T {
  try {
    return AsnConvert.parse(value, schema);
  } catch (error) {
    throw new MalformedDer(`extension value does not fit ${schema.name}`, { cause: error });
  }
}

/**
 * As {@link decode}, and nothing may have been dropped: the library skips a second element inside an explicit tag and
 * surplus elements of a SEQUENCE, which in a list of authorities would hide one from us that others see. DER is canonical, so a
 * value that was read in full encodes to the same bytes again.
 * @throws {@link MalformedDer} when it does not fit or does not round-trip
 */
export function decodeExactly<T>(value: Uint8Array, schema: Schema<T>): T {
  const decoded = decode(value, schema);
  if (Buffer.compare(Buffer.from(encode(decoded)), value) !== 0)
    throw new MalformedDer(`extension value holds more than ${schema.name} defines`);
  return decoded;
}

/** DER of a value of the ASN.1 library. @throws {@link MalformedDer} when it cannot be encoded */
export function encode(value: unknown): ArrayBuffer {
  try {
    return AsnConvert.serialize(value);
  } catch (error) {
    throw new MalformedDer('extension value cannot be encoded again', { cause: error });
  }
}

/**
 * Value of a decoded INTEGER. The library hands integers of four octets and more over as text, whatever its types say.
 * @returns the number, capped at 2^53 - 1
 */
export function wholeNumber(decoded: number | string): number {
  return Math.min(Number(decoded), Number.MAX_SAFE_INTEGER);
}
