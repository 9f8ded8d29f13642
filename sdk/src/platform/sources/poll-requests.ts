import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { PlatformClient } from '../client/platform-client.js';
import { wait } from '../client/requester.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { nodeRandom } from '../http/node-defaults.js';
import type { TracebackRequestSource } from '../traceback-request-source.js';
import { createArrivalDesk } from './arrival-desk.js';
import type { RequestClient } from './arrival-desk.js';
import { createNoticeRounds } from './notice-rounds.js';
import { createRequestRounds, POLL_INTERVAL_MS } from './request-rounds.js';
import { askedWaitMs, createStateReport, isPassing, standstillMs } from './source-state.js';
import type { SourceReporting } from './source-state.js';

/** Settings of {@link pollTracebackRequests}. */
export interface PollOptions extends SourceReporting {
  /** Where it has `notices`, those are asked for too, every {@link NOTICE_POLL_INTERVAL_MS}. */
  readonly client: RequestClient & Partial<Pick<PlatformClient, 'notices'>>;
  /**
   * Ids of the requests that the carrier holds for open, from its journal: one that the platform lists no longer is asked for by its id, so
   * that a cancellation during a standstill is known. Called in every round; where it throws there are none. Default those that this source has handed on.
   */
  readonly open?: () => readonly string[];
  /** Milliseconds from the end of one round to the next, 1 or more; a tenth more or less by chance. Default {@link POLL_INTERVAL_MS}. */
  readonly intervalMs?: number;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** A number from 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Makes a source of traceback requests that asks for open ones again and again: no port to the outside, no connection that has to last, and
 * after any standstill it finds everything that is still open. A request that disappears from the list is asked for once, so that a
 * cancellation is known too. Where the platform does not answer, or refuses, it goes on asking, more and more seldom up to every ten
 * minutes, and tells `onState`.
 * @param options - client of the platform, how often
 * @returns the source, which begins with its iteration; to be closed
 * @throws {@link HopbackError} `invalid-argument` when `intervalMs` is out of bounds
 * @see {@link mergeTracebackRequestSources}, with which it stands behind webhooks or the stream; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const client = createPlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = pollTracebackRequests({ client, intervalMs: 30_000 });
 * // for await (const arrival of source) …
 * console.log(typeof source.close); // function
 * ```
 */
export function pollTracebackRequests(options: PollOptions): TracebackRequestSource {
  const {
    client,
    intervalMs = POLL_INTERVAL_MS,
    clock = MACHINE_CLOCK,
    random = nodeRandom,
    logger,
    onState,
    open,
  } = options;
  if (!Number.isFinite(intervalMs) || intervalMs < 1)
    throw new HopbackError('invalid-argument', `intervalMs must be 1 or more, not ${intervalMs}`);
  const desk = createArrivalDesk({ via: 'poll', client, clock, logger });
  const report = createStateReport('poll', clock, { onState, logger });
  const rounds = createRequestRounds({ client, desk, open, logger });
  const notices =
    client.notices === undefined ? undefined : createNoticeRounds(client.notices, desk, { clock, logger });

  const run = async (): Promise<void> => {
    for (let failures = 0; !desk.signal.aborted;) {
      let waitMs = intervalMs * (0.9 + 0.2 * random());
      try {
        await rounds.go();
        failures = 0;
        report.heard();
      } catch (error) {
        if (desk.signal.aborted) return;
        failures += 1;
        waitMs = Math.max(askedWaitMs(error), waitMs, isPassing(error) ? 0 : standstillMs(failures, random));
        report.failed(error, waitMs);
      }
      await notices?.go();
      await wait(waitMs, clock, desk.signal);
    }
  };

  const close = async (): Promise<void> => desk.close();
  return {
    close,
    [Symbol.asyncIterator]: () => {
      void run().catch((error: unknown) => desk.close(error));
      return desk.arrivals();
    },
    [Symbol.asyncDispose]: close,
  };
}
