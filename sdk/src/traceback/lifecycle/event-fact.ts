import { tracebackDueTime } from '../deadline/traceback-deadline.js';
import { keptProvider, providerKey } from './provider-identity.js';
import { statementOf } from './statement.js';
import type { TracebackEvent } from './traceback-event.js';
import type { TracebackFact, TracebackState } from './traceback-state.js';

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
export type EventReading =
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
  const fact: TracebackFact = { kind: 'sent', id: requestId, atMs, zone: deadline.zone, receivedAtMs, dueAtMs };
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
      return { kind: 'report', id: event.reportId, atMs, provider, sentTo };
    }
    case 'neighbour-chosen':
      return { kind: 'choice', id: event.requestId, atMs, reportId: event.reportId, by: event.by };
    case 'dispute-decided': {
      const { disputeId, ruling, by, reason } = event;
      return { kind: 'ruling', id: disputeId, atMs, ruling, by, reason };
    }
    case 'outcome-accepted':
      return { kind: 'accepted', id: event.outcomeKey, atMs, by: event.by };
    case 'trace-forward-asked':
      return { kind: 'forward', id: event.forwardId, atMs, number: event.number, by: event.by };
    case 'cancelled':
      return { kind: 'cancelled', id: 'traceback', atMs, by: event.by, reason: event.reason };
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
  return { kind: 'identified', id: `${requestId}:${providerKey(kept)}`, atMs, requestId, provider: kept };
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
