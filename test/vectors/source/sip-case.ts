// What a torture message and its expectation are made of. Expectations are stated by hand in each case, never computed by what
// they are to prove.

/**
 * Who has to refuse a message, or to take it.
 * - `framing`: how many octets belong to it cannot be said, or not so many are there.
 * - `parse`: its start line or one of its header lines does not have the shape of one.
 * - `message`: the shape is there, but something that every element reads (Request-URI, Via, From, To, Call-ID, CSeq, Max-Forwards,
 *   Contact, version) is missing, twice there or unreadable.
 * - `transaction`, `dialog`: it can be read, but not matched.
 * - `core`: the rules of RFC 3261 section 8 beyond that: methods, schemes, extensions, hops.
 * - `application`: whoever uses the value that is wrong; a server that does not use it passes it on.
 * - `none`: nobody.
 */
export type SipLayer = 'framing' | 'parse' | 'message' | 'transaction' | 'dialog' | 'core' | 'application' | 'none';

/** What has to come of a message. Described for readers in test/vectors/README.md. */
export interface SipExpectation {
  /** What it wants to be; `none` where nobody can say. */
  readonly kind: 'request' | 'response' | 'none';
  /** As the RFC judges it. */
  readonly valid: boolean;
  readonly layer: SipLayer;
  /** `deliver`: handed on, `answer`: refused with `status`, `drop`: thrown away in silence. */
  readonly outcome: 'deliver' | 'answer' | 'drop';
  readonly status: number | null;
  /** Codes that are as good as `status`; beside a status of null, those with which a stricter element may refuse. */
  readonly anyOf?: readonly number[];
  /** Where the RFC lets a liberal element take what `status` refuses. */
  readonly liberal?: true;
  /** Whether parsing and writing has to give the same octets again. */
  readonly roundTrip: boolean;
  /** Octets that are the message, where more follow. */
  readonly messageSizeBytes?: number;
  /** What a stream makes of the same octets, where it is not what a datagram makes of them. */
  readonly onStream?: 'wait' | 'close' | 'two-messages';
  /** What the RFC says about it, in our words. */
  readonly why: string;
}

/** One torture message. */
export interface SipCase {
  /** The name it has in the RFC; that of its file. */
  readonly name: string;
  /** Of the RFC that names it. */
  readonly section: string;
  /** What is odd about it, in one sentence. */
  readonly trick: string;
  readonly expected: SipExpectation;
  /** The octets. */
  readonly bytes: () => Uint8Array;
}

type More = Partial<Omit<SipExpectation, 'outcome' | 'status' | 'why'>>;

/** A valid request that nobody refuses; `more` says where it is something else. */
export const taken = (why: string, more: More = {}): SipExpectation =>
  inOrder({
    kind: 'request',
    valid: true,
    layer: 'none',
    outcome: 'deliver',
    status: null,
    roundTrip: true,
    ...more,
    why,
  });

/** An invalid request that a layer refuses; `more` says where it is something else. */
export const refused = (layer: SipLayer, status: number, why: string, more: More = {}): SipExpectation =>
  inOrder({ kind: 'request', valid: false, layer, outcome: 'answer', status, roundTrip: false, ...more, why });

/** An invalid response, which nobody can answer; `more` says where it is something else. */
export const dropped = (layer: SipLayer, why: string, more: More = {}): SipExpectation =>
  inOrder({ kind: 'response', valid: false, layer, outcome: 'drop', status: null, roundTrip: false, ...more, why });

/** The members as the files have them, whichever case adds which. */
function inOrder(expected: SipExpectation): SipExpectation {
  const { kind, valid, layer, outcome, status, anyOf, liberal, roundTrip, messageSizeBytes, onStream, why } = expected;
  return {
    kind,
    valid,
    layer,
    outcome,
    status,
    ...(anyOf === undefined ? {} : { anyOf }),
    ...(liberal === undefined ? {} : { liberal }),
    roundTrip,
    ...(messageSizeBytes === undefined ? {} : { messageSizeBytes }),
    ...(onStream === undefined ? {} : { onStream }),
    why,
  };
}

/** A line without its line end; the one that names the size of the body gets it in octets. */
export type SipLine = string | ((bodySizeBytes: number) => string);

/** Most often how the size of the body is said. */
export const contentLength: SipLine = (size) => `Content-Length: ${size}`;

/** The same in its compact form. */
export const compactLength: SipLine = (size) => `l: ${size}`;

/** Start line and header lines, each with CRLF, the empty line, the body. Text is UTF-8; folds are lines of their own. */
export function message(lines: readonly SipLine[], body: Uint8Array = new Uint8Array()): Uint8Array {
  const head = lines.map((line) => (typeof line === 'string' ? line : line(body.length)));
  return octets(`${head.join('\r\n')}\r\n\r\n`, body);
}

/** Text as UTF-8 and octets as they are, one behind the other. */
export function octets(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)));
}

/** A body of text lines, each with CRLF. */
export function textBody(...lines: readonly string[]): Uint8Array {
  return octets(lines.map((line) => `${line}\r\n`).join(''));
}

/** An offer of one audio stream at an IPv4 address. @see RFC 8866 */
export function audioOffer(address: string): Uint8Array {
  return textBody(
    'v=0',
    `o=- 4060 1 IN IP4 ${address}`,
    's=hop by hop',
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 40620 RTP/AVP 8 101',
    'a=rtpmap:101 telephone-event/8000',
  );
}
