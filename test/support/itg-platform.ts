import type { KeyObject } from 'node:crypto';
import type { TimerClock } from '../../sdk/src/core/runtime/clock.js';
import { createPlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import type { AssertionAlgorithm, PlatformClient, PlatformFetch, PlatformScope } from '../../sdk/src/platform/index.js';
import { createTestKey, type TestKeyType } from '../../sdk/src/testing/test-key.js';
import { startPlatform } from '../../harness/src/platform/index.js';
import type { PlatformOptions, RunningPlatform } from '../../harness/src/platform/index.js';
import { emptyDatabase } from './itg-database.js';

/** A key of a client of a test. */
export interface ClientTestKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly algorithm: AssertionAlgorithm;
}

const KEY_TYPES: Readonly<Record<AssertionAlgorithm, TestKeyType>> = {
  ...({ ES256: 'P-256', ES384: 'P-384', EdDSA: 'Ed25519', PS256: 'RSA-2048' } as const),
};

/** Makes a key for assertions. */
export function clientTestKey(keyId: string, algorithm: AssertionAlgorithm = 'ES256'): ClientTestKey {
  const { privateKey, publicKeyJwk } = createTestKey(KEY_TYPES[algorithm]);
  return { keyId, privateKey, jwk: { ...publicKeyJwk, kid: keyId }, algorithm };
}

/** Somebody who calls a platform in a test. */
export interface TestMember {
  readonly organizationId: string;
  readonly clientId: string;
  readonly key: ClientTestKey;
}

/** What may be said of somebody who joins. */
export interface JoinDetails {
  /** Default the id. */
  readonly name?: string;
  /** Of an agency. Default `US-TX`. */
  readonly jurisdiction?: string;
  /** Of staff. Default none. */
  readonly roles?: readonly ('operator' | 'reviewer' | 'analyst')[];
}

/** A running platform with its first operator. */
export interface PlatformLab extends AsyncDisposable {
  readonly platform: RunningPlatform;
  readonly operator: TestMember;
  /** Registers an organization with a client; an agency is of Texas and staff has no role where nothing else is said. */
  readonly join: (kind: PlatformScope, organizationId: string, details?: JoinDetails) => Promise<TestMember>;
  readonly token: (member: TestMember) => Promise<string>;
  /** A client of the sdk, which calls by this `fetch` where one is given. */
  readonly client: (member: TestMember, fetch?: PlatformFetch) => Promise<PlatformClient>;
  /** Calls as somebody; JSON where there is a body. */
  readonly call: (
    token: string | undefined,
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly key?: string },
  ) => Promise<{ readonly status: number; readonly value: unknown; readonly headers: Headers }>;
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

/** The same of a platform that runs. */
export function platformLab(platform: RunningPlatform, operator: TestMember, clock?: TimerClock): PlatformLab {
  const optional = (by?: PlatformFetch) => ({
    ...(clock !== undefined && { clock }),
    ...(by !== undefined && { fetch: by }),
  });
  const authorization = ({ clientId, key }: TestMember, by?: PlatformFetch): ReturnType<typeof privateKeyJwt> =>
    privateKeyJwt({
      ...{ tokenUrl: platform.tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, algorithm: key.algorithm },
      ...optional(by),
    });
  const token = async (member: TestMember): Promise<string> => {
    const fields = await (
      await authorization(member)
    ).fields({ method: 'GET', url: platform.url }, new AbortController().signal);
    return (fields['authorization'] ?? '').slice('Bearer '.length);
  };
  const call: PlatformLab['call'] = async (bearer, method, path, { body, key } = {}) => {
    const response = await fetch(`${platform.url}${path}`, {
      method,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      value: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
    };
  };
  let operatorToken: Promise<string> | undefined;
  return {
    ...{ platform, operator, token, call },
    client: async (member, by) =>
      createPlatformClient({
        ...{ baseUrl: platform.url, authorization: await authorization(member, by), ...optional(by) },
      }),
    join: async (kind, organizationId, { name = organizationId, jurisdiction = 'US-TX', roles } = {}) => {
      const member = { organizationId, clientId: `${organizationId}-1`, key: clientTestKey(`${organizationId}-key`) };
      const agency = kind === 'agency' ? { jurisdiction, contactEmail: 'cases@agency.example' } : {};
      const asOperator = await (operatorToken ??= token(operator));
      const organization = { organizationId, kind, name, ...agency };
      const made = await call(asOperator, 'POST', '/v1/organizations', { body: organization });
      if (made.status !== 201) throw new Error(`no organization: ${JSON.stringify(made.value)}`);
      const client = {
        ...{ clientId: member.clientId, organizationId, name: 'Test', keys: [{ jwk: member.key.jwk }] },
        ...(roles !== undefined && { roles }),
      };
      const registered = await call(asOperator, 'POST', '/v1/clients', { body: client });
      if (registered.status !== 201) throw new Error(`no client: ${JSON.stringify(registered.value)}`);
      return member;
    },
    [Symbol.asyncDispose]: () => platform.close(),
  };
}
