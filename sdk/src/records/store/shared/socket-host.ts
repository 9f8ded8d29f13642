import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { storageFailed } from '../duckdb/duckdb-module.js';
import type { RecordStore } from '../record-store.js';
import { CLOSING, MAX_REQUEST_BYTES, answerPieces, failureOf, operationOf, workOf } from './operations.js';
import type { Refusal, Work } from './operations.js';
import { makeSocketFolder, socketPath, withSocketPath } from './socket-place.js';

/** Guests at a time; commands of people and a few services are far fewer. */
const MAX_CONNECTIONS = 64;
/** A guest sends its request at once; it is on this machine. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Without an octet in either direction a connection is given up. */
const IDLE_TIMEOUT_MS = 30_000;
/** Headers of our own guests have some 200 octets. */
const MAX_HEADER_BYTES = 4_096;

/** How often a guest that waits is told that its request is being worked on; far below what a guest waits without a sign of life. */
const BEAT_MS = 2_000;

/** Serves a store to other processes until it is closed. */
export interface SocketHost {
  /** Takes no request any more, and waits for those under way. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Listens on the socket of a store.
 * @param options - the store, which this process has open, and its folder; `beatMs` for tests
 * @throws HopbackError `storage-failed` where no socket can be made there
 */
export async function startSocketHost(options: {
  readonly store: RecordStore;
  readonly directory: string;
  readonly beatMs?: number;
}): Promise<SocketHost> {
  const { store, directory, beatMs = BEAT_MS } = options;
  const working = new Set<Promise<void>>();
  let isClosing = false;
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: HEADERS_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      // Whoever hung up is not waiting for the answer.
      response.on('error', () => undefined);
      const began = (made: Promise<void>): void => track(working, made);
      const work = serve(request, response, { store, beatMs, began, isClosing: () => isClosing });
      work.catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);
  await listen(server, directory);
  const closed = async (): Promise<void> => {
    isClosing = true;
    const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(socketPath(directory), { force: true }).catch(() => undefined);
    while (working.size > 0) await Promise.allSettled(working);
    server.closeAllConnections();
    await isClosed;
  };
  let closing: Promise<void> | undefined;
  return { close: () => (closing ??= closed()) };
}

async function listen(server: Server, directory: string): Promise<void> {
  await makeSocketFolder(directory);
  try {
    await withSocketPath(directory, async (path) => {
      server.listen(path);
      await once(server, 'listening');
    });
    await chmod(socketPath(directory), 0o600);
  } catch (error) {
    server.close();
    throw storageFailed(`be shared by the socket ${socketPath(directory)}`, error);
  }
}

function track(working: Set<Promise<void>>, work: Promise<void>): void {
  const tracked = work
    .catch(() => undefined)
    .then(() => {
      working.delete(tracked);
    });
  working.add(tracked);
}

interface Serving {
  readonly store: RecordStore;
  readonly beatMs: number;
  /** Told of work that closing waits for. */
  readonly began: (work: Promise<void>) => void;
  readonly isClosing: () => boolean;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { store, beatMs, began, isClosing }: Serving,
): Promise<void> {
  const operation = operationOf(request.method, request.url);
  if (operation.kind === 'refused') return refuse(response, operation);
  const work = workOf(operation, await bodyOf(request));
  if (work.kind === 'refused') return refuse(response, work);
  if (isClosing()) return refuse(response, CLOSING);
  const made = answer(response, work, { store, beatMs });
  began(made);
  return made;
}

async function answer(
  response: ServerResponse,
  work: Work,
  { store, beatMs }: Pick<Serving, 'store' | 'beatMs'>,
): Promise<void> {
  // Blanks before a document are nothing to JSON, and tell whoever waits that somebody is at work.
  const beat = setInterval(() => {
    begin(response, 200);
    response.write(' ');
  }, beatMs);
  try {
    const result = await work.run(store);
    begin(response, 200);
    await pipeline(Readable.from(answerPieces(result)), response);
  } catch (error) {
    // Where the answer has begun the error ends it: half a document is none.
    if (response.writableEnded || response.destroyed) return;
    await refuse(response, failureOf(error));
  } finally {
    clearInterval(beat);
  }
}

async function refuse(response: ServerResponse, { status, error }: Refusal): Promise<void> {
  begin(response, status);
  response.end(JSON.stringify({ error }));
  if (!response.writableFinished && !response.destroyed) await once(response, 'close');
}

function begin(response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  // One request a connection: what is left unread of one that was refused is nobody's next request.
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
}

/** The whole body; undefined where it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Not destroyed where it is too long: then nobody could be told so.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_REQUEST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
