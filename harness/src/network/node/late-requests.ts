import type { TimerClock, TracebackRequestArrival, TracebackRequestSource } from '@hopback/sdk/platform';
import type { TracebackRequest } from '@hopback/sdk/traceback';

/** How long requests lie. */
export interface LateOptions {
  /** After its issue, milliseconds of the platform's clock; Infinity: for ever. */
  readonly liesMs: (request: TracebackRequest) => number;
  readonly clock: TimerClock;
}

/** A source whose requests nobody looks at for hours. What comes again meanwhile lies as well. */
export function lateRequests(source: TracebackRequestSource, { liesMs, clock }: LateOptions): TracebackRequestSource {
  const ready: TracebackRequestArrival[] = [];
  /** What lies, by the id of the request: of what comes again the last one counts. */
  const lying = new Map<string, { readonly arrival: TracebackRequestArrival; readonly cancel: () => void }>();
  const state = { isOver: false };
  let wake: () => void = () => undefined;
  const put = (arrival: TracebackRequestArrival): void => {
    ready.push(arrival);
    wake();
  };
  const take = async (): Promise<void> => {
    for await (const arrival of source) {
      if (arrival.kind !== 'request') {
        put(arrival);
        continue;
      }
      const { requestId, issuedAt } = arrival.request;
      const afterMs = liesMs(arrival.request);
      const before = lying.get(requestId);
      before?.cancel();
      before?.arrival.release();
      const fire = (): void => {
        lying.delete(requestId);
        put(arrival);
      };
      const dueMs = Date.parse(issuedAt) + afterMs - clock.nowMs();
      if (dueMs <= 0) fire();
      else
        lying.set(requestId, { arrival, cancel: dueMs === Infinity ? () => undefined : clock.schedule(fire, dueMs) });
    }
  };
  const end = (): void => {
    state.isOver = true;
    for (const { cancel, arrival } of lying.values()) {
      cancel();
      arrival.release();
    }
    lying.clear();
    wake();
  };
  const close = async (): Promise<void> => {
    end();
    await source.close();
  };
  async function* arrivals(): AsyncGenerator<TracebackRequestArrival, void, undefined> {
    // A source that rejects ends this one; the responder iterates it anew.
    const taking = take().finally(end);
    try {
      while (!state.isOver || ready.length > 0) {
        const arrival = ready.shift();
        if (arrival !== undefined) yield arrival;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      await taking;
    } finally {
      await close();
      await taking.catch(() => undefined);
    }
  }
  return { [Symbol.asyncIterator]: arrivals, close, [Symbol.asyncDispose]: close };
}
