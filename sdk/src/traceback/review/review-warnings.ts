import type { FindingArm } from '../../core/traceback-request.js';
import type { MatchCandidate } from '../match-outcome.js';
import { partyText } from './finding-text.js';
import { candidatesOf, fittingOf } from './review-subject.js';
import type { ReviewSubject } from './review-subject.js';
import type { ViewWarning } from './review-view.js';
import { isSearchComplete } from './searched-facts.js';

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
  if (downstream === 'unknown-egress') warnings.push(warning('unknown-egress', 'to whom it was sent is not known'));
  if (downstream === 'not-delivered-here' || (downstream === 'sent-to-downstream' && !isNamed))
    warnings.push(warning('not-delivered-here', 'nobody named us, and it was not delivered here'));
  if (downstream === 'delivered-here' && isNamed)
    warnings.push(warning('delivered-here', 'it was delivered here, and another provider says to have had it from us'));
  warnings.push(...fitWarnings(candidate, subject));
  if (upstream === undefined) warnings.push(warning('upstream-unknown', 'the directory does not say who sent it'));
  return warnings;
}

/** What speaks against saying of a call that it was not sent to the provider that named us. */
export function disputeWarnings(candidate: MatchCandidate, subject: ReviewSubject): readonly ViewWarning[] {
  const texts: Readonly<Record<Exclude<MatchCandidate['downstream'], 'sent-elsewhere'>, string>> = {
    'sent-to-downstream': 'by the directory it was sent to them',
    'unknown-egress': 'to whom it was sent is not known: it may have been to them',
    'delivered-here': 'it was delivered here, and nobody has held it against whoever named us',
    'not-delivered-here': 'it was sent on, and nobody has held it against whoever named us',
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
    return [refusal('not-first-hop', 'a provider named us: whose number it is, is not what is asked')];
  if (arm === 'not-sent-to-downstream') {
    if (request.downstream === undefined) return [refusal('nobody-named-us', 'no provider named us')];
    if (found.length === 0)
      return [refusal('no-record', 'no record of the call is at hand: to whom it was sent cannot be said')];
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
    return [warning('not-sure', 'the call may be on record as nothing that it was looked for by')];
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
