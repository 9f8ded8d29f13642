import { pause } from '../../core/runtime/clock.js';
import { fullJitterMs } from '../../core/runtime/deadline.js';
import { defined } from '../../core/text.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import { CLIENT_BACKOFF } from '../client/requester.js';
import type { PlatformCall, Requester, UnreadableReason } from '../client/requester.js';
import { readJson, readValue } from '../client/route-call.js';
import { bodyChunks, discardBody } from '../http/bounded-body.js';
import type { WireSchema } from '../../contract/bodies.js';
import { PLATFORM_EVENT_SCHEMAS, PlatformEventEnvelope } from '../../contract/event.js';
import type { PlatformEvent, PlatformEventType } from '../../contract/event.js';

/** Something that came over an event stream. */
export type EventStreamItem =
  | {
      readonly kind: 'event';
      /** Of this event or the last one that had one: what to resume from. */
      readonly lastEventId: string;
      /** `event` field; `message` where there is none. */
      readonly name: string;
      readonly data: string;
    }
  /** An event whose data are longer than is read. Its id counts all the same, lest it come again and again. */
  | { readonly kind: 'event-too-large'; readonly lastEventId: string }
  /** How long to wait before a new connection, milliseconds. */
  | { readonly kind: 'retry'; readonly waitMs: number };

/** Most characters of the data of one event: a traceback with all of its hops, many times over. */
export const MAX_EVENT_CHARS = 1_048_576;

/** Longest id: it goes back in a header field. A longer one is no id. */
export const MAX_EVENT_ID_LENGTH = 512;

/** Longest wait that a stream may ask for, milliseconds: ten minutes, as with Retry-After. */
export const MAX_STREAM_RETRY_MS = 600_000;

/** Characters of a line beyond its data: the longest field name, colon and space. */
const FIELD_ROOM = 16;

/**
 * Makes a parser of `text/event-stream`: lines end with LF, CR or both, a byte order mark at the beginning is passed over, lines that begin
 * with a colon are comments, fields that are not known are passed over, and what a stream breaks off in is no event.
 * Never throws.
 * @param options - `maxEventChars`: characters of the data of an event at most. Default {@link MAX_EVENT_CHARS}
 * @returns the parser of one connection
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * @example
 * ```ts
 * const parser = createEventStreamParser();
 * const [item] = parser.push(new TextEncoder().encode('id: 7\ndata: {}\n\n'));
 * console.log(item?.kind, item?.kind === 'event' && item.lastEventId); // event 7
 * ```
 */
export function createEventStreamParser(options: { readonly maxEventChars?: number } = {}): {
  /** Takes in what came; a chunk may end anywhere, within a character too. Never throws. @returns what is complete by now */
  readonly push: (chunk: Uint8Array) => readonly EventStreamItem[];
} {
  const { maxEventChars = MAX_EVENT_CHARS } = options;
  // Takes the byte order mark away, and puts U+FFFD where there is no UTF-8.
  const decoder = new TextDecoder();
  const lines = createLineReader(maxEventChars + FIELD_ROOM);
  const event = createEventReader(maxEventChars);
  return {
    push(chunk) {
      const items: EventStreamItem[] = [];
      lines.push(decoder.decode(chunk, { stream: true }), (line, isCut) => {
        const item = event.line(line, isCut);
        if (item !== undefined) items.push(item);
      });
      return items;
    },
  };
}

/** Cuts text into lines; of one that is too long only the beginning is kept. */
function createLineReader(maxChars: number) {
  let kept = '';
  let isCut = false;
  let isAfterCr = false;
  const keep = (piece: string): void => {
    const room = maxChars - kept.length;
    if (piece.length > room) isCut = true;
    kept += piece.length > room ? piece.slice(0, room) : piece;
  };
  return {
    push(text: string, onLine: (line: string, isCut: boolean) => void): void {
      let start = 0;
      if (isAfterCr && text.length > 0) {
        isAfterCr = false;
        if (text.charCodeAt(0) === 0x0a) start = 1;
      }
      for (let at = start; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (code !== 0x0a && code !== 0x0d) continue;
        keep(text.slice(start, at));
        onLine(kept, isCut);
        kept = '';
        isCut = false;
        if (code === 0x0d) {
          if (at + 1 === text.length) isAfterCr = true;
          else if (text.charCodeAt(at + 1) === 0x0a) at += 1;
        }
        start = at + 1;
      }
      keep(text.slice(start));
    },
  };
}

/** Puts lines together to events. */
function createEventReader(maxChars: number) {
  let lastEventId = '';
  let name = '';
  let data: string[] = [];
  let chars = 0;
  let isTooLarge = false;

  const dispatch = (): EventStreamItem | undefined => {
    const item: EventStreamItem | undefined = isTooLarge
      ? { kind: 'event-too-large', lastEventId }
      : data.length === 0
        ? undefined
        : { kind: 'event', lastEventId, name: name === '' ? 'message' : name, data: data.join('\n') };
    name = '';
    data = [];
    chars = 0;
    isTooLarge = false;
    return item;
  };

  const addData = (value: string, isCut: boolean): void => {
    chars += value.length + 1;
    if (isCut || chars > maxChars + 1) {
      isTooLarge = true;
      data = [];
    } else if (!isTooLarge) data.push(value);
  };

  return {
    line(line: string, isCut: boolean): EventStreamItem | undefined {
      if (line === '') return dispatch();
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
      if (field === 'data') addData(value, isCut);
      else if (field === 'event') name = value;
      else if (field === 'id' && value.length <= MAX_EVENT_ID_LENGTH && !value.includes('\0')) lastEventId = value;
      else if (field === 'retry' && /^\d{1,10}$/.test(value))
        return { kind: 'retry', waitMs: Math.min(Number(value), MAX_STREAM_RETRY_MS) };
      return undefined;
    },
  };
}

/** What an event is, or why it is none. */
type PlatformEventReading =
  | { readonly status: 'event'; readonly event: PlatformEvent }
  /** Of a kind that a later release may know. */
  | {
      readonly status: 'unknown-type';
      readonly type: string;
      readonly eventId: string;
    }
  | {
      readonly status: 'unreadable';
      readonly reason: UnreadableReason;
      readonly place?: string;
    };

/**
 * Reads the JSON of an event, as a webhook brings it and the stream. Never throws, whatever the bytes.
 * @param bytes - the whole of it
 * @see CloudEvents JSON Event Format 1.0.2 section 3
 */
export function readPlatformEvent(bytes: Uint8Array): PlatformEventReading {
  const envelope = readJson(bytes, PlatformEventEnvelope);
  if (envelope.status !== 'read') return envelope;
  const { type, id: eventId } = envelope.value;
  if (!isKnown(type)) return { status: 'unknown-type', type, eventId };
  // With the schema of its own kind alone: where that does not fit, the place is one that means something.
  const schema: WireSchema<PlatformEvent> = PLATFORM_EVENT_SCHEMAS[type];
  const reading = readValue(envelope.value, schema);
  return reading.status === 'read' ? { status: 'event', event: reading.value } : reading;
}

const isKnown = (type: string): type is PlatformEventType => Object.hasOwn(PLATFORM_EVENT_SCHEMAS, type);

/**
 * How long nothing at all may come before a connection is taken for dead, milliseconds: the platform sends a comment every 15 s, and three
 * of them do not get lost.
 */
export const EVENT_STREAM_SILENCE_MS = 45_000;

/** How long to wait before a new connection where the stream does not say, milliseconds. */
const EVENT_STREAM_RETRY_MS = 1_000;

/** Shortest wait before a new connection, milliseconds, whatever the stream says: `retry: 0` must not make a flood of connections. */
export const EVENT_STREAM_LEAST_RETRY_MS = 500;

/** How an event stream is read. */
export interface EventStreamOptions {
  /** Id of the last event that was dealt with: the stream goes on behind it. Default: what happens from now on. */
  readonly lastEventId?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** Milliseconds without an octet after which the connection is made anew, 1 or more. Default 45 s. */
  readonly silenceMs?: number;
  /** Told of connections that open, and of those that come to nothing and are made anew. May not throw. */
  readonly onConnection?: (
    connection:
      | { readonly status: 'open' }
      /** It came to nothing, and is made anew; `failures` counts connections in a row of which no event came. */
      | {
          readonly status: 'failed';
          readonly error: HopbackError;
          readonly failures: number;
          readonly waitMs: number;
        },
  ) => void;
  /** Connections in a row that may come to nothing. Default without end: a stream outlives a platform that is being repaired. */
  readonly maxRetries?: number;
}

export type EventStreamConnection = Parameters<NonNullable<EventStreamOptions['onConnection']>>[0];

/** Something of the stream, and what to resume from once it has been dealt with. */
export type StreamedEvent =
  | {
      readonly status: 'event';
      readonly lastEventId: string;
      readonly event: PlatformEvent;
    }
  /** An event of a kind that this release does not know. */
  | {
      readonly status: 'unknown-type';
      readonly lastEventId: string;
      readonly type: string;
      readonly eventId: string;
    }
  /** It is in no form of the contract: to be logged and gone past. */
  | {
      readonly status: 'unreadable';
      readonly lastEventId: string;
      readonly reason:
        'too-large' | 'not-utf8' | 'not-json' | 'schema-drift' | 'wrong-media-type' | 'cursor-loop' | 'wrong-hash';
      readonly place?: string;
    };

/** Where the stream is by now. */
interface Position {
  lastEventId: string;
  /** What the platform asks to wait before a new connection. */
  retryMs: number;
  /** Connections in a row of which no event came. */
  failures: number;
}

/**
 * Reads the platform's event stream, connecting anew where it breaks off, behind the last event that was handed out.
 * @returns events until the platform ends the stream (204) or the signal aborts; rejects with {@link HopbackError} where the platform
 * refuses the stream, or after `maxRetries`
 */
export async function* streamEvents(
  requester: Requester,
  options: EventStreamOptions = {},
): AsyncGenerator<StreamedEvent, void, undefined> {
  const { signal, maxRetries = Number.MAX_SAFE_INTEGER } = options;
  const { clock, random, logger } = requester.parts;
  const lastEventId = checkedEventId(options.lastEventId ?? '');
  const position: Position = { lastEventId, retryMs: EVENT_STREAM_RETRY_MS, failures: 0 };
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    let failure: HopbackError | undefined;
    try {
      const body = await requester.send(openingCall(position), {
        maxRetries: 0,
        ...defined({ signal }),
      });
      if (body === undefined) return;
      options.onConnection?.({ status: 'open' });
      yield* readConnection(requester, body, { options, position });
      if (isOver()) return;
      position.failures += 1;
    } catch (error) {
      if (isOver()) return;
      position.failures += 1;
      if (!isHopbackError(error) || !error.retryable || position.failures > maxRetries) throw error;
      failure = error;
      logger?.debug({ code: error.code, ...error.details }, 'event stream is opened anew');
    }
    const waitMs = waitOf(position, failure) + fullJitterMs(position.failures, CLIENT_BACKOFF, random);
    if (failure !== undefined)
      options.onConnection?.({ status: 'failed', error: failure, failures: position.failures, waitMs });
    await pause(waitMs, clock, signal);
  }
}

/** What the platform asks for: in the stream, or where it refuses it. */
function waitOf({ retryMs }: Position, failure: HopbackError | undefined): number {
  return Math.max(retryMs, EVENT_STREAM_LEAST_RETRY_MS, Number(failure?.details['retryAfterMs'] ?? 0));
}

/** Resolves to nothing where the platform ends the stream for good. */
function openingCall({ lastEventId }: Position): PlatformCall<ReadableStream<Uint8Array> | undefined> {
  return {
    method: 'GET',
    route: '/v1/events',
    accept: 'text/event-stream',
    headers: { 'cache-control': 'no-store', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) },
    receive: async (response) => {
      if (response.status === 204) return { status: 'read', value: undefined };
      const type = response.headers.get('content-type') ?? '';
      if (response.body !== null && /^text\/event-stream\s{0,8}(?:;|$)/i.test(type))
        return { status: 'read', value: response.body };
      discardBody(response);
      return { status: 'unreadable', reason: 'wrong-media-type' };
    },
  };
}

async function* readConnection(
  requester: Requester,
  body: ReadableStream<Uint8Array>,
  { options, position }: { readonly options: EventStreamOptions; readonly position: Position },
): AsyncGenerator<StreamedEvent, void, undefined> {
  const { signal, silenceMs = EVENT_STREAM_SILENCE_MS } = options;
  const { schedule, nowMs } = requester.parts.clock;
  const parser = createEventStreamParser();
  let lastLineMs = nowMs();
  for await (const chunk of bodyChunks(body, { silenceMs, signal, schedule })) {
    const hasLine = chunk.includes(LINE_FEED) || chunk.includes(CARRIAGE_RETURN);
    // A line without an end is as good as nothing, however much of it comes.
    if (!hasLine && nowMs() - lastLineMs > silenceMs)
      throw new HopbackError('network-failed', 'the event stream has a line without an end', {
        retryable: true,
        details: { reason: 'silent' },
      });
    for (const item of parser.push(chunk)) {
      if (item.kind === 'retry') {
        position.retryMs = item.waitMs;
        continue;
      }
      position.failures = 0;
      // An event without an id, or with one that no header field can hold, leaves the position where it is.
      if (isFieldText(item.lastEventId) && item.lastEventId !== '') position.lastEventId = item.lastEventId;
      yield streamedEvent(item, position.lastEventId);
    }
    // The time that the reader takes does not count.
    if (hasLine) lastLineMs = nowMs();
  }
}

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

function streamedEvent(item: Exclude<EventStreamItem, { readonly kind: 'retry' }>, lastEventId: string): StreamedEvent {
  if (item.kind === 'event-too-large') return { status: 'unreadable', lastEventId, reason: 'too-large' };
  return { lastEventId, ...readPlatformEvent(Buffer.from(item.data)) };
}

const isFieldText = (id: string): boolean => id.length <= MAX_EVENT_ID_LENGTH && /^[!-~]*$/.test(id);

function checkedEventId(id: string): string {
  if (isFieldText(id)) return id;
  throw new HopbackError(
    'invalid-argument',
    `an event id has at most ${MAX_EVENT_ID_LENGTH} visible characters of ASCII`,
  );
}
