import type { SigningOutcome } from '../../stir/index.js';
import type { CallIdentity } from '../verify-identity.js';
import { contactOf } from './contact.js';
import type { RedirectProfile } from './profile.js';
import type { SipRequestLike } from '../sip-request-like.js';

/**
 * What an answer is to the SBC. `signed`, `verified`: it has something to add to the call, which goes on. `nothing-to-say`: the call goes on as it is.
 * `blocked`: the call ends. `unavailable`: the next server may be asked. `forbidden`: nobody serves that address.
 */
export type RedirectOutcome = 'signed' | 'verified' | 'nothing-to-say' | 'blocked' | 'unavailable' | 'forbidden';

/** An answer to an INVITE, and what it rests on. */
export interface RedirectAnswer {
  readonly outcome: RedirectOutcome;
  /** Why, in a word that does not change between releases: `already-signed`, `signer-failed`, a concern of the call. */
  readonly because?: string;
  /** 300 or 302, 404, 503, 603, or what a policy decided. */
  readonly status: number;
  readonly reasonPhrase: string;
  /** Header fields. Several Identity values of one answer are one text, with names and line ends between them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name of the rule that the request fell under; absent where there was none. */
  readonly rule?: string;
  /** What became of the signature, with the record of the decision. Absent where none was asked for. */
  readonly signing?: SigningOutcome;
  /** What was found of a call to be verified. */
  readonly identity?: CallIdentity;
}

/** Words of a Reason value are tokens here; what is no such word is left out. */
const WORD = /^[a-z0-9-]{1,64}$/;

/** The call goes on as it is. @internal */
export function nothingToSay(because: string, { reason }: Pick<RedirectProfile, 'reason'>): RedirectAnswer {
  const isTold = reason === 'told' && WORD.test(because);
  const headers = isTold ? { Reason: `SIP;cause=404;text="${because}"` } : NO_HEADERS;
  return { outcome: 'nothing-to-say', because, status: 404, reasonPhrase: 'Not Found', headers };
}

/** The next server may be asked. @see RFC 3261 section 21.5.4 @internal */
export const unavailable = (because: string): RedirectAnswer => ({
  ...{ outcome: 'unavailable', because, status: 503, reasonPhrase: 'Service Unavailable', headers: NO_HEADERS },
});

/** Whoever reaches the port could have calls signed otherwise. @internal */
export const FORBIDDEN: RedirectAnswer = {
  ...{ outcome: 'forbidden', because: 'no-rule', status: 403, reasonPhrase: 'Forbidden', headers: {} },
};

const NO_HEADERS: Readonly<Record<string, string>> = {};

const PHRASES = { 300: 'Multiple Choices', 302: 'Moved Temporarily' } as const;

/** The call goes on with more than it had; as it is where no Contact can be written. @internal */
export function redirected(
  outcome: 'signed' | 'verified',
  headers: Readonly<Record<string, string>>,
  call: { readonly requestUri: string; readonly profile: RedirectProfile; readonly request: SipRequestLike },
): RedirectAnswer {
  const { requestUri, profile, request } = call;
  const contact = contactOf(requestUri, { contact: profile.contact, request });
  if (contact === undefined) return nothingToSay('request-uri-unreadable', profile);
  const { status } = profile;
  return { outcome, status, reasonPhrase: PHRASES[status], headers: { Contact: contact, ...headers } };
}
