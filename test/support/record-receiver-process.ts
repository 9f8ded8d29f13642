/**
 * A platform in a process of its own, for tests and benches: takes batches of records over HTTP on loopback, keeps each record once by its
 * id, and goes wrong as often as it is told to. Says `{"port":N}` once it listens; given the files of a private key and a certificate it takes
 * batches over TLS as well, at `tlsPort`.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { readBatch, ReceivedRecords } from './received-records.js';

/** What the test can change while it runs, by POST to `/control`. */
export interface ReceiverControl {
  /** Part of the batches that meet a fault, 0 to 1. */
  readonly faultRate?: number;
  readonly seed?: number;
  /** Refuses every batch with this record in it by 400. */
  readonly poisonId?: string;
  /** Begins to count requests and batches anew. */
  readonly resetCounts?: boolean;
}

/** What it says of itself, by GET of `/report`. */
export interface ReceiverReport {
  /** Records kept, each once. */
  readonly distinct: number;
  /** Records that came again, and were known by their id. */
  readonly repeated: number;
  /** Requests, those that met a fault included, and different batch ids among them. */
  readonly requests: number;
  readonly batches: number;
  /** Records that came before one of the same call that was handed in earlier. */
  readonly outOfOrder: number;
  /** How often each fault was met. */
  readonly faults: Readonly<Record<string, number>>;
}

const FAULTS = '500 502 503 429 no-answer reset reset-after-commit no-answer-after-commit'.split(' ');

let random = new SeededRandom(1);
let faultRate = 0;
let poisonId: string | undefined;
let requests = 0;
let batches = new Set<string>();
const received = new ReceivedRecords();
const faults: Record<string, number> = {};

const listener = (request: IncomingMessage, response: ServerResponse): void => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, Buffer.concat(chunks)));
};
const [keyFile, certificateFile] = process.argv.slice(2);
const servers = [
  createServer(listener),
  ...(keyFile === undefined || certificateFile === undefined
    ? []
    : [createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, listener)]),
];
const ports = await Promise.all(
  servers.map(async (server) => {
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }),
);
process.stdout.write(`${JSON.stringify({ port: ports[0], tlsPort: ports[1] })}\n`);
// The test is gone, by whatever end: so is its platform.
process.stdin.resume().on('end', () => process.exit());

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  if (request.url === '/control') control(JSON.parse(body.toString()) as ReceiverControl);
  if (request.url === '/control' || request.url === '/report') {
    const report: ReceiverReport = {
      distinct: received.ids.size,
      repeated: received.repeated,
      requests,
      batches: batches.size,
      outOfOrder: received.outOfOrder,
      faults,
    };
    response.end(JSON.stringify(report));
  } else if (request.url === '/ids') response.end([...received.ids].join('\n'));
  else takeBatch(request, response, body);
}

function control(change: ReceiverControl): void {
  if (change.seed !== undefined) random = new SeededRandom(change.seed);
  if (change.poisonId !== undefined) poisonId = change.poisonId;
  faultRate = change.faultRate ?? faultRate;
  if (change.resetCounts === true) {
    requests = 0;
    batches = new Set();
  }
}

function takeBatch(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  requests += 1;
  const batchId = String(request.headers['idempotency-key']);
  batches.add(batchId);
  const fault = faultRate > 0 && random.chance(faultRate) ? random.pick(FAULTS) : undefined;
  if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1;
  if (fault === 'reset') return cutOff(request.socket);
  if (fault === 'no-answer') return;
  if (fault === '503' || fault === '429') return void response.writeHead(Number(fault), { 'retry-after': '0' }).end();
  if (fault === '500' || fault === '502') return void response.writeHead(Number(fault)).end('it is not you');
  const records = readBatch(body, request.headers['content-encoding']);
  if (poisonId !== undefined && records.some(({ recordId }) => recordId === poisonId))
    return void response.writeHead(400).end('a record that cannot be read');
  for (const record of records) received.keep(record);
  if (fault === 'reset-after-commit') return cutOff(request.socket);
  if (fault === 'no-answer-after-commit') return;
  response.end(JSON.stringify({ batchId, accepted: records.length, rejected: [] }));
}

/** Nothing sends a reset below TLS: there the connection ends without a word. */
function cutOff(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
