import { createHmac, sign } from 'node:crypto';
import { base64url, signJws } from '../compact-jws.js';
import { createPassport } from '../passport.js';
import type { PassportOptions } from '../passport.js';
import { accepted, headerOf, passportOptions, refused, refusedText } from './passport-fault.js';
import type { PassportFault, PassportFaultContext } from './passport-fault.js';

/** Faults of the signature and attacks on the choice of the key. */
export type SignatureFaultName =
  | 'alg-none'
  | 'alg-none-empty-signature'
  | 'alg-hs256-with-public-key'
  | 'alg-hs256-with-certificate'
  | 'signature-by-other-key'
  | 'signature-corrupted'
  | 'signature-of-other-payload'
  | 'signature-empty'
  | 'signature-zero'
  | 'signature-s-is-order'
  | 'signature-one-octet-short'
  | 'signature-one-octet-long'
  | 'signature-der'
  | 'signature-by-sha384'
  | 'signature-twin'
  | 'jwk-embedded'
  | 'jku-injected'
  | 'kid-injected'
  | 'x5c-embedded'
  | 'crit-unknown'
  | 'crit-empty'
  | 'crit-not-an-array'
  | 'b64-false'
  | 'b64-false-without-crit';

/** @see RFC 7515 section 10, RFC 8725 section 2 */
export const SIGNATURE_FAULTS: Readonly<Record<SignatureFaultName, PassportFault>> = {
  'alg-none': refused('alg-unsupported', 'alg is "none" and the signature of the right key is kept', () => ({
    header: { alg: 'none' },
  })),
  'alg-none-empty-signature': refused('alg-unsupported', 'alg is "none" and the signature is empty', () => ({
    header: { alg: 'none' },
    alterSignature: () => new Uint8Array(),
    identityHeader: { alg: 'none' },
  })),
  'alg-hs256-with-public-key': refusedText(
    'alg-unsupported',
    'alg is HS256, keyed with the public key PEM that everybody has',
    (context) => hmacHeader(context, context.signer.publicKeyPem),
  ),
  'alg-hs256-with-certificate': refusedText(
    'alg-unsupported',
    'alg is HS256, keyed with the certificate PEM that everybody has',
    (context) => hmacHeader(context, context.signer.certificatePem),
  ),
  'signature-by-other-key': refused(
    'signature-invalid',
    'signed by a key that is not that of the certificate',
    (context) => ({
      signer: context.attacker,
    }),
  ),
  'signature-corrupted': refused('signature-invalid', 'one bit of s is flipped', () => ({
    alterSignature: (signature) => signature.map((octet, index) => (index === 63 ? octet ^ 1 : octet)),
  })),
  'signature-of-other-payload': refusedText(
    'signature-invalid',
    'the signature of a token that attests B under claims that attest A',
    (context) => {
      const { signature } = createPassport(passportOptions(context, { attest: 'B' }));
      return headerOf(context, { attest: 'A', alterSignature: () => signature });
    },
  ),
  'signature-empty': refused('signature-invalid', 'the signature segment is empty', () => ({
    alterSignature: () => new Uint8Array(),
  })),
  'signature-zero': refused(
    'signature-invalid',
    'r and s are zero, which some verifiers took for any signature',
    () => ({
      alterSignature: () => new Uint8Array(64),
    }),
  ),
  'signature-s-is-order': refused('signature-invalid', 's is the order of the group', () => ({
    alterSignature: (signature) => withS(signature, P256_ORDER),
  })),
  'signature-one-octet-short': refused('signature-invalid', 'the last octet of the signature is missing', () => ({
    alterSignature: (signature) => signature.subarray(0, 63),
  })),
  'signature-one-octet-long': refused('signature-invalid', 'an octet follows the signature', () => ({
    alterSignature: (signature) => Uint8Array.of(...signature, 0),
  })),
  'signature-der': refusedText('signature-invalid', 'the signature is a DER SEQUENCE instead of r and s', (context) =>
    resigned(context, {}, (input) => sign('sha256', Buffer.from(input), context.signer.key.privateKey)),
  ),
  'signature-by-sha384': refusedText('signature-invalid', 'signed over SHA-384 while alg is ES256', (context) =>
    resigned(context, {}, (input) =>
      sign('sha384', Buffer.from(input), { key: context.signer.key.privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
  ),
  'signature-twin': accepted(
    'the other signature that anybody can compute from a right one, (r, n-s): it verifies, so a repeat must not count as new',
    (context) => headerOf(context, { alterSignature: twinSignature }),
  ),
  'jwk-embedded': attackerKey("the header carries the attacker's public key, which signed", (context) => ({
    jwk: context.attacker.key.publicKeyJwk,
  })),
  'jku-injected': attackerKey("the header points to the attacker's key set", () => ({
    jku: 'https://attacker.example/jwks.json',
  })),
  'kid-injected': attackerKey('kid is a path of the file system', () => ({ kid: '../../../../../../dev/null' })),
  'x5c-embedded': attackerKey("the header carries the attacker's certificate, whose key signed", (context) => ({
    x5c: [Buffer.from(context.attacker.der).toString('base64')],
  })),
  'crit-unknown': refused('critical-header-unsupported', 'crit demands an extension that nobody knows', () => ({
    header: { crit: ['exp'], exp: 1 },
  })),
  'crit-empty': refused('critical-header-unsupported', 'crit is an empty array, which JWS forbids', () => ({
    header: { crit: [] },
  })),
  'crit-not-an-array': refused('critical-header-unsupported', 'crit is a string', () => ({ header: { crit: 'exp' } })),
  'b64-false': refusedText(
    'critical-header-unsupported',
    'b64 is false and critical; signed over the bare payload',
    (context) => signedOverBarePayload(context, { b64: false, crit: ['b64'] }),
  ),
  'b64-false-without-crit': refusedText(
    'critical-header-unsupported',
    'b64 is false, not critical; signed over the bare payload',
    (context) => signedOverBarePayload(context, { b64: false }),
  ),
};

/** Order of the P-256 group. @see FIPS 186-4 section D.1.2.3 */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * The twin (r, n-s) of an ES256 signature (r, s), which anybody can compute: both verify.
 * @param signature - 64 octets, r before s
 * @returns 64 octets; the twin of the twin is the signature
 * @throws SyntaxError when there is no s in it; a signature of this kit never throws
 * @see RFC 7518 section 3.4, FIPS 186-4 section D.1.2.3 for n
 * @example
 * ```ts
 * import { verify } from 'node:crypto';
 *
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const { signingInput, signature } = createPassport({ signer, x5u: 'https://certs.example/1234.pem' });
 * const key = { key: signer.key.publicKey, dsaEncoding: 'ieee-p1363' } as const;
 * console.log(verify('sha256', Buffer.from(signingInput), key, twinSignature(signature))); // true
 * ```
 */
export function twinSignature(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  return withS(signature, P256_ORDER - s);
}

function withS(signature: Uint8Array, s: bigint): Uint8Array {
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
}

function attackerKey(
  description: string,
  header: (context: PassportFaultContext) => Readonly<Record<string, unknown>>,
): PassportFault {
  return refused('signature-invalid', description, (context) => ({
    signer: context.attacker,
    header: header(context),
  }));
}

function hmacHeader(context: PassportFaultContext, secret: string): string {
  return resigned(context, { header: { alg: 'HS256' } }, (input) =>
    createHmac('sha256', secret).update(input).digest(),
  );
}

function resigned(
  context: PassportFaultContext,
  changes: Partial<PassportOptions>,
  signInput: (signingInput: string) => Uint8Array,
): string {
  const { signingInput } = createPassport(passportOptions(context, changes));
  return headerOf(context, { ...changes, alterSignature: () => signInput(signingInput) });
}

function signedOverBarePayload(context: PassportFaultContext, header: Readonly<Record<string, unknown>>): string {
  const { headerText, payloadText } = createPassport(passportOptions(context, { header }));
  const signature = signJws(`${base64url(headerText)}.${payloadText}`, context.signer.key.privateKey);
  return headerOf(context, { header, alterSignature: () => signature });
}
