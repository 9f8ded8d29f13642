import { ownResponse } from './agent/own-response.js';
import { readEssentials, type Essentials } from './message/essentials.js';
import { HEADER } from './message/header-names.js';
import {
  MESSAGE_LIMITS,
  parseMessage,
  withBodyLength,
  type MessageLimits,
  type ParsedMessage,
} from './message/parse-message.js';
import { headerValue, isRequest, type SipMessage } from './message/sip-message.js';
import { isRequestUri } from './message/sip-target.js';
import { stampedVia, type ReadVia } from './message/via.js';
import type { Received } from './received.js';
import { isStream, type Flow } from './transport/flow.js';

/** What became of the octets of one message. */
export type Reading =
  | { readonly status: 'read'; readonly received: Received }
  /** Its sender is told with `response`, where there is a way to tell. */
  | { readonly status: 'refused'; readonly fault: string; readonly response: string | undefined }
  /** Nothing but a keep-alive. */
  | { readonly status: 'nothing' };

/** Where and when octets came. */
export interface Arrival {
  readonly flow: Flow;
  readonly atMs: number;
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
  const { flow, atMs } = arrival;
  const whole = isStream(flow.transport) ? message : bounded(message, essentials);
  if (whole === undefined) return refuse('body-cut-off', 400);
  if (isRequest(message) && !isRequestUri(message.requestUri)) return refuse('bad-request-uri', 400);
  const viaValue = isRequest(message) ? stampedVia(essentials.via, flow.remote) : essentials.via.value;
  return { status: 'read', received: { message: whole, essentials, flow, atMs, viaValue } };
}

/** The refusal of a request that cannot be taken in; undefined for an ACK or a response, which nobody answers. */
export function refusal(
  message: SipMessage,
  { via, status, arrival }: { readonly via: ReadVia; readonly status: number; readonly arrival: Arrival },
): string | undefined {
  if (!isRequest(message) || message.method === 'ACK') return undefined;
  const { flow, atMs, tag } = arrival;
  const essentials: Essentials = {
    ...{ via, callId: headerValue(message, HEADER.callId) ?? '', cseq: 0, method: message.method },
    ...{ fromTag: '', toTag: /;\s*tag\s*=/i.test(headerValue(message, HEADER.to) ?? '') ? 'there' : '' },
    ...{ contentLength: -1, maxForwards: -1 },
  };
  const received = { message, essentials, flow, atMs, viaValue: stampedVia(via, flow.remote) };
  return ownResponse(received, { status, toTag: tag() });
}

/** The message with the body that Content-Length allows; undefined where there is less. */
function bounded(message: SipMessage, { contentLength }: Essentials): SipMessage | undefined {
  if (contentLength < 0) return message;
  const available = message.text.length - message.bodyStart;
  return contentLength > available ? undefined : withBodyLength(message, contentLength);
}
