import { compareProviders } from '../../contract/same-provider.js';
import { defined } from '../../core/text.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type {
  FindingArm,
  RequestedCall,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { callDifferences } from '../asked-call.js';
import type { CallDifference } from '../asked-call.js';
import { tracebackDueTime } from '../deadline/traceback-deadline.js';
import type { OutcomeKind } from './hop-machine.js';
import type { StatementFact, TracebackEvent, TracebackFact, TracebackState } from './traceback-state.js';

/** A provider's name among others in one traceback. */
export function providerKey(provider: ProviderReference): string {
  for (const name of KEYS) if (provider[name] !== undefined) return `${name}:${provider[name]}`;
  return `name:${plainName(provider.name)}`;
}

/** The same of one that no registry lists. */
export function contactKey({ name, email, telephone }: ContactDetails): string {
  return ['contact', plainName(name), email?.toLowerCase() ?? '', telephone ?? ''].join(':');
}

/** What is kept of a reference, in one order, so that repeats can be told from changes. */
export function keptProvider({ providerId, name, ocn, spc, frn }: ProviderReference): ProviderReference {
  return defined({
    providerId,
    name,
    ocn,
    spc,
    frn,
  });
}

/** The same of contact details. */
function keptContact({ name, email, telephone, postalAddress, country }: ContactDetails): ContactDetails {
  return defined({
    name,
    email,
    telephone,
    postalAddress,
    country,
  });
}

const KEYS = ['providerId', 'frn', 'ocn', 'spc'] as const;

function plainName(name: string): string {
  return name.trim().toLowerCase();
}

/** What an arm of an answer says about the call, as far as a traceback goes on from it. */
interface ArmMeaning {
  /** In which kind of traceback it is an answer. */
  readonly directions: readonly TracebackRequest['direction'][];
  /** Whether it names the provider to ask next. */
  readonly names: boolean;
  /** Whether it contradicts whoever named the provider, if somebody did. */
  readonly denies: boolean;
  /** Whether it says nothing of where the call came from, so that a neighbour's word is worth having. */
  readonly silent: boolean;
  /** What the traceback comes to with it, unless it is contested. */
  readonly outcome: OutcomeKind | 'transit';
}

const BACK = ['back'] as const;
const FORWARD = ['forward'] as const;
const BOTH = ['back', 'forward'] as const;

/** What the arms mean. Total: an arm that is new does not compile without its meaning. */
export const ARM_MEANINGS: Readonly<Record<FindingArm, ArmMeaning>> = {
  'received-from': {
    directions: BACK,
    names: true,
    denies: false,
    silent: false,
    outcome: 'transit',
  },
  'received-from-unlisted': {
    directions: BACK,
    names: true,
    denies: false,
    silent: false,
    outcome: 'transit',
  },
  origin: {
    directions: BACK,
    names: false,
    denies: false,
    silent: false,
    outcome: 'origin',
  },
  'point-of-entry': {
    directions: BACK,
    names: false,
    denies: false,
    silent: false,
    outcome: 'point-of-entry',
  },
  'not-found': {
    directions: BOTH,
    names: false,
    denies: true,
    silent: true,
    outcome: 'no-record',
  },
  'not-retained': {
    directions: BOTH,
    names: false,
    denies: false,
    silent: true,
    outcome: 'not-retained',
  },
  'not-our-number': {
    directions: BOTH,
    names: false,
    denies: true,
    silent: true,
    outcome: 'number-not-ours',
  },
  'not-sent-to-downstream': {
    directions: BACK,
    names: false,
    denies: true,
    silent: true,
    outcome: 'disputed',
  },
  ambiguous: {
    directions: BOTH,
    names: false,
    denies: false,
    silent: true,
    outcome: 'ambiguous',
  },
  'serves-number': {
    directions: FORWARD,
    names: false,
    denies: false,
    silent: false,
    outcome: 'serves-number',
  },
  'number-served-by': {
    directions: FORWARD,
    names: true,
    denies: false,
    silent: false,
    outcome: 'transit',
  },
  refused: {
    directions: BOTH,
    names: false,
    denies: false,
    silent: true,
    outcome: 'refused',
  },
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
function statementOf({ answer, asked, atMs }: AnswerReceived, direction: TracebackRequest['direction']): StatementFact {
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
  if (asked.provider !== undefined && compareProviders(statement.provider, asked.provider) === 'different')
    return 'wrong-provider';
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

/** What is wrong with an event by itself. */
export type EventFault =
  /** It is about another traceback. */
  | 'wrong-traceback'
  /** Its time is none between 1990 and 2199, in whole milliseconds since the epoch. */
  | 'bad-time'
  /** An id or text is empty, too long or missing, or a revision is not a number from 1. */
  | 'malformed'
  /** No deadline can be computed: there is no such zone, or the policy never opens the office. */
  | 'no-deadline';

/** What an event tells; nothing but the time where there is no fact. */
type EventReading =
  | { readonly status: 'read'; readonly fact?: TracebackFact }
  | { readonly status: 'refused'; readonly reason: EventFault };

/** As long as keys of outcomes get, which are made of the ids of a request and two answers. */
const MAX_ID = 1_000;
/** What people write into a form. */
const MAX_TEXT = 4_000;
/** Answers are amended a few times; beyond this somebody counts something else. */
const MAX_REVISION = 1_000_000;
const EARLIEST_MS = Date.UTC(1990, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

/** Turns an event into the fact that it tells, and says what is wrong with one that tells none. */
export function eventFact(state: TracebackState, event: TracebackEvent): EventReading {
  const tracebackId = event.type === 'answer-received' ? event.answer.tracebackId : event.tracebackId;
  if (tracebackId !== state.tracebackId || event.tracebackId !== state.tracebackId) return refused('wrong-traceback');
  if (!isEventTime(event.atMs)) return refused('bad-time');
  if (event.type === 'time-passed') return { status: 'read' };
  if (event.type === 'request-sent') return sentFact(state, event);
  const fact = factIn(event, state);
  return fact !== undefined && isBounded(fact) ? { status: 'read', fact } : refused('malformed');
}

type Sent = Extract<TracebackEvent, { readonly type: 'request-sent' }>;

function sentFact(state: TracebackState, event: Sent): EventReading {
  const { requestId, atMs, zone, receivedAtMs = atMs, statedDueAtMs } = event;
  if (statedDueAtMs !== undefined && !isEventTime(statedDueAtMs)) return refused('bad-time');
  const deadline = tracebackDueTime(receivedAtMs, { zone, policy: state.rules.deadline });
  if (deadline.status === 'refused') {
    return refused(deadline.reason === 'time-out-of-range' ? 'bad-time' : 'no-deadline');
  }
  const dueAtMs = Math.min(deadline.dueAtMs, statedDueAtMs ?? Infinity);
  const fact: TracebackFact = {
    kind: 'sent',
    id: requestId,
    atMs,
    zone: deadline.zone,
    receivedAtMs,
    dueAtMs,
  };
  return isBounded(fact) ? { status: 'read', fact } : refused('malformed');
}

function factIn(
  event: Exclude<TracebackEvent, Sent | { readonly type: 'time-passed' }>,
  state: TracebackState,
): TracebackFact | undefined {
  const { atMs } = event;
  switch (event.type) {
    case 'answer-received': {
      const { revision } = event.answer;
      const isRevision = Number.isInteger(revision) && revision >= 1 && revision <= MAX_REVISION;
      return isRevision ? statementOf(event, state.direction) : undefined;
    }
    case 'request-acknowledged':
      return { kind: 'acknowledged', id: event.requestId, atMs };
    case 'provider-not-askable':
      return { kind: 'not-askable', id: event.requestId, atMs, reason: event.reason };
    case 'provider-identified':
      return identifiedFact(event);
    case 'neighbour-reported': {
      const [provider, sentTo] = [keptProvider(event.provider), keptProvider(event.sentTo)];
      return {
        kind: 'report',
        id: event.reportId,
        atMs,
        provider,
        sentTo,
      };
    }
    case 'neighbour-chosen':
      return {
        kind: 'choice',
        id: event.requestId,
        atMs,
        reportId: event.reportId,
        by: event.by,
      };
    case 'dispute-decided': {
      const { disputeId, ruling, by, reason } = event;
      return {
        kind: 'ruling',
        id: disputeId,
        atMs,
        ruling,
        by,
        reason,
      };
    }
    case 'outcome-accepted':
      return { kind: 'accepted', id: event.outcomeKey, atMs, by: event.by };
    case 'trace-forward-asked':
      return {
        kind: 'forward',
        id: event.forwardId,
        atMs,
        number: event.number,
        by: event.by,
      };
    case 'cancelled':
      return {
        kind: 'cancelled',
        id: 'traceback',
        atMs,
        by: event.by,
        reason: event.reason,
      };
    case 'effect-done': {
      const { effectId, reference } = event;
      return { kind: 'done', id: effectId, atMs, ...(reference !== undefined && { reference }) };
    }
    default:
      // An event of a later version, read from a wire: it is none that is known here.
      return undefined;
  }
}

/** Each provider that it was found to be is a fact of its own: whoever was asked by mistake has to be told. */
function identifiedFact({
  requestId,
  atMs,
  provider,
}: Extract<TracebackEvent, { readonly type: 'provider-identified' }>): TracebackFact {
  const kept = keptProvider(provider);
  return {
    kind: 'identified',
    id: `${requestId}:${providerKey(kept)}`,
    atMs,
    requestId,
    provider: kept,
  };
}

/** Whether every text has something in it and an end; ids are shorter than texts. */
export function isBounded(value: object): boolean {
  return Object.entries(value).every(([name, member]: [string, unknown]) => {
    if (typeof member === 'object' && member !== null) return isBounded(member);
    if (typeof member !== 'string') return true;
    return member !== '' && member.length <= (IDS.has(name) ? MAX_ID : MAX_TEXT);
  });
}

const IDS: ReadonlySet<string> = new Set(['id', 'requestId', 'reportId', 'providerId', 'ocn', 'spc', 'frn']);

/** Whether a time can be one of an event: what lies outside is another unit, or a clock that was never set. */
export function isEventTime(atMs: number): boolean {
  return Number.isInteger(atMs) && atMs >= EARLIEST_MS && atMs < LATEST_MS;
}

function refused(reason: EventFault): EventReading {
  return { status: 'refused', reason };
}
