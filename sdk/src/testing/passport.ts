import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { TEST_NOW_MS } from './manual-clock.js';
import type { TestKey } from './test-key.js';

/** base64url without padding. @see RFC 7515 section 2 */
export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64url');
}

/** ES256 (or ES384 for a P-384 key) over the signing input, as r then s. @see RFC 7518 section 3.4 */
export function signJws(signingInput: string | Uint8Array, privateKey: KeyObject): Uint8Array {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve;
  // Ed25519 has a hash of its own.
  const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : curve === 'secp384r1' ? 'sha384' : 'sha256';
  return sign(hash, Buffer.from(signingInput as string), { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** JWS compact serialization of header and payload texts, signed as they stand. @see RFC 7515 section 7.1 */
export function compactJws(headerText: string, payloadText: string, privateKey: KeyObject): string {
  const signingInput = `${base64url(headerText)}.${base64url(payloadText)}`;
  return `${signingInput}.${base64url(signJws(signingInput, privateKey))}`;
}

/** How an Identity header value is written around a token. `'absent'` leaves a parameter out. */
export interface IdentityHeaderOptions {
  /** URL inside `info=<…>`; default the token's x5u. */
  readonly info?: string;
  /** Default `ES256`. */
  readonly alg?: string;
  /** Default the token's type. */
  readonly ppt?: string;
  /** Writes `alg="ES256";ppt="shaken"`, as many deployed signers do. */
  readonly quoted?: boolean;
  /** Spaces around `;`. */
  readonly spaced?: boolean;
  /** Parameters as they stand (with their leading `;`), in place of all of the above. */
  readonly parametersText?: string;
}

/**
 * Writes the value of an Identity header: `token;info=<url>;alg=ES256;ppt=shaken`. Checks nothing, and never throws.
 * @param token - what stands in front of the parameters, as it is
 * @param options - the parameters; one that is not mentioned has its default or is left out
 * @returns the value, without the name of the header
 * @see RFC 8224 section 4
 * @example
 * ```ts
 * const info = 'https://certs.example/1234.pem';
 * const value = writeIdentityHeader('eyJh.eyJk.c2ln', { info, ppt: 'shaken', quoted: true });
 * console.log(value); // eyJh.eyJk.c2ln;info=<https://certs.example/1234.pem>;alg="ES256";ppt="shaken"
 * ```
 */
export function writeIdentityHeader(token: string, options: IdentityHeaderOptions): string {
  if (options.parametersText !== undefined) return token + options.parametersText;
  const quote = (text: string): string => (options.quoted === true ? `"${text}"` : text);
  const alg = options.alg ?? 'ES256';
  const parameters = [
    ...(options.info === undefined || options.info === 'absent' ? [] : [`info=<${options.info}>`]),
    ...(alg === 'absent' ? [] : [`alg=${quote(alg)}`]),
    ...(options.ppt === undefined || options.ppt === 'absent' ? [] : [`ppt=${quote(options.ppt)}`]),
  ];
  return [token, ...parameters].join(options.spaced === true ? ' ; ' : ';');
}

/** The number that calls by default: of the range reserved for fiction, 555-0100 to 555-0199. */
export const TEST_ORIG_TN = '12025550101';
/** The number that is called by default. */
export const TEST_DEST_TN = '12025550199';
/** The origid of default tokens. */
export const TEST_ORIG_ID = '123e4567-e89b-12d3-a456-426655440000';

/** Settings of {@link createPassport}. Whatever is not mentioned makes a right token. */
export interface PassportOptions {
  /** Whose key signs; a {@link TestCertificate} fits. */
  readonly signer: { readonly key: TestKey };
  readonly x5u: string;
  /** PASSporT type, default `shaken`; `'absent'` writes none. */
  readonly ppt?: string;
  readonly attest?: unknown;
  /** Default {@link TEST_ORIG_TN}. */
  readonly origTn?: string;
  /** Default {@link TEST_DEST_TN}. */
  readonly destTn?: string;
  /** Default {@link TEST_NOW_MS} in seconds. */
  readonly iatSeconds?: unknown;
  readonly origId?: unknown;
  /** The number that the call was diverted from, for `div`. */
  readonly divTn?: string;
  /** Further header parameters, or other values; `undefined` removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Further claims, or other values; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The text of the JOSE header as it stands, in place of all that would make it. */
  readonly headerText?: string;
  /** The text of the payload as it stands. */
  readonly payloadText?: string;
  /** Makes something else of the signature: given the right one (r then s), returns the one to write. */
  readonly alterSignature?: (signature: Uint8Array) => Uint8Array;
  /** How the Identity header is written around the token. */
  readonly identityHeader?: IdentityHeaderOptions;
}

/** A PASSporT, taken apart, and an Identity header value with it. */
export interface TestPassport {
  /** Full form: `header.payload.signature`. */
  readonly token: string;
  /** Value of an Identity header: token, info, alg and ppt. */
  readonly identityHeader: string;
  readonly headerText: string;
  readonly payloadText: string;
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/**
 * Builds a PASSporT with nothing of the library's own signer: keys in lexicographic order, no whitespace, ES256 by
 * node:crypto. Right by default; every part can be replaced.
 * @param options - signer and x5u, and what is to be otherwise than right
 * @returns the token in its parts, and an Identity header value with it
 * @throws what node:crypto throws when the signer's key is no EC key
 * @see RFC 8225 sections 4, 5 and 9, RFC 8588 section 4, RFC 8946 section 3
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const { payloadText } = createPassport({ signer, x5u: 'https://certs.example/1234.pem', attest: 'B' });
 * console.log(payloadText.slice(0, 40)); // {"attest":"B","dest":{"tn":["12025550199
 * ```
 */
export function createPassport(options: PassportOptions): TestPassport {
  const { x5u } = options;
  const ppt = options.ppt ?? 'shaken';
  const header = { alg: 'ES256', ppt: ppt === 'absent' ? undefined : ppt, typ: 'passport', x5u, ...options.header };
  const headerText = options.headerText ?? canonicalJson(header);
  const payloadText = options.payloadText ?? canonicalJson({ ...defaultClaims(ppt, options), ...options.claims });
  const signingInput = `${base64url(headerText)}.${base64url(payloadText)}`;
  const rightSignature = signJws(signingInput, options.signer.key.privateKey);
  const signature = options.alterSignature?.(rightSignature) ?? rightSignature;
  const token = `${signingInput}.${base64url(signature)}`;
  const identityHeader = writeIdentityHeader(token, {
    info: x5u,
    ...(ppt === 'absent' ? {} : { ppt }),
    ...options.identityHeader,
  });
  return { token, identityHeader, headerText, payloadText, signingInput, signature };
}

/**
 * JSON with the keys of every object in lexicographic order and no whitespace; members that are `undefined` left out. A second
 * implementation beside that of `@hopback/sdk/stir`, so that tests do not hold the library against itself.
 * @param value - what JSON can hold, of any depth
 * @returns the text that is signed
 * @throws what JSON.stringify throws for a cycle or a bigint
 * @see RFC 8225 section 9
 * @example
 * ```ts
 * console.log(canonicalJson({ orig: { tn: '12025550101' }, iat: 1793620800 })); // {"iat":1793620800,"orig":{"tn":"12025550101"}}
 * ```
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

function defaultClaims(ppt: string, options: PassportOptions): Record<string, unknown> {
  const base = {
    dest: { tn: [options.destTn ?? TEST_DEST_TN] },
    iat: options.iatSeconds ?? Math.floor(TEST_NOW_MS / 1000),
    orig: { tn: options.origTn ?? TEST_ORIG_TN },
  };
  if (ppt === 'shaken') return { ...base, attest: options.attest ?? 'A', origid: options.origId ?? TEST_ORIG_ID };
  if (ppt === 'div' || ppt === 'div-o') return { ...base, div: { tn: options.divTn ?? TEST_DEST_TN } };
  return base;
}

/** Settings of {@link sampleInvite}. */
export interface SampleInviteOptions {
  /** Values of the Identity header fields, in order; none by default. A value may hold CRLF and a space: a folded line. */
  readonly identityHeaders?: readonly string[];
  /** Caller; default {@link TEST_ORIG_TN}. */
  readonly origTn?: string;
  /** Callee; default {@link TEST_DEST_TN}. */
  readonly destTn?: string;
  /** Whole From value up to its tag, such as `"Anonymous" <sip:anonymous@anonymous.invalid>`. */
  readonly from?: string;
  /** Whole To value. */
  readonly to?: string;
  readonly requestUri?: string;
  /** Values of P-Asserted-Identity; default none. */
  readonly assertedIdentities?: readonly string[];
  /** Instant of the Date header, milliseconds since the epoch; default {@link TEST_NOW_MS}; `'absent'` writes none. */
  readonly dateMs?: number | 'absent';
  readonly callId?: string;
  /** Further header fields as written: `Name: value`. */
  readonly headers?: readonly string[];
  /** Default a session description of one audio stream. */
  readonly body?: string;
  /** `y` for the compact form of Identity. */
  readonly identityHeaderName?: string;
}

/**
 * The text of a SIP INVITE as it arrives from an originating carrier, CRLF line ends and a right Content-Length. Checks nothing, and
 * never throws.
 * @param options - what is to be otherwise than default; header values as they are to stand
 * @returns the request, body included
 * @see RFC 3261 section 7, RFC 8224 section 4
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite({ origTn: '12025550166' }));
 * if (parsed.status === 'parsed') console.log(verificationRequestOf(parsed.request).from); // <sip:+12025550166@originating.example;user=phone>;tag=1928301774
 * ```
 */
export function sampleInvite(options: SampleInviteOptions = {}): string {
  const orig = options.origTn ?? TEST_ORIG_TN;
  const dest = options.destTn ?? TEST_DEST_TN;
  const body = options.body ?? SESSION_DESCRIPTION;
  const dateMs = options.dateMs ?? TEST_NOW_MS;
  const identityName = options.identityHeaderName ?? 'Identity';
  const lines = [
    `INVITE ${options.requestUri ?? `sip:+${dest}@terminating.example;user=phone`} SIP/2.0`,
    'Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK-524287-1-0',
    'Max-Forwards: 68',
    `From: ${options.from ?? `<sip:+${orig}@originating.example;user=phone>`};tag=1928301774`,
    `To: ${options.to ?? `<sip:+${dest}@terminating.example;user=phone>`}`,
    `Call-ID: ${options.callId ?? 'a84b4c76e66710@originating.example'}`,
    'CSeq: 314159 INVITE',
    'Contact: <sip:192.0.2.10:5060;transport=tcp>',
    ...(dateMs === 'absent' ? [] : [`Date: ${new Date(dateMs).toUTCString()}`]),
    ...(options.assertedIdentities ?? []).map((value) => `P-Asserted-Identity: ${value}`),
    ...(options.identityHeaders ?? []).map((value) => `${identityName}: ${value}`),
    ...(options.headers ?? []),
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const SESSION_DESCRIPTION = [
  'v=0',
  'o=- 2890844526 2890844526 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 49170 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');
