import type { TimerClock } from '@hopback/sdk/internal';
import type { IncomingPolicy } from './answer-policy.js';

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

/** Settings of {@link createPhone}. */
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
