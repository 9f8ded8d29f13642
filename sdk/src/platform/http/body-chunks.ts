import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { connectionErrorCode } from './connection-error.js';

/** How a body is read that takes its time. */
export interface BodyChunksOptions {
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
    ...{ retryable: true, cause, details: { reason } },
  });
}
