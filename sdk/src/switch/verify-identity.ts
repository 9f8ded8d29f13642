import { HopbackError } from '../errors.js';
import { splitHeaderList } from '../core/sip-request.js';
import { headerValues } from '../core/sip-request.js';
import type { SipRequestText } from '../core/sip-request.js';
import type { CanonicalTn } from '../core/terms.js';
import { DEFAULT_VERIFICATION_POLICY, readParties, verificationRequestOf, withVerstat } from '../stir/index.js';
import type { CallVerdict, PartyOptions, VerificationService, Verstat } from '../stir/index.js';
import { callFacts, factsOfUnreadable } from './call-facts.js';
import type { CallFacts } from './call-facts.js';
import { watchCancel } from './calls/emitters.js';
import { readRequestLike } from './sip-request-like.js';
import type { SipRequestLike, SipResponseLike } from './sip-request-like.js';
import { treatCall } from './treat-call.js';
import type { CallTreatment, UpstreamFiling } from './treat-call.js';
import { tellTrouble, unreadableInvite } from './trouble.js';
import { trunkPolicy } from './trunk-policy.js';
import type { TrunkPolicy } from './trunk-policy.js';

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
  readonly doNotOriginate?: { readonly has: (number: CanonicalTn) => boolean };
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
  const trouble = (error: unknown): void => tellTrouble(options.onTrouble, error);
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
  const trouble = (error: unknown): void => tellTrouble(options.onTrouble, error);
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
  const policy = asked(() => options.policyOf?.(request), trouble) ?? TERMINATING;
  const filing = asked(() => options.filingOf?.(request), trouble);
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
    doNotOriginate && asked(() => facts.statedNumbers.some((number) => doNotOriginate.has(number)), trouble);
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
    ...{ facts, policy, treatment },
    ...(verdict !== undefined && { verdict }),
    ...(caller !== undefined && { caller }),
  };
}

/** What the application was asked; where it throws it has said nothing. */
function asked<Value>(question: () => Value, trouble: (error: unknown) => void): Value | undefined {
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
