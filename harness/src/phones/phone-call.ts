import { readParties } from '@hopback/sdk/internal';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { NORTH_AMERICAN_PLAN, canonicalTelephoneNumber } from '@hopback/sdk/stir';
import type { PartyOptions, Verstat } from '@hopback/sdk/stir';

/** A promise and what settles it. Node 20 has no `Promise.withResolvers`. */
export type Deferred<T> = ReturnType<typeof deferred<T>>;

/** Makes a promise that is settled from outside. */
export function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/**
 * The values of all header fields of one name, in their order, as they stand in a message: folded lines keep their line ends, a
 * list is not split. Only the space around a value is left away. Never throws for peer input.
 * @param text - a SIP message, lines ending in CRLF
 * @param names - long and compact name, in any case
 * @see RFC 3261 section 7.3.1
 */
export function headerTexts(text: string, ...names: readonly string[]): readonly string[] {
  const wanted = names.map((name) => name.toLowerCase());
  const found: string[] = [];
  let at = text.indexOf(LINE_END) + LINE_END.length;
  while (at >= LINE_END.length && at < text.length && !text.startsWith(LINE_END, at)) {
    const end = endOfField(text, at);
    const colon = text.indexOf(':', at);
    if (colon > at && colon < end && wanted.includes(text.slice(at, colon).trimEnd().toLowerCase())) {
      found.push(text.slice(colon + 1, end).trim());
    }
    at = end + LINE_END.length;
  }
  return found;
}

/** A header value on one line. @see RFC 3261 section 7.3.1 */
export function unfolded(value: string): string {
  return value.includes('\r\n') ? value.replace(/\r\n[ \t]+/g, ' ') : value;
}

/** Second word of the first line: where a request is headed, or the status of a response. */
export function secondWord(text: string): string {
  return text.slice(0, Math.max(0, text.indexOf(LINE_END))).split(' ')[1] ?? '';
}

const LINE_END = '\r\n';

/** Where the last line of a field ends: the next begins neither with a space nor with a tab. */
function endOfField(text: string, start: number): number {
  let end = text.indexOf(LINE_END, start);
  while (end >= 0 && (text[end + LINE_END.length] === ' ' || text[end + LINE_END.length] === '\t')) {
    end = text.indexOf(LINE_END, end + LINE_END.length);
  }
  return end < 0 ? text.length : end;
}

/**
 * Reads what the caller's or the callee's network found out about the calling number: the `verstat` parameter of a From or
 * P-Asserted-Identity value. It is worth what the network that delivered the call is worth. Display names are passed over, since
 * callers choose them; where a value says several things, the one that trusts the caller least counts. Never throws for peer input.
 * @param value - of one header field, which may be a list; folded or not
 * @returns undefined where there is no `verstat`, or none of the three words
 * @see 3GPP TS 24.229 section 7.2A.20
 * @example
 * ```ts
 * const value = '"Mum" <sip:+12025550101;verstat=TN-Validation-Failed@a.example;user=phone>';
 * console.log(verstatOf(value)); // TN-Validation-Failed
 * ```
 */
export function verstatOf(value: string): Verstat | undefined {
  const found = addressesOf(value).flatMap(verstatsOf);
  return LEAST_TRUST_FIRST.find((verstat) => found.includes(verstat));
}

const LEAST_TRUST_FIRST: readonly Verstat[] = ['TN-Validation-Failed', 'No-TN-Validation', 'TN-Validation-Passed'];
const BY_LOWER_CASE: ReadonlyMap<string, Verstat> = new Map(
  LEAST_TRUST_FIRST.map((verstat) => [verstat.toLowerCase(), verstat]),
);

const PARAMETER = ';verstat=';

/** The URIs of a list, each the text between angle brackets; or the whole value where it has none. Quoted text is passed over. */
function addressesOf(value: string): readonly string[] {
  const addresses: string[] = [];
  let isQuoted = false;
  let open = -1;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (isQuoted && character === '\\') at += 1;
    else if (character === '"' && open < 0) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '<' && open < 0) open = at + 1;
    else if (character === '>' && open >= 0) {
      addresses.push(value.slice(open, at));
      open = -1;
    }
  }
  return addresses.length === 0 && !value.includes('"') ? [value] : addresses;
}

function verstatsOf(address: string): readonly Verstat[] {
  const [, ...behind] = address.toLowerCase().split(PARAMETER);
  return behind.flatMap((text) => BY_LOWER_CASE.get(text.slice(0, endOfToken(text))) ?? []);
}

/** A token of letters and hyphens: no verstat has other characters. */
function endOfToken(text: string): number {
  let at = 0;
  while (at < text.length && ((text[at] ?? '') === '-' || ((text[at] ?? '') >= 'a' && (text[at] ?? '') <= 'z')))
    at += 1;
  return at;
}

/** What an INVITE says of a call, as the called phone got it. Nothing of it has been verified. */
export interface InviteFacts {
  readonly callId: string;
  readonly requestUri: string;
  /** Value of the From header, on one line. */
  readonly from: string;
  /** Value of the To header, on one line. */
  readonly to: string;
  /**
   * Digits of the calling number, country code first: that of P-Asserted-Identity where there is one, else that of From. Absent where
   * the caller is no telephone number, or two readers could see two.
   */
  readonly callingNumber?: string;
  /** Digits of the called number, country code first: that of the Request-URI, else that of To. */
  readonly calledNumber?: string;
  /** Whether the caller wants to stay unnamed: From names nobody, or nothing of the call does. */
  readonly isAnonymous: boolean;
  /** What the network found out about the calling number, of P-Asserted-Identity before From. */
  readonly verstat?: Verstat;
  /** Values of P-Asserted-Identity, each on one line, in their order. */
  readonly assertedIdentities: readonly string[];
  /** Identity headers in their order, exactly as they stood in the message, line ends of folded ones included. */
  readonly identityHeaders: readonly string[];
  /** The whole message as received. */
  readonly text: string;
}

/**
 * Reads the facts of an INVITE out of its text. Never throws for peer input: what cannot be read is absent or empty.
 * @param text - of the message, lines ending in CRLF
 * @returns the facts, untrusted
 * @see RFC 3261 section 20, RFC 3325 section 9.1, RFC 8224 section 4
 * @example
 * ```ts
 * const facts = inviteFacts('INVITE sip:12025550199@b.example SIP/2.0\r\nFrom: <sip:+12025550101@a.example>;tag=1\r\n\r\n');
 * console.log(facts.callingNumber, facts.calledNumber, facts.isAnonymous); // 12025550101 12025550199 false
 * ```
 */
export function inviteFacts(text: string): InviteFacts {
  const requestUri = secondWord(text);
  const [from = ''] = headerTexts(text, 'From', 'f').map(unfolded);
  const [to = ''] = headerTexts(text, 'To', 't').map(unfolded);
  const assertedIdentities = headerTexts(text, 'P-Asserted-Identity').map(unfolded);
  const { orig, target, dest } = readParties({ from, to, requestUri, pAssertedIdentity: assertedIdentities }, PARTIES);
  const called = target ?? dest[0];
  const verstat = verstatOf(assertedIdentities.join(', ')) ?? verstatOf(from);
  return {
    callId: headerTexts(text, 'Call-ID', 'i')[0] ?? '',
    requestUri,
    from,
    to,
    ...(orig?.kind === 'tn' ? { callingNumber: orig.value } : undefined),
    ...(called?.kind === 'tn' ? { calledNumber: called.value } : undefined),
    isAnonymous: orig === undefined || readParties({ from }, PARTIES).orig === undefined,
    ...(verstat === undefined ? undefined : { verstat }),
    assertedIdentities,
    identityHeaders: headerTexts(text, 'Identity', 'y'),
    text,
  };
}

/** Numbers without `+` are read as dialled in North America, as everywhere in this test network. */
const PARTIES: PartyOptions = {
  originatingIdentity: ['p-asserted-identity', 'from'],
  destination: 'request-uri',
  numberingPlan: NORTH_AMERICAN_PLAN,
};

/**
 * How far a call has come; it never goes back:
 *
 * ```txt
 * calling ──► ringing ──► answered ──► ended
 *    │           │                       ▲
 *    └───────────┴──────── (rejected, cancelled, lost)
 * ```
 */
export type CallState = 'calling' | 'ringing' | 'answered' | 'ended';

/** How a call ended. */
export interface CallEnd {
  /** Who ended it: this phone, the other side, or neither, because the connection broke or nobody answered in time. */
  readonly by: 'local' | 'remote' | 'network';
  /** The final response to the INVITE: 200 for calls that were answered, 487 for cancelled ones; 503 where the connection broke before one. */
  readonly status: number;
  /** Reason phrase of that response. */
  readonly reason: string;
  /** The message of the other side that ended the call, as received: a final response, a BYE or a CANCEL. */
  readonly text?: string;
}

/** A call as one of its two phones has it. What the other side does never throws: it is told by state and promises. */
export interface PhoneCall {
  readonly direction: 'outgoing' | 'incoming';
  /** The Call-ID. */
  readonly id: string;
  readonly state: CallState;
  /** True once it rings; false where it is answered or ends without. Never rejects. */
  readonly ringing: Promise<boolean>;
  /** True once it is answered, for the called phone: once the 200 is sent; false where it ends without. Never rejects. */
  readonly established: Promise<boolean>;
  /** How it ended, after the last word of the other side: the answer to a BYE was awaited. Never rejects. */
  readonly ended: Promise<CallEnd>;
  /**
   * Ends the call by what its state asks for: CANCEL, BYE, or 480 to an INVITE. Resolves when it has ended; never rejects.
   * @see RFC 3261 sections 9 and 15
   */
  readonly hangUp: () => Promise<void>;
}

/** What {@link IncomingCall.answer} may be told. */
export interface AnswerOptions {
  /** Hangs up so many milliseconds after the answer, by the phone's clock; default never. */
  readonly hangUpAfterMs?: number;
}

/** What {@link IncomingCall.reject} may be told. */
export interface RejectOptions {
  /** Reason phrase; default that of the specification. */
  readonly reason?: string;
  /** Header fields of the response, one string per value. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** A call that came in. */
export interface IncomingCall extends PhoneCall {
  readonly direction: 'incoming';
  /** What the INVITE says. */
  readonly invite: InviteFacts;
  /** Sends 180. False, and nothing is sent, where the call was answered or is over. Never throws. */
  readonly ring: () => boolean;
  /**
   * Sends 200 with a session description. False where the call is over, or was cancelled meanwhile.
   * @throws {@link HopbackError} `invalid-argument` when `hangUpAfterMs` is not 0 to 2,147,483,647
   */
  readonly answer: (options?: AnswerOptions) => Promise<boolean>;
  /**
   * Sends a final response. Of 607 the network learns that the callee does not want calls like this one. False, and nothing is sent,
   * where the call was answered or is over.
   * @param status - 300 to 699: 486 Busy Here, 603 Decline, 607 Unwanted, 608 Rejected, …
   * @throws {@link HopbackError} `invalid-argument` when the status is not 300 to 699, or a header cannot be sent
   * @see RFC 8197, RFC 8688
   */
  readonly reject: (status: number, options?: RejectOptions) => boolean;
}

/** Longest time that may be asked for, 24 days: Node's timers take no longer one. */
export const MAX_DURATION_MS = 2_147_483_647;

/** Whom a subscriber lets ring, as set up in a call-blocking app. Whatever is left out blocks nobody, with the exception of `blockedVerstats`. */
export interface ScreeningRule {
  /** Numbers of the address book: always let through, also where somebody only pretends to call from them. */
  readonly knownContacts?: readonly string[];
  /** Calling numbers that are blocked. */
  readonly blockedNumbers?: readonly string[];
  /** Digits, country code first, that blocked calling numbers begin with: `1900`. */
  readonly blockedPrefixes?: readonly string[];
  /** What the network must not have found out about the calling number; default `TN-Validation-Failed` alone. */
  readonly blockedVerstats?: readonly Verstat[];
  /** Whether calls are blocked whose caller does not want to be named. */
  readonly blockAnonymous?: boolean;
  /**
   * How many first digits of the subscriber's own number a caller may not share, country code included: 7 blocks whoever calls from the
   * same area code and exchange, as those do who want to look like a neighbour. 0, the default, blocks none.
   */
  readonly neighbourDigits?: number;
}

/** What the rule looks at. */
export interface ScreenedCall extends Pick<InviteFacts, 'callingNumber' | 'isAnonymous' | 'verstat'> {
  /** The subscriber's own number, in any spelling. */
  readonly ownNumber: string;
}

/** Why a call was blocked. */
export type BlockReason =
  | 'blocked-number'
  | 'blocked-prefix'
  | 'verstat-failed'
  | 'verstat-not-validated'
  | 'verstat-passed'
  | 'anonymous'
  | 'neighbour-spoofing';

/** Whether a call may ring, and why. */
export type ScreeningDecision =
  | { readonly action: 'allow'; readonly reason: 'known-contact' | 'nothing-against-it' }
  | { readonly action: 'block'; readonly reason: BlockReason };

/**
 * Decides whether a call may ring: known contacts first, then what names the caller, then what the network says of the number, then
 * how the number looks. Never throws for peer input.
 * @param call - of an INVITE, with the subscriber's own number
 * @param rule - numbers in any spelling, prefixes in digits
 * @returns `allow` or `block`, and why
 * @see RFC 8197 section 1 for what a block says to the network
 * @example
 * ```ts
 * const call = { callingNumber: '12025550123', isAnonymous: false, ownNumber: '12025550199' };
 * console.log(screenCall(call, { neighbourDigits: 7 }).reason); // neighbour-spoofing
 * console.log(screenCall(call, { neighbourDigits: 7, knownContacts: ['(202) 555-0123'] }).reason); // known-contact
 * ```
 */
export function screenCall(call: ScreenedCall, rule: ScreeningRule): ScreeningDecision {
  const { callingNumber = '', isAnonymous, verstat, ownNumber } = call;
  if (isOneOf(callingNumber, rule.knownContacts)) return { action: 'allow', reason: 'known-contact' };
  if (isOneOf(callingNumber, rule.blockedNumbers)) return block('blocked-number');
  if (startsWithOne(callingNumber, rule.blockedPrefixes)) return block('blocked-prefix');
  if (verstat !== undefined && (rule.blockedVerstats ?? DEFAULT_BLOCKED_VERSTATS).includes(verstat)) {
    return block(VERSTAT_REASONS[verstat]);
  }
  if (isAnonymous && rule.blockAnonymous === true) return block('anonymous');
  const near = canonical(ownNumber).slice(0, rule.neighbourDigits ?? 0);
  if (near !== '' && callingNumber.startsWith(near)) return block('neighbour-spoofing');
  return { action: 'allow', reason: 'nothing-against-it' };
}

/** A number that was proven false has no honest use; one that nobody vouches for has many. */
const DEFAULT_BLOCKED_VERSTATS: readonly Verstat[] = ['TN-Validation-Failed'];

const VERSTAT_REASONS: Readonly<Record<Verstat, BlockReason>> = {
  'TN-Validation-Failed': 'verstat-failed',
  'No-TN-Validation': 'verstat-not-validated',
  'TN-Validation-Passed': 'verstat-passed',
};

const block = (reason: BlockReason): ScreeningDecision => ({ action: 'block', reason });

function isOneOf(callingNumber: string, numbers: readonly string[] = []): boolean {
  return callingNumber !== '' && numbers.some((number) => canonical(number) === callingNumber);
}

function startsWithOne(callingNumber: string, prefixes: readonly string[] = []): boolean {
  return prefixes.some((prefix) => prefix !== '' && callingNumber.startsWith(prefix));
}

function canonical(number: string): string {
  const read = canonicalTelephoneNumber(number);
  return read.kind === 'none' ? number : read.tn;
}

/** The state of one call, its promises and its timers. */
export type CallProgress = ReturnType<typeof createCallProgress>;

/** Makes the state of a new call. */
export function createCallProgress(clock: TimerClock, onChange: (state: CallState, end?: CallEnd) => void) {
  let state: CallState = 'calling';
  const timers = new Set<() => void>();
  const ringing = deferred<boolean>();
  const established = deferred<boolean>();
  const ended = deferred<CallEnd>();
  return {
    state: (): CallState => state,
    ringing: ringing.promise,
    established: established.promise,
    ended: ended.promise,
    ring: () => {
      if (state !== 'calling') return;
      state = 'ringing';
      ringing.resolve(true);
      onChange(state);
    },
    answer: () => {
      if (state === 'answered' || state === 'ended') return;
      state = 'answered';
      ringing.resolve(false);
      established.resolve(true);
      onChange(state);
    },
    /** The first end counts; timers of the call are cancelled. */
    end: (end: CallEnd) => {
      if (state === 'ended') return;
      state = 'ended';
      for (const cancel of timers) cancel();
      timers.clear();
      ringing.resolve(false);
      established.resolve(false);
      ended.resolve(end);
      onChange(state, end);
    },
    /** Runs `callback` after `delayMs` unless the call has ended by then. */
    after: (delayMs: number, callback: () => void): (() => void) => {
      if (state === 'ended') return () => undefined;
      const cancel = clock.schedule(() => {
        timers.delete(cancel);
        callback();
      }, delayMs);
      timers.add(cancel);
      return () => {
        if (timers.delete(cancel)) cancel();
      };
    },
  };
}

/** What the registrar granted. */
export interface Registration {
  /** The URI that it was told to reach the phone by. Its host exists nowhere: it is the connection that leads to the phone. */
  readonly contactUri: string;
  /** How long it knows the phone, seconds, unless it is told again. */
  readonly expiresSeconds: number;
}
