import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Attestation } from '../core/telephone-number.js';
import { issueCertificate } from './issue-certificate.js';
import { TEST_NOW_MS } from './manual-clock.js';
import type { TestCertificate, TestKey } from './test-key.js';

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
export type IdentityHeaderOptions = NonNullable<PassportOptions['identityHeader']>;

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
  readonly identityHeader?: {
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
  };
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
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
 * const { payloadText } = createPassport({ signer, x5u: 'https://certs.example/1234.pem', attest: 'B' });
 * console.log(payloadText.slice(0, 40)); // {"attest":"B","dest":{"tn":["12025550199
 * ```
 */
export function createPassport(options: PassportOptions): TestPassport {
  const { x5u } = options;
  const ppt = options.ppt ?? 'shaken';
  const header = {
    alg: 'ES256',
    ppt: ppt === 'absent' ? undefined : ppt,
    typ: 'passport',
    x5u,
    ...options.header,
  };
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
  return {
    token,
    identityHeader,
    headerText,
    payloadText,
    signingInput,
    signature,
  };
}

/**
 * JSON with the keys of every object in lexicographic order and no whitespace; members that are `undefined` left out. A second
 * implementation beside that of `@hopback/sdk/stir`, so that tests do not hold the library against itself.
 * @see RFC 8225 section 9
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

/** A call that faulty PASSporTs are made for: one fitting signer, one attacker, the numbers and the time. */
export interface PassportFaultContext {
  /** Has authority for the caller's number; its chain is what `x5u` serves. */
  readonly signer: TestCertificate;
  readonly x5u: string;
  /** The verifier's time, seconds since the epoch. */
  readonly nowSeconds: number;
  readonly origTn: string;
  readonly destTn: string;
  readonly origId: string;
  /** Self-signed, same subject as the signer, another key. */
  readonly attacker: TestCertificate;
}

/** One way in which an Identity header is wrong, or only looks wrong. */
export interface PassportFault {
  /** One sentence: what was done to an otherwise right header. */
  readonly description: string;
  /** Profiles under which it must never pass. */
  readonly refusedBy: readonly ('shaken' | 'rfc8224')[];
  /** Profiles under which it must pass all the same; a profile in neither list is not judged. */
  readonly acceptedBy: readonly ('shaken' | 'rfc8224')[];
  /** Writes the header for a call. */
  readonly build: (context: PassportFaultContext) => {
    readonly identityHeader: string;
    /** The failure reason that a verifier of this library gives, among others; absent where the header is accepted. */
    readonly expectedReasonHint?: string;
  };
}

/**
 * Completes the call that faulty PASSporTs are made for, with an attacker of its own. Never throws.
 * @param options - the provider that may sign, where its chain is, and what of the call is to be otherwise than default
 * @returns what every entry of the catalogues is built from
 * @see RFC 8224 section 12 for what attackers try
 * @example
 * ```ts
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
 * const context = createPassportFaultContext({ signer, x5u: 'https://certs.example/1234.pem' });
 * const { expectedReasonHint } = PASSPORT_FAULTS['signature-der'].build(context);
 * console.log(expectedReasonHint); // signature-invalid
 * ```
 */
export function createPassportFaultContext(options: {
  readonly signer: TestCertificate;
  readonly x5u: string;
  /** The verifier's time, milliseconds since the epoch; default {@link TEST_NOW_MS}. */
  readonly nowMs?: number;
  readonly origTn?: string;
  readonly destTn?: string;
  readonly origId?: string;
}): PassportFaultContext {
  const { signer, x5u } = options;
  return {
    signer,
    x5u,
    nowSeconds: Math.floor((options.nowMs ?? TEST_NOW_MS) / 1000),
    origTn: options.origTn ?? TEST_ORIG_TN,
    destTn: options.destTn ?? TEST_DEST_TN,
    origId: options.origId ?? TEST_ORIG_ID,
    attacker: issueCertificate({
      issuer: 'self',
      subject: signer.subject,
      serialNumber: signer.serialNumber,
      notBeforeMs: signer.notBeforeMs,
      notAfterMs: signer.notAfterMs,
    }),
  };
}

/** The right token of a context, with changes. */
export function passportOptions(context: PassportFaultContext, changes: Partial<PassportOptions>): PassportOptions {
  const { signer, x5u, nowSeconds, origTn, destTn, origId } = context;
  return {
    signer,
    x5u,
    iatSeconds: nowSeconds,
    origTn,
    destTn,
    origId,
    ...changes,
  };
}

/** A fault made by changing what the token is built of. */
export function refused(
  reason: string,
  description: string,
  change: (context: PassportFaultContext) => Partial<PassportOptions>,
): PassportFault {
  return refusedText(
    reason,
    description,
    (context) => createPassport(passportOptions(context, change(context))).identityHeader,
  );
}

/** A fault made by changing the text of the header. */
export function refusedText(
  reason: string,
  description: string,
  write: (context: PassportFaultContext) => string,
): PassportFault {
  return {
    description,
    refusedBy: ['shaken', 'rfc8224'],
    acceptedBy: [],
    build: (context) => ({ identityHeader: write(context), expectedReasonHint: reason }),
  };
}

/** Something unusual that is right all the same. */
export function accepted(description: string, write: (context: PassportFaultContext) => string): PassportFault {
  return {
    description,
    refusedBy: [],
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) => ({ identityHeader: write(context) }),
  };
}

/** Header value of the right token, with changes. */
export function headerOf(context: PassportFaultContext, changes: Partial<PassportOptions> = {}): string {
  return createPassport(passportOptions(context, changes)).identityHeader;
}

/** A table of faults that keeps their names. */
export function faultTable<Name extends string>(faults: Readonly<Record<Name, PassportFault>>): typeof faults {
  return faults;
}

/** A call whose PASSporTs are right. */
export interface GoodCall {
  /** Identity header values in the order in which the providers added them. */
  readonly identityHeaders: readonly string[];
  /** Attestation level of the shaken PASSporT; absent where there is none. */
  readonly attestation?: Attestation;
  /** Number of the To header: who was called first. */
  readonly toTn: string;
  /** Number of the Request-URI: where the call goes now. */
  readonly targetTn: string;
  /** The request that carries them, for {@link sampleInvite}. */
  readonly invite: SampleInviteOptions;
}

/** One right call by name. */
export interface GoodPassport {
  readonly description: string;
  /** Profiles under which the call passes. */
  readonly acceptedBy: readonly ('shaken' | 'rfc8224')[];
  /** Writes the call. */
  readonly build: (context: PassportFaultContext) => GoodCall;
}

/** The catalogue of calls that a verifier passes. @see RFC 8588, RFC 8946 section 5, RFC 8224 section 6.2.1 */
export const GOOD_PASSPORTS = goodPassports({
  'shaken-a': shaken('A', 'full attestation'),
  'shaken-b': shaken('B', 'partial attestation'),
  'shaken-c': shaken('C', 'gateway attestation'),
  'shaken-div-1': diverted(1),
  'shaken-div-2': diverted(2),
  'shaken-div-3': diverted(3),
  'shaken-div-4': diverted(4),
  'shaken-div-5': diverted(5),
  'unknown-type-beside-shaken': beside(
    'a PASSporT of a type that nobody knows comes first',
    (context) => createPassport(passportOptions(context, { ppt: 'tomorrow' })).identityHeader,
  ),
  'junk-beside-shaken': beside('an Identity header that is no PASSporT comes first', () => 'junk'),
  baseline: {
    description: 'no type at all, full form',
    acceptedBy: ['rfc8224'],
    build: (context) => call(context, [createPassport(passportOptions(context, { ppt: 'absent' })).identityHeader]),
  },
  'baseline-compact': {
    description: 'no type at all, compact form: the verifier rebuilds header and payload from the request',
    acceptedBy: ['rfc8224'],
    build: (context) => call(context, [compactIdentityHeader(context)]),
  },
});

function goodPassports<Name extends string>(table: Readonly<Record<Name, GoodPassport>>): typeof table {
  return table;
}

/** Names of {@link GOOD_PASSPORTS}, for tests that go through all of them. */
export const GOOD_PASSPORT_NAMES = Object.keys(GOOD_PASSPORTS) as readonly (keyof typeof GOOD_PASSPORTS)[];

/**
 * A call that was diverted `diversions` times: a shaken PASSporT for the first callee and one div PASSporT a diversion. Never throws
 * for a context of {@link createPassportFaultContext}.
 * @param context - the call before any diversion
 * @param diversions - 0 to 99; each goes to another number kept for fiction
 * @returns the call as it arrives at its last target
 * @see RFC 8946 section 4
 * @example
 * ```ts
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
 * const context = createPassportFaultContext({ signer, x5u: 'https://certs.example/1234.pem' });
 * const { identityHeaders, toTn, targetTn } = divertedCall(context, 2);
 * console.log(identityHeaders.length, toTn, targetTn); // 3 12025550199 13035550102
 * ```
 */
export function divertedCall(context: PassportFaultContext, diversions: number): GoodCall {
  const shakenHeader = createPassport(passportOptions(context, {})).identityHeader;
  const divHeaders = Array.from({ length: diversions }, (_, index) => {
    const change = { ppt: 'div', divTn: divertedTn(context, index), destTn: divertedTn(context, index + 1) };
    return createPassport(passportOptions(context, change)).identityHeader;
  });
  return call(context, [shakenHeader, ...divHeaders], { attestation: 'A', targetTn: divertedTn(context, diversions) });
}

/** Where the call goes after so many diversions: the callee of the context for 0, then other numbers kept for fiction, 99 at most. */
function divertedTn(context: Pick<PassportFaultContext, 'destTn'>, diversions: number): string {
  if (diversions === 0) return context.destTn;
  return `1303555${String(100 + diversions).padStart(4, '0')}`;
}

function shaken(attestation: Attestation, description: string): GoodPassport {
  return {
    description: `one shaken PASSporT, ${description}`,
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) =>
      call(context, [createPassport(passportOptions(context, { attest: attestation })).identityHeader], {
        attestation,
      }),
  };
}

function diverted(diversions: number): GoodPassport {
  return {
    description: `a shaken PASSporT and ${diversions} of type div above it`,
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) => divertedCall(context, diversions),
  };
}

function beside(description: string, other: (context: PassportFaultContext) => string): GoodPassport {
  return {
    description: `a shaken PASSporT; ${description}`,
    acceptedBy: ['shaken', 'rfc8224'],
    build: (context) => {
      const identityHeaders = [other(context), createPassport(passportOptions(context, {})).identityHeader];
      return call(context, identityHeaders, { attestation: 'A' });
    },
  };
}

function compactIdentityHeader(context: PassportFaultContext): string {
  const { x5u, destTn, origTn, nowSeconds } = context;
  const { token, identityHeader } = createPassport(
    passportOptions(context, {
      ppt: 'absent',
      headerText: canonicalJson({ alg: 'ES256', typ: 'passport', x5u }),
      payloadText: canonicalJson({ dest: { tn: [destTn] }, iat: nowSeconds, orig: { tn: origTn } }),
    }),
  );
  return `..${token.slice(token.lastIndexOf('.') + 1)}${identityHeader.slice(token.length)}`;
}

function call(
  context: PassportFaultContext,
  identityHeaders: readonly string[],
  more: { readonly attestation?: Attestation; readonly targetTn?: string } = {},
): GoodCall {
  const targetTn = more.targetTn ?? context.destTn;
  return {
    identityHeaders,
    ...(more.attestation === undefined ? {} : { attestation: more.attestation }),
    toTn: context.destTn,
    targetTn,
    invite: {
      identityHeaders,
      origTn: context.origTn,
      destTn: context.destTn,
      requestUri: `sip:+${targetTn}@terminating.example;user=phone`,
      dateMs: context.nowSeconds * 1000,
    },
  };
}
