import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { PlatformClient } from '../client/platform-client.js';
import { wait } from '../client/requester.js';
import type { EventStreamConnection } from '../events/platform-events.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { nodeRandom } from '../http/node-defaults.js';
import type { TracebackRequestSource } from '../traceback-request-source.js';
import type { PlatformEvent } from '../wire/event.js';
import { createArrivalDesk } from './arrival-desk.js';
import type { ArrivalDesk } from './arrival-desk.js';
import { createCatchUp, createRequestRounds } from './request-rounds.js';
import type { CatchUp } from './request-rounds.js';
import { askedWaitMs, codeOf, createStateReport, httpStatusOf, standstillMs } from './source-state.js';
import type { SourceReporting, StateReport } from './source-state.js';
import { createStreamProgress } from './stream-progress.js';
import type { EventPosition, StreamProgress } from './stream-progress.js';
import { dealWithEvent } from './stream-event.js';

/** Settings of {@link streamTracebackRequests}. */
export interface StreamRequestsOptions extends SourceReporting {
  readonly client: Pick<PlatformClient, 'events' | 'tracebackRequests'>;
  /** Where the stream goes on after a restart. Without it: with what happens from then on. */
  readonly position?: EventPosition;
  /**
   * Ids of the requests that the carrier holds for open, from its journal. With it open requests are listed whenever a connection has been
   * made, once a minute at most: those that are not among them are handed on, those of them that the platform lists no longer are asked
   * for by their ids, so that what happened during a standstill is known. Where it throws there are none. Default what was missed is not looked for.
   */
  readonly open?: () => readonly string[];
  /**
   * Takes in events that are not about requests and notices to this carrier; when it rejects it is given the same again, in the end beside
   * what comes after it. Default nobody does.
   */
  readonly others?: (event: PlatformEvent) => Promise<void> | void;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** A number from 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Makes a source of traceback requests out of the event stream. Where it goes on after a restart moves past what was acknowledged, and past
 * what could not be dealt with in {@link STEP_OVER_ATTEMPTS} attempts, which is reported, and tried further beside the stream. Without a
 * position kept, what happened during a standstill is for `open` or for {@link pollTracebackRequests} to find. Where the platform does not
 * answer, refuses, or ends the stream, it is asked again, more and more seldom up to every ten minutes, and `onState` is told. Never throws.
 * @param options - client of the platform, position
 * @returns the source, which begins with its iteration; to be closed
 * @see {@link mergeTracebackRequestSources}; https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @example
 * ```ts
 * const client = createPlatformClient({ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0') });
 * await using source = mergeTracebackRequestSources([streamTracebackRequests({ client }), pollTracebackRequests({ client })]);
 * // for await (const arrival of source) …
 * console.log(typeof source.close); // function
 * ```
 */
export function streamTracebackRequests(options: StreamRequestsOptions): TracebackRequestSource {
  const { client, position, open, clock = MACHINE_CLOCK, random = nodeRandom, logger, onState } = options;
  const desk = createArrivalDesk({ via: 'event-stream', client, clock, logger });
  const rounds = createRequestRounds({ client, desk, open, isMissingOnly: true, logger });
  const parts: StreamParts = {
    ...{ options, desk, clock, random },
    progress: createStreamProgress(position, logger),
    report: createStateReport('event-stream', clock, { onState, logger }),
    catchUp: createCatchUp(rounds, { clock, signal: desk.signal, logger }),
  };
  const close = async (): Promise<void> => {
    desk.close();
    await parts.progress.allDone();
  };
  return {
    close,
    [Symbol.asyncIterator]: () => {
      void run(parts).catch((error: unknown) => desk.close(error));
      return desk.arrivals();
    },
    [Symbol.asyncDispose]: close,
  };
}

interface StreamParts {
  readonly options: StreamRequestsOptions;
  readonly desk: ArrivalDesk;
  readonly clock: TimerClock;
  readonly random: () => number;
  readonly progress: StreamProgress;
  readonly report: StateReport;
  readonly catchUp: CatchUp;
}

/** Where the stream goes on, once that is known. */
interface Place {
  isKnown: boolean;
  lastEventId: string | undefined;
  /** Attempts in a row that came to nothing. */
  failures: number;
}

/** Reads the stream for as long as the source is open, whatever becomes of it. */
async function run(parts: StreamParts): Promise<void> {
  const { desk, clock, random, report } = parts;
  const place: Place = { isKnown: false, lastEventId: undefined, failures: 0 };
  const isOver = (): boolean => desk.signal.aborted;
  while (!isOver()) {
    let failure: unknown;
    try {
      await readOn(parts, place);
      failure = new HopbackError('request-refused', 'the platform has ended the stream', {
        details: { httpStatus: 204 },
      });
    } catch (error) {
      failure = error;
    }
    if (isOver()) return;
    place.failures += 1;
    const isLost = place.lastEventId !== undefined && isPlaceRefused(failure);
    if (isLost) losePlace(parts, place);
    // Without the place that was refused there is nothing to wait for.
    const waitMs = isLost ? 0 : Math.max(askedWaitMs(failure), standstillMs(place.failures, random));
    if (!isLost) report.failed(failure, waitMs);
    await wait(waitMs, clock, desk.signal);
  }
}

async function readOn(
  { options, desk, clock, random, progress, report, catchUp }: StreamParts,
  place: Place,
): Promise<void> {
  const { client, position, open, others, logger } = options;
  if (!place.isKnown) place.lastEventId = await position?.load();
  place.isKnown = true;
  const onConnection = (connection: EventStreamConnection): void => {
    // One that breaks off and is made anew is nothing to speak of.
    if (connection.status === 'failed' && connection.failures > 1) report.failed(connection.error, connection.waitMs);
    if (connection.status !== 'open') return;
    report.heard();
    place.failures = 0;
    if (open !== undefined) catchUp.begin();
  };
  const { signal } = desk;
  const { lastEventId } = place;
  for await (const item of client.events({
    signal,
    onConnection,
    ...(lastEventId === undefined ? {} : { lastEventId }),
  })) {
    await progress.room(signal);
    if (item.lastEventId !== '') place.lastEventId = item.lastEventId;
    // It may have been a request, which the list has all the same.
    if (item.status === 'unreadable') catchUp.begin();
    progress.begin(item.lastEventId, (stepOver) =>
      dealWithEvent(item, stepOver, { client, desk, clock, random, others, logger }),
    );
  }
}

/** Whether it is the place that the platform does not want: it keeps it no longer (410), or it is none to it. */
function isPlaceRefused(error: unknown): boolean {
  const status = httpStatusOf(error);
  return status === 410 || status === 400 || status === 422 || codeOf(error) === 'invalid-argument';
}

/** What came in between is looked for in the list of what is open. */
function losePlace({ options, catchUp }: StreamParts, place: Place): void {
  place.lastEventId = undefined;
  options.logger?.warn(
    {},
    'the platform does not know the place in the event stream any longer: what was missed is listed',
  );
  catchUp.begin();
}
