import { KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { SignJWT, calculateJwkThumbprint } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { attemptDeadline } from '../../core/runtime/deadline.js';
import type { AttemptDeadline } from '../../core/runtime/deadline.js';
import { defined, parsedJson } from '../../core/text.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import { MAX_BEARER_TOKEN_LENGTH, retryAfterMs, retryClassOf } from '../retry.js';
import type { RequestAuthorization } from '../retry.js';
import { connectionErrorCode, readBoundedBody, readRefusalBody } from '../http/bounded-body.js';
import { nodeFetch, nodeId, platformUrl } from '../http/platform-fetch.js';
import type { PlatformFetch } from '../http/platform-fetch.js';
import { CLIENT_ASSERTION_TYPE, TokenAnswer } from '../../contract/common.js';
import { MAX_PROBLEM_BYTES } from './requester.js';
import { readJson } from './route-call.js';

type AssertionKey = PrivateKeyJwtOptions['key'];
type AssertionSigner = Extract<AssertionKey, { readonly sign: unknown }>;
type AssertionAlgorithm = AssertionSigner['algorithm'];

/** Signs the claims of one assertion. */
type SignAssertion = (claims: JWTPayload) => Promise<string>;

/**
 * Makes ready what signs assertions.
 * @throws {@link HopbackError} `key-unusable` when the key cannot be read; rejecting with the same when it does not sign
 */
function assertionSigning(key: AssertionKey, algorithm: AssertionAlgorithm, keyId: string): SignAssertion {
  const header = { alg: algorithm, kid: keyId, typ: 'JWT' };
  if (isSigner(key)) {
    if (key.algorithm !== algorithm)
      throw new HopbackError('key-unusable', `the signer signs ${key.algorithm}, and ${algorithm} is asked for`);
    return async (claims) => {
      const input = `${base64url(header)}.${base64url(claims)}`;
      return `${input}.${Buffer.from(await key.sign(input)).toString('base64url')}`;
    };
  }
  const imported = importKey(key);
  return async (claims) => {
    try {
      return await new SignJWT(claims).setProtectedHeader(header).sign(imported);
    } catch (cause) {
      throw unusable(`the key of the client does not sign ${algorithm}`, cause);
    }
  };
}

const isSigner = (key: AssertionKey): key is AssertionSigner =>
  typeof key === 'object' && 'sign' in key && typeof key.sign === 'function';

const isKey = (key: Exclude<AssertionKey, AssertionSigner>): key is KeyObject | CryptoKey =>
  typeof key === 'object' && (key instanceof KeyObject || !('kty' in key));

function importKey(key: Exclude<AssertionKey, AssertionSigner>): KeyObject | CryptoKey {
  if (isKey(key)) return key;
  try {
    return typeof key === 'string'
      ? createPrivateKey({ key, format: 'pem' })
      : createPrivateKey({ key, format: 'jwk' });
  } catch (cause) {
    throw unusable('the private key of the client cannot be read: PEM as PKCS#8 or SEC 1, or a private JWK', cause);
  }
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const unusable = (message: string, cause: unknown): HopbackError =>
  new HopbackError('key-unusable', message, { cause });

/** How long an assertion is good for, seconds: one round trip, and clocks that differ by half a minute. */
const ASSERTION_LIFETIME_SECONDS = 60;

/** How long before its end a token is exchanged for another, milliseconds: no request that is under way then finds it expired. */
const TOKEN_RENEWAL_MARGIN_MS = 60_000;

/** How long the request for a token may take, milliseconds. */
const TOKEN_TIMEOUT_MS = 10_000;

/** Octets of the answer of a token endpoint: a token at its longest, and room. */
const MAX_TOKEN_ANSWER_BYTES = 32_768;

/** Who asks for tokens, and where. */
export interface PrivateKeyJwtOptions {
  /** `https:`, or `http:` on this very machine: `https://itg.example/oauth/token`. */
  readonly tokenUrl: string;
  /** As the platform registered it; issuer and subject of each assertion. */
  readonly clientId: string;
  /** A PEM text (PKCS#8, SEC 1), a private JWK, a key of Node or Web Crypto, or a signer for a key that is elsewhere. */
  readonly key:
    | string
    | JsonWebKey
    | KeyObject
    | CryptoKey
    | {
        readonly algorithm: 'ES256' | 'ES384' | 'PS256' | 'EdDSA';
        /**
         * @param signingInput - `header.payload` in base64url
         * @returns the signature as JWS has it; r and s for ECDSA
         */
        readonly sign: (signingInput: string) => Uint8Array | Promise<Uint8Array>;
      };
  /** `kid` under which the platform has the public half. */
  readonly keyId: string;
  /** How assertions are signed; default `ES256`. RFC 7518 section 3.1, RFC 8037 section 3.1 */
  readonly algorithm?: 'ES256' | 'ES384' | 'PS256' | 'EdDSA';
  /** `aud` of each assertion, where the platform wants another than `tokenUrl`. */
  readonly audience?: string;
  /** Scopes to ask for, with a space between; all that the client has where absent. */
  readonly scope?: string;
  /** Milliseconds that the request for a token may take, 1 or more. Default 10 s. */
  readonly timeoutMs?: number;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** Default `globalThis.fetch`; {@link createTlsFetch} beside mutual TLS. */
  readonly fetch?: PlatformFetch;
  /** Makes an id that nobody else makes, the `jti` of an assertion. Default `crypto.randomUUID`. */
  readonly newId?: () => string;
}

/**
 * Authorizes requests with tokens that are got for an assertion signed with the client's private key: no secret is shared with the
 * platform, and none crosses the wire. A token is kept until shortly before its end; while one is asked for, all requests wait for that
 * one; a token that was refused is never used again.
 *
 * Its `fields` rejects with {@link HopbackError} `unauthorized` when the platform refuses the assertion, `network-failed` or
 * `unavailable` (retryable) when it cannot be asked now, `response-unreadable` when its answer is no token.
 * @param options - who asks, with which key, where
 * @returns the authorization; one assertion has been signed by then, so that a key that cannot is found now
 * @throws {@link HopbackError} `invalid-configuration` when the URL is none, or not for credentials; `key-unusable` when the key cannot be
 * read or does not sign
 * @see RFC 7523 section 2.2, RFC 6749 section 4.4, OpenID Connect Core 1.0 section 9 (`private_key_jwt`)
 * @example
 * ```ts
 * const authorization = await privateKeyJwt({
 *   tokenUrl: 'https://itg.example/oauth/token',
 *   clientId: 'carrier-1',
 *   key: createTestKey().privateKeyPem,
 *   keyId: '2026-1',
 * });
 * console.log(typeof authorization.fields); // function
 * ```
 */
export async function privateKeyJwt(options: PrivateKeyJwtOptions): Promise<RequestAuthorization> {
  const { algorithm = 'ES256', clock = MACHINE_CLOCK, newId = nodeId, keyId, clientId, scope } = options;
  const tokenUrl = platformUrl(options.tokenUrl).href;
  const sign = assertionSigning(options.key, algorithm, keyId);
  const assertion = (): Promise<string> => {
    const iat = Math.floor(clock.nowMs() / 1_000);
    const exp = iat + ASSERTION_LIFETIME_SECONDS;
    return sign({
      iss: clientId,
      sub: clientId,
      aud: options.audience ?? tokenUrl,
      jti: newId(),
      iat,
      exp,
    });
  };
  const ask = async (): Promise<Token> => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: CLIENT_ASSERTION_TYPE,
      client_assertion: await assertion(),
      ...defined({ scope }),
    });
    const deadline = attemptDeadline(options.timeoutMs ?? TOKEN_TIMEOUT_MS, undefined, clock.schedule);
    try {
      const response = await (options.fetch ?? nodeFetch)(tokenUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: Buffer.from(form.toString()),
        redirect: 'manual',
        signal: deadline.signal,
      });
      return await tokenOf(response, clock);
    } catch (cause) {
      throw isHopbackError(cause) ? cause : unreachable(cause, deadline);
    } finally {
      deadline.end();
    }
  };
  await assertion();
  return keepingToken(clock, ask);
}

/** A token as it goes into requests. */
interface Token {
  readonly fields: Readonly<Record<string, string>>;
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

/** One token for all requests, and one request for it at a time. */
function keepingToken(clock: TimerClock, ask: () => Promise<Token>): RequestAuthorization {
  let token: Token | undefined;
  let pending: Promise<Token> | undefined;

  const renew = (): Promise<Token> => {
    pending ??= ask()
      .then((answer) => (token = answer))
      .finally(() => (pending = undefined));
    return pending;
  };

  const current = async (): Promise<Token> => {
    const held = token;
    if (held !== undefined && clock.nowMs() < held.renewAtMs) return held;
    try {
      return await renew();
    } catch (error) {
      // Until its very end the old one is good: a token endpoint that is away for a minute stops nobody.
      if (held !== undefined && held === token && clock.nowMs() < held.endsAtMs) return held;
      throw error;
    }
  };

  return {
    // Whoever gives up waiting leaves the request for the token to the others.
    fields: async (_request, signal) => (await abortable(current, signal)).fields,
    refused: (fields) => {
      if (fields === undefined || token?.fields['authorization'] === fields['authorization']) token = undefined;
    },
  };
}

async function tokenOf(response: Response, clock: TimerClock): Promise<Token> {
  if (retryClassOf(response.status) !== 'done') throw await refusal(response, clock.nowMs());
  const body = await readBoundedBody(response, MAX_TOKEN_ANSWER_BYTES);
  const reading = readJson(body.bytes, TokenAnswer);
  if (body.isCut || reading.status !== 'read') throw unreadable();
  return tokenOfAnswer(reading.value, clock.nowMs());
}

function tokenOfAnswer({ access_token: text, expires_in: seconds }: TokenAnswer, nowMs: number): Token {
  // More than a section of header fields may have, as with a bearer token that is given.
  if (text.length > MAX_BEARER_TOKEN_LENGTH) throw unreadable();
  const lifetimeMs = seconds * 1_000;
  // A token that lives for a minute is used for half of it, rather than never.
  const marginMs = Math.min(TOKEN_RENEWAL_MARGIN_MS, lifetimeMs / 2);
  return {
    fields: { authorization: `Bearer ${text}` },
    renewAtMs: nowMs + lifetimeMs - marginMs,
    endsAtMs: nowMs + lifetimeMs,
  };
}

/** 400 is among the refusals of the credential: an assertion that is no good is answered with `invalid_client` or `invalid_grant`. */
async function refusal(response: Response, nowMs: number): Promise<HopbackError> {
  const { status: httpStatus } = response;
  const { bytes } = await readRefusalBody(response, MAX_PROBLEM_BYTES);
  const isPassing = retryClassOf(httpStatus) === 'retry';
  const waitMs = retryAfterMs(response.headers.get('retry-after'), nowMs);
  const oauthError = /"error"\s{0,8}:\s{0,8}"([a-z_]{1,40})"/.exec(bytes.toString('latin1'))?.[1];
  const said = oauthError === undefined ? '' : ` ${oauthError}`;
  const code = isPassing ? 'unavailable' : 'unauthorized';
  const details = defined({ httpStatus, oauthError, retryAfterMs: waitMs });
  return new HopbackError(code, `the platform gives no token: ${httpStatus}${said}`, { retryable: isPassing, details });
}

function unreachable(cause: unknown, deadline: AttemptDeadline): HopbackError {
  const reason = deadline.isOver() ? 'timeout' : connectionErrorCode(cause);
  return new HopbackError('network-failed', `no token could be asked for: ${reason}`, {
    retryable: true,
    cause,
    details: { reason },
  });
}

const unreadable = (): HopbackError =>
  new HopbackError('response-unreadable', 'the answer of the token endpoint is no bearer token');

function abortable<Value>(begin: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) return Promise.reject(new HopbackError('aborted', 'given up while a token was asked for'));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new HopbackError('aborted', 'given up while a token was asked for'));
    signal.addEventListener('abort', onAbort, { once: true });
    begin()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A public key as a platform registers it. RFC 7517 section 4 */
export interface PublicKeyJwk {
  readonly kty: string;
  /** Name of the key: `sha256:` and its RFC 7638 thumbprint where nobody gave another. */
  readonly kid: string;
  readonly alg: AssertionAlgorithm;
  readonly use: 'sig';
  readonly [member: string]: string;
}

/** What a text with a key holds. */
export interface PublicKeyReading {
  readonly jwk: PublicKeyJwk;
  /** Whether the text has the private key too, of which nothing is in `jwk`. */
  readonly isPrivate: boolean;
}

/** Settings of {@link readPublicKeyJwk}. */
export interface PublicKeyJwkOptions {
  /** `kid` of the result. Default that of the JWK, else `sha256:` and its RFC 7638 thumbprint. */
  readonly keyId?: string;
  /** Opens an encrypted private key. */
  readonly passphrase?: string;
}

/** Longest text that is read, characters: an RSA key of 8,192 bits in PEM has 6,400. */
const MAX_KEY_CHARS = 65_536;

/**
 * Reads the public half of a key: of a PEM text (private key, public key or certificate) or of a JWK, public or private. Private members are never in
 * the result.
 * @param text - PEM, or JSON of one JWK: EC P-256 or P-384, Ed25519, or RSA
 * @param options - the key's name, and the passphrase of an encrypted key
 * @returns the public JWK with `kid`, `alg` and `use`, and whether the text held the private key
 * @throws {@link HopbackError} `key-unusable` where the text holds no such key, with what to do
 * @see RFC 7517 section 4, RFC 7638 section 3
 * @example
 * ```ts
 * const { jwk } = await readPublicKeyJwk(createTestKey().privateKeyPem, { keyId: 'client-2026' });
 * console.log(jwk.kid, jwk.alg, 'd' in jwk); // client-2026 ES256 false
 * ```
 */
export async function readPublicKeyJwk(text: string, options: PublicKeyJwkOptions = {}): Promise<PublicKeyReading> {
  if (text.length > MAX_KEY_CHARS) throw unusableText(`has more than ${MAX_KEY_CHARS} characters, which no key has`);
  const { key, isPrivate, keyId } = text.trimStart().startsWith('{') ? ofJwk(text) : ofPem(text, options.passphrase);
  const { kty = '', crv, x, y, n, e } = key.export({ format: 'jwk' });
  const alg = algorithmOf(kty, crv);
  if (alg === undefined)
    throw unusableText(`holds a key of the kind ${kty} ${crv ?? ''}: use EC P-256 or P-384, Ed25519, or RSA`);
  const members = Object.fromEntries(
    Object.entries({
      kty,
      crv,
      x,
      y,
      n,
      e,
    }).filter((member): member is [string, string] => member[1] !== undefined),
  );
  // A thumbprint may begin with a hyphen, with which no id of a platform begins.
  const kid = options.keyId ?? keyId ?? `sha256:${await calculateJwkThumbprint(members)}`;
  return {
    jwk: {
      ...members,
      kty,
      kid,
      alg,
      use: 'sig',
    },
    isPrivate,
  };
}

interface ReadKey {
  readonly key: KeyObject;
  readonly isPrivate: boolean;
  readonly keyId?: string;
}

function ofJwk(text: string): ReadKey {
  const given = parsedJson(text);
  if (given === undefined) throw unusableText('begins like JSON and is not JSON');
  const { d, kid, keys, ...members } = given as Readonly<Record<string, unknown>>;
  if (keys !== undefined) throw unusableText('holds a set of keys: take the one JWK out of `keys`');
  if (members['kty'] === 'oct') throw unusableText('holds a secret of both sides, and no key pair');
  try {
    const key = createPublicKey({ key: members as JsonWebKey, format: 'jwk' });
    return { key, isPrivate: d !== undefined, ...(typeof kid === 'string' && { keyId: kid }) };
  } catch {
    throw unusableText('holds JSON that is not a JWK of a public or private key');
  }
}

const PRIVATE_PEM = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----/;

function ofPem(text: string, passphrase: string | undefined): ReadKey {
  const isPrivate = PRIVATE_PEM.test(text);
  if (!isPrivate && !text.includes('-----BEGIN ')) throw unusableText('holds neither a key in PEM nor a JWK');
  try {
    if (!isPrivate) return { key: createPublicKey(text), isPrivate };
    const secret = passphrase === undefined ? {} : { passphrase };
    return { key: createPublicKey(createPrivateKey({ key: text, format: 'pem', ...secret })), isPrivate };
  } catch {
    const isEncrypted = isPrivate && /ENCRYPTED/.test(text);
    throw unusableText(
      isEncrypted
        ? 'holds an encrypted private key, which the passphrase does not open'
        : 'holds PEM that is not a usable key',
    );
  }
}

function algorithmOf(kty: string, crv: string | undefined): AssertionAlgorithm | undefined {
  if (kty === 'RSA') return 'PS256';
  if (crv === 'Ed25519') return 'EdDSA';
  if (crv === 'P-256') return 'ES256';
  return crv === 'P-384' ? 'ES384' : undefined;
}

const unusableText = (what: string): HopbackError => new HopbackError('key-unusable', `the text ${what}`);
