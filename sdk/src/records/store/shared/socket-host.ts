import { once } from 'node:events';
import { chmod, mkdtemp, rm, symlink } from 'node:fs/promises';
import { Agent, createServer, request as startRequest } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { abortedAfter, every } from '../../../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../../../errors.js';
import { makeFolder } from '../../../log/log-files.js';
import { storageFailed } from '../duckdb/duckdb-module.js';
import type { RecordStore } from '../record-store.js';
import { CLOSING, MAX_REQUEST_BYTES, answerPieces, failureOf, operationOf, workOf } from './guest-store.js';
import type { Refusal, SendRequest, Work } from './guest-store.js';

/** Longest path of a socket, octets: `sun_path` has 104 on macOS and 108 on Linux, and a 0 stands behind it. */
const MAX_SOCKET_PATH_BYTES = 103;

const SOCKET = 'store.sock';

/** Folder of a store that its socket lies in. */
function socketFolder(directory: string): string {
  return join(directory, 'socket');
}

/** Where the socket of a store lies. */
export function socketPath(directory: string): string {
  return join(socketFolder(directory), SOCKET);
}

/**
 * Makes the folder of the socket, which only its owner enters: between the making of a socket and the setting of its mode nobody else
 * reaches it either. What a process left there that was killed is removed; the caller has the lock of the store, so that nobody listens.
 * @throws HopbackError `storage-failed`
 */
async function makeSocketFolder(directory: string): Promise<void> {
  try {
    await makeFolder(socketFolder(directory));
    await chmod(socketFolder(directory), 0o700);
    await rm(socketPath(directory), { force: true });
  } catch (error) {
    throw storageFailed(`make the folder of its socket, ${socketFolder(directory)}`, error);
  }
}

/**
 * Works with the socket of a store by a path that a socket can have. Where its own is too long, there is a short one to the same place
 * for as long as the work takes: a link in a new folder of the system's folder for temporary files.
 * @param work - binds or connects; the path is of no use afterwards
 */
async function withSocketPath<T>(directory: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = socketPath(directory);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return work(path);
  const folder = await mkdtemp(join(tmpdir(), 'hopback-'));
  try {
    await symlink(socketFolder(directory), join(folder, 's'));
    return await work(join(folder, 's', SOCKET));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Without an octet for so long the other process is taken for dead. It sends one every two seconds while it is at work. */
const GUEST_IDLE_TIMEOUT_MS = 30_000;

/** Longest that anything takes: a hold of 100,000 records, an expiry of years. Whoever sends signs of life beyond it is stuck. */
const MAX_REQUEST_MS = 900_000;

/** Longest answer: 10,000 records with their raw rows. */
const MAX_ANSWER_BYTES: number = 256 * 1024 * 1024;

/** Requests of a guest at a time; the others wait their turn here. The store looks up four at a time. */
const MAX_SOCKETS = 8;

/**
 * Requests over the socket of a store, each on a connection of its own, so that a new process that takes the store over is reached.
 * @param directory - of the store
 * @returns a function that throws HopbackError `unavailable` where nobody listens, and `storage-failed` where the other process went
 * away, or did not answer in time; both retryable
 */
export function socketRequests(directory: string, idleTimeoutMs: number = GUEST_IDLE_TIMEOUT_MS): SendRequest {
  const agent = new Agent({ maxSockets: MAX_SOCKETS });
  return (path, body) =>
    withSocketPath(directory, (socket) =>
      exchange({
        socket,
        path,
        body,
        agent,
        idleTimeoutMs,
      }),
    ).catch((error: unknown) => {
      throw failure(error);
    });
}

interface Exchange {
  readonly socket: string;
  readonly path: string;
  readonly body: string;
  readonly agent: Agent;
  readonly idleTimeoutMs: number;
}

function exchange({ socket, path, body, agent, idleTimeoutMs }: Exchange): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = startRequest({
      socketPath: socket,
      path,
      method: 'POST',
      agent,
      timeout: idleTimeoutMs,
      signal: abortedAfter(MAX_REQUEST_MS),
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    sent.on('timeout', () => sent.destroy(new Error('no sign of life')));
    sent.on('response', (response) => {
      answerOf(response).then(resolve, reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function answerOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether a request was made whose answer never came: what only reads can be asked again. */
export function isWithoutAnswer(error: unknown): boolean {
  return isHopbackError(error) && error.details['reason'] === NO_ANSWER;
}

const NO_ANSWER = 'no-answer';

/** What `connect` fails with where nobody listens, or nobody takes the connection. */
const NOBODY: readonly unknown[] = ['ENOENT', 'ECONNREFUSED', 'EAGAIN', 'ENOTSOCK'];

function failure(cause: unknown): HopbackError {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === 'connect' && NOBODY.includes(code)) {
    return new HopbackError('unavailable', 'no process that shares the record store has it open any more', {
      cause,
      retryable: true,
    });
  }
  return new HopbackError(
    'storage-failed',
    'the process that has the record store open did not answer: the request may or may not have been carried out',
    { cause, retryable: true, details: { reason: NO_ANSWER } },
  );
}

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

/**
 * Listens on the socket of a store.
 * @param options - the store, which this process has open, and its folder; `beatMs` for tests
 * @throws HopbackError `storage-failed` where no socket can be made there
 */
export async function startSocketHost(options: {
  readonly store: RecordStore;
  readonly directory: string;
  readonly beatMs?: number;
}) {
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
  return {
    /** Takes no request any more, and waits for those under way. Never rejects. */
    close: () => (closing ??= closed()),
  };
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
  const endBeat = every(() => {
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
    endBeat();
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
