import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { readWireBody, WIRE_SCHEMAS } from '../../platform/index.js';
import type { PlatformEventData, PlatformEventEnvelope, PlatformEventType } from '../../platform/index.js';
import type { EventFaultRule, FaultPlan } from './platform-faults.js';
import type { StoredEndpoint, WebhookSender } from './webhook-sender.js';
import { wants } from './webhook-sender.js';

/** How often an event stream has a comment at least, milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/** An event that happened, and whom it is for. */
export interface LoggedEvent {
  readonly event: PlatformEventEnvelope;
  readonly to: readonly string[];
}

/** What is to be told. */
export interface EventToEmit<Type extends PlatformEventType = PlatformEventType> {
  readonly type: Type;
  readonly subject: string;
  readonly data: PlatformEventData[Type];
  /** Ids of clients. */
  readonly to: readonly string[];
}

/** Brings events to whom they concern. */
export interface EventHub {
  readonly emit: <Type extends PlatformEventType>(event: EventToEmit<Type>) => PlatformEventEnvelope;
  /** Brings an event as it is, in no form of the contract perhaps. */
  readonly send: (event: PlatformEventEnvelope, to: readonly string[]) => void;
  /** All events, the first one first. */
  readonly log: () => readonly LoggedEvent[];
  /** Opens a stream behind an event, or from now on; undefined where that event is not kept. */
  readonly open: (
    clientId: string,
    options: { readonly lastEventId?: string; readonly signal: AbortSignal },
  ) => ReadableStream<Uint8Array> | undefined;
  /** Posts events to an endpoint once more. */
  readonly replay: (stored: StoredEndpoint, events: readonly PlatformEventEnvelope[]) => void;
  /** Brings what is held back as late. */
  readonly release: () => void;
  /** Streams that are open. */
  readonly streams: (clientId?: string) => number;
  /** Ends every stream that is open, as a platform does that restarts. */
  readonly dropStreams: () => void;
  readonly close: () => void;
}

type Way = 'webhook' | 'event-stream';

interface OpenStream {
  readonly clientId: string;
  readonly write: (text: string) => void;
  readonly end: () => void;
}

/** Makes the hub. */
export function createEventHub(parts: {
  readonly clock: TimerClock;
  readonly source: string;
  readonly newId: (kind: string) => string;
  readonly faults: FaultPlan<EventFaultRule>;
  readonly sender: WebhookSender;
  readonly endpoints: () => Iterable<StoredEndpoint>;
  readonly changed: () => void;
}): EventHub {
  const { clock, source, newId, sender, endpoints, changed } = parts;
  const log: LoggedEvent[] = [];
  const streams = new Set<OpenStream>();
  const queues = createLateQueues();

  const deliver = (event: PlatformEventEnvelope, clientId: string, way: Way, isForged = false): void => {
    if (way === 'event-stream') {
      for (const stream of streams) if (stream.clientId === clientId) stream.write(streamText(event));
      return;
    }
    for (const stored of endpoints())
      if (stored.providerId === clientId && wants(stored, event.type)) sender.post(stored, event, { isForged });
  };

  const bring = (event: PlatformEventEnvelope, clientId: string, way: Way): void => {
    const fault = parts.faults.next(
      ({ types, via, providerId }) =>
        (types === undefined || types.some((type) => type === event.type)) &&
        (via === undefined || via === way) &&
        (providerId === undefined || providerId === clientId),
    )?.fault;
    const now = (): void => deliver(event, clientId, way, fault === 'forged' && way === 'webhook');
    if (fault === 'lost') return;
    if (fault === 'late') return queues.hold(clientId, way, now);
    now();
    if (fault === 'duplicate') now();
    queues.release(clientId, way);
  };

  const send = (event: PlatformEventEnvelope, to: readonly string[]): void => {
    log.push({ event, to });
    for (const clientId of to) for (const way of ['webhook', 'event-stream'] as const) bring(event, clientId, way);
    changed();
  };

  return {
    emit: ({ type, subject, data, to }) => {
      const event: PlatformEventEnvelope = {
        specversion: '1.0',
        id: newId('evt'),
        source,
        type,
        subject,
        time: new Date(clock.nowMs()).toISOString(),
        datacontenttype: 'application/json',
        data,
      };
      const { errors, surplus } = readWireBody(WIRE_SCHEMAS.PlatformEvent, event);
      const [wrong] = [...errors, ...surplus];
      if (wrong !== undefined)
        throw new HopbackError('invalid-argument', `${type} is not in the form of the contract at "${wrong.pointer}"`);
      send(event, to);
      return event;
    },
    send,
    log: () => [...log],
    open: (clientId, { lastEventId, signal }) => {
      const from = lastEventId === undefined ? log.length : log.findIndex(({ event }) => event.id === lastEventId) + 1;
      if (lastEventId !== undefined && from === 0) return undefined;
      const missed = log.slice(from).filter(({ to }) => to.includes(clientId));
      return openStream({ clientId, missed, streams, clock, signal, changed });
    },
    replay: (stored, events) => {
      for (const event of events) sender.post(stored, event);
    },
    release: queues.releaseAll,
    streams: (clientId) =>
      [...streams].filter((stream) => clientId === undefined || stream.clientId === clientId).length,
    dropStreams: () => {
      for (const stream of streams) stream.end();
    },
    close: () => {
      for (const stream of streams) stream.end();
    },
  };
}

/** What is held back comes behind the next one of the same way. */
function createLateQueues(): {
  readonly hold: (clientId: string, way: Way, deliver: () => void) => void;
  readonly release: (clientId: string, way: Way) => void;
  readonly releaseAll: () => void;
} {
  const held = new Map<string, (() => void)[]>();
  const releaseAt = (name: string): void => {
    const waiting = held.get(name) ?? [];
    held.delete(name);
    for (const deliver of waiting) deliver();
  };
  return {
    hold: (clientId, way, deliver) => {
      const name = `${way} ${clientId}`;
      held.set(name, [...(held.get(name) ?? []), deliver]);
    },
    release: (clientId, way) => releaseAt(`${way} ${clientId}`),
    releaseAll: () => {
      for (const name of [...held.keys()]) releaseAt(name);
    },
  };
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
const streamText = (event: PlatformEventEnvelope): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

function openStream(parts: {
  readonly clientId: string;
  readonly missed: readonly LoggedEvent[];
  readonly streams: Set<OpenStream>;
  readonly clock: TimerClock;
  readonly signal: AbortSignal;
  readonly changed: () => void;
}): ReadableStream<Uint8Array> {
  const { clientId, missed, streams, clock, signal, changed } = parts;
  const encoder = new TextEncoder();
  let end = (): void => {};
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      let cancelTimer = (): void => {};
      const write = (text: string): void => {
        cancelTimer();
        cancelTimer = clock.schedule(() => write(': still here\n\n'), KEEP_ALIVE_MS);
        controller.enqueue(encoder.encode(text));
      };
      const stream: OpenStream = {
        clientId,
        write,
        end: () => {
          stop();
          controller.close();
        },
      };
      const stop = (): void => {
        cancelTimer();
        streams.delete(stream);
        signal.removeEventListener('abort', stop);
        changed();
      };
      end = stop;
      streams.add(stream);
      signal.addEventListener('abort', stop, { once: true });
      write(': here is what comes\n\n');
      for (const { event } of missed) write(streamText(event));
      changed();
    },
    cancel: () => end(),
  });
}
