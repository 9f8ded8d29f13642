import { headerValues, parseSipRequest } from '../core/sip-request.js';
import type { SipRequestText } from '../core/sip-request.js';

/** A response as it came: as much of it as is used here. */
export interface SipAnswerLike {
  /** As it was on the wire. What `get` gives is not enough: two Reason header fields are one there. */
  readonly raw?: unknown;
}

/** A response as text, taken apart but not understood. */
export interface SipResponseText {
  /** 100 to 699. */
  readonly status: number;
  /** As it came; may be empty. */
  readonly reasonPhrase: string;
  /** Values of all header fields of one name, in their order. */
  readonly values: (name: string) => readonly string[];
}

/** @see RFC 3261 section 7.2 */
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]*))?\r?\n/i;
/** A phrase is a few words. */
const MAX_PHRASE_CHARS = 256;

/**
 * Reads a response by its text. Never throws for peer input.
 * @returns undefined where it is none
 * @see RFC 3261 section 7.2
 */
export function readResponseLike({ raw }: SipAnswerLike): SipResponseText | undefined {
  const text = typeof raw === 'string' ? raw.trimStart() : '';
  const line = STATUS_LINE.exec(text);
  if (line === null) return undefined;
  // The header fields of a response are read as those of a request, hence behind the start line of one.
  const parsed = parseSipRequest(`RESPONSE sip:response SIP/2.0\r\n${text.slice(line[0].length)}`);
  if (parsed.status === 'malformed') return undefined;
  const request: SipRequestText = parsed.request;
  return {
    status: Number(line[1]),
    reasonPhrase: (line[2] ?? '').slice(0, MAX_PHRASE_CHARS).trim(),
    values: (name) => headerValues(request, name),
  };
}
