import { readFileSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { createPrivateKey } from 'node:crypto';
import { createPlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import { nodeFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/index.js';
import type {
  PlatformClient,
  PlatformFetch,
  PlatformScope,
  RecordTransport,
  RequestAuthorization,
} from '../../sdk/src/platform/index.js';
import { OPERATOR_ROUTES } from '../../harness/src/platform/operator-routes.js';
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

/** Registers organizations, clients, providers and endpoints as an operator does, and gives their clients. */
export async function registerParties(options: {
  readonly fetch: PlatformFetch;
  /** Key of the first operator, PEM. */
  readonly operatorKeyFile: string;
  /** Where events are posted. */
  readonly webhookUrl: string;
}): Promise<PlatformParties> {
  const { fetch } = options;
  const authorized = (clientId: string, keyId: string, key: KeyObject) =>
    privateKeyJwt({ tokenUrl: `${PLATFORM_URL}/oauth/token`, clientId, key, keyId, fetch });
  // One attempt for each call: these tests retry by themselves.
  const client = (authorization: RequestAuthorization): PlatformClient =>
    createPlatformClient({ baseUrl: PLATFORM_URL, authorization, fetch, maxRetries: 0, timeoutMs: 20_000 });
  const operatorKey = createPrivateKey(readFileSync(options.operatorKeyFile, 'utf8'));
  const staff = client(await authorized('itg-operator', 'operator-1', operatorKey));
  const post = async (operationId: string, body: unknown, parameters = {}): Promise<void> => {
    const route = OPERATOR_ROUTES.find((one) => one.operationId === operationId);
    if (route === undefined) throw new Error(`there is no ${operationId}`);
    await staff.call(route, { parameters, body });
  };
  const joined = async (kind: PlatformScope, organizationId: string): Promise<RequestAuthorization> => {
    const { jwk, keyId, privateKey } = clientTestKey(`${organizationId}-key`);
    const agency = kind === 'agency' ? { jurisdiction: 'US-TX', contactEmail: 'cases@agency.example' } : {};
    await post('registerOrganization', { organizationId, kind, name: organizationId, ...agency });
    const clientId = `${organizationId}-1`;
    await post('registerClient', { clientId, organizationId, name: 'Test', keys: [{ jwk }] });
    return authorized(clientId, keyId, privateKey);
  };
  const joinedCarrier = async (letter: string): Promise<RequestAuthorization> => {
    const { entry, answerKeys } = registeredProvider(letter);
    const { providerId } = entry;
    const { alg: _alg, ...jwk } = answerKeys[0]?.jwk ?? {};
    await post('putProvider', entry, { providerId });
    await post('addAnswerKey', { jwk }, { providerId });
    return joined('carrier', providerId);
  };
  const [a, b] = [await joinedCarrier('a'), await joinedCarrier('b')];
  const carriers = { 'prv-a': client(a), 'prv-b': client(b) };
  const app = client(await joined('app', 'app-1'));
  const agency = client(await joined('agency', 'ag-tx'));
  const receiving = { ...carriers, 'ag-tx': agency };
  for (const one of Object.values(receiving)) await one.webhookEndpoints.create({ url: options.webhookUrl });
  const url = `${PLATFORM_URL}/v1/record-batches`;
  const transports = [a, b].map((authorization) => createHttpsRecordTransport({ url, authorization, fetch }));
  return { staff, carriers, app, agency, transports, endpoints: Object.keys(receiving) };
}
