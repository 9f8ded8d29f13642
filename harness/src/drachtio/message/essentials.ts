import { FIELD_SIZE, HEADER, fieldValue, tagOf, unfolded } from './sip-message.js';
import type { SipMessage } from './sip-message.js';
import { readVia, type ReadVia } from './via.js';

/** What every message must say before a transaction or dialog can be found for it. */
export interface Essentials {
  /** The topmost Via. */
  readonly via: ReadVia;
  readonly callId: string;
  /** Below 2^31. */
  readonly cseq: number;
  /** The method of CSeq: for a response, that of its request. */
  readonly method: string;
  /** Empty where there is none, as in requests of RFC 2543 elements. */
  readonly fromTag: string;
  /** Empty outside a dialog. */
  readonly toTag: string;
  /** -1 where there is no Content-Length. */
  readonly contentLength: number;
  /** -1 where there is no Max-Forwards. */
  readonly maxForwards: number;
}

/** What is wrong with a message whose lines could be read. */
export type EssentialsFault =
  | 'missing-via'
  | 'missing-from'
  | 'missing-to'
  | 'missing-call-id'
  | 'missing-cseq'
  | 'bad-via'
  | 'bad-from'
  | 'bad-to'
  | 'bad-call-id'
  | 'bad-cseq'
  | 'bad-content-length'
  | 'bad-max-forwards'
  | 'method-mismatch'
  | 'repeated-header';

/** The essentials; or the first fault. `via` is there when it could be read, so that the sender can be told. */
export type ReadEssentials =
  | { readonly status: 'read'; readonly essentials: Essentials }
  | {
      readonly status: 'faulty';
      readonly fault: EssentialsFault;
      readonly via?: ReadVia;
    };

/**
 * Reads what every message must carry, once; nothing behind this looks at these header fields again.
 * Never throws for peer input.
 * @param message - of {@link parseMessage}
 * @returns Via, Call-ID, CSeq, tags, Content-Length and Max-Forwards, none of them verified; or what is wrong first
 * @see RFC 3261 sections 8.1.1, 8.2.2, 16.3 and 18.3
 * @example
 * ```ts
 * const lines = ['OPTIONS sip:b.example SIP/2.0', 'Via: SIP/2.0/UDP a.example;branch=z9hG4bK1', 'From: <sip:a.example>;tag=1'];
 * const parsed = parseMessage([...lines, 'To: <sip:b.example>', 'Call-ID: 1@a.example', '', ''].join('\r\n'));
 * const read = parsed.status === 'parsed' ? readEssentials(parsed.message) : undefined;
 * console.log(read?.status === 'faulty' && read.fault); // missing-cseq
 * ```
 */
export function readEssentials(message: SipMessage): ReadEssentials {
  const places = placesOf(message);
  const viaIndex = places.via;
  const via = viaIndex < 0 ? undefined : readVia(fieldValue(message, viaIndex));
  if (via === undefined) return { status: 'faulty', fault: viaIndex < 0 ? 'missing-via' : 'bad-via' };
  if (!via.via.isSound) return { status: 'faulty', fault: 'bad-via', via };
  const read = readOthers(message, places, via);
  return typeof read === 'string' ? { status: 'faulty', fault: read, via } : { status: 'read', essentials: read };
}

interface Places {
  via: number;
  from: number;
  to: number;
  callId: number;
  cseq: number;
  contentLength: number;
  maxForwards: number;
  hasRepeated: boolean;
}

function placesOf({ fields }: SipMessage): Places {
  const places: Places = {
    via: -1,
    from: -1,
    to: -1,
    callId: -1,
    cseq: -1,
    contentLength: -1,
    maxForwards: -1,
    hasRepeated: false,
  };
  for (let at = 0; at < fields.length; at += FIELD_SIZE) {
    switch (fields[at]) {
      case HEADER.via:
        if (places.via < 0) places.via = at;
        break;
      case HEADER.from:
        if (places.from >= 0) places.hasRepeated = true;
        else places.from = at;
        break;
      case HEADER.to:
        if (places.to >= 0) places.hasRepeated = true;
        else places.to = at;
        break;
      case HEADER.callId:
        if (places.callId >= 0) places.hasRepeated = true;
        else places.callId = at;
        break;
      case HEADER.cseq:
        if (places.cseq >= 0) places.hasRepeated = true;
        else places.cseq = at;
        break;
      case HEADER.contentLength:
        if (places.contentLength >= 0) places.hasRepeated = true;
        else places.contentLength = at;
        break;
      case HEADER.maxForwards:
        if (places.maxForwards >= 0) places.hasRepeated = true;
        else places.maxForwards = at;
        break;
      default:
    }
  }
  return places;
}

function readOthers(message: SipMessage, places: Places, via: ReadVia): Essentials | EssentialsFault {
  if (places.callId < 0) return 'missing-call-id';
  if (places.cseq < 0) return 'missing-cseq';
  if (places.from < 0) return 'missing-from';
  if (places.to < 0) return 'missing-to';
  if (places.hasRepeated) return 'repeated-header';
  const callId = fieldValue(message, places.callId);
  if (callId === '' || /[ \t\r\n]/.test(callId)) return 'bad-call-id';
  const cseq = readCseq(fieldValue(message, places.cseq), message.method);
  if (cseq === undefined) return 'bad-cseq';
  if (message.status === 0 && cseq.method !== message.method) return 'method-mismatch';
  const fromTag = tagOf(unfolded(fieldValue(message, places.from)));
  if (fromTag === undefined) return 'bad-from';
  const toTag = tagOf(unfolded(fieldValue(message, places.to)));
  if (toTag === undefined) return 'bad-to';
  const contentLength = places.contentLength < 0 ? -1 : scalarOf(fieldValue(message, places.contentLength), MAX_BODY);
  if (contentLength === undefined) return 'bad-content-length';
  const maxForwards = places.maxForwards < 0 ? -1 : scalarOf(fieldValue(message, places.maxForwards), 255);
  if (maxForwards === undefined) return 'bad-max-forwards';
  return {
    via,
    callId,
    cseq: cseq.number,
    method: cseq.method,
    fromTag,
    toTag,
    contentLength,
    maxForwards,
  };
}

/** A length that no message can have is not computed with. */
const MAX_BODY = 2 ** 31 - 1;

/** @see RFC 3261 section 20.16: less than 2^31 */
function readCseq(raw: string, expected: string): { readonly number: number; readonly method: string } | undefined {
  const space = raw.indexOf(' ');
  if (expected !== '' && raw.length === space + 1 + expected.length && raw.endsWith(expected)) {
    const usual = scalarOf(raw.slice(0, space), 2 ** 31 - 1);
    return usual === undefined ? undefined : { number: usual, method: expected };
  }
  let digits = 0;
  while (digits < raw.length && isDigit(raw.charCodeAt(digits))) digits += 1;
  const number = scalarOf(raw.slice(0, digits), 2 ** 31 - 1);
  const method = raw.slice(digits).trim();
  if (number === undefined || raw.length <= digits || !isWhite(raw.charCodeAt(digits))) return undefined;
  return /^[\w.!%*+`'~-]+$/.test(method) ? { number, method } : undefined;
}

/** A number of digits alone, at most `max`. */
function scalarOf(raw: string, max: number): number | undefined {
  if (raw.length === 0 || raw.length > 10) return undefined;
  let number = 0;
  for (let at = 0; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (!isDigit(code)) return undefined;
    number = number * 10 + (code - 0x30);
  }
  return number > max ? undefined : number;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWhite(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
