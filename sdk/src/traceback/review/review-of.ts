import { defined, maskTelephoneNumber, utcText } from '../../core/text.js';
import { FINDING_ARMS } from '../../contract/traceback-exchange.js';
import type { FindingArm, TracebackRequest } from '../../contract/traceback-exchange.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import { searchCoverage } from '../match/match-call.js';
import { draftOfCandidate, proposedCall } from '../policy/decide-traceback.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import { candidateId, candidatesOf, findingText, fittingOf, partyText, spanText } from './review-view.js';
import type { ReviewSubject, ReviewView, ViewWarning } from './review-view.js';

type ViewFact = ReviewView['request'][number];
type AllowedArm = ReviewView['actions'][number]['arms'][number];

/** What of the asked windows is on record, for every source that was asked. */
interface AskedCoverage {
  /** By source and time; of the source `''` where there is none. */
  readonly gaps: Extract<MatchOutcome, { status: 'gap' }>['gaps'];
  /** Microseconds that are covered, by source. */
  readonly coveredUs: ReadonlyMap<string, number>;
  /** Microseconds of all windows. */
  readonly askedUs: number;
}

/**
 * Whether every source that was asked is covered for all of the windows that were looked through: only then may "not found" be said, whatever
 * was found beside it. Never throws.
 */
function isSearchComplete(subject: ReviewSubject): boolean {
  const asked = askedCoverage(subject);
  return asked !== undefined && asked.askedUs > 0 && asked.gaps.length === 0;
}

/** Gaps that are shown: past them nobody reads on. */
const MAX_SHOWN_GAPS = 20;

/** What was looked through, and how much of it is on record, in words. */
function searchedFacts(subject: ReviewSubject): readonly ViewFact[] {
  const { outcome } = subject;
  if (outcome === undefined) return [];
  if (outcome.status === 'unreadable') return outcome.because.map((value) => ({ label: 'not read', value }));
  const { windows, keys, recordsConsidered } = outcome.search;
  const retainedFromUs = outcome.status === 'not-retained' ? outcome.retainedFromUs : undefined;
  return [
    ...windows.map(({ fromUs, toUs }) => ({ label: 'window', value: `${utcText(fromUs)} to ${utcText(toUs)}` })),
    { label: 'by', value: keys.join(', ') },
    { label: 'records', value: String(recordsConsidered) },
    ...coverageFacts(askedCoverage(subject)),
    ...(retainedFromUs === undefined ? [] : [{ label: 'removed', value: `records before ${utcText(retainedFromUs)}` }]),
    ...gapFacts(askedCoverage(subject)?.gaps ?? [], retainedFromUs),
  ];
}

function askedCoverage({ outcome, sources = [] }: ReviewSubject): AskedCoverage | undefined {
  if (outcome === undefined || outcome.status === 'unreadable') return undefined;
  const { windows, coverage } = outcome.search;
  // A gap may be all that is known of a source.
  const missing = outcome.status === 'gap' ? outcome.gaps.map(({ sourceId }) => sourceId) : [];
  const asked = [...new Set([...sources, ...missing, ...coverage.map(({ sourceId }) => sourceId)])].filter(
    (sourceId) => sourceId !== '',
  );
  const { gaps } = searchCoverage(windows, coverage, { sources: asked });
  const askedUs = windows.reduce((sum, { fromUs, toUs }) => sum + Math.max(0, toUs - fromUs + 1), 0);
  const coveredUs = new Map(asked.map((sourceId) => [sourceId, askedUs]));
  for (const { sourceId, fromUs, toUs } of gaps)
    if (sourceId !== '') coveredUs.set(sourceId, (coveredUs.get(sourceId) ?? askedUs) - (toUs - fromUs + 1));
  return { gaps, coveredUs, askedUs };
}

/** "complete" is said of all or of none: where a source is not, of each it is said how much is covered. */
function coverageFacts(asked: AskedCoverage | undefined): readonly ViewFact[] {
  if (asked === undefined) return [];
  const { askedUs, gaps, coveredUs } = asked;
  if (coveredUs.size === 0) return [{ label: 'incomplete', value: 'no source is known' }];
  if (askedUs > 0 && gaps.length === 0) return [{ label: 'complete', value: [...coveredUs.keys()].join(', ') }];
  return [...coveredUs].map(([sourceId, us]) => {
    const part = us === askedUs ? 'all' : us === 0 ? 'nothing' : wholeSeconds(us);
    return {
      label: us === askedUs ? 'covered' : 'incomplete',
      value: `${sourceId}: ${part} of ${wholeSeconds(askedUs)}`,
    };
  });
}

/** Rounded down: what is nearly complete is not. */
function wholeSeconds(us: number): string {
  return spanText(Math.floor(us / 1_000_000));
}

function gapFacts(gaps: AskedCoverage['gaps'], retainedFromUs: number | undefined): readonly ViewFact[] {
  const shown = gaps.filter(({ toUs }) => toUs >= (retainedFromUs ?? toUs));
  return [
    ...shown.slice(0, MAX_SHOWN_GAPS).map(({ sourceId, fromUs, toUs }) => ({
      label: 'missing',
      value: `${sourceId === '' ? 'every source' : sourceId}: ${utcText(fromUs)} to ${utcText(toUs)}`,
    })),
    ...(shown.length > MAX_SHOWN_GAPS
      ? [{ label: 'missing', value: `and ${String(shown.length - MAX_SHOWN_GAPS)} more` }]
      : []),
  ];
}

/** Arms that name somebody as the one whom the call came from. */
export const UPSTREAM_ARMS: ReadonlySet<FindingArm> = new Set<FindingArm>([
  'received-from',
  'received-from-unlisted',
  'origin',
  'point-of-entry',
]);

/** Arms that say something of one call: which one has to be chosen. */
export const CALL_ARMS: ReadonlySet<FindingArm> = new Set<FindingArm>([...UPSTREAM_ARMS, 'not-sent-to-downstream']);

/** Something that has to be confirmed by its name. */
export const warning = (name: string, text: string): ViewWarning => ({ name, text, isFinal: false });
/** Something that cannot be confirmed away. */
export const refusal = (name: string, text: string): ViewWarning => ({ name, text, isFinal: true });

/** What speaks against naming the party that a call came from. */
export function candidateWarnings(candidate: MatchCandidate, subject: ReviewSubject): readonly ViewWarning[] {
  const warnings: ViewWarning[] = [];
  const { downstream, upstream } = candidate;
  const isNamed = subject.request.downstream !== undefined;
  if (downstream === 'sent-elsewhere')
    warnings.push(warning('sent-elsewhere', 'it was sent to another provider than the one that named us'));
  if (downstream === 'unknown-egress')
    warnings.push(warning('unknown-egress', 'the provider it was sent to is unknown'));
  if (downstream === 'not-delivered-here' || (downstream === 'sent-to-downstream' && !isNamed))
    warnings.push(warning('not-delivered-here', 'nobody named us, and it was not delivered here'));
  if (downstream === 'delivered-here' && isNamed)
    warnings.push(warning('delivered-here', 'it was delivered here, and another provider says that it came from us'));
  warnings.push(...fitWarnings(candidate, subject));
  if (upstream === undefined) warnings.push(warning('upstream-unknown', 'the directory does not say who sent it'));
  return warnings;
}

/** What speaks against saying of a call that it was not sent to the provider that named us. */
export function disputeWarnings(candidate: MatchCandidate, subject: ReviewSubject): readonly ViewWarning[] {
  const texts: Readonly<Record<Exclude<MatchCandidate['downstream'], 'sent-elsewhere'>, string>> = {
    'sent-to-downstream': 'by the directory it was sent to them',
    'unknown-egress': 'the provider it was sent to is unknown, and may be them',
    'delivered-here': 'it was delivered here; whether it was sent to the provider that named us was not checked',
    'not-delivered-here': 'it was sent on; whether it was sent to the provider that named us was not checked',
  };
  const { downstream } = candidate;
  return [
    ...(downstream === 'sent-elsewhere' ? [] : [warning(downstream, texts[downstream])]),
    ...fitWarnings(candidate, subject),
  ];
}

/** What speaks against its being the call that is meant. */
function fitWarnings(candidate: MatchCandidate, { outcome }: ReviewSubject): readonly ViewWarning[] {
  const { reasons, score } = candidate;
  const warnings: ViewWarning[] = [];
  if (reasons.some(({ field, verdict }) => verdict === 'contradicts' && field !== 'downstream'))
    warnings.push(warning('contradicted', 'something that was stated speaks against it'));
  const best = Math.max(...candidatesOf(outcome).map((one) => one.score), 0);
  if (best > score) warnings.push(warning('another-fits-better', 'another call fits better'));
  else if (fittingOf(outcome).some((one) => one.score === score && !isOfOneUpstream(one, candidate)))
    warnings.push(warning('another-fits-as-well', 'another call, from somebody else, fits as well'));
  return warnings;
}

/** Whether an answer would name the same, whichever of two calls is meant. */
function isOfOneUpstream(one: MatchCandidate, other: MatchCandidate): boolean {
  return one === other || (one.upstream !== undefined && partyText(one.upstream) === partyText(other.upstream));
}

/** What holds for the request whatever call is meant. */
export function subjectWarnings(subject: ReviewSubject): readonly ViewWarning[] {
  const { outcome, decision } = subject;
  const warnings: ViewWarning[] = [];
  const reasons = decision?.kind === 'review' ? decision.reasons : [];
  if (reasons.some(({ rule }) => rule === 'legal-hold'))
    warnings.push(warning('legal-hold', 'a record of the call may be under a legal hold'));
  // What was removed is said by the answer that is left then.
  const isReadable = outcome !== undefined && outcome.status !== 'unreadable' && outcome.status !== 'not-retained';
  if (isReadable && !isSearchComplete(subject))
    warnings.push(refusal('records-missing', 'records of that time are missing: "not found" may not be said'));
  return warnings;
}

/** What speaks against an arm, apart from the call that is chosen. Final ones make it impossible. */
export function armWarnings(arm: FindingArm, subject: ReviewSubject): readonly ViewWarning[] {
  const { request, outcome } = subject;
  const found = candidatesOf(outcome);
  if (arm === 'not-found') return notFoundWarnings(subject);
  if (arm === 'not-retained') return notRetainedWarnings(subject, found.length);
  if (arm === 'not-our-number' && request.downstream !== undefined)
    return [refusal('not-first-hop', 'a provider named us: the question is not whose number it is')];
  if (arm === 'not-sent-to-downstream') {
    if (request.downstream === undefined) return [refusal('nobody-named-us', 'no provider named us')];
    if (found.length === 0) return [refusal('no-record', 'there is no record of the call to show where it was sent')];
  }
  if (arm === 'ambiguous' && fittingOf(outcome).length < 2)
    return [refusal('not-several', 'there are not several calls that fit')];
  const isForward = arm === 'serves-number' || arm === 'number-served-by';
  if (isForward !== (request.direction === 'forward') && arm !== 'refused')
    return [refusal('other-question', `this is no answer to a trace ${request.direction}`)];
  if (UPSTREAM_ARMS.has(arm) && found.length === 0) return [warning('no-record', 'no record of the call is at hand')];
  return arm === 'not-our-number' ? notOursWarnings(found) : [];
}

function notFoundWarnings(subject: ReviewSubject): readonly ViewWarning[] {
  const { request, outcome } = subject;
  if (request.direction === 'forward') return [refusal('other-question', 'this is no answer to a trace forward')];
  // Whatever else was found: the call that is meant may be in what is missing.
  if (!isSearchComplete(subject) || (outcome?.status === 'several' && outcome.isCovered === false))
    return [refusal('records-missing', '"not found" may be said only where all records of that time are at hand')];
  if (candidatesOf(outcome).length > 0) return [warning('calls-found', 'there are calls that may be meant')];
  if (outcome?.status === 'none-but-covered') return [];
  if (outcome?.status === 'several')
    return [warning('not-sure', 'the call may be on record under none of the searched keys')];
  return [refusal('records-missing', '"not found" may not be said: nothing says that there was no such call')];
}

function notRetainedWarnings({ outcome }: ReviewSubject, found: number): readonly ViewWarning[] {
  if (outcome?.status === 'not-retained') return [];
  if (outcome?.status !== 'several' || outcome.retainedFromUs === undefined)
    return [refusal('retention-unknown', 'records of that time have not been removed')];
  return [
    warning('kept-in-part', 'records of part of that time are at hand'),
    ...(found > 0 ? [warning('calls-found', 'there are calls that may be meant')] : []),
  ];
}

/** Beside a call to the number "not our number" is a dispute with one's own records. */
function notOursWarnings(found: readonly MatchCandidate[]): readonly ViewWarning[] {
  if (found.some(({ downstream }) => downstream === 'delivered-here'))
    return [warning('delivered-here', 'a call that may be meant was delivered here')];
  return found.length > 0 ? [warning('calls-found', 'there are calls that may be meant')] : [];
}

/** How a request is shown. */
interface ReviewOptions {
  readonly nowMs: number;
  /** By which the answers of the candidates are drawn up. */
  readonly policy: TracebackPolicyData;
  /** Whether telephone numbers are shown; masked otherwise. Default false. */
  readonly showNumbers?: boolean;
}

/** Candidates that are shown: a person looks through some, not through hundreds. */
const MAX_SHOWN_CANDIDATES = 20;
/** From here on the deadline is close: a working day has a few such stretches. */
const CLOSE_DEADLINE_SECONDS = 14_400;

/**
 * Makes the view of a request that a person decides about: the request, its deadline, the candidates side by side, what would be answered, what
 * to beware of, and what can be done. The command line, the page and the portal show this and nothing else. Pure; never throws.
 * @param subject - the request as it stands
 * @param options - the time, the policy, and whether numbers are shown
 * @returns plain JSON
 * @see `answerOfDecision` for what is done with a person's decision
 */
export function reviewOf(subject: ReviewSubject, options: ReviewOptions): ReviewView {
  const { request, state, outcome, decision } = subject;
  const { showNumbers = false } = options;
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
      candidateView(candidate, { ...options, subject, rank: index + 1 }),
    ),
    callsFound: candidatesOf(outcome).length,
    comparison: comparisonRows(candidates, showNumbers),
    searched: searchedFacts(subject),
    ...(proposal !== undefined && {
      proposed: {
        finding: proposal.finding,
        text: findingText(proposal.finding),
        ...(chosen !== undefined && { candidate: candidateId(chosen) }),
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
        ...defined({ detail }),
      }))
      .toReversed(),
    warnings: subjectWarnings(subject),
    actions: allowedActions(subject),
    isMasked: !showNumbers,
  };
}

function deadlineView({ state: requestState, dueAtMs, answers }: ReviewSubject, nowMs: number): ReviewView['deadline'] {
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
  { subject, rank, policy, showNumbers = false }: ReviewOptions & { subject: ReviewSubject; rank: number },
): ReviewView['candidates'][number] {
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
    ...defined({ finding: draft?.finding }),
    warnings: candidateWarnings(candidate, subject),
    legs: candidate.legs.length,
  };
}

const DOWNSTREAM_TEXTS: Readonly<Record<MatchCandidate['downstream'], string>> = {
  'sent-to-downstream': 'sent to the provider that named us',
  'sent-elsewhere': 'sent to another provider than the one that named us',
  'unknown-egress': 'the provider it was sent to is unknown',
  'delivered-here': 'delivered here',
  'not-delivered-here': 'not delivered here',
};

const NUMBER_FIELDS: ReadonlySet<string> = new Set(['called', 'calling']);

function comparisonRows(candidates: readonly MatchCandidate[], showNumbers: boolean): ReviewView['comparison'] {
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

function allowedActions(subject: ReviewSubject): ReviewView['actions'] {
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
const NEEDS: Readonly<Record<FindingArm, AllowedArm['needs']>> = {
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
