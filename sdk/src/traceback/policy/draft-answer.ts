import type { CallRecord } from '../../core/call-record.js';
import type {
  AnsweredCall,
  CustomerStatement,
  SearchStatement,
  TracebackFinding,
} from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import { MAX_DIVERTED_TO } from '../../core/traceback-request.js';
import type { MatchCandidate, MatchOutcome, MatchSearch } from '../match-outcome.js';
import type { TrunkParty } from '../trunk-directory.js';
import { utcText } from '../utc-text.js';
import type { AnswerDraft } from './policy-decision.js';
import type { AnswerDetailPolicy, CustomerPolicy, TracebackPolicyData } from './traceback-policy.js';

/** The answer that an outcome leads to by itself, whether or not it may be given without a person; undefined where it leads to none. */
export function draftOfOutcome(
  outcome: MatchOutcome,
  context: { readonly request: TracebackRequest; readonly policy: TracebackPolicyData },
): AnswerDraft | undefined {
  switch (outcome.status) {
    case 'unique':
      return draftOfCandidate(outcome.candidate, { ...context, search: outcome.search });
    case 'none-but-covered':
      return { finding: { arm: 'not-found' }, searched: searchStatement(outcome.search) };
    case 'not-retained':
      return {
        finding: { arm: 'not-retained', retainedFrom: utcText(outcome.retainedFromUs) },
        searched: searchStatement(outcome.search),
      };
    case 'several':
      // The one call that fits, had it been sent to whoever named us: a dispute.
      return outcome.disputed === undefined
        ? undefined
        : draftOfCandidate(outcome.disputed, { ...context, search: outcome.search });
    default:
      return undefined;
  }
}

/** The answer that one call leads to; undefined where nobody knows who sent it. */
export function draftOfCandidate(
  candidate: MatchCandidate,
  context: {
    readonly request: TracebackRequest;
    readonly policy: TracebackPolicyData;
    readonly search: MatchSearch;
  },
): AnswerDraft | undefined {
  const { request, policy, search } = context;
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
export function findingOfParty(party: TrunkParty, customers: CustomerPolicy): TracebackFinding {
  if (party.kind === 'provider') return { arm: 'received-from', upstream: party.provider };
  if (party.kind === 'unlisted-provider') return { arm: 'received-from-unlisted', upstream: party.contact };
  if (party.kind === 'foreign-provider') return { arm: 'point-of-entry', upstream: party.contact };
  return { arm: 'origin', customer: customerStatement(party.customerId, customers) };
}

/** What the policy lets be said of a customer. */
export function customerStatement(customerId: string | undefined, customers: CustomerPolicy): CustomerStatement {
  const entry = entryOf(customerId, customers);
  const knowYourCustomer = entry?.knowYourCustomer ?? customers.knowYourCustomer;
  const isNamed = customers.details !== 'none' && customerId !== undefined;
  const contact = customers.details === 'contact' ? entry?.contact : undefined;
  return {
    ...(isNamed ? { customerId } : {}),
    ...(contact === undefined ? {} : { contact }),
    ...(knowYourCustomer === undefined ? {} : { knowYourCustomer }),
    ...(entry?.action === undefined ? {} : { action: entry.action }),
  };
}

function entryOf(
  customerId: string | undefined,
  { statements }: CustomerPolicy,
): CustomerPolicy['statements'][string] | undefined {
  return customerId !== undefined && Object.hasOwn(statements, customerId) ? statements[customerId] : undefined;
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
  detail: AnswerDetailPolicy,
): AnsweredCall {
  const { answeredAtUs, endedAtUs, release, blockedBy } = ingressLeg;
  return {
    startedAt: utcText(ingressLeg.inviteAtUs),
    ...(answeredAtUs === undefined ? {} : { answeredAt: utcText(answeredAtUs) }),
    ...(endedAtUs === undefined ? {} : { endedAt: utcText(endedAtUs) }),
    ...(detail.numbers ? numbersOf(ingressLeg, legs) : {}),
    disposition: ingressLeg.disposition,
    ...(release === undefined ? {} : { release }),
    ...waysOf(ingressLeg, egressLeg, detail),
    ...signaturesOf(ingressLeg, legs),
    ...(blockedBy === undefined ? {} : { blockedBy }),
  };
}

function numbersOf(
  { calling, called }: CallRecord,
  legs: readonly CallRecord[],
): Pick<AnsweredCall, 'calling' | 'called' | 'divertedTo'> {
  const all = legs.flatMap((leg) => [leg.called?.tn, leg.called?.translatedTn, leg.called?.lrn]);
  const others = [...new Set(all)].filter((tn) => tn !== undefined).filter((tn) => tn !== called?.tn);
  return {
    ...(calling === undefined ? {} : { calling: calling.tn ?? calling.asWritten }),
    ...(called === undefined ? {} : { called: called.tn ?? called.asWritten }),
    ...(others.length === 0 ? {} : { divertedTo: others.slice(0, MAX_DIVERTED_TO) }),
  };
}

function waysOf(
  { ingress, egress }: CallRecord,
  egressLeg: CallRecord | undefined,
  detail: AnswerDetailPolicy,
): Pick<AnsweredCall, 'ingressTrunk' | 'ingressAddress' | 'ingressCallId' | 'egressTrunk'> {
  const egressTrunk = egressLeg?.egress.trunk ?? egress.trunk;
  return {
    ...(detail.trunks && ingress.trunk !== undefined ? { ingressTrunk: ingress.trunk } : {}),
    ...(detail.addresses && ingress.address !== undefined ? { ingressAddress: ingress.address } : {}),
    ...(detail.callIds && ingress.callId !== undefined ? { ingressCallId: ingress.callId } : {}),
    ...(detail.trunks && egressTrunk !== undefined ? { egressTrunk } : {}),
  };
}

function signaturesOf(
  { received }: CallRecord,
  legs: readonly CallRecord[],
): Pick<AnsweredCall, 'received' | 'signed'> {
  const signed = legs.find((leg) => leg.signed !== undefined)?.signed;
  if (received === undefined) return signed === undefined ? {} : { signed };
  const { verstat, attestation, origId, spc } = received;
  return {
    received: {
      ...(verstat === undefined ? {} : { verstat }),
      ...(attestation === undefined ? {} : { attestation }),
      ...(origId === undefined ? {} : { origId }),
      ...(spc === undefined ? {} : { spc }),
    },
    ...(signed === undefined ? {} : { signed }),
  };
}
