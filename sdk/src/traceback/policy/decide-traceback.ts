import { defined, utcText } from '../../core/text.js';
import type { CallRecord } from '../../contract/call-record.js';
import { MAX_DIVERTED_TO } from '../../contract/traceback-exchange.js';
import type {
  AnsweredCall,
  CustomerStatement,
  SearchStatement,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { isOneCompany } from '../directory/provider-identity.js';
import type { MatchCandidate, MatchOutcome, MatchSearch } from '../match-outcome.js';
import type { TrunkParty } from '../directory/provider-identity.js';
import { POLICY_RULES } from './policy-rules.js';
import type { RuleContext } from './policy-rules.js';
import type {
  AnswerDraft,
  PolicyDecision,
  PolicyInput,
  ReviewTopic,
  PolicyTrace,
  TracebackPolicyData,
} from './traceback-policy.js';

/** The answer that an outcome leads to by itself, whether or not it may be given without a person; undefined where it leads to none. */
function draftOfOutcome(
  outcome: MatchOutcome | undefined,
  { request, policy }: Pick<PolicyInput, 'request' | 'policy'>,
): AnswerDraft | undefined {
  if (outcome === undefined || outcome.status === 'unreadable') return undefined;
  const { search } = outcome;
  const searched = searchStatement(search);
  if (outcome.status === 'none-but-covered') return { finding: { arm: 'not-found' }, searched };
  if (outcome.status === 'not-retained')
    return { finding: { arm: 'not-retained', retainedFrom: utcText(outcome.retainedFromUs) }, searched };
  const candidate = proposedCall(outcome);
  return candidate === undefined ? undefined : draftOfCandidate(candidate, { request, policy, search });
}

/** The answer that one call leads to; undefined where nobody knows who sent it. */
export function draftOfCandidate(
  candidate: MatchCandidate,
  { request, policy, search }: Pick<PolicyInput, 'request' | 'policy'> & { readonly search: MatchSearch },
): AnswerDraft | undefined {
  const finding = findingOf(candidate, request, policy);
  if (finding === undefined) return undefined;
  return { finding, call: answeredCall(candidate, policy.answer), searched: searchStatement(search) };
}

function findingOf(
  candidate: MatchCandidate,
  request: TracebackRequest,
  policy: TracebackPolicyData,
): TracebackFinding | undefined {
  if (candidate.downstream === 'sent-elsewhere' && request.downstream !== undefined)
    return { arm: 'not-sent-to-downstream', downstream: request.downstream };
  return candidate.upstream === undefined ? undefined : findingOfParty(candidate.upstream, policy.customers);
}

/** Whom a call came from, as an arm. */
function findingOfParty(party: TrunkParty, customers: TracebackPolicyData['customers']): TracebackFinding {
  if (party.kind === 'provider') return { arm: 'received-from', upstream: party.provider };
  if (party.kind === 'unlisted-provider') return { arm: 'received-from-unlisted', upstream: party.contact };
  if (party.kind === 'foreign-provider') return { arm: 'point-of-entry', upstream: party.contact };
  return { arm: 'origin', customer: customerStatement(party.customerId, customers) };
}

/** What the policy lets be said of a customer. */
export function customerStatement(
  customerId: string | undefined,
  customers: TracebackPolicyData['customers'],
): CustomerStatement {
  const { statements } = customers;
  const entry = Object.hasOwn(statements, customerId ?? '') ? statements[customerId ?? ''] : undefined;
  const knowYourCustomer = entry?.knowYourCustomer ?? customers.knowYourCustomer;
  const isNamed = customers.details !== 'none' && customerId !== undefined;
  const contact = customers.details === 'contact' ? entry?.contact : undefined;
  return defined({ customerId: isNamed ? customerId : undefined, contact, knowYourCustomer, action: entry?.action });
}

/** What was looked through, as an answer says it. */
export function searchStatement(search: MatchSearch): SearchStatement {
  return {
    windows: search.windows.map(({ fromUs, toUs }) => ({ from: utcText(fromUs), to: utcText(toUs) })),
    keys: search.keys,
    coverage: search.coverage,
    recordsConsidered: search.recordsConsidered,
  };
}

/** Of an outcome that searched nothing. */
export const NOTHING_SEARCHED: SearchStatement = Object.freeze({
  windows: [],
  keys: [],
  coverage: [],
  recordsConsidered: 0,
});

/** What the records say of the call, as far as the policy lets it be said. */
export function answeredCall(
  { ingressLeg, egressLeg, legs }: MatchCandidate,
  detail: TracebackPolicyData['answer'],
): AnsweredCall {
  const { answeredAtUs, endedAtUs, calling, called, disposition, release, ingress, received, blockedBy } = ingressLeg;
  const only = <Value>(isSaid: boolean, value: Value): Value | undefined => (isSaid ? value : undefined);
  return defined({
    startedAt: utcText(ingressLeg.inviteAtUs),
    answeredAt: answeredAtUs === undefined ? undefined : utcText(answeredAtUs),
    endedAt: endedAtUs === undefined ? undefined : utcText(endedAtUs),
    calling: only(detail.numbers, calling?.tn ?? calling?.asWritten),
    called: only(detail.numbers, called?.tn ?? called?.asWritten),
    divertedTo: only(detail.numbers, divertedTo(called?.tn, legs)),
    disposition,
    release,
    ingressTrunk: only(detail.trunks, ingress.trunk),
    ingressAddress: only(detail.addresses, ingress.address),
    ingressCallId: only(detail.callIds, ingress.callId),
    egressTrunk: only(detail.trunks, egressLeg?.egress.trunk ?? ingressLeg.egress.trunk),
    received: received === undefined ? undefined : receivedPassport(received),
    signed: legs.find(({ signed }) => signed !== undefined)?.signed,
    blockedBy,
  });
}

function receivedPassport({ verstat, attestation, origId, spc }: NonNullable<CallRecord['received']>) {
  return defined({ verstat, attestation, origId, spc });
}

/** Other numbers of the called party than the one that the call came in with. */
function divertedTo(called: string | undefined, legs: readonly CallRecord[]): readonly string[] | undefined {
  const all = legs.flatMap((leg) => [leg.called?.tn, leg.called?.translatedTn, leg.called?.lrn]);
  const others = [...new Set(all)].filter((tn) => tn !== undefined && tn !== called) as string[];
  return others.length === 0 ? undefined : others.slice(0, MAX_DIVERTED_TO);
}

/**
 * Decides whether a request is answered automatically or goes to a person, and why. Every rule is applied, and one that asks for a person
 * is enough. A request also goes to a person later, if its automatic answer cannot be signed or stored: see `setBackEntry`. Pure; never
 * throws.
 * @param input - the request, what was found, the policy and what it goes by
 * @returns the answer to give, or the reasons and what would be answered; with every rule, what it looked at and what came of it
 * @see 47 CFR 64.1200(n)(1)
 */
export function decideTraceback(input: PolicyInput): PolicyDecision {
  const { request, outcome, policy, directory } = input;
  const draft = draftOfOutcome(outcome, { request, policy });
  const search = outcome === undefined || outcome.status === 'unreadable' ? undefined : outcome.search;
  const context: RuleContext = { ...input, ...defined({ candidate: proposedCall(outcome), search, draft }) };
  const rules: PolicyTrace['rules'][number][] = [];
  const reasons: {
    rule: string;
    topic: ReviewTopic;
    text: string;
  }[] = [];
  for (const { rule, topic, isFixed, apply } of POLICY_RULES) {
    const finding = apply(context);
    const { result, inputs, text } = finding;
    rules.push({
      rule,
      result,
      isFixed,
      inputs,
      text,
    });
    if (result === 'review') reasons.push({ rule, topic: finding.topic ?? topic, text });
  }
  const trace = defined({ policyId: policy.policyId, directoryId: directory.directoryId, rules });
  if (reasons.length === 0 && draft !== undefined) return { kind: 'automatic', draft, trace };
  const weighed = reasons.toSorted((one, other) => WEIGHTS[one.topic] - WEIGHTS[other.topic]);
  const queue = policy.queues[weighed[0]?.topic ?? 'policy'];
  return defined({
    kind: 'review',
    queue,
    reasons: weighed,
    proposal: draft,
    trace,
  });
}

/** The call that fits, or the one that would, had it been sent to whoever named us: a dispute. */
export function proposedCall(outcome: MatchOutcome | undefined): MatchCandidate | undefined {
  if (outcome?.status === 'unique') return outcome.candidate;
  return outcome?.status === 'several' ? outcome.disputed : undefined;
}

/** Which reason says whose work it is: counsel first, and what the policy merely keeps for a person last. */
const WEIGHTS: Readonly<Record<ReviewTopic, number>> = {
  legal: 0,
  records: 1,
  match: 2,
  directory: 3,
  customer: 4,
  policy: 5,
};

/** A request of the past, with what was found then. */
export interface PastRequest extends Pick<PolicyInput, 'request' | 'outcome' | 'hold' | 'sources' | 'nowUs'> {
  /** What was answered, and by whom, where it was. */
  readonly given?: { readonly finding: TracebackFinding; readonly by: 'automatic' | 'person' };
}

/**
 * Tries a policy on requests of the past, with what was found then: nothing is answered. Pure; never throws.
 * @param past - requests, with their outcomes
 * @param options - who answers, the policy to try, and the directory
 * @returns what would have been answered without a person and why not, in all and for each request
 * @see `decideTraceback`
 * @example
 * ```ts
 * const policy = readTracebackPolicy({ policyId: 'example-2' });
 * const directory = new TrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] });
 * const trial = tryTracebackPolicy([], { provider: { name: 'Example Telecom LLC' }, policy, directory });
 * console.log(trial.policyId, trial.requests); // example-2 0
 * ```
 */
export function tryTracebackPolicy(
  past: readonly PastRequest[],
  options: Pick<PolicyInput, 'provider' | 'policy' | 'directory'>,
): {
  readonly policyId: string;
  readonly requests: number;
  readonly automatic: number;
  readonly review: number;
  /** Answers that a person gave, and the policy would have given otherwise. */
  readonly disagreements: number;
  readonly byArm: Readonly<Record<string, number>>;
  readonly byQueue: Readonly<Record<string, number>>;
  /** How many requests each rule held back, and how many it alone did: what loosening it would let through. */
  readonly byRule: Readonly<Record<string, { readonly held: number; readonly alone: number }>>;
  /** What it would have made of each. */
  readonly cases: readonly {
    readonly requestId: string;
    readonly decision: PolicyDecision;
    readonly given?: NonNullable<PastRequest['given']>;
    /**
     * Of an answer that a person gave and the policy would have given: whether it says the same, and names the same. A policy that would have
     * said something else than a person who looked is too bold.
     */
    readonly agrees?: boolean;
  }[];
} {
  const cases = past.map((one) => trialCase(one, options));
  const byRule = new Map<string, { held: number; alone: number }>();
  for (const { decision } of cases) {
    if (decision.kind === 'automatic') continue;
    for (const { rule } of decision.reasons) {
      const counts = byRule.get(rule) ?? { held: 0, alone: 0 };
      byRule.set(rule, counts);
      counts.held += 1;
      if (decision.reasons.length === 1) counts.alone += 1;
    }
  }
  const automatic = cases.flatMap(({ decision }) =>
    decision.kind === 'automatic' ? [decision.draft.finding.arm] : [],
  );
  const queues = cases.flatMap(({ decision }) => (decision.kind === 'review' ? [decision.queue] : []));
  return {
    policyId: options.policy.policyId,
    requests: cases.length,
    automatic: automatic.length,
    review: queues.length,
    disagreements: cases.filter(({ agrees }) => agrees === false).length,
    byArm: counted(automatic),
    byQueue: counted(queues),
    byRule: Object.fromEntries([...byRule].toSorted(([, one], [, other]) => other.held - one.held)),
    cases,
  };
}

export type PolicyTrial = ReturnType<typeof tryTracebackPolicy>;

function trialCase(
  one: PastRequest,
  options: Pick<PolicyInput, 'provider' | 'policy' | 'directory'>,
): PolicyTrial['cases'][number] {
  const { given, request } = one;
  const decision = decideTraceback({ ...one, ...options });
  const isTold = given?.by === 'person' && decision.kind === 'automatic';
  const agrees = isTold ? saysSame(decision.draft.finding, given.finding) : undefined;
  return defined({ requestId: request.requestId, decision, given, agrees });
}

/** Whether two answers say the same of the same: who is another has been accused in place of another. */
function saysSame(one: TracebackFinding, other: TracebackFinding): boolean {
  if (one.arm === 'received-from' && other.arm === 'received-from') return isOneCompany(one.upstream, other.upstream);
  if (one.arm === 'received-from-unlisted' || one.arm === 'point-of-entry')
    return one.arm === other.arm && isOneCompany({ name: one.upstream.name }, { name: other.upstream.name });
  if (one.arm === 'origin' && other.arm === 'origin') {
    const [first, second] = [one.customer.customerId, other.customer.customerId];
    return first === undefined || second === undefined || first === second;
  }
  return one.arm === other.arm;
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, one], [, other]) => other - one));
}
