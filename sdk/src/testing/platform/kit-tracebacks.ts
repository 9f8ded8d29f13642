import type { TimerClock } from '../../core/runtime/clock.js';
import type { TracebackOpening, Traceback, TracebackRequestStatus } from '../../platform/index.js';
import {
  ANSWER_RECEIPT_JWS_TYPE,
  TRACEBACK_ANSWER_JWS_TYPE,
  MAX_ANSWER_JWS_CHARS,
} from '../../contract/traceback-exchange.js';
import type {
  SignedReceipt,
  AnswerSubmission,
  RequestedCall,
  TracebackAnswer,
  TracebackFinding,
  AnswerReceipt,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import {
  answerReceipt,
  answerRefusal,
  partyProblem,
  shownTraceback,
  tracebackRequest,
  requestStatus,
} from '../../itg-core/traceback-exchange.js';
import { answerParties, answerPartyFault } from '../../traceback/answer-parties.js';
import { nextAskedCall } from '../../traceback/asked-call.js';
import { startTraceback, stepTraceback } from '../../traceback/lifecycle/step-traceback.js';
import { pendingEffects, viewTraceback } from '../../traceback/lifecycle/traceback-view.js';
import type { LifecycleRules, TracebackEffect } from '../../traceback/index.js';
import type { TracebackEvent, TracebackState } from '../../traceback/lifecycle/traceback-state.js';
import type { EventHub } from './event-hub.js';
import { referenceOf } from './registered-clients.js';
import type { ClientRegister, RegisteredProvider } from './registered-clients.js';
import { HopbackError } from '../../errors.js';
import { jsonAnswer, problemAnswer } from '../../contract/platform-answer.js';
import type { PlatformAnswer, PlatformProblem } from '../../contract/platform-answer.js';
import { createHash } from 'node:crypto';
import { CompactSign, compactVerify } from 'jose';
import { defined } from '../../core/text.js';
import type { RequestFacts } from '../../itg-core/traceback-exchange.js';
import { createTestKey } from '../test-key.js';
import type { TestKey } from '../test-key.js';
import { readWireBody } from '../../contract/read-platform-request.js';
import { WIRE_SCHEMAS } from '../../contract/bodies.js';

/** An answer that was believed, and the bytes that it came in. */
export interface VerifiedAnswer {
  readonly answer: TracebackAnswer;
  readonly jws: string;
  /** Of the JWS, lower-case hex. */
  readonly sha256: string;
}

/** Verifies answers, and signs receipts. */
export type KitAnswers = ReturnType<typeof createKitAnswers>;

const RECEIPT_KEY_ID = 'test-platform-receipts';

/** Has a key of its own. */
export function createKitAnswers() {
  const key = createTestKey();
  const other = createTestKey();
  return {
    /** The platform's public keys: for `createReceiptVerifier`. */
    keys: { keys: [{ ...key.publicKeyJwk, kid: RECEIPT_KEY_ID, alg: 'ES256', use: 'sig' }] },
    verify,
    receipt: async (receipt: AnswerReceipt): Promise<SignedReceipt> => ({
      answerId: receipt.answerId,
      receipt: await signedReceipt(Buffer.from(JSON.stringify(receipt)), key),
    }),
    /** The same receipt, signed with a key that does not belong to the platform. */
    forged: async ({ answerId, receipt }: SignedReceipt): Promise<SignedReceipt> => ({
      answerId,
      receipt: await signedReceipt(Buffer.from(receipt.split('.')[1] ?? '', 'base64url'), other),
    }),
  };
}

function signedReceipt(payload: Uint8Array, { privateKey }: TestKey): Promise<string> {
  return new CompactSign(payload)
    .setProtectedHeader({ alg: 'ES256', kid: RECEIPT_KEY_ID, typ: ANSWER_RECEIPT_JWS_TYPE })
    .sign(privateKey);
}

/** Signs an answer as its provider does. */
export function signedAnswer(answer: TracebackAnswer, provider: RegisteredProvider): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(answer)))
    .setProtectedHeader({ alg: 'ES256', kid: provider.answerKeyId, typ: TRACEBACK_ANSWER_JWS_TYPE })
    .sign(provider.answerKey.privateKey);
}

async function verify(
  { answer: jws, evidence }: AnswerSubmission,
  provider: RegisteredProvider,
): Promise<VerifiedAnswer | PlatformProblem> {
  if (jws.length > MAX_ANSWER_JWS_CHARS) return problemAnswer('too-large');
  let payload: unknown;
  try {
    const verified = await compactVerify(
      jws,
      ({ kid, typ }) => {
        if (kid !== provider.answerKeyId) throw new Error('another key');
        if (typ !== TRACEBACK_ANSWER_JWS_TYPE) throw new Error('another type');
        return provider.answerKey.publicKey;
      },
      { algorithms: ['ES256', 'ES384', 'EdDSA'] },
    );
    payload = JSON.parse(Buffer.from(verified.payload).toString('utf8'));
  } catch {
    return problemAnswer('answer-signature-invalid');
  }
  const { value, errors, surplus } = readWireBody(WIRE_SCHEMAS.TracebackAnswer, payload);
  const wrong = [...errors, ...surplus].map(({ pointer, code }) => ({ pointer: `/answer${pointer}`, code }));
  if (value === undefined || wrong.length > 0) return problemAnswer('invalid-body', { errors: wrong });
  const answer = value as TracebackAnswer;
  if (evidence !== undefined && (evidence.answerId !== answer.answerId || evidence.requestId !== answer.requestId))
    return problemAnswer('answer-mismatch', { detail: 'The evidence is of another answer.' });
  return { answer, jws, sha256: createHash('sha256').update(jws).digest('hex') };
}

/** An answer as the platform has it. */
export interface StoredAnswer extends VerifiedAnswer {
  readonly provider: RegisteredProvider;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
  readonly isLate: boolean;
}

/** A request that went out, and what was said to it. */
export interface RequestRecord {
  readonly place: number;
  readonly request: TracebackRequest;
  readonly provider: RegisteredProvider;
  readonly dueAtMs: number;
  acknowledgedAt?: string;
  cancelled?: { readonly cancelledAt: string; readonly reason: string };
  reminders: number;
  readonly answers: StoredAnswer[];
}

/** A traceback with all that the platform keeps of it. */
export interface TracebackRecord {
  readonly place: number;
  readonly tracebackId: string;
  readonly opening: TracebackOpening;
  readonly openedBy?: string;
  readonly openedAtMs: number;
  updatedAtMs: number;
  state: TracebackState;
  readonly requests: RequestRecord[];
}

/** A request as its provider sees it. */
export function statusOf(record: RequestRecord): TracebackRequestStatus {
  const { request, dueAtMs, acknowledgedAt, cancelled, answers } = record;
  return requestStatus({
    request,
    dueAt: new Date(dueAtMs).toISOString(),
    ...defined({ acknowledgedAt, cancelled }),
    answers: answers.map(({ answer: { answerId, revision }, receivedAt }) => ({ answerId, revision, receivedAt })),
  });
}

/**
 * A traceback as it crosses the wire.
 * @param record - what the platform has
 * @param clientId - who is shown it: its own hops, of those beside them the two sides of the hand-over, and the call as it was asked. Absent:
 * all is shown, as to staff.
 */
export function tracebackOf(record: TracebackRecord, clientId?: string): Traceback {
  const { tracebackId, opening, openedBy, openedAtMs, updatedAtMs, state, requests } = record;
  const facts = {
    ...{ tracebackId, openedAtMs, updatedAtMs, direction: opening.direction, view: viewTraceback(state) },
    requester: requesterOf(opening),
    ...defined({ campaign: opening.campaign }),
    call: opening.call,
    requests: new Map(requests.map((one) => [one.request.requestId, requestFacts(one)])),
  };
  const shownTo = shownTraceback(facts);
  if (clientId === undefined) return shownTo({ kind: 'staff' });
  const own = requests.find(({ provider }) => provider.providerId === clientId);
  const askedCall = own?.request.call ?? opening.call;
  return shownTo({ kind: 'provider', providerId: clientId, askedCall, isOpener: openedBy === clientId });
}

/** On whose behalf a traceback is made. */
export const requesterOf = ({ requester }: TracebackOpening): TracebackRequest['requester'] =>
  requester ?? { kind: 'itg', name: 'Test traceback group' };

function requestFacts({ request: { requestId, issuedAt }, dueAtMs, answers }: RequestRecord): RequestFacts {
  const last = answers.at(-1);
  const lastAnswer = last && { answerId: last.answer.answerId, receivedAtMs: Date.parse(last.receivedAt) };
  return { requestId, issuedAtMs: Date.parse(issuedAt), dueAtMs, ...defined({ lastAnswer }) };
}

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
    const request = tracebackRequest(tracebackId, effect, {
      ...{ provider: referenceOf(provider), issuedAtMs: atMs, dueAtMs, call: callFor(trace, effect) },
      opening: { ...trace.opening, requester: requesterOf(trace.opening) },
    });
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

function callFor(
  { opening, requests }: TracebackRecord,
  { direction, basedOn }: TracebackEffect & { readonly type: 'ask-provider' },
): RequestedCall {
  const before = requests
    .flatMap(({ request, answers }) => answers.map(({ answer }) => ({ asked: request.call, answer })))
    .find(({ answer }) => answer.answerId === basedOn);
  return (before && nextAskedCall(before.asked, before.answer, direction)) ?? opening.call;
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
    const receipt = receipts.get(stored) ?? parts.answers.receipt(answerReceipt(stored));
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
        data: answerReceipt(stored),
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
  { request: { requestId, tracebackId }, provider, answers, cancelled }: RequestRecord,
  { answer }: VerifiedAnswer,
  meaning: ClientRegister['meaning'],
): PlatformProblem | undefined {
  const asked = { requestId, tracebackId, isCancelled: cancelled !== undefined, last: answers.at(-1)?.answer };
  const refusal = answerRefusal(answer, asked);
  if (refusal !== undefined) return refusal;
  const fault = answerPartyFault(answerParties(answer), provider, meaning);
  return fault && partyProblem(fault);
}
