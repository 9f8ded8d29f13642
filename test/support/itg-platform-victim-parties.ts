import { readFileSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { createPrivateKey } from 'node:crypto';
import { createPlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import { nodeFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/index.js';
import type { PlatformClient, PlatformFetch, PlatformScope, RecordTransport } from '../../sdk/src/platform/index.js';
import { clientTestKey } from './itg-platform.js';
import { registeredProvider } from './itg-tracebacks.js';

/** What clients know the platform by, wherever its process of the moment listens. */
export const PLATFORM_URL = 'http://127.0.0.1:9';

/** Whoever calls the platform in these tests, each with one client. */
export interface PlatformParties {
  readonly staff: PlatformClient;
  readonly carriers: Readonly<Record<'prv-a' | 'prv-b', PlatformClient>>;
  readonly app: PlatformClient;
  readonly agency: PlatformClient;
  /** Of `prv-a` and `prv-b` in turn. */
  readonly transports: readonly RecordTransport[];
  /** Organizations that have an endpoint for webhooks. */
  readonly endpoints: readonly string[];
}

/** Leads to the process of the moment; where there is none, as a connection that is refused. */
export function fetchTo(port: () => number | undefined): PlatformFetch {
  return async (url, request) => {
    const { pathname, search } = new URL(url);
    const now = port();
    if (now === undefined) throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    return nodeFetch(`http://127.0.0.1:${now}${pathname}${search}`, request);
  };
}

interface PartyKey {
  readonly clientId: string;
  readonly keyId: string;
  readonly key: KeyObject;
}

/** Registers organizations, clients, providers and endpoints as an operator does, and gives their clients. */
export async function registerParties(options: {
  readonly fetch: PlatformFetch;
  /** Key of the first operator, PEM. */
  readonly operatorKeyFile: string;
  /** Where events are posted. */
  readonly webhookUrl: string;
}): Promise<PlatformParties> {
  const key = createPrivateKey(readFileSync(options.operatorKeyFile, 'utf8'));
  const operator = await authorized(options.fetch, { clientId: 'itg-operator', keyId: 'operator-1', key });
  const staff = client(options.fetch, operator);
  const posted = async (path: string, body: unknown): Promise<void> => {
    const signal = AbortSignal.timeout(20_000);
    const { authorization = '' } = await operator.fields({ method: 'POST', url: PLATFORM_URL }, signal);
    const response = await options.fetch(`${PLATFORM_URL}${path}`, {
      ...{ method: 'POST', signal, redirect: 'manual', body: Buffer.from(JSON.stringify(body)) },
      headers: { authorization, 'content-type': 'application/json' },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const joined = async (kind: PlatformScope, organizationId: string) => {
    const made = clientTestKey(`${organizationId}-key`);
    const agency = kind === 'agency' ? { jurisdiction: 'US-TX', contactEmail: 'cases@agency.example' } : {};
    await posted('/v1/organizations', { organizationId, kind, name: organizationId, ...agency });
    const clientId = `${organizationId}-1`;
    await posted('/v1/clients', { clientId, organizationId, name: 'Test', keys: [{ jwk: made.jwk }] });
    return authorized(options.fetch, { clientId, keyId: made.keyId, key: made.privateKey });
  };
  const carriers = [];
  for (const letter of ['a', 'b']) {
    const { entry, answerKeys } = registeredProvider(letter);
    const { alg: _alg, ...jwk } = answerKeys[0]?.jwk ?? {};
    await posted(`/v1/registry/providers/${entry.providerId}`, entry);
    await posted(`/v1/registry/providers/${entry.providerId}/answer-keys`, { jwk });
    carriers.push(await joined('carrier', entry.providerId));
  }
  const [a, b] = carriers;
  if (a === undefined || b === undefined) throw new Error('there are two carriers');
  const parties = {
    ...{ staff, carriers: { 'prv-a': client(options.fetch, a), 'prv-b': client(options.fetch, b) } },
    app: client(options.fetch, await joined('app', 'app-1')),
    agency: client(options.fetch, await joined('agency', 'ag-tx')),
  };
  const told = { 'prv-a': parties.carriers['prv-a'], 'prv-b': parties.carriers['prv-b'], 'ag-tx': parties.agency };
  for (const one of Object.values(told)) await one.webhookEndpoints.create({ url: options.webhookUrl });
  const transports = carriers.map((authorization) =>
    createHttpsRecordTransport({ url: `${PLATFORM_URL}/v1/record-batches`, authorization, fetch: options.fetch }),
  );
  return { ...parties, transports, endpoints: Object.keys(told) };
}

const authorized = (fetch: PlatformFetch, { clientId, keyId, key }: PartyKey): ReturnType<typeof privateKeyJwt> =>
  privateKeyJwt({ tokenUrl: `${PLATFORM_URL}/oauth/token`, clientId, key, keyId, fetch });

/** One attempt for each call: these tests say themselves what is tried again. */
const client = (fetch: PlatformFetch, authorization: Awaited<ReturnType<typeof privateKeyJwt>>): PlatformClient =>
  createPlatformClient({ baseUrl: PLATFORM_URL, authorization, fetch, maxRetries: 0, timeoutMs: 20_000 });
