import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { jsonAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import type { PlatformScope, WireBodies } from '@hopback/sdk/platform';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { Caller, OperationCall, PlatformContext } from '../core/index.js';
import type { TrustTables } from './trust-tables.js';

type TokenAnswer = WireBodies['TokenAnswer'];
type TokenRefusal = WireBodies['TokenRefusal'];
type TokenRequest = WireBodies['TokenRequest'];

/**
 * Seconds that a token lasts. Tokens are random and stored, not signed statements: every call looks its token up together with its client
 * and organization, so that whoever is revoked is out with the next call, which no signed token can do. That they end at all bounds what a
 * stolen one is good for, and how many there are.
 */
export const TOKEN_LIFETIME_SECONDS = 600;
/** How far clocks may differ, seconds. */
export const CLOCK_TOLERANCE_SECONDS = 30;
/** Longest life of an assertion from now on, seconds: each has to be remembered as long. RFC 7523 section 3 item 4 allows to refuse others. */
export const MAX_ASSERTION_SECONDS = 300;
/** Tokens of one client that are good at once: a process of a large client asks for one in minutes. The oldest end first. */
export const MAX_CLIENT_TOKENS = 1_000;
/** Longest `jti`. */
const MAX_JTI_CHARS = 256;
/** Octets of a token: nobody guesses 256 bits. RFC 6749 section 10.10 */
const TOKEN_BYTES = 32;

/** What is known of a call beside its token. */
export interface CallerOptions {
  readonly nowMs: number;
  /** Of the certificate that was shown. */
  readonly certificateSha256?: string;
}

/** What tokens are given with: `tokenUrl` is what assertions name as their audience. */
export interface TokenParts {
  readonly context: PlatformContext;
  readonly tokenUrl: string;
}

/** The operation `issueToken`. @see RFC 6749 section 4.4, RFC 7523 section 2.2 */
export async function issueToken(parts: TokenParts, call: OperationCall): Promise<PlatformAnswer> {
  const { client_assertion: assertion, scope } = call.request.body as TokenRequest;
  const reading = await readAssertion(assertion, { ...parts, nowMs: call.atMs });
  if (reading.status === 'refused') return refused(401, 'invalid_client', reading.why);
  const { client } = reading;
  const { certificateSha256: shown } = call;
  if (client.certificates.length > 0 && (shown === undefined || !client.certificates.includes(shown)))
    return refused(401, 'invalid_client', 'The connection shows no certificate of the client.');
  if (scope !== undefined && scope !== client.kind)
    return refused(400, 'invalid_scope', 'The client may not have that scope.');
  const token = await giveToken(parts.context, { ...reading, nowMs: call.atMs, certificate: shown ?? null });
  if (token === undefined) return refused(401, 'invalid_client', 'The assertion was used before.');
  const answer: TokenAnswer = {
    access_token: token,
    token_type: 'Bearer',
    expires_in: TOKEN_LIFETIME_SECONDS,
    scope: client.kind,
  };
  return jsonAnswer(answer);
}

const refused = (status: number, error: string, error_description: string): PlatformAnswer => {
  const value: TokenRefusal = { error, error_description };
  return { kind: 'refusal', status, value };
};

interface AssertingClient {
  readonly clientId: string;
  readonly keyId: string;
  readonly kind: PlatformScope;
  readonly certificates: readonly string[];
}

type AssertionReading =
  | {
      readonly status: 'believed';
      readonly client: AssertingClient;
      readonly jti: string;
      readonly endsAtMs: number;
    }
  | { readonly status: 'refused'; readonly why: string };

const unbelieved = (why: string): AssertionReading => ({ status: 'refused', why });

/** @see RFC 7523 section 3, RFC 8725 */
async function readAssertion(
  assertion: string,
  { context, tokenUrl, nowMs }: TokenParts & { readonly nowMs: number },
): Promise<AssertionReading> {
  const said = saidBy(assertion);
  if (said === undefined) return unbelieved('client_assertion is not a valid JWT.');
  const key = await keyOf(context, said);
  // Nobody is told which of them it is: who the clients are is not for strangers.
  if (key === undefined || key.state !== 'active' || key.organizationState !== 'active')
    return unbelieved('There is no such client and key.');
  if (key.endsAtMs !== null && key.endsAtMs <= nowMs) return unbelieved('There is no such client and key.');
  let claims: JWTPayload;
  try {
    const verified = await jwtVerify(assertion, createPublicKey({ key: key.jwk as JsonWebKey, format: 'jwk' }), {
      algorithms: [key.algorithm],
      audience: tokenUrl,
      issuer: said.clientId,
      subject: said.clientId,
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'jti'],
    });
    claims = verified.payload;
  } catch {
    return unbelieved('Signature, audience, subject or time of the assertion are not right.');
  }
  const { aud, exp = 0, jti } = claims;
  // One that is meant for others too could be used by them.
  if (Array.isArray(aud) && aud.length !== 1) return unbelieved('The assertion is for several audiences.');
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_CHARS)
    return unbelieved(`jti is a text of 1 to ${MAX_JTI_CHARS} characters.`);
  if (exp * 1_000 > nowMs + (MAX_ASSERTION_SECONDS + CLOCK_TOLERANCE_SECONDS) * 1_000)
    return unbelieved(`An assertion lasts for ${MAX_ASSERTION_SECONDS} seconds at most.`);
  const endsAtMs = Math.ceil((exp + CLOCK_TOLERANCE_SECONDS) * 1_000);
  return { status: 'believed', client: key, jti, endsAtMs };
}

/** Longest id of a client or key that is looked up. */
const MAX_ID_CHARS = 128;

/** What an assertion says of itself, before anything of it is believed. */
function saidBy(assertion: string): { readonly clientId: string; readonly keyId: string } | undefined {
  try {
    const { kid } = decodeProtectedHeader(assertion);
    const { iss } = decodeJwt(assertion);
    return isId(kid) && isId(iss) ? { clientId: iss, keyId: kid } : undefined;
  } catch {
    return undefined;
  }
}

// A text with U+0000 is none to PostgreSQL.
const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_ID_CHARS && /^[\x21-\x7e]+$/.test(value);

async function keyOf(
  { database }: PlatformContext,
  { clientId, keyId }: { readonly clientId: string; readonly keyId: string },
): Promise<
  | (AssertingClient & {
      readonly jwk: Readonly<Record<string, unknown>>;
      readonly algorithm: string;
      readonly endsAtMs: number | null;
      readonly state: string;
      readonly organizationState: string;
    })
  | undefined
> {
  return database
    .withTables<TrustTables>()
    .selectFrom('trust_keys as key')
    .innerJoin('trust_clients as client', 'client.client_id', 'key.client_id')
    .innerJoin('trust_organizations as organization', 'organization.organization_id', 'client.organization_id')
    .select([
      'key.client_id as clientId',
      'key.key_id as keyId',
      'key.jwk',
      'key.algorithm',
      'key.ends_at_ms as endsAtMs',
    ])
    .select(['client.state', 'client.certificates', 'organization.kind', 'organization.state as organizationState'])
    .where('key.client_id', '=', clientId)
    .where('key.key_id', '=', keyId)
    .executeTakeFirst();
}

/** Notes that an assertion was used, and stores a token for it: both or none. @returns undefined where it was used before */
async function giveToken(
  context: PlatformContext,
  given: {
    readonly client: AssertingClient;
    readonly jti: string;
    readonly endsAtMs: number;
    readonly nowMs: number;
    readonly certificate: string | null;
  },
): Promise<string | undefined> {
  const { client, jti, nowMs, certificate } = given;
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return context.transact(async (transaction) => {
    const tables = transaction.withTables<TrustTables>();
    const noted = await tables
      .insertInto('trust_assertions')
      .values({ client_id: client.clientId, jti_hash: hashOf(jti), ends_at_ms: given.endsAtMs })
      .onConflict((conflict) => conflict.columns(['client_id', 'jti_hash']).doNothing())
      .returning('client_id')
      .executeTakeFirst();
    if (noted === undefined) return undefined;
    const row = {
      token_hash: hashOf(token),
      client_id: client.clientId,
      key_id: client.keyId,
      certificate,
      issued_at_ms: nowMs,
      ends_at_ms: nowMs + TOKEN_LIFETIME_SECONDS * 1_000,
    };
    await tables.insertInto('trust_tokens').values(row).execute();
    await tables
      .deleteFrom('trust_tokens')
      .where('token_hash', 'in', (query) =>
        query
          .selectFrom('trust_tokens')
          .select('token_hash')
          .where('client_id', '=', client.clientId)
          .orderBy('ends_at_ms', 'desc')
          .offset(MAX_CLIENT_TOKENS),
      )
      .execute();
    return token;
  });
}

/** Who calls with a token; undefined where nobody may with it. Never rejects for peer input. @see RFC 6750 section 2.1 for the form of a token */
export async function callerOf(
  { database }: PlatformContext,
  token: string,
  { nowMs, certificateSha256 }: CallerOptions,
): Promise<Caller | undefined> {
  const found = await database
    .withTables<TrustTables>()
    .selectFrom('trust_tokens as token')
    .innerJoin('trust_clients as client', 'client.client_id', 'token.client_id')
    .innerJoin('trust_organizations as organization', 'organization.organization_id', 'client.organization_id')
    .select(['token.client_id as clientId', 'token.certificate', 'client.name', 'client.roles'])
    .select(['organization.organization_id as organizationId', 'organization.kind'])
    .where('token.token_hash', '=', hashOf(token))
    .where('token.ends_at_ms', '>', nowMs)
    .where('client.state', '=', 'active')
    .where('organization.state', '=', 'active')
    .executeTakeFirst();
  if (found === undefined) return undefined;
  const { clientId, organizationId, kind, name, roles, certificate } = found;
  if (certificate !== null && certificate !== certificateSha256) return undefined;
  return {
    clientId,
    organizationId,
    kind,
    scopes: [kind],
    roles,
    name,
  };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Removes tokens and assertions that are over. @returns how many there were */
export async function forgetEnded({ transact }: PlatformContext, nowMs: number): Promise<number> {
  return transact(async (transaction) => {
    const tables = transaction.withTables<TrustTables>();
    const tokens = await tables.deleteFrom('trust_tokens').where('ends_at_ms', '<=', nowMs).executeTakeFirst();
    const used = await tables.deleteFrom('trust_assertions').where('ends_at_ms', '<=', nowMs).executeTakeFirst();
    return Number(tokens.numDeletedRows + used.numDeletedRows);
  });
}
