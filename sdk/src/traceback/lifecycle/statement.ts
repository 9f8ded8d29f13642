import type { FindingArm, TracebackAnswer, TracebackFinding } from '../../core/traceback-request.js';
import type { RequestedCall, TracebackRequest } from '../../core/traceback-request.js';
import { callDifferences } from '../asked-call.js';
import type { CallDifference } from '../asked-call.js';
import { isOtherProvider, keptContact, keptProvider } from './provider-identity.js';
import type { TracebackEvent } from './traceback-event.js';
import type { StatementFact } from './traceback-state.js';

/** What an arm of an answer says about the call, as far as a traceback goes on from it. */
export interface ArmMeaning {
  /** In which kind of traceback it is an answer. */
  readonly directions: readonly TracebackRequest['direction'][];
  /** Whether it names the provider to ask next. */
  readonly names: boolean;
  /** Whether it contradicts whoever named the provider, if somebody did. */
  readonly denies: boolean;
  /** Whether it says nothing of where the call came from, so that a neighbour's word is worth having. */
  readonly silent: boolean;
}

const BACK = ['back'] as const;
const FORWARD = ['forward'] as const;
const BOTH = ['back', 'forward'] as const;

/** What the arms mean. Total: an arm that is new does not compile without its meaning. */
export const ARM_MEANINGS: Readonly<Record<FindingArm, ArmMeaning>> = {
  'received-from': { directions: BACK, names: true, denies: false, silent: false },
  'received-from-unlisted': { directions: BACK, names: true, denies: false, silent: false },
  origin: { directions: BACK, names: false, denies: false, silent: false },
  'point-of-entry': { directions: BACK, names: false, denies: false, silent: false },
  'not-found': { directions: BOTH, names: false, denies: true, silent: true },
  'not-retained': { directions: BOTH, names: false, denies: false, silent: true },
  'not-our-number': { directions: BOTH, names: false, denies: true, silent: true },
  'not-sent-to-downstream': { directions: BACK, names: false, denies: true, silent: true },
  ambiguous: { directions: BOTH, names: false, denies: false, silent: true },
  'serves-number': { directions: FORWARD, names: false, denies: false, silent: false },
  'number-served-by': { directions: FORWARD, names: true, denies: false, silent: false },
  refused: { directions: BOTH, names: false, denies: false, silent: true },
};

/** Why an answer is none to its request. */
export type StatementFault =
  /** It is signed by somebody else than who was asked. */
  | 'wrong-provider'
  /** Who serves a number is no answer to whom a call came from, and the other way round. */
  | 'arm-not-for-direction'
  /** Nobody named the provider, so that there is nobody to whom the call was not sent. */
  | 'no-downstream-named';

type AnswerReceived = Extract<TracebackEvent, { readonly type: 'answer-received' }>;

/**
 * Takes from an answer what the course of a traceback depends on. If the answer is about another call than its request, whom it names is left out,
 * so that nobody acts on it.
 */
export function statementOf(
  { answer, asked, atMs }: AnswerReceived,
  direction: TracebackRequest['direction'],
): StatementFact {
  const { answerId, requestId, revision, provider, finding, amends, upstreamAction } = answer;
  const otherCall = otherCallOf(answer, asked, direction);
  return {
    kind: 'statement',
    id: answerId,
    atMs,
    requestId,
    revision,
    provider: keptProvider(provider),
    arm: finding.arm,
    ...(otherCall.length > 0 ? { otherCall } : findingFacts(finding)),
    ...(otherCall.length === 0 && upstreamAction !== undefined && { upstreamAction }),
    ...(amends !== undefined && { amendedBecause: amends.reason }),
  };
}

/** How the call of an answer contradicts that of its request. A finding that says nothing of where a call came from needs no call. */
function otherCallOf(
  { call, finding }: TracebackAnswer,
  asked: RequestedCall | undefined,
  direction: TracebackRequest['direction'],
): readonly CallDifference[] {
  if (call === undefined || asked === undefined || ARM_MEANINGS[finding.arm].silent) return [];
  return callDifferences(asked, call, direction);
}

/** What is wrong with a statement as an answer to a request; undefined where nothing is. */
export function statementFault(
  statement: StatementFact,
  asked: {
    readonly direction: TracebackRequest['direction'];
    readonly provider: TracebackRequest['provider'] | undefined;
    readonly downstream: TracebackRequest['provider'] | undefined;
  },
): StatementFault | undefined {
  if (asked.provider !== undefined && isOtherProvider(statement.provider, asked.provider)) return 'wrong-provider';
  if (!ARM_MEANINGS[statement.arm].directions.includes(asked.direction)) return 'arm-not-for-direction';
  return statement.arm === 'not-sent-to-downstream' && asked.downstream === undefined
    ? 'no-downstream-named'
    : undefined;
}

/** Whether two statements say the same of the call: two that do not, of the same revision, are no answer. */
export function saysTheSame(one: StatementFact, other: StatementFact): boolean {
  const said = ({ arm, upstream, contact, otherCall }: StatementFact): string =>
    JSON.stringify([arm, upstream, contact, otherCall]);
  return said(one) === said(other);
}

type FindingFacts = Pick<StatementFact, 'upstream' | 'contact' | 'callerIdentified' | 'callerAction' | 'reason'>;

function findingFacts(finding: TracebackFinding): FindingFacts {
  switch (finding.arm) {
    case 'received-from':
      return { upstream: keptProvider(finding.upstream) };
    case 'number-served-by':
      return { upstream: keptProvider(finding.provider) };
    case 'received-from-unlisted':
    case 'point-of-entry':
      return { contact: keptContact(finding.upstream) };
    case 'origin':
    case 'serves-number': {
      const { customerId, contact, action } = finding.customer;
      return {
        callerIdentified: customerId !== undefined || contact !== undefined,
        ...(action !== undefined && { callerAction: action }),
      };
    }
    case 'refused':
      return { reason: finding.reason };
    default:
      return {};
  }
}
