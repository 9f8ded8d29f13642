import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { Clock } from '../../core/runtime/clock.js';
import { jsonAnswer } from '../../platform/index.js';
import type { PlatformAnswer, PlatformScope, TokenAnswer, TokenRefusal, TokenRequest } from '../../platform/index.js';
import type { ClientRegister, RegisteredClient } from './registered-clients.js';

/** Seconds that a token lasts where nothing else is said. */
export const DEFAULT_TOKEN_LIFETIME_SECONDS = 300;
/** How far clocks may differ, seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Who a token is of, and how far it reaches. */
export interface TokenHolder {
  readonly client: RegisteredClient;
  readonly scopes: readonly PlatformScope[];
}

/** Gives tokens for assertions, and knows them again. */
export interface TokenDesk {
  /** Answers a request for a token. @see RFC 7523 section 3 */
  readonly issue: (request: TokenRequest) => Promise<PlatformAnswer>;
  /** A token without an assertion, for tests. */
  readonly mint: (client: RegisteredClient, scopes?: readonly PlatformScope[]) => string;
  /** Whose token it is; undefined where it is none, or over. */
  readonly holderOf: (authorization: string | null) => TokenHolder | undefined;
  /** Ends all tokens of a client. */
  readonly expire: (clientId: string) => void;
}

/** Makes the desk. */
export function createTokenDesk(parts: {
  readonly register: ClientRegister;
  readonly clock: Clock;
  readonly tokenUrl: string;
  readonly newId: (kind: string) => string;
  readonly lifetimeSeconds: number;
}): TokenDesk {
  const { register, clock, tokenUrl, newId, lifetimeSeconds } = parts;
  const tokens = new Map<string, TokenHolder & { readonly endsAtMs: number }>();
  /** A client uses an assertion once. RFC 7523 section 3 item 7 */
  const used = new Set<string>();

  const mint = (client: RegisteredClient, scopes = client.scopes): string => {
    const token = newId('token');
    tokens.set(token, { client, scopes, endsAtMs: clock.nowMs() + lifetimeSeconds * 1_000 });
    return token;
  };

  const issue = async ({ client_assertion: assertion, scope }: TokenRequest): Promise<PlatformAnswer> => {
    const client = await clientOf(assertion, { register, clock, tokenUrl, used });
    if ('error' in client) return { kind: 'refusal', status: 401, value: client };
    const asked = scope?.split(' ') ?? client.scopes;
    const scopes = client.scopes.filter((one) => asked.includes(one));
    if (scopes.length < asked.length)
      return { kind: 'refusal', status: 400, value: refusal('invalid_scope', 'The client may not have that scope.') };
    const answer: TokenAnswer = {
      access_token: mint(client, scopes),
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      scope: scopes.join(' '),
    };
    return jsonAnswer(answer);
  };

  return {
    issue,
    mint,
    holderOf: (authorization) => {
      const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
      const held = token === undefined ? undefined : tokens.get(token);
      return held !== undefined && clock.nowMs() < held.endsAtMs ? held : undefined;
    },
    expire: (clientId) => {
      for (const [token, { client }] of tokens) if (client.clientId === clientId) tokens.delete(token);
    },
  };
}

const refusal = (error: string, error_description: string): TokenRefusal => ({ error, error_description });

async function clientOf(
  assertion: string,
  {
    register,
    clock,
    tokenUrl,
    used,
  }: {
    readonly register: ClientRegister;
    readonly clock: Clock;
    readonly tokenUrl: string;
    readonly used: Set<string>;
  },
): Promise<RegisteredClient | TokenRefusal> {
  let client: RegisteredClient | undefined;
  let claims: JWTPayload;
  try {
    const keyOf = ({ kid }: { readonly kid?: string }): RegisteredClient['clientKey']['publicKey'] => {
      client = [...register.clients.values()].find(({ clientKeyId }) => clientKeyId === kid);
      if (client === undefined) throw new errors.JWKSNoMatchingKey();
      return client.clientKey.publicKey;
    };
    const verified = await jwtVerify(assertion, keyOf, {
      algorithms: ['ES256', 'ES384', 'PS256', 'EdDSA'],
      audience: tokenUrl,
      currentDate: new Date(clock.nowMs()),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'jti'],
    });
    claims = verified.payload;
  } catch (error) {
    return refusal('invalid_client', error instanceof errors.JOSEError ? error.code : 'The assertion is none.');
  }
  const { iss, sub, jti } = claims;
  if (client === undefined || iss !== client.clientId || sub !== client.clientId)
    return refusal('invalid_client', 'Issuer and subject are not the client.');
  const name = `${iss}\n${String(jti)}`;
  if (used.has(name)) return refusal('invalid_client', 'The assertion was used before.');
  used.add(name);
  return client;
}
