import { createTestKey } from '@hopback/sdk/testing';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveReader, OperationCall } from '../../harness/dist/platform/core/index.js';
import {
  FIRST_OPERATOR_CLIENT,
  startReferenceWithAreas,
} from '../../harness/dist/platform/reference/reference-platform.js';
import { LiveFeed } from '../../harness/dist/platform/records/live-feed.js';
import { MACHINE_CLOCK } from '../../sdk/dist/core/runtime/clock.js';
import { jsonAnswer, privateKeyJwt, type PlatformAnswer } from '../../sdk/dist/platform/index.js';

/** Something that batches are sent to. */
export interface ReceivingSide {
  readonly url: string;
  /** What its client proves itself by; absent where nobody asks. */
  readonly client?: {
    readonly tokenUrl: string;
    readonly clientId: string;
    readonly keyId: string;
    readonly pem: string;
  };
  /** Resolves when everything that was acknowledged is stored, and told to who listens. */
  readonly told: () => Promise<void>;
  readonly find: LiveReader['find'];
}

const CARRIER = 'carrier-1';
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** The whole reference platform as it is started by its command: tokens, limits, the database within, the detection of campaigns. */
export async function wholePlatform(directory: string): Promise<ReceivingSide> {
  const platform = await startReferenceWithAreas({ directory });
  const { tokenUrl, url, home, opened } = platform;
  const { privateKey: operatorKey, keyId } = home.operatorKey;
  const operator = await privateKeyJwt({ tokenUrl, clientId: FIRST_OPERATOR_CLIENT, key: operatorKey, keyId });
  const fields = await operator.fields({ method: 'POST', url }, new AbortController().signal);
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { ...fields, 'content-type': 'application/json' };
    const { status } = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (status !== 201) throw new Error(`${path} was answered with ${status}`);
  };
  const { privateKeyPem: pem, publicKeyJwk } = createTestKey();
  const client = { tokenUrl, clientId: `${CARRIER}-1`, keyId: 'key-1' };
  await post('/v1/organizations', { organizationId: CARRIER, kind: 'carrier', name: 'Example' });
  await post('/v1/clients', {
    ...{ clientId: client.clientId, organizationId: CARRIER, name: 'Switch' },
    keys: [{ jwk: { ...publicKeyJwk, kid: client.keyId } }],
  });
  return {
    url: `${url}/v1/record-batches`,
    client: { ...client, pem },
    told: opened.records.told,
    find: opened.records.reader.find,
  };
}

/** Reading, keeping and telling alone, behind a server that does nothing else; somebody listens and does nothing. */
export async function intakeAlone(directory: string): Promise<ReceivingSide> {
  const context = { clock: MACHINE_CLOCK, log: SILENT };
  const feed = await LiveFeed.open({ context, directory, keptMs: 90 * 86_400_000 });
  feed.listen('bench', { records: () => undefined, report: () => undefined });
  return { url: await listening(feed.take), told: () => feed.told(), find: feed.reader.find };
}

/** A server that reads bodies, and does nothing with them. */
export async function bodiesAlone(): Promise<ReceivingSide> {
  const none = (): Promise<never> => Promise.reject(new Error('nothing is kept'));
  return { url: await listening(() => Promise.resolve(jsonAnswer({}))), told: () => Promise.resolve(), find: none };
}

type Take = (call: Pick<OperationCall, 'caller' | 'request' | 'atMs'>) => Promise<PlatformAnswer>;

async function listening(take: Take): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void take(callOf(request, Buffer.concat(chunks))).then((answer) => {
        if (answer.kind === 'json') response.end(JSON.stringify(answer.value));
        else response.writeHead(503).end();
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/record-batches`;
}

function callOf({ headers }: IncomingMessage, bytes: Uint8Array): Parameters<Take>[0] {
  const parameters = Object.fromEntries(
    ['ce-id', 'Idempotency-Key', 'Content-Encoding'].map((name) => [name, String(headers[name.toLowerCase()])]),
  );
  const caller = { clientId: 'c', organizationId: CARRIER, kind: 'carrier', scopes: ['carrier'], name: 'c' } as const;
  return { caller, request: { parameters, bytes }, atMs: Date.now() };
}
