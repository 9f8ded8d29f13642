import { nextAskedCall, pendingEffects, startTraceback, stepTraceback, viewTraceback } from '@hopback/sdk/internal';
import type {
  AnsweredCall,
  LifecycleRules,
  RequestedCall,
  TracebackAnswer,
  TracebackEffect,
  TracebackFinding,
} from '@hopback/sdk/traceback';
import type { TracebackEvent, TracebackState } from '@hopback/sdk/internal';
import { SeededRandom } from '../faults/index.js';
import { callsToTrace } from '../network/plan/index.js';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import { networkTruth } from '../network/truth/index.js';
import type { CarriedTruth, NetworkTruth, TrueHop } from '../network/truth/index.js';
import { isSurelySuspicious } from '../oracle/index.js';
import type { JudgedFacts, SeenAnswer, SeenCall, SeenHop, SeenRecords, SeenTraceback } from '../oracle/index.js';
import { answerRequest, createRecordStores, isForeign, namedBy, referenceTo } from './answer-request.js';
import type { Answerers, AskedCall, DisclosedCall } from './answer-request.js';

/** From one hop to the next, milliseconds: what a call takes over a country. */
const HOP_MS = 15;
/** How long a hop holds an INVITE, and one that it verifies, microseconds: what the bench of verification says of one processor. */
const HELD_US = 150;
const VERIFIED_US = 400;

/** Carries out the calls of a plan, one after the other; where something depends on the instant, the call is carried. */
function* seenCalls(truth: NetworkTruth, startedAtMs: number): Generator<SeenCall> {
  for (const call of truth.plan.calls) yield seenCall(call, truth.carried(call), startedAtMs);
}

/** What is seen of a call that goes as it is true of it. */
function seenCall(call: PlannedCall, { hops, finalStatus }: CarriedTruth, startedAtMs: number): SeenCall {
  const placedAtMs = startedAtMs + call.atMs;
  const last = hops.at(-1);
  const [shown] = last !== undefined && 'destination' in last.to ? last.verdict.verstat : [];
  return {
    index: call.index,
    placedAtMs,
    ...(finalStatus[0] !== undefined && { finalStatus: finalStatus[0] }),
    setupMs: 2 * HOP_MS * hops.length,
    hops: hops.map((hop, place) => seenHop(hop, { place, callIndex: call.index, placedAtMs })),
    ...(shown !== undefined && shown !== 'not-asked' && { shownVerstat: shown }),
    reasons: [],
  };
}

function seenHop(
  { provider, verdict, to }: TrueHop,
  {
    place,
    callIndex,
    placedAtMs,
  }: {
    readonly place: number;
    readonly callIndex: number;
    readonly placedAtMs: number;
  },
): SeenHop {
  const [verstat = 'not-asked'] = verdict.verstat;
  const hop: Draft<SeenHop> = {
    provider,
    atMs: placedAtMs + HOP_MS * place,
    reasons: NOTHING,
    heldUs: verstat === 'not-asked' ? HELD_US : VERIFIED_US,
    ingressCallId: `${callIndex}-${place}`,
    egressCallIds: 'refusedWith' in to ? NOTHING : [`${callIndex}-${place + 1}`],
  };
  if (verstat === 'not-asked') return hop;
  hop.verstat = verstat;
  if (verstat !== 'TN-Validation-Passed') return hop;
  if (verdict.attestation !== undefined) hop.attestation = verdict.attestation;
  if (verdict.signerSpc !== undefined) hop.signerSpc = verdict.signerSpc;
  return hop;
}

const NOTHING: readonly string[] = [];

/** Written member by member: members that may be absent cost a shape each where they are spread. */
type Draft<Shape> = { -readonly [Member in keyof Shape]: Shape[Member] };

/**
 * Counts the records that the calls of a plan leave behind: one for each call at each hop that writes it down, in branches too. Of those who share what is
 * suspicious only what is so by itself is counted as sent: what a call is among others is for those to say who look at them.
 */
function countRecords({ plan, carried }: NetworkTruth): readonly SeenRecords[] {
  const counts = new Map(plan.providers.map(({ id }) => [id, { stored: 0, suspicious: 0 }]));
  const sharing = plan.scenario.platform === undefined ? [] : plan.providers;
  const suspecting = new Set(sharing.filter(({ shares }) => shares === 'suspicious').map(({ id }) => id));
  for (const call of plan.calls)
    for (const hop of carried(call).hops) {
      const count = counts.get(hop.provider);
      if (count === undefined || hop.record === 'none') continue;
      count.stored += 1;
      if (suspecting.has(hop.provider) && isSurelySuspicious(hop)) count.suspicious += 1;
    }
  return plan.providers.map(({ id, shares }) => {
    const { stored = 0, suspicious = 0 } = counts.get(id) ?? {};
    const streamed = shares === 'all' || shares === 'all-pseudonymous' ? stored : suspicious;
    return { provider: id, stored, streamed, received: streamed };
  });
}

/** How tracebacks are conducted. */
interface Conduct {
  readonly answerers: Answerers;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Whose records are looked through for neighbours of the silent: of those that share theirs with the platform, or of everybody who answers. */
  readonly neighbours: 'sharing' | 'answering';
  readonly rules?: Partial<LifecycleRules>;
}

/** From the call to the traceback: an alert, or a complaint. */
const OPENED_AFTER_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A dozen for each hop, and as many reminders: one that takes more does not end, which is a mistake. */
const MAX_STEPS = 2_000;
/** Where the offices of all providers are. */
const ZONE = 'America/New_York';

/**
 * Conducts the traceback of a call to its end, as the platform does: with the real lifecycle, which is told what happens, and time that goes from one
 * deadline to the next.
 * @returns what became of it; undefined for a call that came nowhere, or ended with somebody who cannot be asked
 * @throws `RangeError` where it does not end
 */
function conductTraceback(conduct: Conduct, call: PlannedCall): SeenTraceback | undefined {
  const { answerers, startedAtMs, rules } = conduct;
  const last = answerers.truth.ofCall(call).hops.at(-1);
  const first = answerers.providers.get(last?.provider ?? '');
  if (last === undefined || first === undefined || isForeign(first)) return undefined;
  const tracebackId = `t-${call.index}`;
  const openedAtMs = startedAtMs + call.atMs + OPENED_AFTER_MS;
  const isShared = first.shares !== 'nothing' && last.record !== 'none';
  const { state } = startTraceback({
    tracebackId,
    atMs: openedAtMs,
    first: referenceTo(first),
    ...(rules !== undefined && { rules }),
    ...(isShared && { sharedRecordId: `record-${call.index}` }),
  });
  return conductToEnd(conduct, call, state);
}

/** An answer that is on its way. */
type Coming = Extract<TracebackEvent, { readonly type: 'answer-received' }>;

/** A traceback in its course. */
interface Course {
  readonly conduct: Conduct;
  readonly call: PlannedCall;
  state: TracebackState;
  /** The call that each request was about. */
  readonly requests: Map<string, RequestedCall>;
  readonly answered: Map<string, TracebackAnswer>;
  readonly coming: Coming[];
  readonly answers: SeenAnswer[];
  /** Effects that nobody carries out: they wait for a person, who does not come. */
  readonly waiting: Set<string>;
}

function conductToEnd(conduct: Conduct, call: PlannedCall, started: TracebackState): SeenTraceback {
  const course: Course = {
    conduct,
    call,
    state: started,
    requests: new Map(),
    answered: new Map(),
    coming: [],
    answers: [],
    waiting: new Set(),
  };
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const view = viewTraceback(course.state);
    if (view.status === 'closed') return seenTraceback(course);
    const due = pendingEffects(course.state).filter(({ effectId }) => !course.waiting.has(effectId));
    const events = due.flatMap((effect) => performed(course, effect));
    if (events.length > 0) for (const event of events) happen(course, event);
    else if (due.length === 0) passTime(course, view.wakeAtMs);
  }
  throw new RangeError(`traceback ${started.tracebackId} does not end`);
}

function happen(course: Course, event: TracebackEvent): void {
  course.state = stepTraceback(course.state, event).state;
}

/** The next thing that time brings: an answer, or a deadline. */
function passTime(course: Course, wakeAtMs: number | undefined): void {
  const { coming, state } = course;
  coming.sort((one, other) => one.atMs - other.atMs);
  const [next] = coming;
  if (next !== undefined && (wakeAtMs === undefined || next.atMs <= wakeAtMs)) {
    coming.shift();
    course.answered.set(next.answer.answerId, next.answer);
    happen(course, next);
    return;
  }
  if (wakeAtMs === undefined) throw new RangeError(`traceback ${state.tracebackId} waits for nothing`);
  happen(course, { type: 'time-passed', tracebackId: state.tracebackId, atMs: wakeAtMs });
}

/** Does one thing. @returns what happened; nothing where it waits */
function performed(course: Course, effect: TracebackEffect): readonly TracebackEvent[] {
  const { tracebackId } = course.state;
  const atMs = nowOf(course);
  const frame = { tracebackId, atMs };
  switch (effect.type) {
    case 'ask-provider':
      return ask(course, effect, atMs);
    case 'find-provider':
      course.waiting.add(effect.effectId);
      return [];
    case 'seek-neighbours':
      return [...reports(course, effect, atMs), { type: 'effect-done', ...frame, effectId: effect.effectId }];
    default:
      return [{ type: 'effect-done', ...frame, effectId: effect.effectId }];
  }
}

function nowOf({ state }: Course): number {
  return state.facts.reduce((latest, { atMs }) => Math.max(latest, atMs), Math.max(state.startedAtMs, state.nowMs));
}

function ask(
  course: Course,
  effect: Extract<TracebackEffect, { readonly type: 'ask-provider' }>,
  atMs: number,
): readonly TracebackEvent[] {
  const { conduct, call, state } = course;
  const { answerers } = conduct;
  const { requestId } = effect;
  const frame = { tracebackId: state.tracebackId, requestId, atMs };
  const provider = planned(answerers, effect.provider.providerId);
  if (provider === undefined) return [{ type: 'provider-not-askable', ...frame, reason: 'not-listed' }];
  if (isForeign(provider)) return [{ type: 'provider-not-askable', ...frame, reason: 'foreign' }];
  const asked = askedCall(course, requestId);
  course.requests.set(requestId, asked);
  const downstream = planned(answerers, effect.downstream?.providerId)?.id;
  const answer = answerRequest(answerers, {
    call,
    asked: soughtCall(conduct, asked),
    provider: provider.id,
    ...(downstream !== undefined && { downstream }),
  });
  if (answer !== undefined) {
    const answeredAtMs = atMs + Math.max(1_000, Math.round(answer.afterHours * HOUR_MS));
    const { finding, discloses } = answer;
    const disclosed = discloses === undefined ? undefined : answeredCall(conduct, discloses);
    const named = namedBy(answerers.truth.plan, finding);
    course.coming.push({
      ...answerEvent(frame, { provider: effect.provider, finding, atMs: answeredAtMs, call: disclosed }),
      asked,
    });
    course.answers.push({
      provider: provider.id,
      kind: finding.arm,
      afterMs: answeredAtMs - atMs,
      ...(named !== undefined && { named }),
    });
  }
  return [{ type: 'request-sent', ...frame, zone: ZONE }];
}

/** The first is asked about the call as it was placed at the callee, the others as the answer before, or the request before, describes it. */
function askedCall({ conduct, call, state, requests, answered }: Course, requestId: string): RequestedCall {
  const hop = viewTraceback(state).path.find((one) => one.requestId === requestId);
  const before = requests.get(hop?.fromRequestId ?? '');
  const next = before === undefined ? undefined : nextAskedCall(before, answered.get(hop?.basedOn ?? ''));
  if (next !== undefined) return next;
  const last = conduct.answerers.truth.ofCall(call).hops.at(-1);
  const { calling, called } = last?.sends ?? call;
  const asWritten = isoTime(conduct, call.atMs);
  return { calling, called, at: { asWritten, local: asWritten.slice(0, -1), zone: 'UTC', precision: 'millisecond' } };
}

function isoTime({ startedAtMs }: Conduct, atMs: number): string {
  return new Date(startedAtMs + atMs).toISOString();
}

/** A call as record stores look for it. */
function soughtCall({ startedAtMs }: Conduct, { calling = '', called = '', at }: RequestedCall): AskedCall {
  return { calling, called, atMs: Date.parse(`${at.local}Z`) - startedAtMs };
}

/** A call as an answer discloses it. */
function answeredCall(conduct: Conduct, { calling, called, atMs, sentTo }: DisclosedCall): AnsweredCall {
  const isDiverted = sentTo !== undefined && sentTo !== called;
  return {
    startedAt: isoTime(conduct, atMs),
    calling,
    called,
    disposition: 'answered',
    ...(isDiverted && { divertedTo: [sentTo] }),
  };
}

function planned({ providers }: Answerers, providerId: string | undefined): ReturnType<Answerers['providers']['get']> {
  return providers.get(providerId ?? '');
}

function answerEvent(
  { tracebackId, requestId }: { readonly tracebackId: string; readonly requestId: string },
  {
    provider,
    finding,
    atMs,
    call,
  }: {
    readonly provider: { readonly name: string };
    readonly finding: TracebackFinding;
    readonly atMs: number;
    readonly call: AnsweredCall | undefined;
  },
): Coming {
  return {
    type: 'answer-received',
    tracebackId,
    atMs,
    answer: {
      format: 'hopback.traceback-answer.1',
      answerId: `a-${requestId}`,
      requestId,
      tracebackId,
      revision: 1,
      answeredAt: new Date(atMs).toISOString(),
      ...(call !== undefined && { call }),
      provider,
      finding,
      answeredBy: { kind: 'automatic', policyId: 'simulated' },
      searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
    },
  };
}

/** Who has a record of the call that it sent to a provider that says nothing of it. */
function reports(
  { conduct, call, state, requests }: Course,
  { requestId, provider }: Extract<TracebackEffect, { readonly type: 'seek-neighbours' }>,
  atMs: number,
): readonly TracebackEvent[] {
  const { answerers, neighbours } = conduct;
  const silent = planned(answerers, provider?.providerId);
  const asked = requests.get(requestId);
  if (silent === undefined || asked === undefined) return [];
  const found = new Set(answerers.stores.sentTo(silent.id, soughtCall(conduct, asked)).map(({ hop }) => hop.provider));
  return [...found].flatMap((id): readonly TracebackEvent[] => {
    const neighbour = answerers.providers.get(id);
    if (neighbour === undefined || id === silent.id) return [];
    const answers = answerers.truth.habits(call, id).says?.kind !== 'silent';
    if (neighbours === 'sharing' ? neighbour.shares === 'nothing' : !answers) return [];
    return [
      {
        type: 'neighbour-reported',
        tracebackId: state.tracebackId,
        atMs,
        reportId: `live:${id}:${silent.id}`,
        provider: referenceTo(neighbour),
        sentTo: referenceTo(silent),
      },
    ];
  });
}

function seenTraceback({ conduct: { answerers }, call, state, answers }: Course): SeenTraceback {
  const { status, outcome } = viewTraceback(state);
  const provider = planned(answerers, outcome?.provider?.providerId)?.id;
  const close = state.facts.findLast(({ kind, id }) => kind === 'done' && id.startsWith('close:'));
  return {
    tracebackId: state.tracebackId,
    callIndex: call.index,
    state: status,
    ...(outcome !== undefined && { outcome: { kind: outcome.kind, ...(provider !== undefined && { provider }) } }),
    openedAtMs: state.startedAtMs,
    ...(close !== undefined && { concludedAtMs: close.atMs }),
    answers,
  };
}

/** Settings of {@link simulateRun}. */
export interface SimulationOptions {
  /**
   * How many calls are traced, drawn by the seed of the plan, those of campaigns before others. Default what the scenario says: as many, and those
   * that it asks for; else none.
   */
  readonly tracebacks?: number;
  /** Indexes of calls that are traced, in place of drawn ones. */
  readonly traced?: readonly number[];
  /**
   * Whose records are looked through for who sent a call to a provider that says nothing: of those that share theirs with the platform, or of all
   * that answer. Default `sharing`.
   */
  readonly neighbours?: 'sharing' | 'answering';
  /** When the run begins, milliseconds since the epoch. Default a Tuesday, 10 o'clock in New York. */
  readonly startedAtMs?: number;
  /** By which tracebacks are conducted. Default those of the SDK. */
  readonly rules?: Partial<LifecycleRules>;
}

const TUESDAY_MS = Date.UTC(2026, 1, 3, 15);

/**
 * Carries out a plan without SIP, so that there may be a million calls over thousands of carriers: calls go as it is true of them, carriers
 * answer from their records, or lie, as their behaviours say, and tracebacks are conducted by the lifecycle of `@hopback/sdk/traceback` with its deadlines.
 * Campaigns are not looked for.
 * @param plan - of any size
 * @param options - which calls are traced, and when
 * @returns what was seen, for `judgeRun`; calls are made as they are read, as often as they are read. The same for the same plan and options
 * @throws `RangeError` where a traceback does not end, or an index is none of the plan
 * @see {@link judgeRun}
 * @example
 * ```ts
 * const plan = planNetwork(generateNetwork({ carriers: 50, seed: 1, calls: 200, seconds: 60 }));
 * const { metrics } = judgeRun(plan, simulateRun(plan, { tracebacks: 5 }));
 * console.log(metrics.tracebacks, metrics.wrong_accusations); // { kind: 'count', count: 5 } { kind: 'count', count: 0 }
 * ```
 */
export function simulateRun(plan: NetworkPlan, options: SimulationOptions = {}): JudgedFacts {
  const { neighbours = 'sharing', startedAtMs = TUESDAY_MS, rules } = options;
  const truth = networkTruth(plan);
  const traced = tracedCalls(truth, options);
  const answerers = {
    truth,
    stores: createRecordStores(truth, traced),
    providers: new Map(plan.providers.flatMap((one) => [[one.id, one] as const, [one.providerId, one] as const])),
  };
  const conduct = { answerers, startedAtMs, neighbours, ...(rules !== undefined && { rules }) };
  const tracebacks: readonly SeenTraceback[] = traced.flatMap((call) => conductTraceback(conduct, call) ?? []);
  return {
    startedAtMs,
    endedAtMs: startedAtMs + plan.durationMs,
    calls: { [Symbol.iterator]: (): Iterator<SeenCall> => seenCalls(truth, startedAtMs) },
    records: countRecords(truth),
    tracebacks,
    troubles: [],
  };
}

function tracedCalls(truth: NetworkTruth, { traced, tracebacks }: SimulationOptions): readonly PlannedCall[] {
  const { plan } = truth;
  if (traced !== undefined) {
    return traced.map((index) => {
      const call = plan.calls[index];
      if (call === undefined) throw new RangeError(`the plan has no call ${index}`);
      return call;
    });
  }
  const isHeard = (call: PlannedCall): boolean => truth.carried(call).hops.length === call.way.length;
  const asked = tracebacks === undefined ? callsToTrace(plan, isHeard).flatMap(({ call }) => call ?? []) : [];
  const drawn = new Set<PlannedCall>(asked);
  const count = tracebacks ?? plan.scenario.platform?.staffTracebacks ?? 0;
  if (count > 0) {
    const others = plan.calls.filter((call) => !drawn.has(call));
    const ofCampaigns = others.filter(({ campaign }) => campaign !== undefined);
    const from = ofCampaigns.length === 0 ? others : ofCampaigns;
    const random = new SeededRandom(plan.seed, 'simulation/traced');
    const wanted = Math.min(count, from.length) + asked.length;
    if (count >= from.length) for (const call of from) drawn.add(call);
    while (drawn.size < wanted) drawn.add(random.pick(from));
  }
  return [...drawn].sort((one, other) => one.index - other.index);
}
