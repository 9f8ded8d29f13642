import type { TimerClock } from '../../core/runtime/clock.js';
import type { PlatformLogger } from '../client/request-options.js';
import { wait } from '../client/requester.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { nodeRandom } from '../http/node-defaults.js';
import type { TracebackRequestArrival, TracebackRequestSource } from '../traceback-request-source.js';
import { createChannel } from './channel.js';
import { codeOf, standstillMs } from './source-state.js';

/** Settings of {@link mergeTracebackRequestSources}. */
export interface MergeSourcesOptions {
  /** Told what a source has failed with; it is iterated again after a while. May not throw. Default nobody. */
  readonly onFailed?: (error: unknown) => void;
  readonly logger?: PlatformLogger;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** A number from 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Makes one source out of several: webhooks or the event stream for what happens now, polling for what they missed. The same request comes
 * by each of them; whoever answers knows it by its `requestId`.
 *
 * A source that fails leaves the others at work: it is told to `onFailed`, and the source iterated again after ten seconds to ten minutes.
 * The iteration ends when all have ended, with the error of one that ended after it had failed.
 * @param sources - those that are iterated; they belong to the merged one now, and are closed with it
 * @param options - who is told of failures
 * @returns the source; to be closed
 * @see {@link TracebackRequestSource} for what its iteration promises, and never throws
 * @example
 * ```ts
 * const client = createPlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = mergeTracebackRequestSources([streamTracebackRequests({ client }), pollTracebackRequests({ client })]);
 * console.log(typeof source[Symbol.asyncIterator]); // function
 * ```
 */
export function mergeTracebackRequestSources(
  sources: readonly TracebackRequestSource[],
  options: MergeSourcesOptions = {},
): TracebackRequestSource {
  const { onFailed, logger, clock = MACHINE_CLOCK, random = nodeRandom } = options;
  const channel = createChannel<TracebackRequestArrival>();
  const closing = new AbortController();
  const closeAll = async (): Promise<void> => {
    channel.end();
    closing.abort();
    await Promise.all(sources.map((source) => source.close()));
  };

  /** Resolves, when the source has ended, to what it failed with the last time it was iterated before. */
  const pump = async (source: TracebackRequestSource): Promise<unknown> => {
    let last: unknown;
    for (let failures = 0; !channel.isEnded();) {
      try {
        for await (const arrival of source) {
          failures = 0;
          last = undefined;
          channel.put(arrival);
        }
        return last;
      } catch (error) {
        last = error;
        failures += 1;
        logger?.warn({ code: codeOf(error), failures }, 'a source of requests has failed and is iterated again');
        onFailed?.(error);
        await wait(standstillMs(failures, random), clock, closing.signal);
      }
    }
    return last;
  };

  const run = async (): Promise<void> => {
    const failures = await Promise.all(sources.map(pump));
    channel.end(failures.find((failure) => failure !== undefined));
  };

  return {
    close: closeAll,
    [Symbol.asyncIterator]: () => {
      void run().catch((error: unknown) => channel.end(error));
      return channel.values(() => void closeAll());
    },
    [Symbol.asyncDispose]: closeAll,
  };
}
