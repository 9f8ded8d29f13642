import { problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { Caller, OperationCall, PlatformContext } from '../core/index.js';
import { envelopeOf, isOfWire } from './event-envelope.js';
import { readableEvents } from './open-events.js';
import type { EventSource } from './event-source.js';
import type { EventTail } from './event-tail.js';

/** How often a stream has a comment at least, milliseconds: as the contract says. */
const KEEP_ALIVE_MS = 15_000;
/** A reader that takes nothing for so long, milliseconds, is cut off, and goes on from its last event when it comes back. */
const STALLED_MS = 60_000;
/** Events that are written at once: what a slow reader makes the platform hold. */
const EVENTS_AT_ONCE = 50;
/** Streams of one organization: some processes, and connections that are still dying. */
export const MAX_ORGANIZATION_STREAMS = 16;
/** Streams in all: each of 7,000 providers has one. */
const MAX_STREAMS = 15_000;

/** Event streams of the platform. */
export interface EventStreams {
  /** The operation `streamEvents`. */
  readonly open: (call: OperationCall) => Promise<PlatformAnswer>;
  readonly count: () => number;
  /** Ends all, as their readers expect of a platform that restarts. */
  readonly close: () => void;
}

/** What streams are made of. */
export interface EventStreamParts {
  readonly context: PlatformContext;
  readonly source: EventSource;
  readonly tail: EventTail;
  /** URI of the platform, as it stands in events. */
  readonly eventSource: string;
  /** Whether somebody whose stream is open may still call: a token is looked at when it is opened only. */
  readonly mayStillCall: (caller: Caller) => Promise<boolean>;
}

/** Makes the streams. A stream reads as its reader takes, and holds no events: a slow reader costs the platform one piece of text. */
export function createEventStreams(parts: EventStreamParts): EventStreams {
  const open = new Map<string, number>();
  const ending = new AbortController();
  let total = 0;
  const count = (organizationId: string, by: 1 | -1): void => {
    total += by;
    const now = (open.get(organizationId) ?? 0) + by;
    if (now === 0) open.delete(organizationId);
    else open.set(organizationId, now);
  };
  return {
    open: async (call) => {
      const { organizationId } = call.caller;
      if ((open.get(organizationId) ?? 0) >= MAX_ORGANIZATION_STREAMS || total >= MAX_STREAMS)
        return problemAnswer('rate-limited', { retryAfterSeconds: 30, detail: 'Too many streams are open.' });
      // Counted before the first look at the database, so that many at once are not let through together.
      count(organizationId, 1);
      let isCounted = true;
      const end = (): void => {
        if (isCounted) count(organizationId, -1);
        isCounted = false;
      };
      try {
        const position = await startOf(parts, call);
        if (position !== undefined)
          return { kind: 'event-stream', stream: streamFrom(parts, { call, position, ending: ending.signal, end }) };
      } catch (error) {
        end();
        throw error;
      }
      end();
      return problemAnswer('gone');
    },
    count: () => total,
    close: () => ending.abort(),
  };
}

/** Behind the event that was named, or from now on; undefined where that event is not kept, or was for others. */
async function startOf(
  { context, source }: EventStreamParts,
  { request, caller }: OperationCall,
): Promise<number | undefined> {
  const lastEventId = request.parameters['Last-Event-ID'];
  if (lastEventId === undefined) return source.newestPosition();
  const found = await context.database
    .selectFrom('core_events')
    .select('position')
    .where('event_id', '=', lastEventId)
    .where(sql<boolean>`audience @> ${JSON.stringify([caller.organizationId])}::jsonb`)
    .executeTakeFirst();
  return found?.position;
}

function streamFrom(
  parts: EventStreamParts,
  begun: {
    readonly call: OperationCall;
    readonly position: number;
    readonly ending: AbortSignal;
    readonly end: () => void;
  },
): ReadableStream<Uint8Array> {
  const { context, tail } = parts;
  const { caller, signal: connection } = begun.call;
  const leaving = new AbortController();
  const signal = AbortSignal.any([connection, begun.ending, leaving.signal]);
  const encoder = new TextEncoder();
  let cancelStall = (): void => {};
  let { position } = begun;
  let wake = (): void => {};
  let isWoken = true;
  const stopListening = tail.listen(caller.organizationId, () => {
    isWoken = true;
    wake();
  });
  const stop = (): void => {
    cancelStall();
    stopListening();
    begun.end();
  };
  signal.addEventListener('abort', stop, { once: true });
  const woken = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        wake = (): void => {};
        resolve();
      };
      const cancel = context.clock.schedule(done, KEEP_ALIVE_MS);
      signal.addEventListener('abort', done, { once: true });
      wake = done;
      if (isWoken || signal.aborted) done();
    });
  /** What is to be written next; undefined where the stream ends. */
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      await woken();
      if (signal.aborted || !(await parts.mayStillCall(caller))) return undefined;
      if (!isWoken) return ': still here\n\n';
      isWoken = false;
      const { events, throughPosition } = await parts.source.read(position, {
        limit: EVENTS_AT_ONCE,
        organizationId: caller.organizationId,
      });
      position = throughPosition;
      if (events.length > 0) isWoken = true;
      const told = await readableEvents(context, events.filter(isOfWire), caller.organizationId);
      if (told.length > 0) return told.map((event) => streamText(envelopeOf(event, parts.eventSource))).join('');
    }
  };
  const finish = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    leaving.abort();
    try {
      controller.close();
    } catch {
      // It has been cancelled.
    }
  };
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(': here is what comes\n\n')),
    pull: async (controller) => {
      cancelStall();
      const text = await next().catch(() => undefined);
      if (text === undefined) return finish(controller);
      controller.enqueue(encoder.encode(text));
      cancelStall = context.clock.schedule(() => finish(controller), STALLED_MS);
    },
    cancel: () => leaving.abort(),
  });
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
const streamText = (event: ReturnType<typeof envelopeOf>): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
