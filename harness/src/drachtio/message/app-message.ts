import { bracketed } from '../transport/flow.js';
import type { Endpoint, TransportName } from '../transport/flow.js';
import { parseMessage } from './parse-message.js';
import type { MessageLimits } from './parse-message.js';
import {
  FIELD_SIZE,
  HEADER,
  addressOf,
  bodyOf,
  endOfQuoted,
  fieldName,
  fieldValue,
  headerId,
  listValues,
  namesOption,
  parameterOf,
  writtenName,
} from './sip-message.js';
import type { SipMessage } from './sip-message.js';

/** What a request is written from. Values are written as given. */
interface RequestParts {
  readonly method: string;
  readonly requestUri: string;
  /** Via value of this hop. */
  readonly via: string;
  readonly maxForwards: string;
  readonly routes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  /** Absent for requests that have none. */
  readonly contact: string | undefined;
  /** Further lines, each with its end. */
  readonly others: string;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Writes a request. @see RFC 3261 section 7.1 */
export function composeRequest(parts: RequestParts): string {
  const { method, requestUri, via, maxForwards, routes, from, to, callId, cseq, contact, others } = parts;
  let text = `${method} ${requestUri} SIP/2.0\r\nVia: ${via}\r\n`;
  for (const route of routes) text += `Route: ${route}\r\n`;
  text += `Max-Forwards: ${maxForwards}\r\nFrom: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n`;
  if (contact !== undefined) text += `Contact: ${contact}\r\n`;
  return `${text}${others}${bodyLines(parts.contentType, parts.body)}`;
}

/** What a response is written from. */
interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  /** Lines of the request that go back as they are, each with its end. */
  readonly vias: string;
  readonly recordRoutes: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  /** Number and method. */
  readonly cseq: string;
  readonly contact: string | undefined;
  readonly others: string;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Writes a response. @see RFC 3261 sections 7.2 and 8.2.6 */
export function composeResponse(parts: ResponseParts): string {
  const { status, reason, vias, recordRoutes, from, to, callId, cseq, contact, others } = parts;
  let text = `SIP/2.0 ${status} ${reason}\r\n${vias}${recordRoutes}From: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\n`;
  if (contact !== undefined) text += `Contact: ${contact}\r\n`;
  return `${text}${others}${bodyLines(parts.contentType, parts.body)}`;
}

/** The type of a body that does not say: a session description shows itself. */
export function contentTypeOf(given: string | undefined, body: string): string | undefined {
  return given ?? (body.startsWith('v=0') ? 'application/sdp' : undefined);
}

function bodyLines(contentType: string | undefined, body: string): string {
  if (body === '') return 'Content-Length: 0\r\n\r\n';
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  return `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Header fields of a message that an application hands over: those that the server may have to complete, and all others as lines. */
export interface AppHeaders {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly callId: string | undefined;
  readonly cseq: string | undefined;
  readonly contact: string | undefined;
  readonly contentType: string | undefined;
  readonly maxForwards: string | undefined;
  /** Everything else that may go out, each line with its end. */
  readonly others: string;
  /** Whether the application asks for a reliable provisional response. @see RFC 3262 section 3 */
  readonly requires100rel: boolean;
  readonly body: string;
}

/** A message of an application: what it wants to send, not yet what goes out. */
interface AppMessage {
  readonly message: SipMessage;
  readonly headers: AppHeaders;
}

/** An application's frame holds at most 99,999 octets, and one header field may fill it. */
const APP_LIMITS: MessageLimits = { maxHeaderBytes: 99_999, maxHeaders: 1_024, maxMessageBytes: 99_999 };

/** What `localhost` stands for where an application writes it. */
export interface LocalAddress extends Endpoint {
  readonly transport: TransportName;
}

/**
 * Reads the SIP part of a frame from an application. Lines without a name are left out, as drachtio-server does.
 * @param local - what `localhost` in From, To, Contact and P-Asserted-Identity stands for
 * @returns undefined where there is no start line
 */
export function readAppMessage(text: string, local: LocalAddress): AppMessage | undefined {
  const complete = text.includes('\r\n\r\n') ? text : `${text}${text.endsWith('\r\n') ? '' : '\r\n'}\r\n`;
  const parsed = parseMessage(complete, APP_LIMITS);
  if (parsed.status === 'unreadable') return undefined;
  if (parsed.status === 'faulty' && parsed.fault !== 'bad-header-line') return undefined;
  return { message: parsed.message, headers: readHeaders(parsed.message, local) };
}

function readHeaders(message: SipMessage, local: LocalAddress): AppHeaders {
  // Member by member: for an object that begins with a spread and goes on, V8 makes a hidden class each time.
  const read: Mutable<AppHeaders> = {
    from: undefined,
    to: undefined,
    callId: undefined,
    cseq: undefined,
    contact: undefined,
    contentType: undefined,
    maxForwards: undefined,
    others: '',
    requires100rel: namesOption(message, HEADER.require, '100rel'),
    body: bodyOf(message),
  };
  for (let index = 0; index < message.fields.length; index += FIELD_SIZE) {
    const id = message.fields[index] ?? HEADER.other;
    const value = fieldValue(message, index);
    switch (id) {
      case HEADER.via:
      case HEADER.route:
      case HEADER.recordRoute:
      case HEADER.rseq:
      case HEADER.contentLength:
        break;
      case HEADER.from:
        read.from = localised(value, local);
        break;
      case HEADER.to:
        read.to = localised(value, local);
        break;
      case HEADER.callId:
        read.callId = value;
        break;
      case HEADER.cseq:
        read.cseq = value;
        break;
      case HEADER.contact:
        read.contact = joined(
          read.contact,
          each(value, (one) => contactOf(one, local)),
        );
        break;
      case HEADER.contentType:
        read.contentType = value;
        break;
      case HEADER.maxForwards:
        read.maxForwards = value;
        break;
      case HEADER.pAssertedIdentity:
        read.others += `P-Asserted-Identity: ${each(value, (one) => localised(one, local))}\r\n`;
        break;
      default:
        read.others += `${writtenName(fieldName(message, index))}: ${value}\r\n`;
    }
  }
  return read;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A list with each of its values changed. */
function each(value: string, change: (one: string) => string): string {
  return value.includes(',') ? listValues(value).map(change).join(', ') : change(value);
}

/** The value with our address in place of `localhost`, which applications write where they do not know it. */
function localised(value: string, local: LocalAddress): string {
  if (!value.includes('localhost')) return asNameAddr(value);
  const address = `${bracketed(local.address)}:${local.port}`;
  const name = endOfName(value);
  const rest = value.slice(name).replace(/([@:])localhost(:\d{1,5})?(?=[;>?,\s]|$)/, `$1${address}`);
  return asNameAddr(value.slice(0, name) + rest);
}

/** A Contact with `localhost` also says how to get there. */
function contactOf(value: string, local: LocalAddress): string {
  const written = localised(value, local);
  if (local.transport === 'udp' || !value.includes('localhost') || written.includes(';transport=')) return written;
  const close = written.indexOf('>', endOfName(written));
  return close < 0 ? written : `${written.slice(0, close)};transport=${local.transport}${written.slice(close)}`;
}

/** Where a quoted display name has ended, which may hold anything; 0 where there is none. */
function endOfName(value: string): number {
  return value.startsWith('"') ? Math.max(0, endOfQuoted(value, 0)) : 0;
}

function joined(first: string | undefined, second: string): string {
  return first === undefined ? second : `${first}, ${second}`;
}

/** A bare URI in angle brackets, so that nothing behind it is taken for a part of it. */
function asNameAddr(value: string): string {
  if (value.includes('<') || value === '*' || value === '') return value;
  const semicolon = value.indexOf(';');
  return semicolon < 0 ? `<${value}>` : `<${value.slice(0, semicolon)}>${value.slice(semicolon)}`;
}

/** Lines of an application's message whose names are not in a list, each with its end. */
export function linesWithout(lines: string, names: ReadonlySet<number>): string {
  return lines
    .split(/(?<=\r\n)(?![ \t])/)
    .filter((line) => line !== '' && !names.has(headerId(line.slice(0, line.indexOf(':')).trim())))
    .join('');
}

/** A From or To value with a tag, in place of the one it has. */
export function withTag(value: string, tag: string): string {
  const address = addressOf(value);
  if (address !== undefined && parameterOf(address.params, 'tag') !== undefined) return value;
  return `${value};tag=${tag}`;
}
