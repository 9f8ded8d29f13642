import { createHmac, sign } from 'node:crypto';
import {
  accepted,
  base64url,
  canonicalJson,
  createPassport,
  headerOf,
  passportOptions,
  refused,
  refusedText,
  signJws,
  faultTable,
} from '../passport.js';
import type { PassportFault, PassportFaultContext, PassportOptions, TestPassport } from '../passport.js';

/** @see RFC 7515 section 2, RFC 8225 section 9, RFC 8259 section 4 */
export const ENCODING_FAULTS = faultTable({
  'segment-missing': refusedText('identity-header-malformed', 'the token has no signature segment', (context) =>
    rewritten(context, ({ signingInput }) => signingInput),
  ),
  'segment-extra': refusedText('identity-header-malformed', 'the token has four segments', (context) =>
    rewritten(context, ({ token }) => `${token}.AAAA`),
  ),
  'token-empty': refusedText('identity-header-malformed', 'nothing stands before the first semicolon', (context) =>
    rewritten(context, () => ''),
  ),
  'padding-on-payload': refusedText(
    'base64url-invalid',
    'the payload segment ends with "=", and is signed so',
    (context) => resegmented(context, ([header, payload]) => [header, `${payload}=`]),
  ),
  'padding-on-signature': refusedText('base64url-invalid', 'the signature segment is padded with "=="', (context) =>
    rewritten(context, ({ token }) => `${token}==`),
  ),
  'trailing-bits-in-payload': refusedText(
    'base64url-invalid',
    'the last character of the payload segment has bits set that belong to no octet, and is signed so',
    (context) => resegmented(context, ([header]) => [header, withTrailingBits(base64url(unevenPayload(context)))]),
  ),
  'trailing-bits-in-signature': refusedText(
    'base64url-invalid',
    'the last character of the signature segment has bits set that belong to no octet',
    (context) => rewritten(context, ({ token }) => withTrailingBits(token)),
  ),
  'standard-base64-alphabet': refusedText('base64url-invalid', 'the signature segment uses "+" and "/"', (context) =>
    rewritten(context, ({ signingInput, signature }) => `${signingInput}.${slashedBase64(signature)}`),
  ),
  'whitespace-in-token': refusedText('base64url-invalid', 'a space stands inside the signature segment', (context) =>
    rewritten(context, ({ token }) => `${token.slice(0, -10)} ${token.slice(-10)}`),
  ),
  'non-ascii-in-token': refusedText(
    'base64url-invalid',
    'a letter beyond ASCII stands inside the payload segment',
    (context) => rewritten(context, ({ token }) => token.replace('.', '.é')),
  ),
  'nul-in-token': refusedText('base64url-invalid', 'a NUL stands inside the payload segment', (context) =>
    rewritten(context, ({ token }) => token.replace('.', '.\0')),
  ),
  'json-not-an-object': refused('json-malformed', 'the payload is an array', () => ({ payloadText: '[]' })),
  'json-cut-short': signedText('json-malformed', 'the payload lacks its last brace', (text) => text.slice(0, -1)),
  'json-with-trailing-text': signedText('json-malformed', 'a second object follows the payload', (text) => `${text}{}`),
  'json-with-byte-order-mark': signedText(
    'json-malformed',
    'a byte order mark precedes the payload',
    (text) => `\ufeff${text}`,
  ),
  'json-invalid-utf8': refusedText(
    'json-malformed',
    'the payload has an octet that is not UTF-8, and is signed so',
    (context) =>
      resegmented(context, ([header], passport) => {
        const octets = Buffer.from(passport.payloadText.replace(context.origId, '\u0001'), 'latin1');
        return [header, base64url(octets.map((octet) => (octet === 1 ? 0xff : octet)))];
      }),
  ),
  'json-with-comment': signedText('json-malformed', 'the payload has a comment', (text) => text.replace('{', '{/* */')),
  'json-deep': signedText(
    'json-too-deep',
    'a claim nests 1,500 arrays: short enough to be read, deep enough to hurt',
    (text) => text.replace('{', `{"aaa":${nested(1500)},`),
  ),
  'json-deep-10000': signedText('identity-header-too-long', 'a claim nests 10,000 arrays', (text) =>
    text.replace('{', `{"aaa":${nested(10_000)},`),
  ),
  'duplicate-claim': signedText('json-duplicate-key', 'attest is given twice, "A" last', (text) =>
    text.replace('{"attest":"A"', '{"attest":"C","attest":"A"'),
  ),
  'duplicate-claim-escaped': signedText(
    'json-duplicate-key',
    'attest is given twice, once with an escaped letter',
    (text) => text.replace('{"attest":"A"', String.raw`{"\u0061ttest":"C","attest":"A"`),
  ),
  'duplicate-header-key': refusedText('json-duplicate-key', 'alg is given twice, "none" first', (context) =>
    headerOf(context, { headerText: rightToken(context).headerText.replace('{', '{"alg":"none",') }),
  ),
  'proto-key-in-claims': signedText('json-forbidden-key', 'the payload has a key "__proto__"', (text) =>
    text.replace('{', '{"__proto__":{"attest":"A"},'),
  ),
  'proto-key-in-header': refusedText('json-forbidden-key', 'the header has a key "__proto__"', (context) =>
    headerOf(context, { headerText: rightToken(context).headerText.replace('{', '{"__proto__":{"alg":"none"},') }),
  ),
  'proto-key-in-orig': signedText('json-forbidden-key', 'orig has a key "__proto__" and no tn of its own', (text) =>
    text.replace('"orig":{', '"orig":{"__proto__":{"tn":"12025550123"},'),
  ),
  'claims-in-other-order': accepted('the claims stand in another order than the signer should have used', (context) => {
    const claims = JSON.parse(rightToken(context).payloadText) as Record<string, unknown>;
    const reversed = Object.fromEntries(Object.entries(claims).reverse());
    return headerOf(context, { payloadText: JSON.stringify(reversed) });
  }),
  'json-with-whitespace': accepted(
    'the payload has line breaks and indentation that the signer should not have written',
    (context) =>
      headerOf(context, { payloadText: JSON.stringify(JSON.parse(rightToken(context).payloadText), null, 2) }),
  ),
});

function rightToken(context: PassportFaultContext): TestPassport {
  return createPassport(passportOptions(context, {}));
}

/** A fault of the payload text, signed as it stands. */
function signedText(reason: string, description: string, change: (text: string) => string): PassportFault {
  return refusedText(reason, description, (context) =>
    headerOf(context, { payloadText: change(rightToken(context).payloadText) }),
  );
}

/** The right header with something else in place of its token. */
function rewritten(context: PassportFaultContext, change: (passport: TestPassport) => string): string {
  const passport = rightToken(context);
  return change(passport) + passport.identityHeader.slice(passport.token.length);
}

/** The right header with other segments, signed as they stand. */
function resegmented(
  context: PassportFaultContext,
  change: (segments: readonly [string, string], passport: TestPassport) => readonly [string, string],
): string {
  return rewritten(context, (passport) => {
    const segments = change([base64url(passport.headerText), base64url(passport.payloadText)], passport);
    const signingInput = segments.join('.');
    return `${signingInput}.${base64url(signJws(signingInput, context.signer.key.privateKey))}`;
  });
}

/** A right payload whose length leaves bits over in the last character: not a multiple of three octets. */
function unevenPayload(context: PassportFaultContext): string {
  const { payloadText } = rightToken(context);
  if (Buffer.byteLength(payloadText) % 3 !== 0) return payloadText;
  return canonicalJson({ ...(JSON.parse(payloadText) as Record<string, unknown>), origid: `${context.origId}0` });
}

/** Sets the lowest bit of the last character, which is zero when the octets do not fill it. */
function withTrailingBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) | 1);
}

/** Standard base64 without padding that surely differs from base64url: its first octets are made to give "+/". */
function slashedBase64(signature: Uint8Array): string {
  return `+/${Buffer.from(signature).toString('base64').replaceAll('=', '').slice(2)}`;
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** @see RFC 7515 section 10, RFC 8725 section 2 */
export const SIGNATURE_FAULTS = faultTable({
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
});

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
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
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
