import { readFileSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { PlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { nodeFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import { createHttpsRecordTransport, type PlatformFetch } from '../../sdk/src/platform/index.js';
import { platformMembers, type TestMember } from './itg-platform.js';
import { firstOperator } from './itg-reference.js';

/** What clients know the platform by, wherever its process of the moment listens. */
export const PLATFORM_URL = 'http://127.0.0.1:9';

/** Leads to the process of the moment; where there is none, as a connection that is refused. */
export function fetchTo(port: () => number | undefined): PlatformFetch {
  return async (url, request) => {
    const { pathname, search } = new URL(url);
    const now = port();
    if (now === undefined) throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    return nodeFetch(`http://127.0.0.1:${now}${pathname}${search}`, request);
  };
}

/** Organizations that call the platform in these tests, each with one client. */
export type PlatformParties = Awaited<ReturnType<typeof registerParties>>;

/** Registers organizations, clients, providers and endpoints as an operator does, and gives their clients. */
export async function registerParties(options: {
  readonly fetch: PlatformFetch;
  /** Key of the first operator, PEM. */
  readonly operatorKeyFile: string;
  /** Where events are posted. */
  readonly webhookUrl: string;
}) {
  const { fetch } = options;
  const privateKey = createPrivateKey(readFileSync(options.operatorKeyFile, 'utf8'));
  const operator = firstOperator({ keyId: 'operator-1', privateKey });
  const platform = { url: PLATFORM_URL, tokenUrl: `${PLATFORM_URL}/oauth/token` };
  const { authorization, join, joinCarrier } = platformMembers(platform, operator, { fetch });
  // One attempt for each call: these tests retry by themselves.
  const client = async (member: TestMember): Promise<PlatformClient> => {
    const parts = { authorization: await authorization(member), fetch, maxRetries: 0, timeoutMs: 20_000 };
    return new PlatformClient({ baseUrl: PLATFORM_URL, ...parts });
  };
  const carrier = async (letter: string) => {
    const member = await joinCarrier(`prv-${letter}`, { businessName: `Example ${letter}` });
    const url = `${PLATFORM_URL}/v1/record-batches`;
    const transport = createHttpsRecordTransport({ url, authorization: await authorization(member), fetch });
    return { ...member, client: await client(member), transport };
  };
  const carriers = [await carrier('a'), await carrier('b')] as const;
  const agency = await client(await join('agency', 'ag-tx'));
  for (const one of [...carriers.map((each) => each.client), agency])
    await one.webhookEndpoints.create({ url: options.webhookUrl });
  return {
    ...{ carriers, agency },
    staff: await client(operator),
    app: await client(await join('app', 'app-1')),
    /** Organizations that have an endpoint for webhooks. */
    endpoints: ['prv-a', 'prv-b', 'ag-tx'],
  };
}
