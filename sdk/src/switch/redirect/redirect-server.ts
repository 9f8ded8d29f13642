import { withinDeadline } from '../../core/runtime/deadline.js';
import { headerValues } from '../../core/sip-request.js';
import type { SipRequestResult, SipRequestText } from '../../core/sip-request.js';
import { HopbackError } from '../../errors.js';
import { verificationRequestOf } from '../../stir/index.js';
import { DEFAULT_VERIFICATION_POLICY } from '../../stir/verification/policy.js';
import type { Attestation, AuthenticationService, SigningOutcome, SigningRequest } from '../../stir/index.js';
import { callFacts, factsOfUnreadable, readRequestLike, reportTrouble, unreadableInvite } from '../call-facts.js';
import type { SipRequestLike, SipResponseLike } from '../call-facts.js';
import type { CallTreatment } from '../treat-call.js';
import { askApplication, identify, withoutParameters } from '../verify-identity.js';
import type { CallIdentity, VerifyIdentityOptions } from '../verify-identity.js';
import {
  FORBIDDEN,
  REDIRECT_PROFILES,
  nothingToSay,
  readyRules,
  redirectProfile,
  redirected,
  unavailable,
} from './profile.js';
import type { ReadyRule, RedirectAnswer, RedirectProfile, RedirectRule } from './profile.js';

/** A rule for calls to be signed. */
type Rule = Extract<ReadyRule, { readonly mode: 'sign' }>;

/** A request to be signed. */
interface CallToSign {
  readonly request: SipRequestLike;
  readonly text: SipRequestText;
  readonly rule: Rule;
}

/**
 * Refusals for what the SBC asks: another server would say the same. All others are of the key, the certificate or the signer here.
 * @see RFC 3261 section 21.5.4 for what a 503 has the SBC do
 */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  ...['attestation-not-permitted', 'attestation-basis-missing', 'iat-not-current', 'request-invalid'],
  'claim-constraint',
]);

/**
 * Has a call signed, and answers with its signature.
 * @returns the answer, with what became of the signature; rejects with what the facts or the service throw
 * @internal
 */
async function answerBySigning(
  call: CallToSign,
  service: Pick<AuthenticationService, 'sign'>,
): Promise<RedirectAnswer> {
  const signing = await service.sign(signingRequest(call));
  return { ...answerOf(signing, call), signing };
}

function answerOf(signing: SigningOutcome, { request, text, rule }: CallToSign): RedirectAnswer {
  const { profile } = rule;
  if (signing.status === 'not-signed') return nothingToSay(signing.reason, profile);
  if (signing.status === 'refused')
    return OF_THE_REQUEST.has(signing.reason) ? nothingToSay(signing.reason, profile) : unavailable(signing.reason);
  const [date] = signing.date === undefined ? headerValues(text, 'date') : [signing.date];
  const headers = {
    // drachtio-srf would join several by commas, and no verifier has to take a list apart.
    [profile.identityField]: signing.identityHeaders.join(`\r\n${profile.identityField}: `),
    ...(date !== undefined && { [profile.dateField]: date }),
  };
  return redirected('signed', headers, { requestUri: text.requestUri, profile, request });
}

function signingRequest({ request, text, rule }: CallToSign): SigningRequest {
  const facts = typeof rule.facts === 'function' ? rule.facts(request) : rule.facts;
  const { profile } = rule;
  const asked = firstField(text, profile.attestationFields);
  const origId = firstField(text, profile.origIdFields)?.value;
  // Whether it is one of the three the service finds out, and says so.
  const level = (asked?.value ?? rule.attestation?.level) as Attestation | undefined;
  const basis = asked === undefined ? rule.attestation?.basis : askedBy(asked.name, rule.name);
  return {
    ...verificationRequestOf(text),
    facts: { trunk: rule.name, ...facts },
    ...(level !== undefined && { attestation: level }),
    ...(basis !== undefined && { attestationBasis: basis }),
    ...(origId !== undefined && { origId }),
  };
}

/** For the record: what the level rests on. */
const askedBy = (field: string, rule: string): string =>
  `The SBC of trunk ${rule} asked for this level by the header field ${field} of the call.`;

function firstField(
  text: SipRequestText,
  names: readonly string[],
): { readonly name: string; readonly value: string } | undefined {
  for (const name of names) {
    const values = headerValues(text, name);
    // Two of them ask for nothing that is one level.
    if (values.length > 0) return { name, value: values.join(',').trim() };
  }
  return undefined;
}

/** A request to be verified. */
interface CallToVerify {
  readonly request: SipRequestLike;
  /** Absent where it cannot be read. */
  readonly text: SipRequestText | undefined;
  readonly rule: Extract<ReadyRule, { readonly mode: 'verify' }>;
}

/**
 * Verifies a call, and answers with what was found.
 * @param trouble - hears of what went wrong
 * @returns the answer, with what it rests on; `unavailable` where verification itself failed
 * @internal
 */
async function answerByVerifying(
  call: CallToVerify,
  options: Omit<VerifyIdentityOptions, 'policyOf' | 'onTrouble'>,
  trouble: (error: unknown) => void,
): Promise<RedirectAnswer> {
  let hasFailed = false;
  const service: VerifyIdentityOptions['service'] = {
    async verify(request) {
      try {
        return await options.service.verify(request);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    },
  };
  const identity = await identify({ ...options, service, policyOf: () => call.rule.policy }, call.request, trouble);
  const { treatment } = identity;
  // A call that policy refuses whatever its verdict is, such as one from a number of nobody, ends all the same.
  if (hasFailed && treatment.action === 'continue') return { ...unavailable('verification-failed'), identity };
  const answer =
    treatment.action === 'reject' ? blocked(treatment, identity, call.rule.profile) : goesOn(identity, call);
  return { ...answer, identity };
}

function goesOn({ caller, verdict, treatment }: CallIdentity, { request, text, rule }: CallToVerify): RedirectAnswer {
  const { profile } = rule;
  const reason = profile.reason === 'told' ? treatment.reasonHeaders.join(', ') : '';
  if (text === undefined) return nothingToSay('unreadable', profile);
  const { callerField, attestationIndicatorField: attestationField, origIdIndicatorField: origIdField } = profile;
  const { attestation, origId } = verdict ?? {};
  const told = {
    ...(caller !== undefined && { [callerField]: withoutParameters(caller.value) }),
    ...(attestationField !== undefined && attestation !== undefined && { [attestationField]: attestation }),
    ...(origIdField !== undefined && origId !== undefined && { [origIdField]: origId }),
  };
  const headers = reason === '' ? {} : { Reason: reason };
  if (Object.keys(told).length === 0) {
    const answer = nothingToSay(verdict === undefined ? 'not-verified' : 'no-caller', profile);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }
  return redirected('verified', { ...told, ...headers }, { requestUri: text.requestUri, profile, request });
}

type Refusal = Extract<CallTreatment, { readonly action: 'reject' }>;

function blocked(refusal: Refusal, identity: CallIdentity, profile: RedirectProfile): RedirectAnswer {
  const { status, reasonPhrase, reasonHeaders, because } = refusal;
  const isKept = profile.refusals === 'as-decided' || status === 603;
  const reasons = isKept ? reasonHeaders : reasonsOf(refusal, identity);
  return {
    outcome: 'blocked',
    because,
    ...(isKept ? { status, reasonPhrase } : { status: 603, reasonPhrase: 'Decline' }),
    // The redress of a network block is not for a profile to leave out. @see 47 CFR 64.1200(k)(9)
    headers: reasons.length > 0 && (isKept || profile.reason === 'told') ? { Reason: reasons.join(', ') } : {},
  };
}

/** What the response would have been. @see RFC 9410 section 4, RFC 3326 section 2 */
function reasonsOf({ status, reasonPhrase, because }: Refusal, { verdict }: CallIdentity): readonly string[] {
  const isVerdict = because === 'failed' || because === 'unsigned' || because === 'indeterminate';
  const ofVerdict = isVerdict ? (verdict?.reasonHeaders ?? []) : [];
  return ofVerdict.length > 0 ? ofVerdict : [`SIP;cause=${String(status)};text="${reasonPhrase}"`];
}

/** What a {@link RedirectServer} works with. */
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
  /** How long an INVITE waits for its answer, milliseconds, 1 to 30,000. Default 1,000. */
  readonly timeBudgetMs?: number;
  /** INVITEs that may wait for their answers at a time, 1 or more; further ones get 503. Default 5,000. */
  readonly maxOpen?: number;
  /** Whether OPTIONS get 200, beside what the server knows by itself. Default always. */
  readonly isReady?: () => boolean;
  /** Gets each answer behind its sending, with the attestation record of a signature. What it throws goes to `onTrouble`. */
  readonly onAnswered?: (answer: RedirectAnswer) => void;
  /** Timers, for tests. Default those of the platform. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
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
 * A SIP redirect server for an application of drachtio-srf: SBCs send it the INVITE and act upon the answer. A call that is signed gets 302 (300 by
 * profile) with Contact and Identity, one that was verified P-Asserted-Identity with `verstat`; 404 says that there is nothing to add and the
 * call goes on, 503 that another server may be asked, 603 that it ends. Nothing of drachtio-srf is loaded; ACK and Max-Forwards are left to
 * the drachtio server. It holds no socket, and no timer beyond a call.
 * @see RFC 3261 sections 8.1.3.4 and 21.3, RFC 8224 section 4, 3GPP TS 24.229 section 7.2A.20
 * @example
 * ```ts
 * // As it stands in an application: srf.invite(server.invite); srf.options(server.options);
 * const verification = { verify: async () => Promise.reject(new Error('away')) };
 * const rules = [{ name: 'sbc', mode: 'verify', when: { sources: ['192.0.2.0/24'] } }] as const;
 * const server = new RedirectServer({ rules, verification });
 * const answered = (source_address: string) =>
 *   new Promise<number>((resolve) => server.invite({ raw: sampleInvite(), source_address }, { send: resolve }));
 * console.log(await answered('192.0.2.7'), await answered('198.51.100.1')); // 503 403
 * ```
 */
export class RedirectServer implements AsyncDisposable {
  readonly #context: Context;
  readonly #idle: (() => void)[] = [];
  #open = 0;
  #isDraining = false;
  #isClosed = false;

  /**
   * @param options - rules by trunk, and the services that they need
   * @throws {@link HopbackError} `invalid-configuration` for rules, profiles and numbers that are out of range, and for a rule without its service or
   * without what its policy rejects by
   */
  constructor(options: RedirectServerOptions) {
    this.#context = contextOf(options);
  }

  /** For `srf.invite`: one final answer for each INVITE, whatever is in it and whatever goes wrong. Returns at once and never throws. */
  readonly invite = (request: SipRequestLike, response: SipResponseLike): void => void this.#answer(request, response);

  /** For `srf.options`: 200 while calls can be served, 503 otherwise. Returns at once and never throws. */
  readonly options = (_request: SipRequestLike, response: SipResponseLike): void => {
    const { trouble } = this.#context;
    const status = askApplication(() => this.#isReady(), trouble) === true ? 200 : 503;
    const headers = status === 200 ? { Allow: ALLOW, Accept: 'application/sdp' } : {};
    void sent({ status, reasonPhrase: status === 200 ? 'OK' : 'Service Unavailable', headers }, response, trouble);
  };

  /** INVITEs that wait for their answers. */
  open(): number {
    return this.#open;
  }

  /** Whether `drain` or `close` was called. */
  isDraining(): boolean {
    return this.#isDraining;
  }

  /** From here on OPTIONS get 503, so that SBCs go elsewhere; INVITEs are answered as before. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Drains, has new INVITEs get 503 as well, and waits until none is open: the time budget at most. */
  close(): Promise<void> {
    this.#isDraining = true;
    this.#isClosed = true;
    return this.#open === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve));
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isReady(): boolean {
    const { options, signs } = this.#context;
    return !this.#isDraining && options.isReady?.() !== false && !(signs && options.signing?.obstacle?.());
  }

  async #answer(request: SipRequestLike, response: SipResponseLike): Promise<void> {
    const context = this.#context;
    if (this.#isClosed) return answerInvite(unavailable('closed'), response, context);
    if (this.#open >= context.maxOpen) return answerInvite(unavailable('too-many-open'), response, context);
    this.#open += 1;
    await answerInvite(await decided(request, context, context.rules), response, context);
    this.#open -= 1;
    if (this.#open === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

type Context = ReturnType<typeof contextOf>;

function contextOf(options: RedirectServerOptions) {
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
  const trouble = (error: unknown): void => reportTrouble(options.onTrouble, error);
  return {
    options,
    rules,
    profile: ofServer,
    signs,
    budgetMs,
    maxOpen,
    trouble,
  };
}

/** What a policy refuses calls for has to be known by somebody: otherwise it would be written down, and done to no call. */
function requireKnowledge(rules: readonly ReadyRule[], { doNotOriginate, filingOf }: RedirectServerOptions): void {
  for (const rule of rules) {
    if (rule.mode !== 'verify') continue;
    if (rule.policy.doNotOriginate === 'reject' && doNotOriginate === undefined)
      throw invalid(`policy of redirect rule ${rule.name} rejects by doNotOriginate, but no numbers are given`);
    if (rule.policy.upstreamFiling === 'reject' && filingOf === undefined)
      throw invalid(`policy of redirect rule ${rule.name} rejects by upstreamFiling, but no filings are given`);
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
  const told: unknown = askApplication(() => options.onAnswered?.(answer), trouble);
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
