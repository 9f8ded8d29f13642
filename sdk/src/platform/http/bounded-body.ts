import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';

/** Longest code that is passed on. */
const MAX_CODE_LENGTH = 60;

/**
 * The code of the error underneath a request that failed, `ECONNREFUSED` and the like: messages may name addresses. Never throws.
 * @param error - what a fetch rejected with
 * @returns the code, or words where there is none
 */
export function connectionErrorCode(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code.slice(0, MAX_CODE_LENGTH) : 'the request failed';
}

/** How a body is read that takes its time. */
interface BodyChunksOptions {
  /** Milliseconds without an octet after which the connection is taken for dead; the time that the reader takes does not count. */
  readonly silenceMs: number;
  readonly schedule: TimerClock['schedule'];
  /** Ends the reading, as if the body ended. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The octets of a body as they come. The connection is given up when the iteration is left.
 * @param body - of a response
 * @returns the chunks; rejects with {@link HopbackError} `network-failed` when the connection breaks or falls silent
 */
export async function* bodyChunks(
  body: ReadableStream<Uint8Array>,
  { silenceMs, schedule, signal }: BodyChunksOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  let isSilent = false;
  const isOver = (): boolean => signal?.aborted === true;
  const giveUp = (): void => void reader.cancel().catch(() => {});
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    while (!isOver()) {
      const cancel = schedule(() => {
        isSilent = true;
        giveUp();
      }, silenceMs);
      const { done, value } = await reader.read().finally(cancel);
      if (isSilent) throw failed('silent');
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    throw failed(connectionErrorCode(cause), cause);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    giveUp();
  }
}

function failed(reason: string, cause?: unknown): HopbackError {
  return new HopbackError('network-failed', `the connection to the platform broke: ${reason}`, {
    retryable: true,
    cause,
    details: { reason },
  });
}

/** What was read of a body. */
export interface BoundedBody {
  readonly bytes: Buffer;
  /** There was more than may be read; what is here is of no use but to people. */
  readonly isCut: boolean;
}

/**
 * Reads a body to its end, or to one octet too many.
 * @param response - whose body is read; the rest of a cut one is cancelled
 * @param maxBytes - octets that are taken at most
 * @returns what there was; rejects with whatever broke the connection
 */
export async function readBoundedBody(response: Response, maxBytes: number): Promise<BoundedBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = readerOf(response);
  if (reader === undefined) return { bytes: Buffer.alloc(0), isCut: false };
  while (size <= maxBytes) {
    const { done, value } = await reader.read();
    if (done) return { bytes: Buffer.concat(chunks), isCut: false };
    size += value.length;
    chunks.push(value);
  }
  giveUp(reader);
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), isCut: true };
}

/** Lets a body go that nobody reads: the connection is not kept waiting for it. Never throws. */
export function discardBody(response: Response): void {
  const reader = readerOf(response);
  if (reader !== undefined) giveUp(reader);
}

/** Nobody waits for it: of a body that was cloned it ends only when the clone does. */
function giveUp(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => {});
}

/** The same of an answer that says no: its status says it all, and a refusal is one where what comes behind it breaks off, too. Never rejects. */
export function readRefusalBody(response: Response, maxBytes: number): Promise<BoundedBody> {
  return readBoundedBody(response, maxBytes).catch(() => ({ bytes: Buffer.alloc(0), isCut: true }));
}

const readerOf = (response: Response): ReadableStreamDefaultReader<Uint8Array> | undefined =>
  (response.body as ReadableStream<Uint8Array> | null)?.getReader();
