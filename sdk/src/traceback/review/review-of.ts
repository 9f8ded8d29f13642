import { FINDING_ARMS } from '../../core/traceback-request.js';
import { maskTelephoneNumber } from '../../core/text.js';
import type { FindingArm } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import { draftOfCandidate } from '../policy/draft-answer.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import { utcText } from '../utc-text.js';
import { findingText, partyText } from './finding-text.js';
import { candidateId, candidatesOf } from './review-subject.js';
import type { ReviewSubject } from './review-subject.js';
import type {
  AllowedAction,
  AllowedArm,
  CandidateView,
  ComparisonRow,
  DeadlineView,
  ReviewView,
  ViewFact,
} from './review-view.js';
import { armWarnings, CALL_ARMS, candidateWarnings, subjectWarnings } from './review-warnings.js';
import { searchedFacts } from './searched-facts.js';
import { spanText } from './span-text.js';

/** How a request is shown. */
export interface ReviewOptions {
  readonly nowMs: number;
  /** By which the answers of the candidates are drawn up. */
  readonly policy: TracebackPolicyData;
  /** Whether telephone numbers are shown; masked otherwise. Default false. */
  readonly showNumbers?: boolean;
}

/** Candidates that are shown: a person looks through some, not through hundreds. */
export const MAX_SHOWN_CANDIDATES = 20;
/** From here on the deadline is close: a working day has a few such stretches. */
export const CLOSE_DEADLINE_SECONDS = 14_400;

/**
 * Makes the view of a request that a person decides about: the request, its deadline, the candidates side by side, what would be answered, what
 * to beware of, and what can be done. The command line, the page and the portal show this and nothing else. Pure; never throws.
 * @param subject - the request as it stands
 * @param options - the time, the policy, and whether numbers are shown
 * @returns plain JSON
 * @see {@link answerOfDecision} for what is done with a person's decision
 * @example
 * ```ts
 * const request: TracebackRequest = {
 *   format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: '2026-11-02T15:00:00Z', provider: { name: 'Example LLC' },
 *   call: { called: '+12025550101', at: { asWritten: '11/2/2026 9:41 AM', local: '2026-11-02T09:41', precision: 'minute' } },
 * };
 * const dueAtMs = Date.UTC(2026, 10, 3, 15);
 * const view = reviewOf({ request, state: 'review', dueAtMs, answers: [] }, { nowMs: dueAtMs - 60_000, policy: DEFAULT_TRACEBACK_POLICY });
 * console.log(view.deadline.state, view.request.find(({ label }) => label === 'called')?.value); // close +1202555XXXX
 * ```
 */
export function reviewOf(subject: ReviewSubject, options: ReviewOptions): ReviewView {
  const { request, state, outcome, decision } = subject;
  const { policy, showNumbers = false } = options;
  const candidates = candidatesOf(outcome).slice(0, MAX_SHOWN_CANDIDATES);
  const proposal = decision?.kind === 'review' ? decision.proposal : decision?.draft;
  const chosen = proposedCall(outcome);
  return {
    format: 'hopback.review.1',
    requestId: request.requestId,
    tracebackId: request.tracebackId,
    state,
    ...(decision?.kind === 'review' ? { queue: decision.queue } : {}),
    deadline: deadlineView(subject, options.nowMs),
    request: requestFacts(request, showNumbers),
    reasons: decision?.kind === 'review' ? decision.reasons.map(({ text }) => text) : [],
    candidates: candidates.map((candidate, index) =>
      candidateView(candidate, { subject, policy, showNumbers, rank: index + 1 }),
    ),
    callsFound: candidatesOf(outcome).length,
    comparison: comparisonRows(candidates, showNumbers),
    searched: searchedFacts(subject),
    ...(proposal === undefined
      ? {}
      : {
          proposed: {
            finding: proposal.finding,
            text: findingText(proposal.finding),
            ...(chosen === undefined ? {} : { candidate: candidateId(chosen) }),
          },
        }),
    given: subject.answers
      .map(({ answer, delivery, detail }) => ({
        answerId: answer.answerId,
        revision: answer.revision,
        answeredAt: answer.answeredAt,
        by: answer.answeredBy.kind === 'person' ? answer.answeredBy.name : `policy ${answer.answeredBy.policyId}`,
        text: findingText(answer.finding),
        delivery,
        ...(detail === undefined ? {} : { detail }),
      }))
      .toReversed(),
    warnings: subjectWarnings(subject),
    actions: allowedActions(subject),
    isMasked: !showNumbers,
  };
}

/** The call that a proposal is about: the one that fits, or the one that would, had it been sent to whoever named us. */
function proposedCall(outcome: MatchOutcome | undefined): MatchCandidate | undefined {
  if (outcome?.status === 'unique') return outcome.candidate;
  return outcome?.status === 'several' ? outcome.disputed : undefined;
}

function deadlineView({ state: requestState, dueAtMs, answers }: ReviewSubject, nowMs: number): DeadlineView {
  const remainingSeconds = Math.floor((dueAtMs - nowMs) / 1_000);
  const dueAt = utcText(dueAtMs * 1_000);
  // Signed is not answered: the requester has it when the platform has it.
  const hasArrived = answers.some(({ delivery }) => delivery === 'taken' || delivery === 'acknowledged');
  const isAsked = requestState !== 'cancelled';
  const state =
    hasArrived || !isAsked
      ? 'done'
      : remainingSeconds < 0
        ? 'overdue'
        : remainingSeconds <= CLOSE_DEADLINE_SECONDS
          ? 'close'
          : 'open';
  const span = spanText(Math.abs(remainingSeconds));
  const texts = {
    done: hasArrived ? 'answered' : 'no longer asked',
    overdue: `overdue by ${span}`,
    close: `close: due in ${span}`,
    open: `due in ${span}`,
  };
  return { dueAt, remainingSeconds, state, text: texts[state] };
}

function requestFacts(request: TracebackRequest, showNumbers: boolean): readonly ViewFact[] {
  const { call, requester, campaign, downstream } = request;
  const optional: readonly (readonly [string, string | undefined])[] = [
    ['asks', request.direction === 'back' ? 'who sent us the call' : 'who serves the number'],
    ['requester', `${requester.name} (${requester.kind})`],
    ['issued', request.issuedAt],
    ['hop', String(request.hop)],
    ['downstream', downstream === undefined ? 'nobody named us: first hop' : `${downstream.name} names us`],
    ['campaign', campaign?.name],
    ['description', campaign?.description],
    ['called', call.called === undefined ? undefined : numberText(call.called, showNumbers)],
    ['calling', call.calling === undefined ? undefined : numberText(call.calling, showNumbers)],
    [
      'at',
      `${call.at.asWritten} (${call.at.local}${call.at.zone === undefined ? ', zone not stated' : ` ${call.at.zone}`}, by the ${call.at.precision})`,
    ],
    ['call id', call.callId],
    ['origid', call.origId],
    ['record', call.recordId],
    ['comment', request.comment],
  ];
  return optional.flatMap(([label, value]) =>
    value === undefined ? [] : [{ label, value: freeText(value, label, showNumbers) }],
  );
}

/** What people write may have numbers in it. */
function freeText(value: string, label: string, showNumbers: boolean): string {
  if (showNumbers || !FREE_TEXTS.has(label)) return value;
  return value.replace(/\+?\d[\d().\- ]{5,20}\d/g, (number) => numberText(number, false));
}

const FREE_TEXTS: ReadonlySet<string> = new Set(['description', 'comment', 'campaign']);

function numberText(text: string, showNumbers: boolean): string {
  if (showNumbers) return text;
  return maskTelephoneNumber(text.replace(/[^\d*#+]/g, '').replace(/(?!^)\+/g, ''));
}

function candidateView(
  candidate: MatchCandidate,
  context: {
    readonly subject: ReviewSubject;
    readonly policy: TracebackPolicyData;
    readonly showNumbers: boolean;
    readonly rank: number;
  },
): CandidateView {
  const { subject, policy, showNumbers, rank } = context;
  const { outcome, request } = subject;
  const { ingressLeg, egressLeg } = candidate;
  const search = outcome === undefined || outcome.status === 'unreadable' ? undefined : outcome.search;
  const draft = search === undefined ? undefined : draftOfCandidate(candidate, { request, policy, search });
  const number = (one: { readonly tn?: string; readonly asWritten: string } | undefined): string | undefined =>
    one === undefined ? undefined : numberText(one.tn ?? one.asWritten, showNumbers);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['called', number(ingressLeg.called)],
    ['calling', number(ingressLeg.calling)],
    ['in by trunk', ingressLeg.ingress.trunk],
    ['from address', ingressLeg.ingress.address],
    ['out by trunk', egressLeg?.egress.trunk ?? ingressLeg.egress.trunk],
    ['went', ingressLeg.disposition],
    ['attestation', ingressLeg.received?.attestation],
    ['verstat', ingressLeg.received?.verstat],
    ['source', ingressLeg.source.id],
    ['call group', candidate.callGroupId],
  ];
  return {
    candidate: candidateId(candidate),
    rank,
    scorePercent: Math.round(candidate.score * 100),
    startedAt: utcText(ingressLeg.inviteAtUs),
    upstream: partyText(candidate.upstream),
    downstream: DOWNSTREAM_TEXTS[candidate.downstream],
    facts: facts.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }])),
    ...(draft === undefined ? {} : { finding: draft.finding }),
    warnings: candidateWarnings(candidate, subject),
    legs: candidate.legs.length,
  };
}

const DOWNSTREAM_TEXTS: Readonly<Record<MatchCandidate['downstream'], string>> = {
  'sent-to-downstream': 'sent to the provider that named us',
  'sent-elsewhere': 'sent to another provider than the one that named us',
  'unknown-egress': 'to whom it was sent is not known',
  'delivered-here': 'delivered here',
  'not-delivered-here': 'not delivered here',
};

const NUMBER_FIELDS: ReadonlySet<string> = new Set(['called', 'calling']);

function comparisonRows(candidates: readonly MatchCandidate[], showNumbers: boolean): readonly ComparisonRow[] {
  const fields = [...new Set(candidates.flatMap(({ reasons }) => reasons.map(({ field }) => field)))];
  const text = (field: string, value: string | undefined): string => {
    if (value === undefined) return '';
    return NUMBER_FIELDS.has(field) ? numberText(value, showNumbers) : value;
  };
  return fields.map((field) => {
    const cells = candidates.map(({ reasons }) => reasons.find((reason) => reason.field === field));
    return {
      field,
      stated: text(field, cells.find((cell) => cell?.stated !== undefined)?.stated),
      recorded: cells.map((cell) => ({ text: text(field, cell?.recorded), verdict: cell?.verdict ?? 'absent' })),
    };
  });
}

/** States in which a person's decision is taken. */
const OPEN_STATES: ReadonlySet<string> = new Set(['received', 'review', 'blocked']);

function allowedActions(subject: ReviewSubject): readonly AllowedAction[] {
  const action = subject.answers.length > 0 ? 'amend' : 'answer';
  if (subject.state === 'cancelled' || (action === 'answer' && !OPEN_STATES.has(subject.state))) return [];
  const found = candidatesOf(subject.outcome).length;
  const arms = FINDING_ARMS.filter((arm) => !armWarnings(arm, subject).some(({ isFinal }) => isFinal));
  return [
    {
      action,
      arms: arms.map((arm): AllowedArm => ({
        arm,
        needsCandidate: CALL_ARMS.has(arm) && found > 0,
        needs: NEEDS[arm],
        warnings: armWarnings(arm, subject),
      })),
    },
  ];
}

/** Members of a decision that an arm cannot do without, unless the directory says them. */
export const NEEDS: Readonly<Record<FindingArm, AllowedArm['needs']>> = {
  'received-from': ['provider'],
  'received-from-unlisted': ['contact'],
  origin: [],
  'point-of-entry': ['contact'],
  'not-found': [],
  'not-retained': [],
  'not-our-number': [],
  'not-sent-to-downstream': [],
  ambiguous: [],
  'serves-number': ['customer'],
  'number-served-by': ['provider'],
  refused: ['reason'],
};
