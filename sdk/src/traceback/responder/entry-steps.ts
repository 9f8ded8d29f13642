import { createHash } from 'node:crypto';
import type { ProviderReference } from '../../contract/common.js';
import type { EvidenceReference, TracebackAnswer, TracebackRequest } from '../../contract/traceback-exchange.js';
import type { AnswerDraft, PolicyInput, PolicyTrace, PolicyDecision } from '../policy/traceback-policy.js';
import type { ReviewDecision } from '../review/review-decision.js';
import { proposedCall } from '../policy/decide-traceback.js';
import { candidateId } from '../review/review-view.js';
import { defined, utcText, wellFormedValue } from '../../core/text.js';
import type { ResponderEntry, ResponderEvent, SignedEntry } from './responder-contract.js';

/** A request that has just come. */
export function receivedEntry(
  request: TracebackRequest,
  arrival: Pick<ResponderEntry, 'receivedAtMs' | 'via' | 'original' | 'deadline'>,
): ResponderEntry {
  return {
    format: 'hopback.responder-entry.1',
    requestId: request.requestId,
    request,
    ...arrival,
    answers: [],
    decisionIds: [],
    escalated: 0,
    untold: [],
  };
}

/** The request has been looked up, and is answered by the policy or goes to a person. */
export function matchedEntry(
  entry: ResponderEntry,
  matched: Pick<PolicyInput, 'outcome' | 'hold' | 'sources'> & {
    readonly decision: PolicyDecision;
    readonly atMs: number;
  },
): ResponderEntry {
  const { outcome, hold, sources, decision, atMs } = matched;
  const next: ResponderEntry = {
    ...entry,
    ...defined({
      outcome,
      hold,
      sources,
      matchedAtMs: atMs,
      decision,
    }),
  };
  if (decision.kind === 'review') return told(next, eventOf(next, 'review-wanted', decision.queue));
  const call = proposedCall(outcome);
  return {
    ...next,
    pending: {
      revision: 1,
      answerId: answerIdOf(entry.request, 1),
      draft: decision.draft,
      answeredBy: { kind: 'automatic', policyId: decision.trace.policyId },
      decidedAtMs: atMs,
      trace: decision.trace,
      ...defined({ candidate: call === undefined ? undefined : candidateId(call) }),
    },
  };
}

/** A person has decided: an answer, or one more that amends the last. */
export function decidedEntry(
  entry: ResponderEntry,
  decision: ReviewDecision,
  made: {
    readonly draft: AnswerDraft;
    readonly despite: readonly string[];
    readonly atMs: number;
  },
): ResponderEntry {
  const before = lastHad(entry)?.answer;
  const revision = (before?.revision ?? 0) + 1;
  // The platform has refused some of this revision: another answer has another id, and goes out under another key.
  const refused = entry.answers.filter(({ answer }) => answer.revision === revision).length;
  const { amendReason, by, decisionId, candidate } = decision;
  const { setBack: _before, ...rest } = entry;
  return {
    ...rest,
    decisionIds: [...entry.decisionIds, decisionId].slice(-KEPT_DECISIONS),
    pending: {
      revision,
      answerId: answerIdOf(entry.request, revision, refused),
      draft: made.draft,
      answeredBy: { kind: 'person', name: by },
      decidedAtMs: made.atMs,
      trace: personTrace(entry, decision, made.despite),
      ...defined({ candidate }),
      ...(before === undefined ? {} : { amends: { answerId: before.answerId, reason: amendReason ?? '' } }),
    },
  };
}

/**
 * The answer that the next one amends: the last that the platform has, or may have. One whose content it refused is none to it: what amended
 * it would be out of sequence for ever.
 */
function lastHad({ answers }: ResponderEntry): SignedEntry | undefined {
  return answers.findLast(
    ({ delivery }) =>
      !(delivery.state === 'unwanted' || (delivery.state === 'refused' && delivery.reason === 'content')),
  );
}

/** Decisions of one request by which repeats are known; each is a revision, and a person amends an answer a few times at most. */
const KEPT_DECISIONS = 32;

/** What the policy found, and that a person has decided, in spite of what. */
function personTrace(entry: ResponderEntry, decision: ReviewDecision, despite: readonly string[]): PolicyTrace {
  const { policyId = 'none', rules = [], ...rest } = entry.decision?.trace ?? {};
  return {
    policyId,
    ...rest,
    rules: [
      ...rules,
      {
        rule: 'person',
        result: 'passed',
        isFixed: true,
        inputs: { arm: decision.arm, by: decision.by, despite: despite.join(', ') },
        text: 'a person has decided',
      },
    ],
  };
}

/**
 * The id of an answer: the same for the same request and revision, wherever and however often it is made. Who lost a journal and answers
 * anew is told so by the platform.
 * @param refused - answers of this revision that the platform would not have
 */
export function answerIdOf({ requestId, tracebackId }: TracebackRequest, revision: number, refused = 0): string {
  const attempt = refused === 0 ? [] : [refused];
  const parts = JSON.stringify(['hopback.traceback-answer', tracebackId, requestId, revision, ...attempt]);
  return `a-${createHash('sha256').update(parts).digest('hex').slice(0, ANSWER_ID_DIGITS)}`;
}

/** 128 bits. */
const ANSWER_ID_DIGITS = 32;

/**
 * The answer that is about to be signed: it follows from the entry alone, so that a crash before the signature makes no other. Its texts are
 * well-formed: what is signed is UTF-8.
 */
export function answerOfEntry(
  { request, pending }: ResponderEntry,
  made: { readonly provider: ProviderReference; readonly evidence?: EvidenceReference },
): TracebackAnswer | undefined {
  if (pending === undefined) return undefined;
  const { draft, amends } = pending;
  return wellFormedValue({
    format: 'hopback.traceback-answer.1',
    answerId: pending.answerId,
    requestId: request.requestId,
    tracebackId: request.tracebackId,
    revision: pending.revision,
    ...defined({ amends }),
    answeredAt: utcText(pending.decidedAtMs * 1_000),
    provider: made.provider,
    answeredBy: pending.answeredBy,
    ...draft,
    ...defined({ evidence: made.evidence }),
  });
}

/**
 * The answer that was decided on can never be signed: a person is asked, who is told why. What was found and proposed stays as it was.
 * @param queue - of the policy, for a request that no person was asked about so far
 */
export function setBackEntry(
  entry: ResponderEntry,
  setBack: NonNullable<ResponderEntry['setBack']>,
  queue: string,
): ResponderEntry {
  const { pending: _unsigned, ...rest } = entry;
  const { decision } = entry;
  const text = `the answer could not be given (${setBack.kind}): ${setBack.detail}`;
  const reasons = decision?.kind === 'review' ? decision.reasons.filter(({ rule }) => rule !== SET_BACK_RULE) : [];
  const proposal = decision?.kind === 'review' ? decision.proposal : decision?.draft;
  const next: ResponderEntry = {
    ...rest,
    setBack,
    ...(decision === undefined
      ? {}
      : {
          decision: {
            kind: 'review',
            queue: decision.kind === 'review' ? decision.queue : queue,
            reasons: [{ rule: SET_BACK_RULE, topic: 'policy', text }, ...reasons],
            ...defined({ proposal }),
            trace: decision.trace,
          },
        }),
  };
  const event = eventOf(next, 'review-wanted', queueOf(next));
  // It may be the second time that a person is asked: another thing to hear of.
  return told(next, { ...event, eventId: `${event.eventId}/set-back/${String(entry.decisionIds.length)}` });
}

/** By which the reason is known again. */
const SET_BACK_RULE = 'set-back';

/** The answer is signed. From here on its bytes are what they are. */
export function signedEntry(
  entry: ResponderEntry,
  signed: {
    readonly answer: TracebackAnswer;
    readonly jws: string;
    readonly atMs: number;
  },
): ResponderEntry {
  const { pending: _decided, ...rest } = entry;
  const { answer, jws, atMs } = signed;
  return {
    ...rest,
    answers: [
      ...entry.answers,
      {
        answer,
        jws,
        idempotencyKey: answer.answerId,
        signedAtMs: atMs,
        delivery: { state: 'waiting' },
      },
    ],
  };
}

/** What the platform said to an answer. */
export function deliveredEntry(
  entry: ResponderEntry,
  answerId: string,
  delivery: SignedEntry['delivery'],
): ResponderEntry {
  const answers = entry.answers.map((one) => (one.answer.answerId === answerId ? { ...one, delivery } : one));
  const next = { ...entry, answers };
  const queue = queueOf(entry);
  if (delivery.state === 'refused') return told(next, eventOf(next, 'answer-refused', queue));
  return delivery.state === 'acknowledged' ? told(next, eventOf(next, 'answer-sent', queue)) : next;
}

/** The platform says that nobody asks any longer: what it has not taken is not sent again. */
export function unwantedEntry(
  entry: ResponderEntry,
  said: { readonly atMs: number; readonly detail: string },
): ResponderEntry {
  const { pending: _given, setBack: _before, ...rest } = entry;
  const { atMs, detail } = said;
  const answers = entry.answers.map((one) =>
    one.delivery.state === 'waiting' || one.delivery.state === 'taken'
      ? { ...one, delivery: { state: 'unwanted', atMs, detail } as const }
      : one,
  );
  return cancelledEntry({ ...rest, answers }, atMs);
}

/** What became of an answer is in its evidence, or will never be. */
export function filedEntry(
  entry: ResponderEntry,
  answerId: string,
  filed: NonNullable<SignedEntry['filed']>,
): ResponderEntry {
  const answers = entry.answers.map((one) => (one.answer.answerId === answerId ? { ...one, filed } : one));
  return { ...entry, answers };
}

/** Nobody asks any longer. An answer that is signed goes out all the same: it was given. */
export function cancelledEntry(entry: ResponderEntry, atMs: number): ResponderEntry {
  const { setBack: _before, ...kept } = entry;
  const { pending: _given, ...rest } = kept;
  const next = { ...(entry.answers.length > 0 ? kept : rest), cancelledAtMs: entry.cancelledAtMs ?? atMs };
  return entry.cancelledAtMs === undefined ? told(next, eventOf(next, 'request-cancelled', queueOf(entry))) : next;
}

/** An escalation step has been taken. */
export function escalatedEntry(entry: ResponderEntry, step: number, to: string): ResponderEntry {
  const queue = queueOf(entry);
  const { requestId, deadline } = entry;
  const eventId = `${requestId}/escalation/${String(step)}`;
  const event = {
    kind: 'escalation',
    eventId,
    requestId,
    queue,
    dueAtMs: deadline.dueAtMs,
    step,
    to,
  } as const;
  return told({ ...entry, escalated: step }, event);
}

function queueOf({ decision }: ResponderEntry): string {
  return decision?.kind === 'review' ? decision.queue : '';
}

/** People have been told. */
export function noticedEntry(entry: ResponderEntry, eventId: string): ResponderEntry {
  return { ...entry, untold: entry.untold.filter((event) => event.eventId !== eventId) };
}

/** Nobody is told: there is nobody to tell. */
export const quietEntry = (entry: ResponderEntry): ResponderEntry => ({ ...entry, untold: [] });

/** Events of one request that wait for whoever is told: past them the oldest say nothing any more. */
const MOST_UNTOLD = 16;

function told(entry: ResponderEntry, event: ResponderEvent): ResponderEntry {
  return { ...entry, untold: [...entry.untold, event].slice(-MOST_UNTOLD) };
}

function eventOf(
  { requestId, deadline, answers }: ResponderEntry,
  kind: 'review-wanted' | 'answer-sent' | 'answer-refused' | 'request-cancelled',
  queue: string,
): ResponderEvent {
  const eventId = `${requestId}/${kind}/${String(answers.length)}`;
  return {
    kind,
    eventId,
    requestId,
    queue,
    dueAtMs: deadline.dueAtMs,
  };
}
