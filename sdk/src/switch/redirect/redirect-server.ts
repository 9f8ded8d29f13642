import { HopbackError } from '../../errors.js';
import type { SipRequestResult } from '../../core/sip-request.js';
import { DEFAULT_VERIFICATION_POLICY } from '../../stir/index.js';
import type { AuthenticationService, Schedule } from '../../stir/index.js';
import { callFacts, factsOfUnreadable } from '../call-facts.js';
import { readRequestLike } from '../sip-request-like.js';
import type { SipRequestLike, SipResponseLike } from '../sip-request-like.js';
import { tellTrouble, unreadableInvite } from '../trouble.js';
import type { VerifyIdentityOptions } from '../verify-identity.js';
import { FORBIDDEN, nothingToSay, unavailable } from './answer.js';
import type { RedirectAnswer } from './answer.js';
import { answerBySigning } from './answer-by-signing.js';
import { answerByVerifying } from './answer-by-verifying.js';
import { REDIRECT_PROFILES, redirectProfile } from './profile.js';
import type { RedirectProfile } from './profile.js';
import { readyRules } from './rule.js';
import type { ReadyRule, RedirectRule } from './rule.js';
import { withinDeadline } from '../../core/runtime/deadline.js';

/** What a redirect server works with. */
export interface RedirectServerOptions extends Pick<
  VerifyIdentityOptions,
  'parties' | 'doNotOriginate' | 'filingOf' | 'onTrouble'
> {
  /**
   * Looked through in order; the first that a request fits decides. A request that fits none is answered with 403, and
   * with 404 where it is headed to an emergency service.
   */
  readonly rules: readonly RedirectRule[];
  /** Signs, for rules with `mode: 'sign'`. Where it has `obstacle`, a server that could not sign says so to OPTIONS. */
  readonly signing?: Pick<AuthenticationService, 'sign'> & Partial<Pick<AuthenticationService, 'obstacle'>>;
  /** Verifies, for rules with `mode: 'verify'`. */
  readonly verification?: VerifyIdentityOptions['service'];
  /** For rules that name none. Default `REDIRECT_PROFILES.standard`. */
  readonly profile?: RedirectProfile;
  /** How long an INVITE waits for its answer, milliseconds, 1 to {@link MAX_REDIRECT_BUDGET_MS}. Default {@link DEFAULT_REDIRECT_BUDGET_MS}. */
  readonly timeBudgetMs?: number;
  /** INVITEs that may wait for their answers at a time, 1 or more; further ones get 503. Default {@link DEFAULT_MAX_OPEN_INVITES}. */
  readonly maxOpen?: number;
  /** Whether OPTIONS get 200, beside what the server knows by itself. Default always. */
  readonly isReady?: () => boolean;
  /** Gets each answer behind its sending, with the attestation record of a signature. What it throws goes to `onTrouble`. */
  readonly onAnswered?: (answer: RedirectAnswer) => void;
  /** Timers, for tests. Default those of the platform. */
  readonly schedule?: Schedule;
}

/** Handler of requests, as `srf.invite` and `srf.options` take it. It returns at once and never throws. */
export type RedirectHandler = (request: SipRequestLike, response: SipResponseLike) => void;

/** Answers for SBCs that ask by redirect. */
export interface RedirectServer extends AsyncDisposable {
  /** For `srf.invite`: one final answer for each INVITE, whatever is in it and whatever goes wrong. */
  readonly invite: RedirectHandler;
  /** For `srf.options`: 200 while calls can be served, 503 otherwise. */
  readonly options: RedirectHandler;
  /** INVITEs that wait for their answers. */
  readonly open: () => number;
  /** Whether `drain` or `close` was called. */
  readonly isDraining: () => boolean;
  /** From here on OPTIONS get 503, so that SBCs go elsewhere; INVITEs are answered as before. */
  readonly drain: () => void;
  /** Drains, has new INVITEs get 503 as well, and waits until none is open: the time budget at most. */
  readonly close: () => Promise<void>;
}

/** How long an INVITE waits by default, milliseconds: SBCs give a redirect server two seconds or more before they try the next one. */
export const DEFAULT_REDIRECT_BUDGET_MS = 1_000;

/** Longest time budget, milliseconds: a caller who has waited so long before it rings has hung up. */
export const MAX_REDIRECT_BUDGET_MS = 30_000;

/** INVITEs that wait by default at most: five seconds' worth of a busy switch, some 20 KiB each. */
export const DEFAULT_MAX_OPEN_INVITES = 5_000;

/** What is understood. @see RFC 3261 section 11.2 */
const ALLOW = 'INVITE, ACK, CANCEL, OPTIONS';

/**
 * Makes a SIP redirect server for an application of drachtio-srf: SBCs send it the INVITE and act upon the answer. A call that is signed gets 302 (300 by
 * profile) with Contact and Identity, one that was verified P-Asserted-Identity with `verstat`; 404 says that there is nothing to add and the
 * call goes on, 503 that another server may be asked, 603 that it ends. Nothing of drachtio-srf is loaded; ACK and Max-Forwards are left to
 * the drachtio server.
 * @param options - rules by trunk, and the services that they need
 * @returns the server; it holds no socket and no timer beyond a call
 * @throws {@link HopbackError} `invalid-configuration` for rules, profiles and numbers that are out of range, and for a rule without its service or
 * without what its policy rejects by
 * @see RFC 3261 sections 8.1.3.4 and 21.3, RFC 8224 section 4, 3GPP TS 24.229 section 7.2A.20
 * @example
 * ```ts
 * // As it stands in an application: srf.invite(server.invite); srf.options(server.options);
 * const verification = { verify: async () => Promise.reject(new Error('away')) };
 * const rules = [{ name: 'sbc', mode: 'verify', when: { sources: ['192.0.2.0/24'] } }] as const;
 * const server = createRedirectServer({ rules, verification });
 * const answered = (source_address: string) =>
 *   new Promise<number>((resolve) => server.invite({ raw: sampleInvite(), source_address }, { send: resolve }));
 * console.log(await answered('192.0.2.7'), await answered('198.51.100.1')); // 503 403
 * ```
 */
export function createRedirectServer(options: RedirectServerOptions): RedirectServer {
  const context = contextOf(options);
  const { trouble, rules } = context;
  const state = { open: 0, isDraining: false, isClosed: false };
  const idle: (() => void)[] = [];
  const isReady = (): boolean =>
    !state.isDraining && options.isReady?.() !== false && !(context.signs && options.signing?.obstacle?.());
  const invite = async (request: SipRequestLike, response: SipResponseLike): Promise<void> => {
    if (state.isClosed) return answerInvite(unavailable('closed'), response, context);
    if (state.open >= context.maxOpen) return answerInvite(unavailable('too-many-open'), response, context);
    state.open += 1;
    await answerInvite(await decided(request, context, rules), response, context);
    state.open -= 1;
    if (state.open === 0) for (const resolve of idle.splice(0)) resolve();
  };
  const close = (): Promise<void> => {
    state.isDraining = true;
    state.isClosed = true;
    return state.open === 0 ? Promise.resolve() : new Promise((resolve) => void idle.push(resolve));
  };
  return {
    invite: (request, response) => void invite(request, response),
    options: (_request, response) => {
      const status = asked(isReady, trouble) === true ? 200 : 503;
      const headers = status === 200 ? { Allow: ALLOW, Accept: 'application/sdp' } : {};
      void sent({ status, reasonPhrase: status === 200 ? 'OK' : 'Service Unavailable', headers }, response, trouble);
    },
    open: () => state.open,
    isDraining: () => state.isDraining,
    drain: () => void (state.isDraining = true),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Context {
  readonly options: RedirectServerOptions;
  readonly rules: readonly ReadyRule[];
  readonly profile: RedirectProfile;
  /** Whether any rule signs. */
  readonly signs: boolean;
  readonly budgetMs: number;
  readonly maxOpen: number;
  readonly trouble: (error: unknown) => void;
}

function contextOf(options: RedirectServerOptions): Context {
  const { profile = REDIRECT_PROFILES.standard, signing, verification } = options;
  const { timeBudgetMs: budgetMs = DEFAULT_REDIRECT_BUDGET_MS, maxOpen = DEFAULT_MAX_OPEN_INVITES } = options;
  const ofServer = redirectProfile(profile, profile);
  const rules = readyRules(options.rules, ofServer);
  const signs = rules.some(({ mode }) => mode === 'sign');
  if (signs && typeof signing?.sign !== 'function')
    throw invalid('a rule signs, and there is no authentication service: { signing }');
  if (rules.some(({ mode }) => mode === 'verify') && typeof verification?.verify !== 'function')
    throw invalid('a rule verifies, and there is no verification service: { verification }');
  requireKnowledge(rules, options);
  if (!(budgetMs >= 1 && budgetMs <= MAX_REDIRECT_BUDGET_MS))
    throw invalid(`timeBudgetMs must be from 1 to ${String(MAX_REDIRECT_BUDGET_MS)}`);
  if (!(Number.isSafeInteger(maxOpen) && maxOpen >= 1)) throw invalid('maxOpen must be a whole number from 1 on');
  const trouble = (error: unknown): void => tellTrouble(options.onTrouble, error);
  return { options, rules, profile: ofServer, signs, budgetMs, maxOpen, trouble };
}

/** What a policy refuses calls for has to be known by somebody: otherwise it would be written down, and done to no call. */
function requireKnowledge(rules: readonly ReadyRule[], { doNotOriginate, filingOf }: RedirectServerOptions): void {
  for (const rule of rules) {
    if (rule.mode !== 'verify') continue;
    if (rule.policy.doNotOriginate === 'reject' && doNotOriginate === undefined)
      throw invalid(`policy of redirect rule ${rule.name} rejects by doNotOriginate, and there are no such numbers`);
    if (rule.policy.upstreamFiling === 'reject' && filingOf === undefined)
      throw invalid(`policy of redirect rule ${rule.name} rejects by upstreamFiling, and nobody knows the filings`);
  }
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-configuration', message);

/** Never rejects, and takes no longer than the budget. */
async function decided(
  request: SipRequestLike,
  context: Context,
  rules: readonly ReadyRule[],
): Promise<RedirectAnswer> {
  const { budgetMs, options, trouble } = context;
  const result = await withinDeadline(() => decide(request, context, rules), {
    timeoutMs: budgetMs,
    schedule: options.schedule,
  });
  if (result.status === 'done') return result.value;
  if (result.status === 'late') return unavailable('time-budget');
  trouble(result.cause);
  return unavailable('failed');
}

async function decide(
  request: SipRequestLike,
  { options, trouble, profile }: Context,
  rules: readonly ReadyRule[],
): Promise<RedirectAnswer> {
  const { signing, verification, onTrouble: _told, ...more } = options;
  const read = readRequestLike(request);
  const text = read.status === 'parsed' ? read.request : undefined;
  const rule = rules.find(({ matches }) => matches(request, text));
  if (rule === undefined) return isEmergency(request, read, options) ? nothingToSay('emergency', profile) : FORBIDDEN;
  const answer = async (): Promise<RedirectAnswer> => {
    if (rule.mode === 'verify' && verification !== undefined)
      return answerByVerifying({ request, text, rule }, { ...more, service: verification }, trouble);
    if (read.status === 'malformed') {
      trouble(unreadableInvite(read));
      return nothingToSay('unreadable', rule.profile);
    }
    if (rule.mode !== 'sign' || signing === undefined) return unavailable('failed');
    return answerBySigning({ request, text: read.request, rule }, signing);
  };
  return { ...(await answer()), rule: rule.name };
}

/** No call for help ends here because somebody has forgotten the address of an SBC. @see RFC 5031 section 4.2 */
function isEmergency(request: SipRequestLike, read: SipRequestResult, { parties }: RedirectServerOptions): boolean {
  const facts =
    read.status === 'parsed'
      ? callFacts(read.request, parties)
      : factsOfUnreadable(request.raw, (parties ?? DEFAULT_VERIFICATION_POLICY).numberingPlan);
  return facts.isEmergency;
}

/** Sends an answer, and tells whoever listens. */
async function answerInvite(
  answer: RedirectAnswer,
  response: SipResponseLike,
  { options, trouble }: Context,
): Promise<void> {
  const isSent = await sent(answer, response, trouble);
  // Before anything has gone out: what could not be sent must not leave the SBC waiting.
  if (!isSent) await sent(unavailable('not-sent'), response, trouble);
  const told: unknown = asked(() => options.onAnswered?.(answer), trouble);
  // An async function fits the type of a listener; its rejection would end the process.
  if (told instanceof Promise) told.catch(trouble);
}

/** @returns false where it threw, so that nothing has gone out */
async function sent(
  { status, reasonPhrase, headers }: Pick<RedirectAnswer, 'status' | 'reasonPhrase' | 'headers'>,
  response: SipResponseLike,
  trouble: (error: unknown) => void,
): Promise<boolean> {
  try {
    await response.send(status, reasonPhrase, { headers });
    return true;
  } catch (error) {
    trouble(error);
    return false;
  }
}

function asked<Value>(question: () => Value, trouble: (error: unknown) => void): Value | undefined {
  try {
    return question();
  } catch (error) {
    trouble(error);
    return undefined;
  }
}
