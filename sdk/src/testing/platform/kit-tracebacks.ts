import type { TimerClock } from '../../core/runtime/clock.js';
import type { TracebackOpening } from '../../platform/index.js';
import type {
  SignedReceipt,
  AnswerSubmission,
  AnswerReceipt,
  TracebackRequest,
  TracebackAnswer,
  TracebackFinding,
} from '../../contract/traceback-exchange.js';
import { answerParties, answerPartyFault } from '../../traceback/answer-parties.js';
import { nextAskedCall } from '../../traceback/asked-call.js';
import { startTraceback, stepTraceback } from '../../traceback/lifecycle/step-traceback.js';
import { pendingEffects, viewTraceback } from '../../traceback/lifecycle/traceback-view.js';
import type { LifecycleRules, TracebackEffect } from '../../traceback/index.js';
import type { TracebackEvent } from '../../traceback/lifecycle/traceback-state.js';
import type { EventHub } from './event-hub.js';
import { referenceOf } from './registered-clients.js';
import type { ClientRegister, RegisteredProvider } from './registered-clients.js';
import { tracebackOf } from './traceback-book.js';
import type { KitAnswers, RequestRecord, StoredAnswer, TracebackRecord, VerifiedAnswer } from './traceback-book.js';
import { HopbackError } from '../../errors.js';
import type { PlatformAnswer, PlatformProblem } from '../../contract/platform-answer.js';
import { jsonAnswer, problemAnswer } from '../../contract/platform-answer.js';

/** What it is made with. */
interface KitTracebacksParts {
  readonly clock: TimerClock;
  readonly register: ClientRegister;
  readonly hub: EventHub;
  readonly newId: (kind: string) => string;
  readonly newPlace: () => number;
  readonly rules: LifecycleRules;
  /** Called once a request has gone out. */
  readonly asked: (record: RequestRecord) => void;
}

/** Conducts tracebacks. The lifecycle decides the order of hops, the deadlines and the outcomes. */
export class KitTracebacks {
  readonly tracebacks = new Map<string, TracebackRecord>();
  readonly requests = new Map<string, RequestRecord>();
  readonly #parts: KitTracebacksParts;
  readonly #clock: TimerClock;
  readonly #timers = new Map<string, () => void>();
  /** What the lifecycle asked for, and was done. */
  readonly #performed: { readonly tracebackId: string; readonly effect: TracebackEffect }[] = [];

  constructor(parts: KitTracebacksParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
  }

  open(opening: TracebackOpening, openedBy?: string): TracebackRecord {
    const { register, rules, newId, newPlace } = this.#parts;
    const tracebackId = newId('tb');
    const atMs = this.#clock.nowMs();
    const first = opening.firstProvider ?? firstOf(register);
    const { state } = startTraceback({
      tracebackId,
      atMs,
      direction: opening.direction,
      first: referenceOr(register, first),
      rules,
    });
    const trace: TracebackRecord = {
      place: newPlace(),
      tracebackId,
      opening,
      openedAtMs: atMs,
      updatedAtMs: atMs,
      state,
      requests: [],
      ...(openedBy !== undefined && { openedBy }),
    };
    this.tracebacks.set(tracebackId, trace);
    this.#run(trace, { type: 'time-passed', tracebackId, atMs });
    return trace;
  }

  cancel(tracebackId: string, reason: string): void {
    const trace = mustBeKnown(this.tracebacks.get(tracebackId));
    this.#run(trace, {
      type: 'cancelled',
      tracebackId,
      atMs: this.#clock.nowMs(),
      by: 'test',
      reason,
    });
    this.#announce(trace);
  }

  acknowledge(record: RequestRecord): void {
    if (record.acknowledgedAt !== undefined) return;
    record.acknowledgedAt = this.#iso();
    const { tracebackId, requestId } = record.request;
    const atMs = this.#clock.nowMs();
    this.#run(this.#traceOf(record), { type: 'request-acknowledged', tracebackId, requestId, atMs });
  }

  /** Stores an answer; undefined where the lifecycle says that it does not belong to the request. */
  take(record: RequestRecord, verified: VerifiedAnswer): StoredAnswer | undefined {
    const { provider, request } = record;
    const { tracebackId, call: asked } = request;
    const atMs = this.#clock.nowMs();
    const answer = asRegistered(verified.answer, this.#parts.register);
    const stored: StoredAnswer = { ...verified, provider, receivedAt: this.#iso(), isLate: atMs > record.dueAtMs };
    record.answers.push(stored);
    const isTaken = this.#run(this.#traceOf(record), {
      type: 'answer-received',
      tracebackId,
      atMs,
      answer,
      asked,
    });
    if (isTaken) return stored;
    record.answers.pop();
    return undefined;
  }

  remind(record: RequestRecord | undefined): void {
    if (record === undefined) return;
    record.reminders += 1;
    this.#parts.hub.emit({
      type: 'org.hopback.traceback-request.reminded.1',
      ...aboutRequest(record, { ...dueOf(record), reminder: record.reminders }),
    });
  }

  overdue(record: RequestRecord): void {
    this.#parts.hub.emit({
      type: 'org.hopback.traceback-request.overdue.1',
      ...aboutRequest(record, dueOf(record)),
      to: [record.provider.providerId, ...this.#parts.register.clientsOf('staff')],
    });
  }

  effects(): readonly { readonly tracebackId: string; readonly effect: TracebackEffect }[] {
    return [...this.#performed];
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** @returns whether it was taken */
  #step(trace: TracebackRecord, event: TracebackEvent): boolean {
    const before = viewTraceback(trace.state).path;
    const { state, status, transitions } = stepTraceback(trace.state, event);
    trace.state = state;
    if (status === 'refused') return false;
    if (transitions.length > 0) trace.updatedAtMs = this.#clock.nowMs();
    for (const { requestId, state: now } of viewTraceback(state).path) {
      const was = before.find((hop) => hop.requestId === requestId)?.state;
      const record = this.requests.get(requestId);
      if (now === 'overdue' && was !== 'overdue' && record !== undefined) this.overdue(record);
    }
    return true;
  }

  #run(trace: TracebackRecord, event: TracebackEvent): boolean {
    const isTaken = this.#step(trace, event);
    // What is done may lead to more to do, and each thing is done once: the event that says so takes it off the list.
    for (let [effect] = pendingEffects(trace.state); effect !== undefined; [effect] = pendingEffects(trace.state)) {
      this.#performed.push({ tracebackId: trace.tracebackId, effect });
      if (!this.#step(trace, this.#perform(trace, effect))) throw unfinished(effect);
    }
    this.#wakeLater(trace);
    return isTaken;
  }

  #wakeLater(trace: TracebackRecord): void {
    const { tracebackId } = trace;
    this.#timers.get(tracebackId)?.();
    this.#timers.delete(tracebackId);
    const { wakeAtMs } = viewTraceback(trace.state);
    if (wakeAtMs === undefined) return;
    const clock = this.#clock;
    const wake = (): void => void this.#run(trace, { type: 'time-passed', tracebackId, atMs: clock.nowMs() });
    this.#timers.set(tracebackId, clock.schedule(wake, Math.max(0, wakeAtMs - clock.nowMs())));
  }

  #perform(trace: TracebackRecord, effect: TracebackEffect): TracebackEvent {
    const { tracebackId } = trace;
    const change = { tracebackId, atMs: this.#clock.nowMs() };
    const done = { ...change, type: 'effect-done', effectId: effect.effectId } as const;
    switch (effect.type) {
      case 'ask-provider':
        return this.#ask(trace, effect);
      case 'find-provider': {
        const { requestId, contact } = effect;
        const provider = this.#parts.register.resolve({ name: contact.name });
        return provider === undefined
          ? { ...change, type: 'provider-not-askable', requestId, reason: 'not-listed' }
          : { ...change, type: 'provider-identified', requestId, provider: referenceOf(provider) };
      }
      case 'remind':
        this.remind(this.requests.get(effect.requestId));
        return done;
      case 'cancel-request':
        this.#withdraw(this.requests.get(effect.requestId), trace);
        return done;
      case 'notify':
      case 'close':
        if (effect.type === 'close' || !effect.isFinal) this.#announce(trace);
        return done;
      default:
        // What is left is work of people and of other services: it stands in the list of what was done.
        return done;
    }
  }

  #ask(trace: TracebackRecord, effect: TracebackEffect & { readonly type: 'ask-provider' }): TracebackEvent {
    const { register, hub, newPlace } = this.#parts;
    const { tracebackId } = trace;
    const { requestId } = effect;
    const atMs = this.#clock.nowMs();
    const provider = register.resolve(effect.provider);
    const reason = provider === undefined ? 'not-listed' : provider.cannotBeAsked;
    if (provider === undefined || reason !== undefined)
      return {
        type: 'provider-not-askable',
        tracebackId,
        requestId,
        atMs,
        reason: reason ?? 'not-listed',
      };
    const sent: TracebackEvent = {
      type: 'request-sent',
      tracebackId,
      requestId,
      atMs,
      zone: provider.zone,
    };
    // The deadline follows from the rules of the traceback, and belongs into the request.
    const hop = viewTraceback(stepTraceback(trace.state, sent).state).path.find((one) => one.requestId === requestId);
    const dueAtMs = hop?.dueAtMs ?? atMs;
    const request = requestOf(trace, effect, { provider, issuedAtMs: atMs, dueAtMs });
    const record: RequestRecord = {
      place: newPlace(),
      request,
      provider,
      dueAtMs,
      reminders: 0,
      answers: [],
    };
    this.requests.set(requestId, record);
    trace.requests.push(record);
    hub.emit({
      type: 'org.hopback.traceback-request.created.1',
      subject: requestId,
      data: { request },
      to: [provider.providerId],
    });
    this.#parts.asked(record);
    return sent;
  }

  #withdraw(record: RequestRecord | undefined, { state }: TracebackRecord): void {
    if (record === undefined || record.cancelled !== undefined) return;
    const stated = state.facts.find((fact) => fact.kind === 'cancelled');
    const reason = stated?.kind === 'cancelled' ? stated.reason : 'The traceback no longer leads here.';
    record.cancelled = { cancelledAt: this.#iso(), reason };
    const about = aboutRequest(record, record.cancelled);
    this.#parts.hub.emit({ type: 'org.hopback.traceback-request.cancelled.1', ...about });
  }

  /** Each of those whom it concerns gets what it may see. */
  #announce(trace: TracebackRecord): void {
    const concerned = new Set(trace.requests.map(({ provider }) => provider.providerId));
    if (trace.openedBy !== undefined) concerned.add(trace.openedBy);
    const staff = this.#parts.register.clientsOf('staff');
    for (const clientId of new Set([...concerned, ...staff]))
      this.#parts.hub.emit({
        type: 'org.hopback.traceback.updated.1',
        subject: trace.tracebackId,
        data: { traceback: tracebackOf(trace, staff.includes(clientId) ? undefined : clientId) },
        to: [clientId],
      });
  }

  #traceOf({ request: { tracebackId } }: RequestRecord): TracebackRecord {
    return mustBeKnown(this.tracebacks.get(tracebackId));
  }

  #iso(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}

const dueOf = ({ dueAtMs }: RequestRecord): { readonly dueAt: string } => ({ dueAt: new Date(dueAtMs).toISOString() });

function aboutRequest<Data extends object>(
  { request: { requestId, tracebackId }, provider }: RequestRecord,
  data: Data,
): {
  readonly subject: string;
  readonly data: Data & { readonly requestId: string; readonly tracebackId: string };
  readonly to: readonly string[];
} {
  return { subject: requestId, data: { requestId, tracebackId, ...data }, to: [provider.providerId] };
}

function requestOf(
  trace: TracebackRecord,
  { requestId, direction, hop, downstream, basedOn }: TracebackEffect & { readonly type: 'ask-provider' },
  at: {
    readonly provider: RegisteredProvider;
    readonly issuedAtMs: number;
    readonly dueAtMs: number;
  },
): TracebackRequest {
  const { opening, tracebackId, requests } = trace;
  const before = requests
    .flatMap(({ request, answers }) => answers.map(({ answer }) => ({ asked: request.call, answer })))
    .find(({ answer }) => answer.answerId === basedOn);
  const call = before === undefined ? undefined : nextAskedCall(before.asked, before.answer, direction);
  return {
    format: 'hopback.traceback-request.1',
    requestId,
    tracebackId,
    direction,
    hop,
    requester: opening.requester ?? { kind: 'itg', name: 'Test traceback group' },
    issuedAt: new Date(at.issuedAtMs).toISOString(),
    dueAt: new Date(at.dueAtMs).toISOString(),
    provider: referenceOf(at.provider),
    ...(downstream !== undefined && { downstream }),
    ...(opening.campaign !== undefined && { campaign: opening.campaign }),
    call: call ?? opening.call,
    ...(opening.comment !== undefined && { comment: opening.comment }),
  };
}

/** The lifecycle is told of providers as the registry has them. */
function asRegistered(answer: TracebackAnswer, register: ClientRegister): TracebackAnswer {
  const provider = referenceOr(register, answer.provider);
  return { ...answer, provider, finding: findingAsRegistered(answer.finding, register) };
}

function findingAsRegistered(finding: TracebackFinding, register: ClientRegister): TracebackFinding {
  if (finding.arm === 'received-from') return { ...finding, upstream: referenceOr(register, finding.upstream) };
  if (finding.arm === 'number-served-by') return { ...finding, provider: referenceOr(register, finding.provider) };
  return finding;
}

function referenceOr(register: ClientRegister, reference: TracebackAnswer['provider']): TracebackAnswer['provider'] {
  const provider = register.resolve(reference);
  return provider === undefined ? reference : referenceOf(provider);
}

function firstOf({ providers: [first] }: ClientRegister): TracebackAnswer['provider'] {
  if (first === undefined) throw new HopbackError('invalid-configuration', 'the test platform has no provider to ask');
  return first;
}

function mustBeKnown<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new HopbackError('invalid-argument', 'the test platform has no such traceback');
  return value;
}

const unfinished = ({ type, effectId }: TracebackEffect): HopbackError =>
  new HopbackError('internal', `the test platform did ${type}, and the traceback does not know of it`, {
    details: { effectId },
  });

export type AnswerCounter = ReturnType<typeof createAnswerCounter>;

/** Takes answers in, and gives receipts for them. */
export function createAnswerCounter(parts: {
  readonly answers: KitAnswers;
  readonly tracebacks: KitTracebacks;
  readonly hub: EventHub;
  /** Whom a reference means. */
  readonly meaning: ClientRegister['meaning'];
  /** Ids of those who are told beside the provider. */
  readonly staff: readonly string[];
  readonly changed: () => void;
}) {
  const taken: StoredAnswer[] = [];
  const receipts = new Map<StoredAnswer, Promise<SignedReceipt>>();

  const receiptFor = (stored: StoredAnswer): Promise<SignedReceipt> => {
    const receipt = receipts.get(stored) ?? parts.answers.receipt(receiptContent(stored));
    receipts.set(stored, receipt);
    return receipt;
  };

  return {
    submit: async (record: RequestRecord, submission: AnswerSubmission): Promise<PlatformAnswer> => {
      const verified = await parts.answers.verify(submission, record.provider);
      if ('kind' in verified) return verified;
      const known = record.answers.find(({ answer }) => answer.answerId === verified.answer.answerId);
      if (known !== undefined)
        return known.sha256 === verified.sha256 ? jsonAnswer(await receiptFor(known)) : problemAnswer('conflict');
      const stored =
        objectionTo(record, verified, parts.meaning) ??
        parts.tracebacks.take(record, verified) ??
        problemAnswer('answer-mismatch');
      if ('kind' in stored) return stored;
      taken.push(stored);
      parts.hub.emit({
        type: 'org.hopback.traceback-answer.received.1',
        subject: stored.answer.answerId,
        data: receiptContent(stored),
        to: [record.provider.providerId, ...parts.staff],
      });
      parts.changed();
      return jsonAnswer(await receiptFor(stored));
    },
    receiptOf: async (record: RequestRecord, answerId: string): Promise<SignedReceipt | undefined> => {
      const stored = record.answers.find(({ answer }) => answer.answerId === answerId);
      return stored === undefined ? undefined : receiptFor(stored);
    },
    /** All answers that were taken in, the first one first. */
    answers: (): readonly StoredAnswer[] => [...taken],
  };
}

/** What speaks against a new answer to a request. */
function objectionTo(
  { request, provider, answers, cancelled }: RequestRecord,
  { answer }: VerifiedAnswer,
  meaning: ClientRegister['meaning'],
): PlatformProblem | undefined {
  if (answer.requestId !== request.requestId || answer.tracebackId !== request.tracebackId)
    return problemAnswer('answer-mismatch', { detail: 'The answer is of another request.' });
  if (cancelled !== undefined) return problemAnswer('request-cancelled');
  const last = answers.at(-1)?.answer;
  const isNext = answer.revision === (last?.revision ?? 0) + 1 && answer.amends?.answerId === last?.answerId;
  if (!isNext) return problemAnswer('answer-out-of-sequence');
  const fault = answerPartyFault(answerParties(answer), provider, meaning);
  if (fault === undefined) return undefined;
  const { pointer, detail } = fault;
  return problemAnswer('answer-mismatch', {
    detail,
    errors: [{ pointer: `/answer${pointer}`, code: 'contradiction' }],
  });
}

function receiptContent({ answer, sha256, receivedAt, isLate }: StoredAnswer): AnswerReceipt {
  const { requestId, tracebackId, answerId, revision } = answer;
  return {
    format: 'hopback.answer-receipt.1',
    requestId,
    tracebackId,
    answerId,
    revision,
    answerSha256: sha256,
    receivedAt,
    isLate,
  };
}
