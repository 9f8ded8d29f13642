import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type { FindingArm, TracebackFinding } from '../../contract/traceback-exchange.js';
import { comparableBusinessName } from '../../contract/same-provider.js';
import { isOneCompany } from '../directory/provider-identity.js';
import type { MatchCandidate } from '../match-outcome.js';
import { NOTHING_SEARCHED, answeredCall, customerStatement, searchStatement } from '../policy/decide-traceback.js';
import type { AnswerDraft, PolicyInput, TracebackPolicyData } from '../policy/traceback-policy.js';
import type { TrunkParty } from '../directory/provider-identity.js';
import type { TrunkParties } from '../directory/trunk-directory.js';
import { defined, utcText } from '../../core/text.js';
import { candidateId, candidatesOf, fittingOf, partyText } from './review-view.js';
import type { ReviewSubject, ViewWarning } from './review-view.js';
import type { DecisionProblem, ReviewDecision } from './review-decision.js';
import {
  CALL_ARMS,
  UPSTREAM_ARMS,
  armWarnings,
  candidateWarnings,
  disputeWarnings,
  refusal,
  subjectWarnings,
  warning,
} from './review-of.js';

type ArmMember = 'candidate' | 'provider' | 'contact' | 'customer' | 'upstreamAction' | 'reason';

/** Arms whose answer says what a member of a decision says. */
const TAKEN_BY: Readonly<Record<ArmMember, ReadonlySet<FindingArm>>> = {
  candidate: CALL_ARMS,
  provider: new Set(['received-from', 'number-served-by']),
  contact: new Set(['received-from-unlisted', 'point-of-entry']),
  customer: new Set(['origin', 'serves-number']),
  upstreamAction: new Set(['received-from', 'received-from-unlisted', 'point-of-entry']),
  reason: new Set(['refused']),
};

/** Of members that a person has filled in and the answer of that arm would not say, or would say of a call that it denies. */
function memberProblems(decision: ReviewDecision): readonly DecisionProblem[] {
  const members = Object.entries(TAKEN_BY) as readonly (readonly [ArmMember, ReadonlySet<FindingArm>])[];
  return members.flatMap(([about, arms]) =>
    decision[about] !== undefined && !arms.has(decision.arm)
      ? [{ about, text: `it is no part of an answer "${decision.arm}"` }]
      : [],
  );
}

/** A decision's request, and the call that it chooses. */
interface DecisionChoice extends Pick<PolicyInput, 'policy' | 'directory' | 'provider'> {
  readonly subject: ReviewSubject;
  readonly candidate: MatchCandidate | undefined;
}

/** All that speaks against a decision, each name once. */
function decisionWarnings(decision: ReviewDecision, choice: DecisionChoice): readonly ViewWarning[] {
  const { arm } = decision;
  const { subject, candidate } = choice;
  const warnings: ViewWarning[] = [...armWarnings(arm, subject)];
  // Of a call that the answer says nothing of, only what holds for the request counts.
  if (candidate !== undefined && UPSTREAM_ARMS.has(arm))
    warnings.push(
      ...candidateWarnings(candidate, subject).filter(({ name }) => arm === 'origin' || name !== 'upstream-unknown'),
    );
  if (candidate !== undefined && arm === 'not-sent-to-downstream')
    warnings.push(...disputeWarnings(candidate, subject));
  if (UPSTREAM_ARMS.has(arm)) warnings.push(...namedWarnings(decision, choice), ...partyWarnings(decision, choice));
  if (arm !== 'refused') warnings.push(...subjectWarnings(subject).filter(({ isFinal }) => !isFinal));
  return warnings.filter(({ name }, at) => warnings.findIndex((one) => one.name === name) === at);
}

/** Of whom the answer would name: us, or the provider that asks by whom it was sent. */
function namedWarnings(
  decision: ReviewDecision,
  { subject, candidate, directory, provider }: DecisionChoice,
): readonly ViewWarning[] {
  const named = namedBy(decision, candidate?.upstream);
  if (named === undefined) return [];
  const { downstream } = subject.request;
  return [
    ...(directory.isSame(named, provider) ? [refusal('upstream-is-us', 'that is ourselves')] : []),
    ...(downstream !== undefined && directory.isSame(named, downstream)
      ? [
          warning(
            'upstream-is-downstream',
            'that is the provider that says to have had the call from us, or of its group',
          ),
        ]
      : []),
  ];
}

function namedBy(decision: ReviewDecision, party: TrunkParty | undefined): ProviderReference | undefined {
  const { arm, provider, contact } = decision;
  if (arm === 'origin') return undefined;
  if (arm === 'received-from') return provider ?? (party?.kind === 'provider' ? party.provider : undefined);
  const isContact = party?.kind === 'foreign-provider' || party?.kind === 'unlisted-provider';
  const stated = contact ?? (isContact ? party.contact : undefined);
  return stated === undefined ? undefined : { name: stated.name };
}

/** Of whom the directory and the record say the call came from. */
function partyWarnings(decision: ReviewDecision, { candidate, directory }: DecisionChoice): readonly ViewWarning[] {
  const party = candidate?.upstream;
  const warnings: ViewWarning[] = [];
  if (party !== undefined) {
    const differs = differsFrom(party, decision, directory);
    if (differs !== undefined) warnings.push(warning('not-as-directory', differs));
  }
  if (decision.arm !== 'origin') return warnings;
  const recorded = candidate?.ingressLeg.customerId;
  const stated = decision.customer?.customerId ?? (party?.kind === 'customer' ? party.customerId : undefined);
  if (recorded !== undefined && stated !== undefined && recorded !== stated)
    warnings.push(warning('not-as-record', `the record names customer ${recorded}`));
  return warnings;
}

/** How the directory's party is another than the decision names; undefined where it is the same. */
function differsFrom(party: TrunkParty, decision: ReviewDecision, directory: TrunkParties): string | undefined {
  const { arm, provider, contact, customer } = decision;
  const another = `the directory names ${partyText(party)}`;
  if (arm === 'received-from') {
    if (provider === undefined) return undefined;
    if (party.kind !== 'provider' || !directory.isSame(party.provider, provider)) return another;
    // Affiliates are the same to a directory; an answer names one company.
    return isOneCompany(party.provider, provider) ? undefined : another;
  }
  if (ARM_KINDS[arm] !== party.kind) return another;
  if (party.kind === 'customer') {
    const [ofTrunk, stated] = [party.customerId, customer?.customerId];
    return ofTrunk !== undefined && stated !== undefined && ofTrunk !== stated ? another : undefined;
  }
  if (party.kind === 'provider' || contact === undefined) return undefined;
  const member = contactDifference(party.contact, contact);
  if (member === undefined) return undefined;
  return member === 'name' || member === 'country'
    ? another
    : `the directory has another ${CONTACT_WORDS[member]} of it`;
}

const ARM_KINDS: Readonly<Partial<Record<ReviewDecision['arm'], TrunkParty['kind']>>> = {
  'received-from-unlisted': 'unlisted-provider',
  origin: 'customer',
  'point-of-entry': 'foreign-provider',
};

const CONTACT_WORDS = {
  email: 'e-mail address',
  telephone: 'telephone number',
  postalAddress: 'postal address',
} as const;

/** Member in which what is stated is another than what the directory has. */
function contactDifference(known: ContactDetails, stated: ContactDetails): keyof ContactDetails | undefined {
  if (comparableBusinessName(known.name) !== comparableBusinessName(stated.name)) return 'name';
  return (['country', 'email', 'telephone', 'postalAddress'] as const).find(
    (member) => stated[member] !== undefined && known[member] !== undefined && stated[member] !== known[member],
  );
}

/** What a decision leads to. */
export type DecisionOutcome =
  | {
      readonly status: 'accepted';
      readonly draft: AnswerDraft;
      /** The call that was chosen. */
      readonly candidate?: MatchCandidate;
      /** What the person decided in spite of. */
      readonly despite: readonly string[];
    }
  | { readonly status: 'refused'; readonly problems: readonly DecisionProblem[] };

/**
 * Makes the answer that a person has decided on, or says why it cannot be given: an arm that the records do not bear, a call that is none of the
 * candidates, something that has to be said and was not, or a warning that was not confirmed. Pure; never throws.
 * @param decision - as handed in by the command line, the page or the portal
 * @param subject - the request as it stands
 * @param context - policy, directory, and who answers
 * @returns the answer but for its ids, or all that is wrong with the decision
 * @see `reviewOf` for what the person saw
 */
export function answerOfDecision(
  decision: ReviewDecision,
  subject: ReviewSubject,
  context: Pick<PolicyInput, 'policy' | 'directory' | 'provider'>,
): DecisionOutcome {
  const problems: DecisionProblem[] = [];
  const candidates = candidatesOf(subject.outcome);
  const named = candidates.filter((one) => candidateId(one) === decision.candidate);
  // A name of two calls names neither of them.
  const candidate = named.length === 1 ? named[0] : undefined;
  problems.push(...standProblems(decision, subject), ...memberProblems(decision));
  if (decision.candidate !== undefined && candidate === undefined)
    problems.push({ about: 'candidate', text: 'it is not one of the calls that were found' });
  if (CALL_ARMS.has(decision.arm) && candidates.length > 0 && decision.candidate === undefined)
    problems.push({ about: 'candidate', text: 'say which call it was' });
  const finding = findingOf(decision, { ...context, subject, candidate });
  if ('text' in finding) problems.push(finding);
  const warnings = decisionWarnings(decision, { ...context, subject, candidate });
  const confirmed = new Set(decision.despite);
  for (const { name, text, isFinal } of warnings) {
    if (isFinal) problems.push({ about: name, text });
    else if (!confirmed.has(name))
      problems.push({ about: name, text: `${text}: confirm it to answer all the same`, isConfirmable: true });
  }
  if (problems.length > 0 || 'text' in finding) return { status: 'refused', problems };
  return {
    status: 'accepted',
    draft: draftOf(decision, { finding, subject, candidate, policy: context.policy }),
    ...defined({ candidate }),
    despite: warnings.map(({ name }) => name),
  };
}

function standProblems(
  decision: ReviewDecision,
  { request, state, answers }: ReviewSubject,
): readonly DecisionProblem[] {
  const problems: DecisionProblem[] = [];
  if (decision.requestId !== request.requestId)
    problems.push({ about: 'requestId', text: 'the decision is about another request' });
  if (state === 'cancelled') problems.push({ about: 'state', text: 'the request is no longer asked' });
  if (answers.length > 0 && decision.amendReason === undefined)
    problems.push({ about: 'amendReason', text: 'there is an answer: say why it is amended' });
  if (answers.length === 0 && decision.amendReason !== undefined)
    problems.push({ about: 'amendReason', text: 'there is no answer yet that could be amended' });
  return problems;
}

function findingOf(decision: ReviewDecision, chosen: DecisionChoice): TracebackFinding | DecisionProblem {
  const { arm } = decision;
  const { subject, candidate, policy } = chosen;
  const party = candidate?.upstream;
  switch (arm) {
    case 'received-from': {
      const upstream = decision.provider ?? (party?.kind === 'provider' ? party.provider : undefined);
      return upstream === undefined ? missing('provider', 'say which provider sent the call') : { arm, upstream };
    }
    case 'received-from-unlisted':
    case 'point-of-entry': {
      const kind = arm === 'point-of-entry' ? 'foreign-provider' : 'unlisted-provider';
      const upstream = decision.contact ?? (party?.kind === kind ? party.contact : undefined);
      return upstream === undefined
        ? missing('contact', 'say who sent the call, and how they are reached')
        : { arm, upstream };
    }
    case 'origin': {
      const customerId = decision.customer?.customerId ?? (party?.kind === 'customer' ? party.customerId : undefined);
      // What a person says is said beside what is on file of that customer.
      return { arm, customer: { ...customerStatement(customerId, policy.customers), ...decision.customer } };
    }
    case 'serves-number':
      return decision.customer === undefined
        ? missing('customer', 'say what may be said of the customer')
        : { arm, customer: decision.customer };
    case 'number-served-by':
      return decision.provider === undefined
        ? missing('provider', 'say which provider serves the number')
        : { arm, provider: decision.provider };
    case 'refused':
      return decision.reason === undefined || decision.reason.trim() === ''
        ? missing('reason', 'a refusal needs its reason')
        : { arm, reason: decision.reason };
    case 'not-sent-to-downstream':
      return subject.request.downstream === undefined
        ? missing('nobody-named-us', 'no provider named us')
        : { arm, downstream: subject.request.downstream };
    default:
      return plainFinding(arm, subject);
  }
}

/** Arms that say nothing but what the search found. */
function plainFinding(
  arm: 'not-found' | 'not-retained' | 'not-our-number' | 'ambiguous',
  { outcome, decision }: ReviewSubject,
): TracebackFinding | DecisionProblem {
  if (arm === 'ambiguous') return { arm, candidates: fittingOf(outcome).length };
  if (arm !== 'not-retained') return { arm };
  const drafted = decision?.kind === 'review' ? decision.proposal : decision?.draft;
  if (drafted?.finding.arm === 'not-retained') return drafted.finding;
  if (outcome?.status === 'several' && outcome.retainedFromUs !== undefined)
    return { arm, retainedFrom: utcText(outcome.retainedFromUs) };
  return missing('retention-unknown', 'from when on records are kept is not known');
}

function missing(about: string, text: string): DecisionProblem {
  return { about, text };
}

function draftOf(
  { comment, upstreamAction }: ReviewDecision,
  parts: {
    readonly finding: TracebackFinding;
    readonly subject: ReviewSubject;
    readonly candidate: MatchCandidate | undefined;
    readonly policy: TracebackPolicyData;
  },
): AnswerDraft {
  const { finding, subject, candidate, policy } = parts;
  const { outcome } = subject;
  const searched =
    outcome === undefined || outcome.status === 'unreadable' ? NOTHING_SEARCHED : searchStatement(outcome.search);
  const call = candidate === undefined ? undefined : answeredCall(candidate, policy.answer);
  return defined({
    finding,
    call,
    upstreamAction,
    searched,
    comment,
  });
}
