import { composeResponse, withTag } from './message/app-message.js';
import { readEssentials } from './message/essentials.js';
import type { Essentials } from './message/essentials.js';
import { MESSAGE_LIMITS, parseMessage, withBodyLength } from './message/parse-message.js';
import type { MessageLimits, ParsedMessage } from './message/parse-message.js';
import {
  FIELD_SIZE,
  HEADER,
  fieldIndex,
  fieldLine,
  headerLines,
  headerValue,
  isRequest,
} from './message/sip-message.js';
import type { SipMessage } from './message/sip-message.js';
import { isRequestUri, stampedVia } from './message/via.js';
import type { ReadVia } from './message/via.js';
import { isStream } from './transport/flow.js';
import type { Flow } from './transport/flow.js';

/** A message from the network whose essentials could be read. */
export interface Received {
  readonly message: SipMessage;
  readonly essentials: Essentials;
  /** Where it came from. */
  readonly flow: Flow;
  /** The topmost Via field's value with `received` and `rport` written in; for a response, as it came. */
  readonly viaValue: string;
}

/** The text of a received request as everybody behind the transport sees it: with the stamped Via. @see RFC 3261 section 18.2.1 */
export function stampedText({ message, viaValue }: Received): string {
  const index = fieldIndex(message, HEADER.via);
  const start = message.fields[index + 2] ?? 0;
  const end = message.fields[index + 3] ?? 0;
  return message.text.slice(0, start) + viaValue + message.text.slice(end);
}

/** All Via fields of a request as its responses have to carry them, each with its line end. @see RFC 3261 section 8.2.6.2 */
export function viaLines({ message, viaValue }: Received): string {
  let lines = '';
  let index = fieldIndex(message, HEADER.via);
  lines += `Via: ${viaValue}\r\n`;
  for (
    index = fieldIndex(message, HEADER.via, index + FIELD_SIZE);
    index >= 0;
    index = fieldIndex(message, HEADER.via, index + FIELD_SIZE)
  ) {
    lines += `${fieldLine(message, index)}\r\n`;
  }
  return lines;
}

/** Whether a response has a Via below its topmost one: without, it was meant for us alone. @see RFC 3261 section 16.7 step 3 */
export function hasNextVia({ message, essentials }: Received): boolean {
  const { value, via } = essentials.via;
  return value.length > via.end || fieldIndex(message, HEADER.via, fieldIndex(message, HEADER.via) + FIELD_SIZE) >= 0;
}

/** The text without its topmost Via value, as a proxy hands a response on. @see RFC 3261 section 16.7 step 3 */
export function withoutTopVia({ message, essentials }: Received): string {
  const index = fieldIndex(message, HEADER.via);
  const value = essentials.via.value;
  const rest = value.slice(essentials.via.via.end).replace(/^[ \t]*,[ \t]*/, '');
  const lineStart = message.fields[index + 1] ?? 0;
  const nextStart = index + FIELD_SIZE < message.fields.length ? (message.fields[index + 5] ?? 0) : message.headersEnd;
  const kept = rest === '' ? '' : `Via: ${rest}\r\n`;
  return message.text.slice(0, lineStart) + kept + message.text.slice(nextStart);
}

/** What became of the octets of one message. */
export type Reading =
  | { readonly status: 'read'; readonly received: Received }
  /** Its sender is told with `response`, where there is a way to tell. */
  | {
      readonly status: 'refused';
      readonly fault: string;
      readonly response: string | undefined;
    }
  /** Nothing but a keep-alive. */
  | { readonly status: 'nothing' };

/** Where octets came from. */
export interface Arrival {
  readonly flow: Flow;
  /** The To tag of a refusal. */
  readonly tag: () => string;
}

/** Reads a datagram or WebSocket frame. Never throws for peer input. */
export function readDatagram(text: string, arrival: Arrival, limits: MessageLimits = MESSAGE_LIMITS): Reading {
  return readParsed(parseMessage(text, limits), arrival);
}

/**
 * Reads a message that was parsed already, as those of streams are. Never throws for peer input.
 * @see RFC 3261 sections 8.2.2, 16.3 and 18.3
 */
export function readParsed(parsed: ParsedMessage, arrival: Arrival): Reading {
  if (parsed.status === 'unreadable') {
    return parsed.fault === 'empty'
      ? { status: 'nothing' }
      : { status: 'refused', fault: parsed.fault, response: undefined };
  }
  const { message } = parsed;
  const read = readEssentials(message);
  const via = read.status === 'read' ? read.essentials.via : read.via;
  const refuse = (fault: string, status: number): Reading => {
    const response = via === undefined ? undefined : refusal(message, { via, status, arrival });
    return { status: 'refused', fault, response };
  };
  if (parsed.status === 'faulty') return refuse(parsed.fault, parsed.fault === 'unknown-version' ? 505 : 400);
  if (read.status === 'faulty') return refuse(read.fault, 400);
  const { essentials } = read;
  const { flow } = arrival;
  const whole = isStream(flow.transport) ? message : bounded(message, essentials);
  if (whole === undefined) return refuse('body-cut-off', 400);
  if (isRequest(message) && !isRequestUri(message.requestUri)) return refuse('bad-request-uri', 400);
  const viaValue = isRequest(message) ? stampedVia(essentials.via, flow.remote) : essentials.via.value;
  return {
    status: 'read',
    received: {
      message: whole,
      essentials,
      flow,
      viaValue,
    },
  };
}

/** The refusal of a request that cannot be taken in; undefined for an ACK or a response, which nobody answers. */
export function refusal(
  message: SipMessage,
  {
    via,
    status,
    arrival,
  }: {
    readonly via: ReadVia;
    readonly status: number;
    readonly arrival: Arrival;
  },
): string | undefined {
  if (!isRequest(message) || message.method === 'ACK') return undefined;
  const { flow, tag } = arrival;
  const essentials: Essentials = {
    via,
    callId: headerValue(message, HEADER.callId) ?? '',
    cseq: 0,
    method: message.method,
    fromTag: '',
    toTag: /;\s*tag\s*=/i.test(headerValue(message, HEADER.to) ?? '') ? 'there' : '',
    contentLength: -1,
    maxForwards: -1,
  };
  const received = {
    message,
    essentials,
    flow,
    viaValue: stampedVia(via, flow.remote),
  };
  return ownResponse(received, { status, toTag: tag() });
}

/** The message with the body that Content-Length allows; undefined where there is less. */
function bounded(message: SipMessage, { contentLength }: Essentials): SipMessage | undefined {
  if (contentLength < 0) return message;
  const available = message.text.length - message.bodyStart;
  return contentLength > available ? undefined : withBodyLength(message, contentLength);
}

/** Reason phrases of the responses that the server, or an exchange on it, gives itself. */
export const OWN_REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  200: 'OK',
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  416: 'Unsupported URI Scheme',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  486: 'Busy Here',
  487: 'Request Terminated',
  491: 'Request Pending',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  505: 'Version Not Supported',
  607: 'Unwanted',
};
/** What distinguishes one response of our own from another. */
export interface OwnResponse {
  readonly status: number;
  /** In place of the usual phrase. */
  readonly reason?: string;
  /** Empty for 100, which carries none. */
  readonly toTag: string;
  /** Further lines, each with its end. */
  readonly others?: string;
}

/** Writes a response that no application has a part in. @see RFC 3261 section 8.2.6 */
export function ownResponse(received: Received, { status, reason, toTag, others = '' }: OwnResponse): string {
  const { message, essentials } = received;
  const to = headerValue(message, HEADER.to) ?? '';
  return composeResponse({
    status,
    reason: reason ?? OWN_REASONS[status] ?? '',
    vias: viaLines(received),
    recordRoutes: headerLines(message, HEADER.recordRoute),
    from: headerValue(message, HEADER.from) ?? '',
    to: toTag === '' || essentials.toTag !== '' ? to : withTag(to, toTag),
    callId: essentials.callId,
    cseq: headerValue(message, HEADER.cseq) ?? '',
    contact: undefined,
    others,
    contentType: undefined,
    body: '',
  });
}
