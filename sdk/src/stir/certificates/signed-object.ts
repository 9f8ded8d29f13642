import { verify } from 'node:crypto';
import type { Certificate } from './certificate.js';
import { DER_TAG, derBitStringBytes, derCursor, derObjectIdentifier, readDer } from './der.js';
import type { DerElement } from './der.js';

/** Names of the signature algorithms that a SHAKEN path may use, as in JWS. @see RFC 7518 section 3.4 */
export type SignatureAlgorithmName = 'ES256' | 'ES384';

/**
 * What each permitted algorithm is in X.509: the object identifier, and the one hash and the one curve that go with it.
 * @see RFC 5758 section 3.2, ATIS-1000080 section 6.4.1
 */
export const SIGNATURE_ALGORITHMS: Readonly<
  Record<SignatureAlgorithmName, { readonly oid: string; readonly hash: string; readonly publicKeyType: string }>
> = {
  ES256: { oid: '1.2.840.10045.4.3.2', hash: 'sha256', publicKeyType: 'EC P-256' },
  ES384: { oid: '1.2.840.10045.4.3.3', hash: 'sha384', publicKeyType: 'EC P-384' },
};

/** Permitted when nothing else is said: P-256 as ATIS-1000080 has it, and P-384 that the certificate policy 1.4 adds. */
export const DEFAULT_SIGNATURE_ALGORITHMS: readonly SignatureAlgorithmName[] = ['ES256', 'ES384'];

/** The frame that certificates and CRLs share: what is signed, with which algorithm, and the signature. @see RFC 5280 section 4.1 */
export interface SignedObject {
  /** The signed part; `encoded` holds exactly the signed bytes. */
  readonly toBeSigned: DerElement;
  readonly signatureAlgorithm: string;
  /** The AlgorithmIdentifier as encoded, to be compared with the one inside the signed part. */
  readonly algorithmIdentifier: Uint8Array;
  readonly signature: Uint8Array;
}

/** How a signature check went. */
export type SignatureCheck = 'valid' | 'invalid' | 'algorithm-not-permitted';

/**
 * Takes a certificate or CRL apart into its signed frame.
 * @throws {@link MalformedDer} - callers in this folder catch it
 */
export function readSignedObject(der: Uint8Array): SignedObject {
  const cursor = derCursor(readDer(der));
  const toBeSigned = cursor.take(DER_TAG.sequence);
  const algorithm = cursor.take(DER_TAG.sequence);
  const signature = derBitStringBytes(cursor.take(DER_TAG.bitString));
  cursor.end();
  return { toBeSigned, signatureAlgorithm: algorithmOid(algorithm), algorithmIdentifier: algorithm.encoded, signature };
}

/** Object identifier of an AlgorithmIdentifier. @throws {@link MalformedDer} */
export function algorithmOid(algorithmIdentifier: DerElement): string {
  return derObjectIdentifier(derCursor(algorithmIdentifier).take(DER_TAG.objectIdentifier));
}

/**
 * The permitted algorithm with this object identifier, if the key is on the curve that belongs to it.
 * @param oid - signature algorithm of the certificate or CRL
 * @param publicKeyType - key type of the signer
 */
export function permittedAlgorithm(
  oid: string,
  publicKeyType: string,
  algorithms: readonly SignatureAlgorithmName[],
): SignatureAlgorithmName | undefined {
  return algorithms.find(
    (name) => SIGNATURE_ALGORITHMS[name].oid === oid && SIGNATURE_ALGORITHMS[name].publicKeyType === publicKeyType,
  );
}

/**
 * Checks the signature over a parsed certificate or CRL with the key of `signer`. Only permitted algorithms are ever computed,
 * so that nobody can make us verify with a huge or exotic key. Never throws for peer input.
 * @param signed - the certificate or CRL whose signature is checked
 * @param signer - whose public key is used; whether it may sign is not looked at here
 */
export function checkSignature(
  signed: { readonly der: Uint8Array; readonly signatureAlgorithm: string },
  signer: Certificate,
  algorithms: readonly SignatureAlgorithmName[] = DEFAULT_SIGNATURE_ALGORITHMS,
): SignatureCheck {
  const name = permittedAlgorithm(signed.signatureAlgorithm, signer.publicKeyType, algorithms);
  if (name === undefined) return 'algorithm-not-permitted';
  try {
    const { toBeSigned, signature } = readSignedObject(signed.der);
    return verify(SIGNATURE_ALGORITHMS[name].hash, toBeSigned.encoded, signer.publicKey, signature)
      ? 'valid'
      : 'invalid';
  } catch {
    return 'invalid';
  }
}
