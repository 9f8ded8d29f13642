import type { KeyObject } from 'node:crypto';
import type { TimerClock } from '../../sdk/src/core/runtime/clock.js';
import { PlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import { startPlatform, type PlatformOptions, type RunningPlatform } from '../../harness/src/platform/index.js';
import type {
  PlatformFetch,
  PlatformScope,
  PrivateKeyJwtOptions,
  ProviderEntry,
} from '../../sdk/src/platform/index.js';
import { createTestKey, type TestKeyType } from '../../sdk/src/testing/test-key.js';
import { testEntry } from './itg-calls.js';
import { emptyDatabase } from './itg-database.js';

/** A key of a client of a test. */
export interface ClientTestKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly algorithm: NonNullable<PrivateKeyJwtOptions['algorithm']>;
}

const KEY_TYPES: Readonly<Record<ClientTestKey['algorithm'], TestKeyType>> = {
  ...({ ES256: 'P-256', ES384: 'P-384', EdDSA: 'Ed25519', PS256: 'RSA-2048' } as const),
};

/** Makes a key for assertions. */
export function clientTestKey(keyId: string, algorithm: ClientTestKey['algorithm'] = 'ES256'): ClientTestKey {
  const { privateKey, publicKeyJwk } = createTestKey(KEY_TYPES[algorithm]);
  return { keyId, privateKey, jwk: { ...publicKeyJwk, kid: keyId }, algorithm };
}

/** An organization with a client that calls a platform in a test. */
export interface TestMember {
  readonly organizationId: string;
  readonly clientId: string;
  readonly key: ClientTestKey;
}

/** A carrier that is in the registry, with the key that it signs answers with. */
export interface TestCarrier extends TestMember {
  readonly entry: ProviderEntry;
  readonly answerKey: { readonly keyId: string; readonly privateKey: KeyObject };
}

interface JoinDetails {
  /** Default the id. */
  readonly name?: string;
  /** Of an agency. Default `US-TX`. */
  readonly jurisdiction?: string;
  /** Of staff. Default none. */
  readonly roles?: readonly ('operator' | 'reviewer' | 'analyst')[];
}

const RATE = { perSecond: 1_000_000, burst: 1_000_000 };
/** Rates that no test reaches. */
export const UNLIMITED = { perClient: RATE, perAddress: RATE };

/** Starts a platform whose answers are held against their schemas. */
export async function startPlatformLab(options: PlatformOptions = {}): Promise<PlatformLab> {
  const operator = { organizationId: 'itg', clientId: 'itg-operator', key: clientTestKey('first') };
  const platform = await startPlatform({
    checkAnswers: true,
    rates: UNLIMITED,
    firstOperator: { clientId: operator.clientId, jwk: operator.key.jwk },
    // To make a database takes seconds.
    database: { memory: true, template: await emptyDatabase() },
    ...options,
  });
  return platformLab(platform, operator, options.clock);
}

/** A running platform with its first operator. */
export type PlatformLab = ReturnType<typeof platformLab>;

/** The same of a platform that runs. */
export const platformLab = (platform: RunningPlatform, operator: TestMember, clock?: TimerClock) => ({
  platform,
  ...platformMembers(platform, operator, { ...(clock !== undefined && { clock }) }),
  [Symbol.asyncDispose]: (): Promise<void> => platform.close(),
});

/** Calls of a platform by its members, and what registers them, wherever the platform runs. */
export function platformMembers(
  { url, tokenUrl }: Pick<RunningPlatform, 'url' | 'tokenUrl'>,
  operator: TestMember,
  given: { readonly clock?: TimerClock; readonly fetch?: PlatformFetch } = {},
) {
  const authorization = ({ clientId, key }: TestMember, parts = given) =>
    privateKeyJwt({
      ...{ tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, algorithm: key.algorithm, ...parts },
    });
  const token = async (member: TestMember): Promise<string> => {
    const { fields } = await authorization(member);
    const { authorization: field = '' } = await fields({ method: 'GET', url }, new AbortController().signal);
    return field.slice('Bearer '.length);
  };
  /** Calls with a token; JSON where there is a body. */
  const call = async (
    bearer: string | undefined,
    method: string,
    path: string,
    { body, key }: { readonly body?: unknown; readonly key?: string } = {},
  ) => {
    const response = await (given.fetch ?? fetch)(`${url}${path}`, {
      method,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
      redirect: 'manual',
      signal: new AbortController().signal,
    });
    const text = await response.text();
    const value = text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
    return { status: response.status, headers: response.headers, value };
  };
  let operatorToken: Promise<string> | undefined;
  /** Calls as the first operator; what is answered has to be a success. */
  const asOperator = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const { status, value } = await call(await (operatorToken ??= token(operator)), method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(value)}`);
    return value;
  };
  /** Registers an organization with a client; an agency is of Texas and staff has no role where nothing else is said. */
  const join = async (
    kind: PlatformScope,
    organizationId: string,
    { name = organizationId, jurisdiction = 'US-TX', roles }: JoinDetails = {},
  ): Promise<TestMember> => {
    const member = { organizationId, clientId: `${organizationId}-1`, key: clientTestKey(`${organizationId}-key`) };
    const agency = kind === 'agency' ? { jurisdiction, contactEmail: 'cases@agency.example' } : {};
    await asOperator('POST', '/v1/organizations', { organizationId, kind, name, ...agency });
    await asOperator('POST', '/v1/clients', {
      ...{ clientId: member.clientId, organizationId, name: 'Test', keys: [{ jwk: member.key.jwk }] },
      ...(roles !== undefined && { roles }),
    });
    return member;
  };
  return {
    ...{ operator, authorization, token, call, asOperator, join },
    /** A client of the sdk, which calls by this `fetch` where one is given. */
    client: async (member: TestMember, by?: PlatformFetch): Promise<PlatformClient> => {
      const parts = { ...given, ...(by !== undefined && { fetch: by }) };
      return new PlatformClient({ baseUrl: url, authorization: await authorization(member, parts), ...parts });
    },
    /** Registers a carrier: an organization with a client, an entry in the registry, and a key of answers. Its office is in New York. */
    joinCarrier: async (organizationId: string, changes: Partial<ProviderEntry> = {}): Promise<TestCarrier> => {
      const member = await join('carrier', organizationId, { name: changes.businessName ?? organizationId });
      const entry = testEntry(organizationId, changes);
      const { privateKey, publicKeyJwk } = createTestKey();
      const { kty = '', crv = '', x = '', y = '' } = publicKeyJwk;
      const keyId = `${organizationId}-answers`;
      const registered = `/v1/registry/providers/${organizationId}`;
      await asOperator('POST', registered, entry);
      await asOperator('POST', `${registered}/office`, { zone: 'America/New_York' });
      const jwk = { kty, crv, x, y, kid: keyId, alg: 'ES256', use: 'sig' };
      await asOperator('POST', `${registered}/answer-keys`, { jwk });
      return { ...member, entry, answerKey: { keyId, privateKey } };
    },
  };
}
