/**
 * A platform's intake of live records in a process of its own, for the bench `platform-ingest`: batches by POST on a socket of loopback,
 * read by the contract's schema and kept as the platform keeps them. Says `{"port":N}` once it listens; `/drained` answers when everything
 * is stored and told.
 * `tsx platform-ingest-process.ts DIRECTORY journal|direct|sink`
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OperationCall } from '../../harness/dist/platform/core/index.js';
import { liveRow } from '../../harness/dist/platform/records/live-row.js';
import { openLiveFeed } from '../../harness/dist/platform/records/live-feed.js';
import { readBatch } from '../../harness/dist/platform/records/read-batch.js';
import { jsonAnswer, type PlatformAnswer } from '../../sdk/dist/platform/index.js';

const [directory = '', design = 'journal'] = process.argv.slice(2);
const TEN_YEARS_MS = 3_650 * 86_400_000;

const clock = {
  nowMs: () => Date.now(),
  schedule: (callback: () => void, delayMs: number) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const feed = await openLiveFeed({ context: { clock, log: silent }, directory, keptMs: TEN_YEARS_MS });
let heard = 0;
feed.listen('bench', { records: (records) => void (heard += records.length), report: () => undefined });

/** Acknowledged when the record store has the records, without the journal: the design that was left. */
async function direct({ caller, request, atMs }: Call): Promise<PlatformAnswer> {
  const reading = await readBatch(request.bytes, 'gzip', { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER });
  if (reading.status !== 'read') throw new Error(reading.code);
  await feed.store.insert(reading.records.map((record) => liveRow(caller.organizationId, record, atMs)));
  return jsonAnswer({ batchId: request.parameters['ce-id'], accepted: reading.records.length, rejected: [] });
}

type Call = Pick<OperationCall, 'caller' | 'request' | 'atMs'>;
const sink = (): Promise<PlatformAnswer> => Promise.resolve(jsonAnswer({}));
const take = { journal: feed.take, direct, sink }[design as 'journal' | 'direct' | 'sink'];

function callOf({ headers }: IncomingMessage, bytes: Uint8Array): Call {
  const parameters = Object.fromEntries(
    ['ce-id', 'Idempotency-Key', 'Content-Encoding'].map((name) => [name, String(headers[name.toLowerCase()])]),
  );
  const caller = {
    clientId: 'c',
    organizationId: 'carrier-1',
    kind: 'carrier',
    scopes: ['carrier'],
    name: 'c',
  } as const;
  return { caller, request: { parameters, bytes }, atMs: Date.now() };
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    void answer(request, Buffer.concat(chunks)).then(({ status, body }) => response.writeHead(status).end(body));
  });
});

async function answer(request: IncomingMessage, bytes: Buffer): Promise<{ status: number; body: string }> {
  if (request.url === '/drained') {
    await feed.told();
    const { records, sizeBytes } = await feed.store.statistics();
    const { user, system } = process.cpuUsage();
    return { status: 200, body: JSON.stringify({ records, sizeBytes, heard, cpuUs: user + system }) };
  }
  const given = await take(callOf(request, bytes));
  if (given.kind === 'json') return { status: 200, body: JSON.stringify(given.value) };
  return { status: 503, body: '' };
}

server.keepAliveTimeout = 60_000;
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
// The bench is gone, by whatever end: so is its platform.
process.stdin.resume().on('end', () => process.exit());
