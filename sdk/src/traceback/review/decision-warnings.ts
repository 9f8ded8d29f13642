import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import { comparableBusinessName } from '../directory/business-name.js';
import { isOneCompany } from '../directory/one-company.js';
import type { MatchCandidate } from '../match-outcome.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import type { TrunkDirectory, TrunkParty } from '../trunk-directory.js';
import { partyText } from './finding-text.js';
import type { ReviewDecision } from './review-decision.js';
import type { ReviewSubject } from './review-subject.js';
import type { ViewWarning } from './review-view.js';
import {
  armWarnings,
  candidateWarnings,
  disputeWarnings,
  refusal,
  subjectWarnings,
  UPSTREAM_ARMS,
  warning,
} from './review-warnings.js';

/** By what a decision is held against. */
export interface DecisionContext {
  readonly policy: TracebackPolicyData;
  readonly directory: TrunkDirectory;
  /** Who answers. */
  readonly provider: ProviderReference;
}

/** A decision's request, and the call that it chooses. */
export interface DecisionChoice extends DecisionContext {
  readonly subject: ReviewSubject;
  readonly candidate: MatchCandidate | undefined;
}

/** All that speaks against a decision, each name once. */
export function decisionWarnings(decision: ReviewDecision, choice: DecisionChoice): readonly ViewWarning[] {
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
function differsFrom(party: TrunkParty, decision: ReviewDecision, directory: TrunkDirectory): string | undefined {
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
