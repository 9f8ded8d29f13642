import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import { MAX_BEARER_TOKEN_LENGTH } from '../auth.js';
import type { RequestAuthorization } from '../auth.js';
import { attemptDeadline } from '../http/attempt-deadline.js';
import type { AttemptDeadline } from '../http/attempt-deadline.js';
import { readBoundedBody, readRefusalBody } from '../http/bounded-body.js';
import { connectionErrorCode } from '../http/connection-error.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { nodeFetch, nodeId } from '../http/node-defaults.js';
import type { PlatformFetch } from '../http/platform-fetch.js';
import { platformUrl } from '../http/platform-url.js';
import { retryAfterMs, retryClassOf } from '../retry.js';
import { CLIENT_ASSERTION_TYPE } from '../wire/token.js';
import type { TokenAnswer } from '../wire/token.js';
import { tokenAnswerSchema } from '../wire/token.schema.js';
import { assertionSigning } from './assertion-key.js';
import type { AssertionAlgorithm, AssertionKey, SignAssertion } from './assertion-key.js';
import { MAX_PROBLEM_BYTES } from './call-failure.js';
import { readJson } from './read-json.js';

/** How long an assertion is good for, seconds: one round trip, and clocks that differ by half a minute. */
export const ASSERTION_LIFETIME_SECONDS = 60;

/** How long before its end a token is exchanged for another, milliseconds: no request that is under way then finds it expired. */
export const TOKEN_RENEWAL_MARGIN_MS = 60_000;

/** How long the request for a token may take, milliseconds. */
export const TOKEN_TIMEOUT_MS = 10_000;

/** Octets of the answer of a token endpoint: a token at its longest, and room. */
const MAX_TOKEN_ANSWER_BYTES = 32_768;

/** Who asks for tokens, and where. */
export interface PrivateKeyJwtOptions {
  /** `https:`, or `http:` on this very machine: `https://itg.example/oauth/token`. */
  readonly tokenUrl: string;
  /** As the platform registered it; issuer and subject of each assertion. */
  readonly clientId: string;
  readonly key: AssertionKey;
  /** `kid` under which the platform has the public half. */
  readonly keyId: string;
  /** Default `ES256`. */
  readonly algorithm?: AssertionAlgorithm;
  /** `aud` of each assertion, where the platform wants another than `tokenUrl`. */
  readonly audience?: string;
  /** Scopes to ask for, with a space between; all that the client has where absent. */
  readonly scope?: string;
  /** Milliseconds that the request for a token may take, 1 or more. Default {@link TOKEN_TIMEOUT_MS}. */
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
  const { algorithm = 'ES256', clock = MACHINE_CLOCK, newId = nodeId, keyId } = options;
  const tokenUrl = platformUrl(options.tokenUrl).href;
  const asking: Asking = {
    ...{ options, tokenUrl, clock, newId },
    sign: assertionSigning(options.key, { algorithm, keyId }),
    fetch: options.fetch ?? nodeFetch,
  };
  await assertion(asking);
  return keepingToken(clock, () => askForToken(asking));
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

interface Asking {
  readonly options: PrivateKeyJwtOptions;
  readonly tokenUrl: string;
  readonly clock: TimerClock;
  readonly newId: () => string;
  readonly sign: SignAssertion;
  readonly fetch: PlatformFetch;
}

function assertion({ options, tokenUrl, clock, newId, sign }: Asking): Promise<string> {
  const iat = Math.floor(clock.nowMs() / 1_000);
  const { clientId, audience = tokenUrl } = options;
  return sign({
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: newId(),
    iat,
    exp: iat + ASSERTION_LIFETIME_SECONDS,
  });
}

async function askForToken(asking: Asking): Promise<Token> {
  const { options, tokenUrl, clock } = asking;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: CLIENT_ASSERTION_TYPE,
    client_assertion: await assertion(asking),
    ...(options.scope === undefined ? {} : { scope: options.scope }),
  });
  const deadline = attemptDeadline(options.timeoutMs ?? TOKEN_TIMEOUT_MS, undefined, clock.schedule);
  try {
    const response = await asking.fetch(tokenUrl, {
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
}

async function tokenOf(response: Response, clock: TimerClock): Promise<Token> {
  if (retryClassOf(response.status) !== 'done') throw await refusal(response, clock.nowMs());
  const body = await readBoundedBody(response, MAX_TOKEN_ANSWER_BYTES);
  const reading = readJson(body.bytes, tokenAnswerSchema);
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
  return new HopbackError(
    isPassing ? 'unavailable' : 'unauthorized',
    `the platform gives no token: ${httpStatus}${said}`,
    {
      retryable: isPassing,
      details: {
        httpStatus,
        ...(oauthError === undefined ? {} : { oauthError }),
        ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      },
    },
  );
}

function unreachable(cause: unknown, deadline: AttemptDeadline): HopbackError {
  const reason = deadline.isOver() ? 'timeout' : connectionErrorCode(cause);
  return new HopbackError('network-failed', `no token could be asked for: ${reason}`, {
    ...{ retryable: true, cause, details: { reason } },
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
