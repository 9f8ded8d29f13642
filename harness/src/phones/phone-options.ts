import { UserAgent } from 'sip.js';
import type { URI } from 'sip.js';
import type { ServerClock } from '../drachtio/clock.js';
import { NODE_CLOCK } from '../drachtio/clock.js';
import { checkedPolicy } from './answer-policy.js';
import type { IncomingPolicy } from './answer-policy.js';
import { duration, invalid, isPhoneNumber, phoneNumber, quotable } from './argument-checks.js';

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
  readonly clock?: ServerClock;
}

/** Options once they are checked. */
export interface PhoneSettings {
  readonly server: string;
  readonly number: string;
  readonly domain: string;
  readonly displayName: string | undefined;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  readonly policy: IncomingPolicy;
  readonly registrationSeconds: number;
  readonly reconnectMs: number | undefined;
  readonly clock: ServerClock;
  /** Address of record. */
  readonly address: URI;
  readonly registrar: URI;
  readonly tell: (entry: Omit<PhoneLogEntry, 'atMs'>) => void;
}

/** A registrar refuses less as too brief; more than a day is no registration of a telephone. */
const REGISTRATION_SECONDS = { least: 60, most: 86_400, usual: 600 } as const;

/** Checks the options, or throws `invalid-argument`. */
export function phoneSettings(options: PhoneOptions): PhoneSettings {
  const { server, number, domain, displayName, credentials, log, reconnectMs, clock = NODE_CLOCK } = options;
  const { least, most, usual } = REGISTRATION_SECONDS;
  const { registrationSeconds = usual } = options;
  if (!URL.canParse(server) || new URL(server).protocol !== 'ws:') {
    throw invalid('server must be a WebSocket address such as ws://127.0.0.1:5062');
  }
  if (!Number.isInteger(registrationSeconds) || registrationSeconds < least || registrationSeconds > most) {
    throw invalid(`registrationSeconds must be a whole number from ${least} to ${most}, not ${registrationSeconds}`);
  }
  return {
    ...{ server, number: phoneNumber(number, 'number'), domain, registrationSeconds, clock },
    displayName: displayName === undefined ? undefined : quotable(displayName, 'displayName'),
    credentials: credentials && { ...credentials, username: quotable(credentials.username, 'username') },
    policy: checkedPolicy(options.onIncoming ?? { action: 'ring' }),
    reconnectMs: reconnectMs === undefined ? undefined : duration(reconnectMs, 'reconnectMs'),
    address: sipUri(`sip:${number}@${domain}`, 'domain'),
    registrar: sipUri(`sip:${domain}`, 'domain'),
    tell: (entry) => log?.({ atMs: clock.nowMs(), ...entry }),
  };
}

/** The URI to call: that of a number is in the phone's own domain. */
export function targetUri(target: string, domain: string): URI {
  return sipUri(isPhoneNumber(target) ? `sip:${target}@${domain}` : target, 'target');
}

function sipUri(text: string, name: string): URI {
  const uri = UserAgent.makeURI(text);
  if (uri === undefined || uri.scheme !== 'sip') throw invalid(`${name} does not make a SIP URI`);
  return uri;
}
