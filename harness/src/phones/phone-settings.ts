import { UserAgent } from 'sip.js';
import type { URI } from 'sip.js';
import { STEADY_CLOCK } from '@hopback/sdk/internal/runtime';
import { checkedPolicy, duration, invalid, isPhoneNumber, phoneNumber, quotable } from './answer-policy.js';
import type { IncomingPolicy, PhoneLogEntry, PhoneOptions } from './answer-policy.js';

/** Options once they are checked. */
export type PhoneSettings = ReturnType<typeof phoneSettings>;

/** A registrar refuses less as too brief; more than a day is no registration of a telephone. */
const REGISTRATION_SECONDS = { least: 60, most: 86_400, usual: 600 } as const;

/** Checks the options, or throws `invalid-argument`. */
export function phoneSettings(options: PhoneOptions) {
  const { server, number, domain, displayName, credentials, log, reconnectMs, clock = STEADY_CLOCK } = options;
  const { least, most, usual } = REGISTRATION_SECONDS;
  const { registrationSeconds = usual } = options;
  if (!URL.canParse(server) || new URL(server).protocol !== 'ws:') {
    throw invalid('server must be a WebSocket address such as ws://127.0.0.1:5062');
  }
  if (!Number.isInteger(registrationSeconds) || registrationSeconds < least || registrationSeconds > most) {
    throw invalid(`registrationSeconds must be a whole number from ${least} to ${most}, not ${registrationSeconds}`);
  }
  return {
    server,
    number: phoneNumber(number, 'number'),
    domain,
    registrationSeconds,
    clock,
    displayName: displayName === undefined ? undefined : quotable(displayName, 'displayName'),
    credentials: credentials && { ...credentials, username: quotable(credentials.username, 'username') },
    policy: checkedPolicy<IncomingPolicy>(options.onIncoming ?? { action: 'ring' }),
    reconnectMs: reconnectMs === undefined ? undefined : duration(reconnectMs, 'reconnectMs'),
    /** Address of record. */
    address: sipUri(`sip:${number}@${domain}`, 'domain'),
    registrar: sipUri(`sip:${domain}`, 'domain'),
    tell: (entry: Omit<PhoneLogEntry, 'atMs'>) => log?.({ atMs: clock.nowMs(), ...entry }),
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
