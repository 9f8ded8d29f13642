import { headerValues, parseNameAddr, splitHeaderList, splitIdentityHeader } from '../core/sip-request.js';
import type { SipRequestText } from '../core/sip-request.js';
import { HopbackError } from '../errors.js';
import { verificationRequestOf, withVerstat } from '../stir/index.js';
import { DEFAULT_VERIFICATION_POLICY } from '../stir/verification/policy.js';
import { readParties } from '../stir/verification/request.js';
import type {
  AttestationFacts,
  AuthenticationService,
  CallVerdict,
  PartyOptions,
  SigningOutcome,
  VerificationService,
  Verstat,
} from '../stir/index.js';
import { callFacts, factsOfUnreadable, readRequestLike, reportTrouble, unreadableInvite } from './call-facts.js';
import type { CallFacts, SipRequestLike, SipResponseLike } from './call-facts.js';
import { watchCancel } from './calls/call-state.js';
import { treatCall, trunkPolicy } from './treat-call.js';
import type { CallTreatment, TrunkPolicy, UpstreamFiling } from './treat-call.js';

/** What an inbound call was found to be. {@link verifyIdentity} leaves it at `req.locals.identity`. */
export interface CallIdentity {
  /** Of a request that cannot be read only what its first line says. */
  readonly facts: CallFacts;
  /** Absent where nothing was verified: by policy, without an Identity header, or since verification itself failed. */
  readonly verdict?: CallVerdict;
  readonly policy: TrunkPolicy;
  readonly treatment: CallTreatment;
  /**
   * The header field that names the caller to the callee's side, with `verstat` in its URI: the one value whose number the verdict is about, so that
   * no other number gets the mark. Absent without a verdict, and where no number was read.
   */
  readonly caller?: { readonly name: 'P-Asserted-Identity' | 'From'; readonly value: string };
}

/** What the middleware works with. */
export interface VerifyIdentityOptions {
  readonly service: Pick<VerificationService, 'verify'>;
  /** Which header names the caller, and the numbering plan: those of the policy of the service. Default those of its default. */
  readonly parties?: PartyOptions;
  /** Policy of a call, by its trunk or by anything else of the request. Default that of a terminating provider. */
  readonly policyOf?: (request: SipRequestLike) => TrunkPolicy | undefined;
  /** Numbers from which nobody calls; each number that From and P-Asserted-Identity state is looked up. */
  readonly doNotOriginate?: { readonly has: (number: string) => boolean };
  /** What is known of the filing of the provider that a request came from. Default nothing. */
  readonly filingOf?: (request: SipRequestLike) => UpstreamFiling | undefined;
  /** Hears of what went wrong here: the call went on. Default nobody. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Middleware as `srf.use` takes it. */
export type SipMiddleware = (
  request: SipRequestLike,
  response: SipResponseLike,
  // drachtio-srf types it so, and no type of a function takes what is of that type.
  next: Function,
) => void;

const TERMINATING = trunkPolicy({ role: 'terminating' });

/** What the application finds where nothing could be found out. */
const UNKNOWN: CallIdentity = {
  facts: factsOfUnreadable('', DEFAULT_VERIFICATION_POLICY.numberingPlan),
  policy: TERMINATING,
  treatment: { action: 'continue', reasonHeaders: [], concerns: [] },
};

/**
 * Makes middleware for `srf.use('invite', …)` that verifies the Identity headers of each call, leaves a {@link CallIdentity} at
 * `req.locals.identity`, and ends the calls that policy says so of. Whatever happens in it the call goes on: it never throws, never hands an
 * error on, and waits no longer than the time budget of the service. A call that its caller gives up meanwhile ends here: the server has answered it.
 * Nothing of drachtio-srf is loaded.
 * @param options - the service, and policy per call
 * @returns the middleware, which returns at once: each call that is still wanted is handed on, or answered, once
 * @throws {@link HopbackError} `invalid-argument` without a service
 * @see RFC 8224 section 6.2, RFC 9410
 * @example
 * ```ts
 * // As it stands in an application: srf.use('invite', verifyIdentity({ service, policyOf }));
 * const policyOf = () => trunkPolicy({ role: 'gateway', verify: 'off' });
 * const service = { verify: async () => Promise.reject(new Error('not asked')) };
 * const request = { raw: sampleInvite(), locals: {} as Record<string, unknown> };
 * const middleware = verifyIdentity({ service, policyOf });
 * await new Promise<void>((resolve) => middleware(request, { send: () => resolve() }, resolve));
 * console.log((request.locals['identity'] as CallIdentity).treatment.action); // continue
 * ```
 */
export function verifyIdentity(options: VerifyIdentityOptions): SipMiddleware {
  if (typeof options.service?.verify !== 'function')
    throw new HopbackError('invalid-argument', 'verifyIdentity needs a verification service: { service }');
  const trouble = (error: unknown): void => reportTrouble(options.onTrouble, error);
  const handle = async (...[request, response, next]: Parameters<SipMiddleware>): Promise<void> => {
    let isAnswered = false;
    const watch = watchCancel(request);
    const identity = await identifyCall(request, options);
    watch.stop();
    request.locals = { ...request.locals, identity };
    // drachtio-srf tells of a CANCEL once, when nobody of the application listened yet: it would ring the callee for a caller who is gone.
    if (watch.isCancelled()) return;
    try {
      isAnswered = await answered(response, identity.treatment);
    } catch (error) {
      trouble(error);
    }
    if (isAnswered) return;
    try {
      await (next as () => unknown)();
    } catch (error) {
      trouble(error);
    }
  };
  return (request, response, next) => void handle(request, response, next);
}

/**
 * Finds out what an inbound call is, and what policy makes of it, where there is no middleware to do it.
 * @param request - the INVITE as it came; `raw` and, as far as policy asks for it, where it came from
 * @param options - those of {@link verifyIdentity}
 * @returns what was found; of a call that nothing could be found out about that it goes on. Never rejects
 * @see RFC 8224 section 6.2, RFC 9410
 * @example
 * ```ts
 * const service = { verify: async () => Promise.reject(new Error('out of order')) };
 * const { treatment, verdict } = await identifyCall({ raw: sampleInvite() }, { service });
 * console.log(treatment.action, verdict); // continue undefined
 * ```
 */
export async function identifyCall(request: SipRequestLike, options: VerifyIdentityOptions): Promise<CallIdentity> {
  const trouble = (error: unknown): void => reportTrouble(options.onTrouble, error);
  try {
    return await identify(options, request, trouble);
  } catch (error) {
    trouble(error);
    return UNKNOWN;
  }
}

/**
 * What a call was found to be: what the middleware leaves in `locals`. Never rejects.
 * @internal
 */
export async function identify(
  options: VerifyIdentityOptions,
  request: SipRequestLike,
  trouble: (error: unknown) => void,
): Promise<CallIdentity> {
  const { service } = options;
  // The callee's side is told which number counted, so that it is no doubt that there is another one.
  const parties = { ...(options.parties ?? DEFAULT_VERIFICATION_POLICY), prefersTel: true };
  const policy = askApplication(() => options.policyOf?.(request), trouble) ?? TERMINATING;
  const filing = askApplication(() => options.filingOf?.(request), trouble);
  const read = readRequestLike(request);
  if (read.status === 'malformed') {
    trouble(unreadableInvite(read));
    const facts = factsOfUnreadable(request.raw, parties.numberingPlan);
    return { facts, policy, treatment: treatCall({ facts, isUnreadable: true, ...(filing && { filing }) }, policy) };
  }
  const facts = callFacts(read.request, parties);
  const verdict = await verdictOn(service, { read: read.request, facts, policy, parties }).catch((error: unknown) => {
    trouble(error);
    return undefined;
  });
  const { doNotOriginate } = options;
  const isDoNotOriginate =
    doNotOriginate && askApplication(() => facts.statedNumbers.some((number) => doNotOriginate.has(number)), trouble);
  const caller = verdict && callerWith(read.request, { verstat: verdict.verstat, parties });
  const treatment = treatCall(
    {
      facts,
      ...(verdict !== undefined && { verdict }),
      ...(isDoNotOriginate !== undefined && { isDoNotOriginate }),
      ...(filing !== undefined && { filing }),
    },
    policy,
  );
  return {
    facts,
    policy,
    treatment,
    ...(verdict !== undefined && { verdict }),
    ...(caller !== undefined && { caller }),
  };
}

/** What the application was asked; where it throws it has said nothing. */
export function askApplication<Value>(question: () => Value, trouble: (error: unknown) => void): Value | undefined {
  try {
    return question();
  } catch (error) {
    trouble(error);
    return undefined;
  }
}

async function verdictOn(
  service: VerifyIdentityOptions['service'],
  call: {
    readonly read: SipRequestText;
    readonly facts: CallFacts;
    readonly policy: TrunkPolicy;
    readonly parties: PartyOptions;
  },
): Promise<CallVerdict | undefined> {
  const { read, facts, policy, parties } = call;
  if (policy.verify === 'off' || (policy.verify === 'when-signed' && !facts.isSigned)) return undefined;
  const request = verificationRequestOf(read);
  const caller = callerField(read, parties);
  const counts = caller?.name === 'P-Asserted-Identity' ? { pAssertedIdentity: caller.value } : undefined;
  return service.verify({ ...request, ...counts });
}

function callerWith(
  request: SipRequestText,
  { verstat, parties }: { readonly verstat: Verstat; readonly parties: PartyOptions },
): CallIdentity['caller'] {
  const stated = callerField(request, parties);
  const value = stated === undefined ? undefined : withVerstat(stated.value, verstat);
  return stated === undefined || value === undefined ? undefined : { name: stated.name, value };
}

/** The field, and of its values the one, that states the number of the caller; undefined where none does. */
function callerField(request: SipRequestText, parties: PartyOptions): CallIdentity['caller'] {
  const { orig, origSource } = readParties(verificationRequestOf(request), parties);
  if (orig?.kind !== 'tn' || origSource === undefined || origSource === 'given') return undefined;
  const name = origSource === 'from' ? 'From' : 'P-Asserted-Identity';
  const values = headerValues(request, name).flatMap((value) => splitHeaderList(value));
  const value = values.find((one) => {
    const alone = readParties(origSource === 'from' ? { from: one } : { pAssertedIdentity: one }, parties).orig;
    return alone?.kind === 'tn' && alone.value === orig.value;
  });
  return value === undefined ? undefined : { name, value };
}

/** Answers a call that is refused. @returns false where it goes on */
async function answered(response: SipResponseLike, treatment: CallTreatment): Promise<boolean> {
  if (treatment.action === 'continue') return false;
  const { status, reasonPhrase, reasonHeaders } = treatment;
  await response.send(status, reasonPhrase, {
    headers: reasonHeaders.length === 0 ? {} : { Reason: reasonHeaders.join(', ') },
  });
  return true;
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
): Promise<{
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
}> {
  const read = readRequestLike(request);
  if (read.status === 'malformed') {
    reportTrouble(options.onTrouble, unreadableInvite(read));
    return { headers: {} };
  }
  const carried = headerValues(read.request, 'identity').flatMap((value) => splitIdentityHeader(value));
  const signing = await signed(read.request, options).catch((error: unknown) => {
    reportTrouble(options.onTrouble, error);
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
      ...identityFields(options.identity),
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
function identityFields(identity: CallIdentity | undefined): Readonly<Record<string, string>> {
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
