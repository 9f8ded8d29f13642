import { HopbackError } from '../errors.js';
import { headerValues } from '../core/sip-request.js';
import type { SipRequestText } from '../core/sip-request.js';
import type { CanonicalTn } from '../core/terms.js';
import { verificationRequestOf, withVerstat } from '../stir/index.js';
import type { CallVerdict, VerificationService, Verstat } from '../stir/index.js';
import { callFacts } from './call-facts.js';
import type { CallFacts } from './call-facts.js';
import { readRequestLike } from './sip-request-like.js';
import type { SipRequestLike, SipResponseLike } from './sip-request-like.js';
import { treatCall } from './treat-call.js';
import type { CallTreatment, UpstreamFiling } from './treat-call.js';
import { trunkPolicy } from './trunk-policy.js';
import type { TrunkPolicy } from './trunk-policy.js';

/** What an inbound call was found to be. {@link verifyIdentity} leaves it at `req.locals.identity`. */
export interface CallIdentity {
  /** Absent for a request that cannot be read. */
  readonly facts?: CallFacts;
  /** Absent where nothing was verified: by policy, without an Identity header, or since verification itself failed. */
  readonly verdict?: CallVerdict;
  readonly policy: TrunkPolicy;
  readonly treatment: CallTreatment;
  /** The header field that names the caller to the callee's side, with `verstat` in its URI; absent without a verdict, or without an address. */
  readonly caller?: { readonly name: 'P-Asserted-Identity' | 'From'; readonly value: string };
}

/** What the middleware works with. */
export interface VerifyIdentityOptions {
  readonly service: Pick<VerificationService, 'verify'>;
  /** Policy of a call, by its trunk or by anything else of the request. Default that of a terminating provider. */
  readonly policyOf?: (request: SipRequestLike) => TrunkPolicy | undefined;
  /** Numbers from which nobody calls. */
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

/**
 * Makes middleware for `srf.use('invite', …)` that verifies the Identity headers of each call, leaves a {@link CallIdentity} at
 * `req.locals.identity`, and ends the calls that policy says so of. Whatever happens in it the call goes on: it never throws, never hands an
 * error on, and waits no longer than the time budget of the service. Nothing of drachtio-srf is loaded.
 * @param options - the service, and policy per call
 * @returns the middleware, which returns at once: each call is handed on, or answered, once
 * @throws {@link HopbackError} `invalid-argument` without a service
 * @see RFC 8224 section 6.2, RFC 9410
 * @example
 * ```ts
 * // As it stands in an application: srf.use('invite', verifyIdentity({ service, policyOf }));
 * const policyOf = () => trunkPolicy({ role: 'gateway', verify: 'off' });
 * const service = { verify: async () => Promise.reject(new Error('not asked')) };
 * const request = { raw: sampleInvite(), locals: {} as Record<string, unknown> };
 * const middleware = verifyIdentity({ service, policyOf });
 * await new Promise<void>((resolve) => middleware(request, { send: resolve }, resolve));
 * console.log((request.locals['identity'] as CallIdentity).treatment.action); // continue
 * ```
 */
export function verifyIdentity(options: VerifyIdentityOptions): SipMiddleware {
  if (typeof options.service?.verify !== 'function')
    throw new HopbackError('invalid-argument', 'verifyIdentity needs a verification service: { service }');
  const trouble = (error: unknown): void => {
    try {
      options.onTrouble?.(error);
    } catch {
      // Whoever listens to trouble makes none for calls.
    }
  };
  const handle = async (...[request, response, next]: Parameters<SipMiddleware>): Promise<void> => {
    let isAnswered = false;
    try {
      const identity = await identify(options, request, trouble);
      request.locals = { ...request.locals, identity };
      isAnswered = answered(response, identity.treatment);
    } catch (error) {
      trouble(error);
    }
    if (isAnswered) return;
    try {
      (next as () => void)();
    } catch (error) {
      trouble(error);
    }
  };
  return (request, response, next) => void handle(request, response, next);
}

async function identify(
  options: VerifyIdentityOptions,
  request: SipRequestLike,
  trouble: (error: unknown) => void,
): Promise<CallIdentity> {
  const policy = asked(() => options.policyOf?.(request), trouble) ?? TERMINATING;
  const read = readRequestLike(request);
  if (read.status === 'malformed')
    return { policy, treatment: { action: 'continue', reasonHeaders: [], concerns: [] } };
  const facts = callFacts(read.request);
  const verdict = await verdictOn(options.service, { read: read.request, facts, policy }).catch((error: unknown) => {
    trouble(error);
    return undefined;
  });
  const { calling } = facts;
  const isDoNotOriginate =
    calling === undefined ? undefined : asked(() => options.doNotOriginate?.has(calling), trouble);
  const filing = asked(() => options.filingOf?.(request), trouble);
  const caller = verdict === undefined ? undefined : callerWith(read.request, verdict.verstat);
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
  call: { readonly read: SipRequestText; readonly facts: CallFacts; readonly policy: TrunkPolicy },
): Promise<CallVerdict | undefined> {
  const { read, facts, policy } = call;
  if (policy.verify === 'off' || (policy.verify === 'when-signed' && !facts.isSigned)) return undefined;
  return service.verify(verificationRequestOf(read));
}

function callerWith(request: SipRequestText, verstat: Verstat): CallIdentity['caller'] {
  for (const name of ['P-Asserted-Identity', 'From'] as const) {
    const [stated] = headerValues(request, name);
    const value = stated === undefined ? undefined : withVerstat(stated, verstat);
    if (value !== undefined) return { name, value };
  }
  return undefined;
}

/** Answers a call that is refused. @returns false where it goes on */
function answered(response: SipResponseLike, treatment: CallTreatment): boolean {
  if (treatment.action === 'continue') return false;
  const { status, reasonPhrase, reasonHeaders } = treatment;
  response.send(status, reasonPhrase, {
    headers: reasonHeaders.length === 0 ? {} : { Reason: reasonHeaders.join(', ') },
  });
  return true;
}
