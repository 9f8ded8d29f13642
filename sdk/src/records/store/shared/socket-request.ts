import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { HopbackError, isHopbackError } from '../../../errors.js';
import { withSocketPath } from './socket-place.js';

/** Without an octet for so long the other process is taken for dead. It sends one every two seconds while it is at work. */
export const GUEST_IDLE_TIMEOUT_MS = 30_000;

/** Longest that anything takes: a hold of 100,000 records, an expiry of years. Whoever sends signs of life beyond it is stuck. */
const MAX_REQUEST_MS = 900_000;

/** Longest answer: 10,000 records with their raw rows. */
const MAX_ANSWER_BYTES: number = 256 * 1024 * 1024;

/** Requests of a guest at a time; the others wait their turn here. The store looks up four at a time. */
const MAX_SOCKETS = 8;

/** Sends one request to the process that has a store open, and gives back its answer. */
export type SendRequest = (path: string, body: string) => Promise<Buffer>;

/**
 * Requests over the socket of a store, each on a connection of its own, so that a new process that takes the store over is reached.
 * @param directory - of the store
 * @returns a function that throws HopbackError `unavailable` where nobody listens, and `storage-failed` where the other process went
 * away, or did not answer in time; both retryable
 */
export function socketRequests(directory: string, idleTimeoutMs: number = GUEST_IDLE_TIMEOUT_MS): SendRequest {
  const agent = new Agent({ maxSockets: MAX_SOCKETS });
  return (path, body) =>
    withSocketPath(directory, (socket) => exchange({ socket, path, body, agent, idleTimeoutMs })).catch(
      (error: unknown) => {
        throw failure(error);
      },
    );
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
    const sent = request({
      socketPath: socket,
      path,
      method: 'POST',
      agent,
      timeout: idleTimeoutMs,
      signal: AbortSignal.timeout(MAX_REQUEST_MS),
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
    'the process that has the record store open did not answer: what it was asked for may be done or not',
    { cause, retryable: true, details: { reason: NO_ANSWER } },
  );
}
