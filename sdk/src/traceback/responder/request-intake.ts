import type { TracebackRequestArrival, TracebackRequestSource } from '../../platform/traceback-request-source.js';
import type { TracebackResponder, TracebackResponderOptions } from './responder-contract.js';
import { noteProblem } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';
import { createRetries } from './responder-core.js';
import { lacksAnswer } from './responder-entry.js';

/** Arrivals that are open at once: beyond, the source waits. */
const MOST_OPEN = 64;
/** The key of the one thing that is tried again here. */
const SOURCE = 'source';

/**
 * Takes what a source brings, and says so once it is durable. Nothing that goes wrong here goes back into the source: what could not be taken
 * comes again.
 * @returns ends it, the source included
 */
export function consumeRequests(
  core: ResponderCore,
  requests: NonNullable<TracebackResponderOptions['requests']>,
  responder: Pick<TracebackResponder, 'submit' | 'cancel' | 'trackNotice'>,
): () => Promise<void> {
  const { stop } = core;
  const source: TracebackRequestSource =
    typeof requests === 'function' ? requests({ open: () => unansweredOf(core) }) : requests;
  const retries = createRetries(core, () => void (running = iterate()));
  const open = new Set<Promise<void>>();
  const iterate = async (): Promise<void> => {
    try {
      for await (const arrival of source) {
        retries.forget(SOURCE);
        const taken: Promise<void> = take(core, arrival, responder).finally(() => open.delete(taken));
        open.add(taken);
        if (open.size >= MOST_OPEN) await Promise.race(open);
      }
      // It has ended for good: what is in the journal is worked on all the same.
    } catch (cause) {
      if (stop.signal.aborted) return;
      noteProblem(core, { kind: 'source', cause });
      retries.later(SOURCE);
    }
  };
  let running = iterate();
  return async () => {
    retries.clear();
    await source.close();
    await running;
    retries.clear();
    await Promise.all(open);
  };
}

function unansweredOf({ journal }: ResponderCore): readonly string[] {
  return [...journal.open].filter((requestId) => {
    const summary = journal.summaries.get(requestId);
    return summary !== undefined && !summary.isCancelled && lacksAnswer(summary.state);
  });
}

async function take(
  core: ResponderCore,
  arrival: TracebackRequestArrival,
  { submit, cancel, trackNotice }: Pick<TracebackResponder, 'submit' | 'cancel' | 'trackNotice'>,
): Promise<void> {
  const { receivedAtMs, via } = arrival;
  try {
    if (arrival.kind === 'cancelled') await cancel(arrival.requestId);
    else if (arrival.kind === 'notice') await trackNotice(arrival.notice, receivedAtMs);
    else {
      const submitted = await submit(arrival.request, { receivedAtMs, via });
      if (submitted.status === 'refused') {
        noteProblem(core, { kind: 'source', requestId: arrival.request.requestId, cause: submitted.reason });
        arrival.release();
        return;
      }
    }
    await arrival.acknowledge();
  } catch (cause) {
    if (!core.stop.signal.aborted) noteProblem(core, { kind: 'storage', cause });
    arrival.release();
  }
}
