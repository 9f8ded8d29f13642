import { HopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { MAX_DURATION_MS } from './phone-call.js';
import type { CallProgress, IncomingCall } from './phone-call.js';

export const invalid = (message: string): HopbackError => new HopbackError('invalid-argument', message);

/** A duration of the caller's, or `invalid-argument`. */
export function duration(value: number, name: string): number {
  if (Number.isFinite(value) && value >= 0 && value <= MAX_DURATION_MS) return value;
  throw invalid(`${name} must be 0 to ${MAX_DURATION_MS} milliseconds, not ${value}`);
}

/** A status that rejects or redirects a call, or `invalid-argument`. */
export function rejection(status: number): number {
  if (Number.isInteger(status) && status >= 300 && status <= 699) return status;
  throw invalid(`a call is rejected with 300 to 699, not with ${status}`);
}

/** Names that the phone writes itself: a second one would make a message that two readers read differently. */
const OWN_HEADERS: ReadonlySet<string> = new Set(
  (
    'via v from f to t call-id i cseq contact m max-forwards content-length l ' +
    'content-type c route record-route authorization proxy-authorization'
  ).split(' '),
);

const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Header fields as lines, or `invalid-argument`. */
export function headerLines(headers: Readonly<Record<string, string | readonly string[]>> = {}): string[] {
  return Object.entries(headers).flatMap(([name, given]) => {
    if (!NAME.test(name)) throw invalid(`${JSON.stringify(name)} is no name of a header field`);
    if (OWN_HEADERS.has(name.toLowerCase())) throw invalid(`the phone writes ${name} itself`);
    const values = typeof given === 'string' ? [given] : given;
    return values.map((value) => {
      if (hasControl(value)) throw invalid(`a value of ${name} has line ends or control characters`);
      return `${name}: ${value}`;
    });
  });
}

/** A reason phrase, or `invalid-argument`. */
export function reasonPhrase(text: string): string {
  if (!hasControl(text)) return text;
  throw invalid('a reason phrase has line ends or control characters');
}

/** Text that stands between quotation marks in a header, or `invalid-argument`. */
export function quotable(text: string, name: string): string {
  if (!hasControl(text) && !text.includes('"') && !text.includes('\\')) return text;
  throw invalid(`${name} must have no quotation marks, backslashes or control characters`);
}

/** A telephone number of the caller's, or `invalid-argument`. */
export function phoneNumber(text: string, name: string): string {
  if (isPhoneNumber(text)) return text;
  throw invalid(`${name} must be 3 to 15 digits, with or without a + in front`);
}

/** Whether a text is digits as E.164 has them, with or without `+`. */
export function isPhoneNumber(text: string): boolean {
  return /^\+?[0-9]{3,15}$/.test(text);
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}

/** What a phone does with a call that comes in, told as data. */
export type AnswerPolicy =
  | {
      readonly action: 'answer';
      /** Rings so many milliseconds first, by the phone's clock; default 0, which answers without a 180. */
      readonly ringMs?: number;
      /** Hangs up so many milliseconds after the answer; default never. */
      readonly hangUpAfterMs?: number;
    }
  /** 486 Busy Here at once. */
  | { readonly action: 'busy' }
  | {
      readonly action: 'reject';
      /** 300 to 699: 603, 607, 608, … */
      readonly status: number;
      /** Reason phrase; default that of the specification. */
      readonly reason?: string;
      /** Rings so many milliseconds first; default 0, which rejects without a 180. */
      readonly ringMs?: number;
    }
  /** 180, and then nothing: whoever reads the calls may still answer. */
  | { readonly action: 'ring' }
  /** Not even 180. */
  | { readonly action: 'ignore' };

/** A policy, or a function that chooses one for each call. One that decided the call itself returns `ignore`. */
export type IncomingPolicy = AnswerPolicy | ((call: IncomingCall) => AnswerPolicy | Promise<AnswerPolicy>);

/** The policy as it is, or `invalid-argument` for what cannot be. */
export function checkedPolicy<Policy extends IncomingPolicy>(policy: Policy): Policy {
  if (typeof policy === 'function') return policy;
  const { action }: AnswerPolicy = policy;
  if (!ACTIONS.has(action)) throw invalid(`a phone cannot ${action} a call`);
  if ('ringMs' in policy && policy.ringMs !== undefined) duration(policy.ringMs, 'ringMs');
  if ('hangUpAfterMs' in policy && policy.hangUpAfterMs !== undefined) duration(policy.hangUpAfterMs, 'hangUpAfterMs');
  if (policy.action === 'reject') {
    rejection(policy.status);
    reasonPhrase(policy.reason ?? '');
  }
  return policy;
}

/** Lets a policy decide a call. Rejects with what a function that chooses policies throws. */
export async function followPolicy(
  policy: IncomingPolicy,
  { call, progress }: { readonly call: IncomingCall; readonly progress: CallProgress },
): Promise<void> {
  const chosen = checkedPolicy(typeof policy === 'function' ? await policy(call) : policy);
  const afterRinging = (ringMs: number, decide: () => void): void => {
    if (ringMs === 0) decide();
    else if (call.ring()) progress.after(ringMs, decide);
  };
  switch (chosen.action) {
    case 'answer': {
      const { ringMs = 0, hangUpAfterMs } = chosen;
      afterRinging(ringMs, () => void call.answer(hangUpAfterMs === undefined ? {} : { hangUpAfterMs }));
      return;
    }
    case 'reject': {
      const { ringMs = 0, status, reason } = chosen;
      afterRinging(ringMs, () => void call.reject(status, reason === undefined ? {} : { reason }));
      return;
    }
    case 'busy':
      call.reject(486);
      return;
    case 'ring':
      call.ring();
      return;
    case 'ignore':
  }
}

const ACTIONS: ReadonlySet<AnswerPolicy['action']> = new Set(['answer', 'busy', 'reject', 'ring', 'ignore']);

// Types that users see are apart from those of sip.js, which need the types of a browser.

/** What a phone tells its `log`. No telephone numbers in it; messages are for the tap of the server. */
export interface PhoneLogEntry {
  readonly atMs: number;
  readonly event:
    | 'connected'
    | 'connection-lost'
    | 'registered'
    | 'unregistered'
    | 'registration-failed'
    | 'call-ringing'
    | 'call-answered'
    | 'call-ended'
    | 'policy-failed'
    | 'message-failed'
    | 'closed';
  /** The Call-ID, of a call. */
  readonly callId?: string;
  /** Final response of a call that ended, or of the registrar. */
  readonly status?: number;
  /** What was thrown. */
  readonly cause?: unknown;
}

/** Settings of {@link Phone}. */
export interface PhoneOptions {
  /** Where the server listens for WebSockets: `ws://127.0.0.1:5062`. */
  readonly server: string;
  /** The phone's number: E.164 digits, with or without `+`. It stands in From as given; calls are taken in both spellings. */
  readonly number: string;
  /** Domain of the phone's address of record, and its registrar. */
  readonly domain: string;
  /** Name in From. */
  readonly displayName?: string;
  /** What the phone answers digest challenges with, of registrars and others. Without it a challenge is as good as a refusal. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** What happens to calls that come in; default `ring`: the calls are then answered by whoever reads them from `incoming()`. */
  readonly onIncoming?: IncomingPolicy;
  /** How long a registration is asked for, seconds, 60 to 86,400; default 600. It is renewed after nine tenths. */
  readonly registrationSeconds?: number;
  /** After a connection that broke, how many milliseconds to wait before each new attempt; default: none is made. */
  readonly reconnectMs?: number;
  /** Told of what happens, as plain data. It must not throw. */
  readonly log?: (entry: PhoneLogEntry) => void;
  /** Measures ringing, calls, registrations and reconnection; default Node's. The timers of the protocol are sip.js's own, on Node's. */
  readonly clock?: TimerClock;
}
