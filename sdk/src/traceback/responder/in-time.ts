import { isHopbackError } from '../../errors.js';
import type { ProblemKind } from './responder-contract.js';
import { StepFailure } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';

/**
 * How long what a responder is made of may take, milliseconds, beside a look-up, which has its own limit. What hangs is given up and tried again
 * later: it would hold up its own request for ever, and the others as soon as as many hang as are worked on at once.
 */
export const PORT_LIMITS_MS: Readonly<Record<'evidence' | 'signing' | 'delivery' | 'receipt' | 'notify', number>> =
  Object.freeze({
    // A pack of megabytes onto a disk that others use.
    evidence: 60_000,
    // A hardware module that somebody else has just started anew.
    signing: 30_000,
    // Above what a client of the platform waits for by itself.
    delivery: 120_000,
    // A signature over a kilobyte, where the keys may have to be fetched.
    receipt: 30_000,
    // A mail server that looks up whom it speaks to.
    notify: 30_000,
  });

/** What is asked, and how long it may take. */
export interface TimedPort {
  readonly kind: ProblemKind;
  readonly timeoutMs: number;
}

/**
 * Asks a port, and gives it up after a time, or when the responder is closed. Rejects with {@link StepFailure} of the kind, whatever it was.
 */
export async function inTime<Value>(
  { clock, stop }: Pick<ResponderCore, 'clock' | 'stop'>,
  ask: () => Promise<Value> | Value,
  { kind, timeoutMs }: TimedPort,
): Promise<Value> {
  if (stop.signal.aborted) throw new StepFailure(kind, 'the responder was closed');
  let end = (): void => undefined;
  try {
    return await new Promise<Value>((resolve, reject) => {
      const giveUp = (): void => reject(new StepFailure(kind, 'the responder was closed'));
      const cancel = clock.schedule(
        () => reject(new StepFailure(kind, `no outcome in ${String(timeoutMs)} ms`)),
        timeoutMs,
      );
      stop.signal.addEventListener('abort', giveUp, { once: true });
      end = () => {
        cancel();
        stop.signal.removeEventListener('abort', giveUp);
      };
      Promise.resolve(ask()).then(resolve, reject);
    });
  } catch (cause) {
    throw cause instanceof StepFailure ? cause : new StepFailure(kind, cause);
  } finally {
    end();
  }
}

/**
 * Whether the same attempt would fail again, since it is for what is in the answer: no disk, no network, no end of the responder. Such an
 * answer is tried no more; a person looks at it.
 */
export function isForGood(cause: unknown): cause is Error {
  if (cause instanceof StepFailure) return isForGood(cause.cause);
  return isHopbackError(cause) && !cause.retryable && !PASSING.has(cause.code);
}

const PASSING: ReadonlySet<string> = new Set(['storage-failed', 'closed', 'aborted']);
