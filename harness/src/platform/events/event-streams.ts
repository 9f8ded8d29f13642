import { pause } from '@hopback/sdk/internal/runtime';
import { PLATFORM_EVENT_KINDS, problemAnswer } from '@hopback/sdk/internal';
import type { PlatformAnswer, PlatformEventType } from '@hopback/sdk/internal';
import type { WireBodies } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { Caller, DomainEvent, OperationCall, PlatformContext } from '../core/index.js';
import type { EventFeed, StoredEvent } from '../database/index.js';
import { iso, isSealedData, openJson, readableJson } from '../database/index.js';

type PlatformEventEnvelope = WireBodies['PlatformEventEnvelope'];

/** Where events are read from. */
export type EventSource = Pick<EventFeed, 'read' | 'wait' | 'newestPosition'>;

/** Whether an event is one of the wire: areas have others among themselves. */
export const isOfWire = ({ type }: { readonly type: string }): boolean => Object.hasOwn(PLATFORM_EVENT_KINDS, type);

/** Whether somebody who named kinds wants an event; all where nothing was named. */
export const isWanted = ({ type }: DomainEvent, types: readonly PlatformEventType[] | null): boolean =>
  types?.some((one) => one === type) ?? true;

/** An event as webhooks and streams carry it. @see CloudEvents JSON Event Format 1.0.2 section 3 */
export function envelopeOf(event: DomainEvent, source: string): PlatformEventEnvelope {
  return {
    specversion: '1.0',
    id: event.eventId,
    source,
    type: event.type,
    subject: event.subject,
    time: iso(event.atMs),
    datacontenttype: 'application/json',
    data: event.data,
  };
}

/**
 * Events with their data in the clear, as they are brought to an organization. What was sealed and has been removed since is left out: there
 * is nothing to tell any more.
 * @param open - `readableJson` also leaves out events that cannot be opened: one of them keeps a stream from none of the others
 */
export async function openEvents(
  context: Pick<PlatformContext, 'sealed' | 'transact' | 'log'>,
  events: readonly StoredEvent[],
  organizationId: string,
  open: typeof readableJson = openJson,
): Promise<readonly StoredEvent[]> {
  const pieces = events.flatMap(({ data }) => (isSealedData(data) ? [data.sealed] : []));
  if (pieces.length === 0) return events;
  const reason = { organizationId, actor: 'platform', object: 'events:delivery' };
  const values = await context.transact((transaction) => open(context, transaction, { pieces, reason }));
  let next = 0;
  const opened: StoredEvent[] = [];
  for (const event of events) {
    if (!isSealedData(event.data)) opened.push(event);
    else {
      const value = values[next++];
      if (value !== undefined) opened.push({ ...event, data: { [event.data.member]: value } });
    }
  }
  return opened;
}

/** After trouble with the database it is read again after this, milliseconds. */
const RETRY_MS = 500;
/** Events that are looked at together. */
const READ_EVENTS = 500;

/** Says whom something has happened for: one reader for all streams and endpoints, since most events are for one or two of thousands. */
export type EventTail = ReturnType<typeof createEventTail>;

/** Begins to read from now on. */
export function createEventTail({
  source,
  context,
}: {
  readonly source: EventSource;
  readonly context: PlatformContext;
}) {
  const byOrganization = new Map<string, Set<() => void>>();
  const all = new Set<(organizationIds: ReadonlySet<string>) => void>();
  const ending = new AbortController();
  const { signal } = ending;

  const tell = (organizationIds: ReadonlySet<string>): void => {
    if (organizationIds.size === 0) return;
    for (const listener of all) listener(organizationIds);
    for (const id of organizationIds) for (const listener of byOrganization.get(id) ?? []) listener();
  };
  const follow = async (): Promise<void> => {
    let position: number | undefined;
    while (!signal.aborted) {
      try {
        position ??= await source.newestPosition();
        await source.wait(position, { signal });
        if (signal.aborted) return;
        const { events, throughPosition } = await source.read(position, { limit: READ_EVENTS });
        position = throughPosition;
        tell(new Set(events.flatMap(({ audience }) => audience)));
      } catch {
        await pause(RETRY_MS, context.clock, signal);
      }
    }
  };
  const following = follow();
  return {
    /** Calls when there is something for an organization. @returns how to stop */
    listen: (organizationId: string, listener: () => void): (() => void) => {
      const listeners = byOrganization.get(organizationId) ?? new Set();
      byOrganization.set(organizationId, listeners);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && byOrganization.get(organizationId) === listeners)
          byOrganization.delete(organizationId);
      };
    },
    /** Calls with everybody for whom there is something. */
    listenAll: (listener: (organizationIds: ReadonlySet<string>) => void): (() => void) => {
      all.add(listener);
      return () => void all.delete(listener);
    },
    close: async () => {
      ending.abort();
      await following;
    },
  };
}

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
export function createEventStreams(parts: EventStreamParts) {
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
    /** The operation `streamEvents`. */
    open: async (call: OperationCall): Promise<PlatformAnswer> => {
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
    /** Ends all, as their readers expect of a platform that restarts. */
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
      if (signal.aborted) return undefined;
      if (!isWoken) return (await parts.mayStillCall(caller)) ? ': still here\n\n' : undefined;
      isWoken = false;
      const { events, throughPosition } = await parts.source.read(position, {
        limit: EVENTS_AT_ONCE,
        organizationId: caller.organizationId,
      });
      position = throughPosition;
      if (events.length > 0) isWoken = true;
      const told = await toldTo(parts, caller, events.filter(isOfWire));
      if (told === undefined) return undefined;
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

/** What a caller may read of events; undefined if it may not call any more. */
async function toldTo(
  { context, mayStillCall }: EventStreamParts,
  caller: Caller,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[] | undefined> {
  if (events.length === 0) return events;
  return (await mayStillCall(caller)) ? openEvents(context, events, caller.organizationId, readableJson) : undefined;
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
const streamText = (event: ReturnType<typeof envelopeOf>): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
