import type { Verstat } from '../../core/terms.js';
import { splitHeaderList } from '../../core/sip-request.js';
import { parseNameAddr } from '../../core/sip-request.js';
import { headerValues, MAX_REQUEST_SIZE, parseSipRequest } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { parseSipUri } from '../../core/sip-uri.js';

/** What a captured SIP message tells about a call. Untrusted text throughout. */
export interface SipFacts {
  /** Of a response the one in CSeq. */
  readonly method: string;
  /** 100 to 699; absent in a request. */
  readonly status?: number;
  readonly callId: string;
  readonly cseq: number;
  readonly fromTag: string;
  /** Absent in a request outside a dialog. */
  readonly toTag?: string;
  /** The branch of each Via, that of the last hop first; a Via without one is left out. */
  readonly branches: readonly string[];
  readonly fromUri: string;
  readonly toUri: string;
  /** Absent in a response. */
  readonly requestUri?: string;
  /** First URI of P-Asserted-Identity. */
  readonly assertedUri?: string;
  /** `verstat` of the asserted number, else of that in From: whoever sent the message put it there. */
  readonly verstat?: Verstat;
  /** Identity header values, not looked into. */
  readonly identities: readonly string[];
  /** Cause of a Reason header of protocol Q.850. */
  readonly q850Cause?: number;
}

/** The facts, or in which words of SIP they are missing. */
export type SipFactsResult =
  | { readonly status: 'read'; readonly facts: SipFacts }
  | { readonly status: 'malformed'; readonly field: string }
  /** Nothing but line ends: what keeps a way through a NAT open. */
  | { readonly status: 'empty' };

/** Longest Call-ID, tag or branch that is kept; those of real switches stay below 200 characters. */
const MAX_ID_CHARS = 256;
/** Most Via branches that are looked at: Max-Forwards begins at 70. */
const MAX_BRANCHES = 70;
/** Most Identity headers of a request that are kept: shaken, rph and some diversions. */
const MAX_IDENTITIES = 8;

/**
 * Reads what a SIP request or response tells about its call. A message whose Call-ID, From, To or CSeq cannot be read is malformed:
 * it could be put to no call. Never throws for peer input.
 * @param payload - at most 65,536 bytes
 * @see RFC 3261 sections 7 and 8.1.1
 */
export function readSipFacts(payload: Uint8Array): SipFactsResult {
  if (payload.length > MAX_REQUEST_SIZE) return { status: 'malformed', field: 'length' };
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    .toString('utf8')
    .replace(/^[\r\n\0]+/, '');
  if (text === '') return { status: 'empty' };
  const statusLine = STATUS_LINE.exec(text);
  // The header fields of a response are read as those of a request, hence behind the start line of one.
  const parsed = parseSipRequest(
    statusLine === null ? text : `RESPONSE sip:response SIP/2.0\r\n${text.slice(statusLine[0].length)}`,
  );
  if (parsed.status === 'malformed') return { status: 'malformed', field: parsed.reason };
  return factsOf(parsed.request, statusLine === null ? undefined : Number(statusLine[1]));
}

const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: [^\r\n]*)?\r?\n/i;

function factsOf(message: SipRequestText, status: number | undefined): SipFactsResult {
  const callId = headerValues(message, 'call-id')[0];
  const [cseqNumber, cseqMethod] = (headerValues(message, 'cseq')[0] ?? '').split(/[ \t]+/, 2);
  const from = partyOf(headerValues(message, 'from')[0]);
  const to = partyOf(headerValues(message, 'to')[0]);
  if (callId === undefined || callId === '' || callId.length > MAX_ID_CHARS) return malformed('Call-ID');
  if (cseqMethod === undefined || cseqNumber === undefined || !/^\d{1,10}$/.test(cseqNumber)) return malformed('CSeq');
  if (from === undefined || from.tag === undefined) return malformed('From');
  if (to === undefined) return malformed('To');
  const assertedUri = partyOf(splitHeaderList(headerValues(message, 'p-asserted-identity')[0] ?? '')[0])?.uri;
  const verstat = verstatOf(assertedUri) ?? verstatOf(from.uri);
  const q850Cause = q850CauseOf(headerValues(message, 'reason'));
  const facts: SipFacts = {
    method: (status === undefined ? message.method : cseqMethod).toUpperCase(),
    callId,
    cseq: Number(cseqNumber),
    fromTag: from.tag,
    branches: branchesOf(headerValues(message, 'via')),
    fromUri: from.uri,
    toUri: to.uri,
    identities: headerValues(message, 'identity')
      .flatMap((value) => splitHeaderList(value))
      .slice(0, MAX_IDENTITIES),
    ...(status === undefined ? { requestUri: message.requestUri } : { status }),
    ...(to.tag === undefined ? undefined : { toTag: to.tag }),
    ...(assertedUri === undefined ? undefined : { assertedUri }),
    ...(verstat === undefined ? undefined : { verstat }),
    ...(q850Cause === undefined ? undefined : { q850Cause }),
  };
  return { status: 'read', facts };
}

function malformed(field: string): SipFactsResult {
  return { status: 'malformed', field };
}

function partyOf(value: string | undefined): { readonly uri: string; readonly tag?: string } | undefined {
  const party = value === undefined ? undefined : parseNameAddr(value);
  if (party?.status !== 'parsed') return undefined;
  const tag = party.params.get('tag');
  if (typeof tag !== 'string' || tag === '') return { uri: party.uri };
  return tag.length > MAX_ID_CHARS ? undefined : { uri: party.uri, tag };
}

function branchesOf(values: readonly string[]): readonly string[] {
  const branches: string[] = [];
  for (const value of values) {
    for (const via of splitHeaderList(value)) {
      const branch = /;\s{0,8}branch\s{0,8}=\s{0,8}([^;,\s]{1,256})/i.exec(via)?.[1];
      if (branch !== undefined && branches.length < MAX_BRANCHES) branches.push(branch);
    }
  }
  return branches;
}

const VERSTATS: ReadonlyMap<string, Verstat> = new Map([
  ['tn-validation-passed', 'TN-Validation-Passed'],
  ['tn-validation-failed', 'TN-Validation-Failed'],
  ['no-tn-validation', 'No-TN-Validation'],
]);

/** @see 3GPP TS 24.229 section 7.2A.20 */
function verstatOf(uri: string | undefined): Verstat | undefined {
  const parsed = uri === undefined || !/verstat/i.test(uri) ? undefined : parseSipUri(uri);
  if (parsed?.status !== 'parsed') return undefined;
  const value = parsed.uri.userParams.get('verstat') ?? parsed.uri.params.get('verstat');
  return typeof value === 'string' ? VERSTATS.get(value.toLowerCase()) : undefined;
}

/** The highest cause of Q.850; a record has no others. */
const LAST_Q850_CAUSE = 127;

/**
 * The Q.850 cause that Reason header fields give. Never throws for peer input.
 * @param values - of the header fields, each with one reason or several
 * @returns 0 to 127; undefined where none is given
 * @see RFC 3326, ITU-T Q.850 section 2.2.7
 * @example
 * ```ts
 * console.log(q850CauseOf(['SIP;cause=480, Q.850;cause=19;text="no answer"'])); // 19
 * ```
 */
export function q850CauseOf(values: readonly string[]): number | undefined {
  for (const value of values) {
    const cause = /(?:^|,)\s{0,8}Q\.850\s{0,8};[^,]{0,64}?cause\s{0,8}=\s{0,8}(\d{1,3})/i.exec(value)?.[1];
    if (cause !== undefined && Number(cause) <= LAST_Q850_CAUSE) return Number(cause);
  }
  return undefined;
}
