import type { TimerClock } from '../../core/runtime/clock.js';
import { attemptDeadline } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import type {
  PlatformEventData,
  PlatformEventEnvelope,
  PlatformEventType,
  WebhookEndpoint,
} from '../../contract/event.js';
import { readWireBody } from '../../contract/read-platform-request.js';
import { retryAfterMs } from '../../internal/index.js';
import { signWebhook, WIRE_SCHEMAS } from '../../platform/index.js';
import type { EventFaultRule, FaultPlan } from './platform-faults.js';

/** Waits between the attempts of one event, milliseconds: those that Standard Webhooks proposes. After the last the endpoint is disabled. */
export const WEBHOOK_RETRY_WAITS_MS: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];
/** How long a receiver may take. */
const ATTEMPT_TIMEOUT_MS = 15_000;
/** How long the old secret signs beside the new one, milliseconds. */
const ROTATION_MS = 86_400_000;

/** One attempt to post an event. */
export interface WebhookAttempt {
  readonly endpointId: string;
  /** Of the event. */
  readonly webhookId: string;
  readonly type: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** HTTP status; undefined where there was no answer. */
  readonly status?: number;
}

/** Sends one request: `globalThis.fetch` is one. */
type WebhookFetch = (url: string, init: RequestInit) => Promise<Response>;

/** An endpoint, and what the platform keeps to itself about it. */
export interface StoredEndpoint {
  endpoint: WebhookEndpoint;
  /** Where events are posted to. */
  readonly address: string;
  readonly providerId: string;
  readonly place: number;
  /** The one in use first. */
  secrets: readonly { readonly secret: string; readonly endsAtMs: number }[];
}

/** Posts events. */
export type WebhookSender = ReturnType<typeof createWebhookSender>;

/** Whether an endpoint wants events of a kind. */
export function wants({ endpoint }: StoredEndpoint, type: string): boolean {
  const { state, eventTypes } = endpoint;
  return state === 'active' && (eventTypes === undefined || eventTypes.includes(type as PlatformEventType));
}

/** Gives an endpoint a new secret; the old one signs for a day more. @returns when that is over, milliseconds since the epoch */
export function rotateSecret(stored: StoredEndpoint, secret: string, nowMs: number): number {
  const endsAtMs = nowMs + ROTATION_MS;
  const [current] = stored.secrets;
  stored.secrets = [
    { secret, endsAtMs: Infinity },
    ...(current === undefined ? [] : [{ secret: current.secret, endsAtMs }]),
  ];
  return endsAtMs;
}

/** Makes the sender. */
export function createWebhookSender(parts: {
  readonly clock: TimerClock;
  readonly fetch: WebhookFetch;
  readonly changed: () => void;
}) {
  const { clock, changed } = parts;
  const attempts: WebhookAttempt[] = [];
  const timers = new Set<() => void>();
  const closing = new AbortController();
  let underWay = 0;

  const attempt = async (posting: Posting): Promise<void> => {
    const { stored, event, number } = posting;
    const { endpointId } = stored.endpoint;
    if (stored.endpoint.state !== 'active' || closing.signal.aborted) return;
    underWay += 1;
    const response = await sendPosting(posting, { ...parts, signal: closing.signal });
    underWay -= 1;
    attempts.push({
      endpointId,
      webhookId: event.id,
      type: event.type,
      attempt: number,
      ...(response !== undefined && { status: response.status }),
    });
    settle(posting, response);
    changed();
  };

  const settle = (posting: Posting, response: Response | undefined): void => {
    const { stored, number } = posting;
    if (response !== undefined && response.status >= 200 && response.status < 300) {
      stored.endpoint = { ...stored.endpoint, lastDeliveredAt: new Date(clock.nowMs()).toISOString() };
      return;
    }
    const waitMs = WEBHOOK_RETRY_WAITS_MS[number - 1];
    if (response?.status === 410 || waitMs === undefined) {
      const disabledReason = response?.status === 410 ? 'gone' : 'failing';
      stored.endpoint = { ...stored.endpoint, state: 'disabled', disabledReason };
      return;
    }
    const askedMs = retryAfterMs(response?.headers.get('retry-after'), clock.nowMs()) ?? 0;
    const cancel = clock.schedule(
      () => {
        timers.delete(cancel);
        void attempt({ ...posting, number: number + 1, isForged: false });
      },
      Math.max(waitMs, askedMs),
    );
    timers.add(cancel);
  };

  return {
    post: (
      stored: StoredEndpoint,
      event: PlatformEventEnvelope,
      { isForged = false }: { readonly isForged?: boolean } = {},
    ) => void attempt({ stored, event, number: 1, isForged }),
    attempts: (): readonly WebhookAttempt[] => [...attempts],
    /** Attempts that are on their way now. */
    underWay: () => underWay,
    close: () => {
      closing.abort();
      for (const cancel of timers) cancel();
      timers.clear();
    },
  };
}

interface Posting {
  readonly stored: StoredEndpoint;
  readonly event: PlatformEventEnvelope;
  readonly number: number;
  readonly isForged: boolean;
}

/** A secret that no receiver has. */
const FORGED_SECRET = `whsec_${Buffer.alloc(24, 'forged').toString('base64')}`;

async function sendPosting(
  { stored, event, isForged }: Posting,
  { clock, fetch, signal }: { readonly clock: TimerClock; readonly fetch: WebhookFetch; readonly signal: AbortSignal },
): Promise<Response | undefined> {
  const nowMs = clock.nowMs();
  const body = JSON.stringify(event);
  const secrets = isForged
    ? [FORGED_SECRET]
    : stored.secrets.filter(({ endsAtMs }) => endsAtMs > nowMs).map(({ secret }) => secret);
  const fields = signWebhook({ id: event.id, timestampSeconds: Math.floor(nowMs / 1_000), body, secrets });
  const deadline = attemptDeadline(ATTEMPT_TIMEOUT_MS, signal, clock.schedule);
  try {
    const response = await fetch(stored.address, {
      method: 'POST',
      headers: { ...fields, 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: deadline.signal,
    });
    // Not waited for: of a body that somebody else reads along, such as msw, the end of it is not ours alone.
    void response.body?.cancel().catch(() => undefined);
    return response;
  } catch {
    return undefined;
  } finally {
    deadline.end();
  }
}

/** How often an event stream has a comment at least, milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/** An event that happened, and whom it is for. */
interface LoggedEvent {
  readonly event: PlatformEventEnvelope;
  readonly to: readonly string[];
}

/** What is to be told. */
interface EventToEmit<Type extends PlatformEventType = PlatformEventType> {
  readonly type: Type;
  readonly subject: string;
  readonly data: PlatformEventData[Type];
  /** Ids of clients. */
  readonly to: readonly string[];
}

/** Brings events to whom they concern. */
export type EventHub = ReturnType<typeof createEventHub>;

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
}) {
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
    const fault = parts.faults.next((rule) => concerns(rule, { type: event.type, clientId, way }))?.fault;
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
    emit: <Type extends PlatformEventType>(told: EventToEmit<Type>): PlatformEventEnvelope => {
      const event = eventOf(told, { source, id: newId('evt'), nowMs: clock.nowMs() });
      send(event, told.to);
      return event;
    },
    /** Brings an event as it is, in no form of the contract perhaps. */
    send,
    /** All events, the first one first. */
    log: (): readonly LoggedEvent[] => [...log],
    /** Opens a stream behind an event, or from now on; undefined where that event is not kept. */
    open: (
      clientId: string,
      { lastEventId, signal }: { readonly lastEventId?: string; readonly signal: AbortSignal },
    ): ReadableStream<Uint8Array> | undefined => {
      const from = lastEventId === undefined ? log.length : log.findIndex(({ event }) => event.id === lastEventId) + 1;
      if (lastEventId !== undefined && from === 0) return undefined;
      const missed = log.slice(from).filter(({ to }) => to.includes(clientId));
      return openStream({ clientId, missed, streams, clock, signal, changed });
    },
    /** Posts events to an endpoint once more. */
    replay: (stored: StoredEndpoint, events: readonly PlatformEventEnvelope[]) => {
      for (const event of events) sender.post(stored, event);
    },
    /** Brings what is held back as late. */
    release: queues.releaseAll,
    /** Streams that are open. */
    streams: (clientId?: string) =>
      [...streams].filter((stream) => clientId === undefined || stream.clientId === clientId).length,
    /** Ends every stream that is open, as a platform does that restarts, or is closed. */
    dropStreams: () => {
      for (const stream of streams) stream.end();
    },
  };
}

function concerns(
  { types, via, providerId }: EventFaultRule,
  { type, clientId, way }: { readonly type: string; readonly clientId: string; readonly way: Way },
): boolean {
  return (
    (types === undefined || types.some((one) => one === type)) &&
    (via === undefined || via === way) &&
    (providerId === undefined || providerId === clientId)
  );
}

/** @throws HopbackError `invalid-argument` for an event that the contract does not have in this form */
function eventOf(
  { type, subject, data }: EventToEmit,
  { source, id, nowMs }: { readonly source: string; readonly id: string; readonly nowMs: number },
): PlatformEventEnvelope {
  const event: PlatformEventEnvelope = {
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
    data,
  };
  const { errors, surplus } = readWireBody(WIRE_SCHEMAS.PlatformEvent, event);
  const [wrong] = [...errors, ...surplus];
  if (wrong !== undefined)
    throw new HopbackError('invalid-argument', `${type} does not follow the contract at "${wrong.pointer}"`);
  return event;
}

/** What is held back comes behind the next one of the same way. */
function createLateQueues() {
  const held = new Map<string, (() => void)[]>();
  const releaseAt = (name: string): void => {
    const waiting = held.get(name) ?? [];
    held.delete(name);
    for (const deliver of waiting) deliver();
  };
  return {
    hold: (clientId: string, way: Way, deliver: () => void) => {
      const name = `${way} ${clientId}`;
      held.set(name, [...(held.get(name) ?? []), deliver]);
    },
    release: (clientId: string, way: Way) => releaseAt(`${way} ${clientId}`),
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
