import { fullJitterMs } from '../../core/backoff.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import { discardBody } from '../http/bounded-body.js';
import { bodyChunks } from '../http/body-chunks.js';
import { CLIENT_BACKOFF, wait } from '../client/requester.js';
import type { Requester } from '../client/requester.js';
import type { PlatformCall, UnreadableReason } from '../client/platform-call.js';
import type { PlatformEvent } from '../wire/event.js';
import { createEventStreamParser, MAX_EVENT_ID_LENGTH } from './event-stream-parser.js';
import type { EventStreamItem } from './event-stream-parser.js';
import { readPlatformEvent } from './read-platform-event.js';

/**
 * How long nothing at all may come before a connection is taken for dead, milliseconds: the platform sends a comment every 15 s, and three
 * of them do not get lost.
 */
export const EVENT_STREAM_SILENCE_MS = 45_000;

/** How long to wait before a new connection where the stream does not say, milliseconds. */
export const EVENT_STREAM_RETRY_MS = 1_000;

/** Shortest wait before a new connection, milliseconds, whatever the stream says: `retry: 0` must not make a flood of connections. */
export const EVENT_STREAM_LEAST_RETRY_MS = 500;

/** What happens to the connection of a stream. */
export type EventStreamConnection =
  | { readonly status: 'open' }
  /** It came to nothing, and is made anew; `failures` counts connections in a row of which no event came. */
  | { readonly status: 'failed'; readonly error: HopbackError; readonly failures: number; readonly waitMs: number };

/** How an event stream is read. */
export interface EventStreamOptions {
  /** Id of the last event that was dealt with: the stream goes on behind it. Default: what happens from now on. */
  readonly lastEventId?: string;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** Milliseconds without an octet after which the connection is made anew, 1 or more. Default {@link EVENT_STREAM_SILENCE_MS}. */
  readonly silenceMs?: number;
  /** Told of connections that open, and of those that come to nothing and are made anew. May not throw. */
  readonly onConnection?: (connection: EventStreamConnection) => void;
  /** Connections in a row that may come to nothing. Default without end: a stream outlives a platform that is being repaired. */
  readonly maxRetries?: number;
}

/** Something of the stream, and what to resume from once it has been dealt with. */
export type StreamedEvent =
  | { readonly status: 'event'; readonly lastEventId: string; readonly event: PlatformEvent }
  /** An event of a kind that this release does not know. */
  | { readonly status: 'unknown-type'; readonly lastEventId: string; readonly type: string; readonly eventId: string }
  /** It is in no form of the contract: to be logged and gone past. */
  | {
      readonly status: 'unreadable';
      readonly lastEventId: string;
      readonly reason: UnreadableReason;
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
  const position: Position = {
    ...{ lastEventId: checkedEventId(options.lastEventId ?? ''), retryMs: EVENT_STREAM_RETRY_MS, failures: 0 },
  };
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    let failure: HopbackError | undefined;
    try {
      const body = await requester.send(openingCall(position), {
        maxRetries: 0,
        ...(signal === undefined ? {} : { signal }),
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
    await wait(waitMs, clock, signal);
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
        ...{ retryable: true, details: { reason: 'silent' } },
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
