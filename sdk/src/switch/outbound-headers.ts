import { parseNameAddr, splitHeaderList } from '../core/sip-request.js';
import { headerValues, splitIdentityHeader } from '../core/sip-request.js';
import type { SipRequestText } from '../core/sip-request.js';
import { verificationRequestOf, withVerstat } from '../stir/index.js';
import type { AttestationFacts, AuthenticationService, SigningOutcome } from '../stir/index.js';
import { callFacts } from './call-facts.js';
import { readRequestLike } from './sip-request-like.js';
import type { SipRequestLike } from './sip-request-like.js';
import { tellTrouble, unreadableInvite } from './trouble.js';
import type { CallIdentity } from './verify-identity.js';

/** What the next leg of a call gets. */
export interface OutboundHeaders {
  /**
   * For the `headers` of `createB2BUA` or `createUAC`, their names in lower case as `proxyRequestHeaders: ['all']` has them: Identity with the From, To,
   * P-Asserted-Identity and Date that it is about, as far as there are any; Privacy, with the From of a caller who does not want to be named; and parties
   * that came with a verstat, without it. None of them may be in a list of `proxyRequestHeaders` beside. Several Identity
   * header fields are one text here, with their names and line ends between them: drachtio-srf would join them by commas otherwise, and no
   * verifier has to take a list apart.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** What became of the signature; absent where none was asked for. */
  readonly signing?: SigningOutcome;
}

/** What the next leg is made from. */
export interface OutboundHeadersOptions {
  /** What was found of the call as it came in: `req.locals.identity`. */
  readonly identity?: CallIdentity;
  /** Signs calls that nobody has signed. */
  readonly service?: Pick<AuthenticationService, 'sign'>;
  /** What the provider knows of the call. Default the role of its trunk, and nothing else. */
  readonly facts?: AttestationFacts;
  /** Per-call off switch: `false` leaves the call unsigned. */
  readonly sign?: boolean;
  /** Hears of what went wrong here: the call goes on without it. Default nobody. */
  readonly onTrouble?: (error: unknown) => void;
}

/**
 * Makes header fields for the next leg of a call that came in. Identity header fields go on as they came, whatever their verdict is. A call that nobody has
 * signed is signed, as far as it is for this provider to do: as the originating one or the gateway, and as an intermediate one for calls that
 * come directly from the provider that originated them. Towards the callee, for a terminating provider, the caller's header field has its verstat; one
 * that the caller brought along goes nowhere. Who does not want to be named stays unnamed: Privacy goes on, and From as it came.
 * @param request - the INVITE as it came
 * @param options - what is known of it
 * @returns the fields; never rejects: what cannot be made is left out
 * @see RFC 8224 sections 4.1 and 9, 47 CFR 64.6302, 3GPP TS 24.229 section 7.2A.20
 * @example
 * ```ts
 * // As it stands in an application: srf.createB2BUA(req, res, uri, await outboundHeaders(req, { identity, service }));
 * const request = { raw: sampleInvite({ identityHeaders: ['a.b.c;info=<https://a.example/1>', 'd.e.f;info=<https://d.example/1>'] }) };
 * const { headers } = await outboundHeaders(request);
 * console.log(headers['identity']?.split('\r\n').length); // 2
 * ```
 */
export async function outboundHeaders(
  request: SipRequestLike,
  options: OutboundHeadersOptions = {},
): Promise<OutboundHeaders> {
  const read = readRequestLike(request);
  if (read.status === 'malformed') {
    tellTrouble(options.onTrouble, unreadableInvite(read));
    return { headers: {} };
  }
  const carried = headerValues(read.request, 'identity').flatMap((value) => splitIdentityHeader(value));
  const signing = await signed(read.request, options).catch((error: unknown) => {
    tellTrouble(options.onTrouble, error);
    return undefined;
  });
  const added = signing?.status === 'signed' ? signing.identityHeaders : [];
  const [date] = headerValues(read.request, 'date');
  const dateToSend = (signing?.status === 'signed' ? signing.date : undefined) ?? date;
  const identity = [...carried, ...added].filter((value) => value !== '');
  const isSigned = identity.length > 0;
  return {
    headers: {
      ...partiesToState(read.request, { isSigned, isAnonymous: isAnonymous(read.request, options.identity) }),
      ...(isSigned && { identity: identity.join('\r\nIdentity: ') }),
      ...(isSigned && dateToSend !== undefined && { date: dateToSend }),
      ...callerField(options.identity),
    },
    ...(signing !== undefined && { signing }),
  };
}

function isAnonymous(request: SipRequestText, identity: CallIdentity | undefined): boolean {
  // Of a call that nothing could be found out about the facts of its identity say nothing.
  return identity?.facts.isAnonymous === true || callFacts(request).isAnonymous;
}

/**
 * Parties that `createB2BUA` would leave out, or get wrong. Those that a PASSporT is about: it hands none of them on by itself, and makes To of wherever the
 * next leg is sent. Those of a caller who does not want to be named: it makes From of P-Asserted-Identity, which names him to the callee, and
 * forgets what Privacy asks for. And those with a verstat that the caller brought along, without it.
 * @see RFC 8224 section 4.1, RFC 3323 section 4.2, RFC 3325 section 9.3
 */
function partiesToState(
  request: SipRequestText,
  { isSigned, isAnonymous: isHidden }: { readonly isSigned: boolean; readonly isAnonymous: boolean },
): Readonly<Record<string, string>> {
  const [from, to] = ['from', 'to'].map((name) => headerValues(request, name)[0]);
  const asserted = headerValues(request, 'p-asserted-identity').join(', ');
  const privacy = headerValues(request, 'privacy').join(';');
  const cleanFrom = from === undefined ? undefined : withoutForeignVerstat(from);
  const cleanAsserted = splitHeaderList(asserted)
    .flatMap((value) => withoutForeignVerstat(value) ?? [])
    .join(', ');
  const isFromStated = isSigned || isHidden || cleanFrom !== from;
  const isAssertedStated = isSigned || cleanAsserted !== splitHeaderList(asserted).join(', ');
  return {
    ...(isFromStated && cleanFrom !== undefined && { from: withoutParameters(cleanFrom) }),
    ...(isSigned && to !== undefined && { to: withoutParameters(to) }),
    ...(isAssertedStated && cleanAsserted !== '' && { 'p-asserted-identity': cleanAsserted }),
    ...(privacy !== '' && { privacy }),
  };
}

/**
 * A party as it came, but for a verstat: that is for the verdict of this provider alone, and whoever calls writes one that he likes.
 * @returns undefined where it cannot be told apart from the rest
 * @see 3GPP TS 24.229 section 7.2A.20
 */
function withoutForeignVerstat(value: string): string | undefined {
  const clean = withVerstat(value);
  if (clean !== undefined) return clean;
  const address = parseNameAddr(value);
  // A display name may say it: the address goes on without one.
  return address.status === 'parsed' ? withVerstat(`<${address.uri}>`) : undefined;
}

async function signed(
  request: SipRequestText,
  { identity, service, facts, sign = true }: OutboundHeadersOptions,
): Promise<SigningOutcome | undefined> {
  const known: AttestationFacts | undefined =
    facts ?? (identity === undefined ? undefined : { role: identity.policy.role });
  if (service === undefined || known === undefined || !isOurs(known)) return undefined;
  return service.sign({ ...verificationRequestOf(request), facts: known, sign });
}

/** Whether it is for this provider to sign what is not signed. @see 47 CFR 64.6302(a) to (d) */
function isOurs({ role, receivedFrom }: AttestationFacts): boolean {
  if (role === 'intermediate') return receivedFrom === 'originating-provider';
  return role !== 'terminating';
}

/** The caller's field with its verstat, for whom it is meant: the callee's side. */
function callerField(identity: CallIdentity | undefined): Readonly<Record<string, string>> {
  if (identity?.caller === undefined || identity.policy.role !== 'terminating') return {};
  const { name, value } = identity.caller;
  return name === 'From' ? { from: withoutParameters(value) } : { 'p-asserted-identity': value };
}

/**
 * Name and address alone: the tag belongs to the leg that the call came in by.
 * @see RFC 3261 section 19.3
 * @internal
 */
export function withoutParameters(value: string): string {
  const address = parseNameAddr(value);
  if (address.status === 'malformed') return value;
  const bracketed = `<${address.uri}>`;
  // The last one: a display name may say the same.
  const at = value.lastIndexOf(bracketed);
  return at < 0 ? bracketed : value.slice(0, at + bracketed.length);
}
