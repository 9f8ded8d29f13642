import { fieldIndex, fieldValue, type SipMessage } from './sip-message.js';
import { HEADER } from './header-names.js';
import { parseMessage, MESSAGE_LIMITS, type MessageLimits, type ParsedMessage } from './parse-message.js';

/** Why a stream cannot be read on. */
export type StreamFault = 'header-section-too-large' | 'message-too-large' | 'bad-content-length' | 'unreadable-stream';

/** What came out of a stream. */
export type StreamEvent =
  | { readonly kind: 'message'; readonly parsed: Exclude<ParsedMessage, { readonly status: 'unreadable' }> }
  /** Two line ends between messages ask for one in return; however many came at once, they ask once. @see RFC 5626 section 4.4.1 */
  | { readonly kind: 'ping' }
  /**
   * Where the next message would begin is not known any more. `message` is the one whose framing is at fault, so that its sender
   * can be told before the connection is closed.
   */
  | { readonly kind: 'fault'; readonly fault: StreamFault; readonly message?: SipMessage };

/** How much of a stream is kept while a message is incomplete. */
export interface StreamLimits extends MessageLimits {
  /** Start line and header fields together, octets. */
  readonly maxHeaderSectionBytes: number;
}

/** Header section as large as a datagram; a message may be larger than one over a stream, up to 1 MiB. */
export const STREAM_LIMITS: StreamLimits = {
  ...MESSAGE_LIMITS,
  maxHeaderSectionBytes: 65_535,
  maxMessageBytes: 1_048_576,
};

/** Cuts messages out of a stream of octets. One per connection. */
export interface StreamFramer {
  /**
   * Takes the next octets and returns what is complete now. After a fault nothing more comes. Never throws for peer input.
   * @param chunk - one character per octet
   */
  readonly push: (chunk: string) => readonly StreamEvent[];
  /** Whether a message has begun and is not complete: a sender that stays here is slow. */
  readonly isInMessage: () => boolean;
}

/**
 * Makes a framer that finds the ends of messages by Content-Length. A message without it has no body; where it has a Content-Type
 * there is one whose end nobody knows.
 * @see RFC 3261 sections 18.3 and 18.4
 */
export function createStreamFramer(limits: StreamLimits = STREAM_LIMITS): StreamFramer {
  let pending = '';
  /** Up to here the end of the header section was looked for in vain. */
  let searched = 0;
  let head: { readonly parsed: MessageParsed; readonly length: number } | undefined;
  let isBroken = false;
  /** Octets of the line ends in front of the next message that have not asked for anything yet: they may come one by one. */
  let lineEnds = 0;

  const next = (): StreamEvent | undefined => {
    if (head === undefined) {
      const found = leadingLineEnds(pending);
      if (found > 0) {
        pending = pending.slice(found);
        searched = 0;
        lineEnds += found;
        if (lineEnds >= PING_BYTES) {
          lineEnds %= PING_BYTES;
          return { kind: 'ping' };
        }
      }
      if (pending === '') return undefined;
      lineEnds = 0;
      const end = pending.indexOf('\r\n\r\n', Math.max(0, searched - 3));
      if (end < 0 || end > limits.maxHeaderSectionBytes) {
        searched = pending.length;
        // Of the empty line, three octets may be here already.
        const isTooLarge = end >= 0 || pending.length > limits.maxHeaderSectionBytes + 3;
        return isTooLarge ? { kind: 'fault', fault: 'header-section-too-large' } : undefined;
      }
      const opened = openMessage(pending.slice(0, end + 4), limits);
      if ('kind' in opened) return opened;
      head = opened;
    }
    const headLength = head.parsed.message.text.length;
    if (pending.length < headLength + head.length) return undefined;
    const text = pending.slice(0, headLength + head.length);
    const { parsed } = head;
    pending = pending.slice(headLength + head.length);
    searched = 0;
    head = undefined;
    return { kind: 'message', parsed: { ...parsed, message: { ...parsed.message, text } } };
  };

  return {
    push: (chunk) => {
      if (isBroken) return [];
      pending = pending === '' ? chunk : pending + chunk;
      const events: StreamEvent[] = [];
      for (let event = next(); event !== undefined; event = next()) {
        events.push(event);
        if (event.kind !== 'fault') continue;
        isBroken = true;
        pending = '';
        break;
      }
      return events;
    },
    isInMessage: () => pending !== '' || head !== undefined,
  };
}

type MessageParsed = Exclude<ParsedMessage, { readonly status: 'unreadable' }>;

interface OpenMessage {
  readonly parsed: MessageParsed;
  /** Octets of the body. */
  readonly length: number;
}

function openMessage(text: string, limits: StreamLimits): OpenMessage | StreamEvent {
  const parsed = parseMessage(text, limits);
  if (parsed.status === 'unreadable') return { kind: 'fault', fault: 'unreadable-stream' };
  const { message } = parsed;
  const length = contentLengthOf(message);
  if (length === undefined) return { kind: 'fault', fault: 'bad-content-length', message };
  if (text.length + length > limits.maxMessageBytes) return { kind: 'fault', fault: 'message-too-large', message };
  return { parsed, length };
}

/**
 * The length that a message says its body has. Two fields, a sign or a number beyond all bounds are no length.
 * @returns 0 where the message does not say and names no type of a body either
 */
function contentLengthOf(message: SipMessage): number | undefined {
  const index = fieldIndex(message, HEADER.contentLength);
  if (index < 0) return fieldIndex(message, HEADER.contentType) < 0 ? 0 : undefined;
  if (fieldIndex(message, HEADER.contentLength, index + 4) >= 0) return undefined;
  const value = fieldValue(message, index);
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Two line ends. @see RFC 5626 section 3.5.1 */
const PING_BYTES = 4;

function leadingLineEnds(text: string): number {
  let at = 0;
  while (at < text.length && (text.charCodeAt(at) === 0x0d || text.charCodeAt(at) === 0x0a)) at += 1;
  return at;
}
