import { createVerify, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ES256_SIGNATURE_OCTETS } from '../core/base64url.js';

export { ES256_SIGNATURE_OCTETS };

/** One ES256 check to be made, in the calling thread or elsewhere: see {@link SignatureChecker}. */
export interface SignatureJob {
  /** Public key of the certificate, EC P-256. */
  readonly publicKey: KeyObject;
  /** `header.payload` in base64url, ASCII: the bytes that were signed. @see RFC 7515 section 5.1 */
  readonly signingInput: string;
  /** 64 octets (r, s). */
  readonly signature: Uint8Array;
}

/**
 * Checks an ES256 signature with node:crypto and a cached key: the one hot path of calls, which does not go through jose since it is
 * several times faster that way.
 * @see RFC 7518 section 3.4
 */
export function verifyEs256(job: SignatureJob): boolean {
  // Text goes in as it is, and OpenSSL wants DER: both spare a conversion that costs more on the way through Node.
  const check = createVerify('sha256').update(job.signingInput, 'latin1');
  return check.verify(job.publicKey, derOf(job.signature));
}

/** As {@link verifyEs256}, over bytes. */
export function verifyEs256Bytes(publicKey: KeyObject, signingInput: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', signingInput, publicKey, derOf(signature));
}

/**
 * (r, s) as `Ecdsa-Sig-Value`, whatever they are: OpenSSL refuses what is out of range. `rawToDerSignature` is for those who want to
 * be told why.
 * @returns octets that are good until the next call
 * @see RFC 3279 section 2.2.3
 */
function derOf(signature: Uint8Array): Uint8Array {
  if (signature.length !== ES256_SIGNATURE_OCTETS) return NO_SIGNATURE;
  const rFrom = firstSignificant(signature, 0);
  const sFrom = firstSignificant(signature, SCALAR_OCTETS);
  const rEnd = 4 + integerLength(signature, rFrom, SCALAR_OCTETS);
  const end = rEnd + 2 + integerLength(signature, sFrom, ES256_SIGNATURE_OCTETS);
  const der = DER_OF_LENGTH[end] ?? NO_SIGNATURE;
  der[0] = 0x30;
  der[1] = end - 2;
  writeInteger(der, { from: 2, end: rEnd }, signature, { from: rFrom, end: SCALAR_OCTETS });
  writeInteger(der, { from: rEnd, end }, signature, { from: sFrom, end: ES256_SIGNATURE_OCTETS });
  return der;
}

const SCALAR_OCTETS = 32;
const DER_OCTETS = new Uint8Array(72);
const NO_SIGNATURE = new Uint8Array(0);

/** The same octets, once for every length that a signature of P-256 can have: a view costs more to make than what is in it. */
const DER_OF_LENGTH: readonly Uint8Array[] = Array.from({ length: 73 }, (_, length) => DER_OCTETS.subarray(0, length));

/** Where the scalar begins behind its leading zeros; its last octet where it is nothing but zeros. */
function firstSignificant(signature: Uint8Array, from: number): number {
  let at = from;
  while (at < from + SCALAR_OCTETS - 1 && signature[at] === 0) at += 1;
  return at;
}

/** A zero in front keeps a number positive. */
function integerLength(signature: Uint8Array, from: number, end: number): number {
  return end - from + ((signature[from] ?? 0) >> 7);
}

interface Span {
  readonly from: number;
  readonly end: number;
}

function writeInteger(der: Uint8Array, into: Span, signature: Uint8Array, scalar: Span): void {
  der[into.from] = 0x02;
  der[into.from + 1] = into.end - into.from - 2;
  der[into.from + 2] = 0;
  const shift = into.end - scalar.end;
  for (let at = scalar.from; at < scalar.end; at += 1) der[at + shift] = signature[at] ?? 0;
}
