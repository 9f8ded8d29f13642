import { liveNeighbours } from '../../harness/src/platform/domain/tracebacks/live-neighbours.js';
import type { NeighbourRecord } from '../../harness/src/platform/domain/tracebacks/live-neighbours.js';
import { pendingEffects, startTraceback, stepTraceback, viewTraceback } from '../../sdk/src/traceback/index.js';
import type {
  ProviderReference,
  RequestedCall,
  TracebackAnswer,
  TracebackEvent,
  TracebackFinding,
  TracebackState,
} from '../../sdk/src/traceback/index.js';

/** A call by its carriers, the terminating one first, of whom some answer and the others are silent. */
export interface PartlyAnsweredCall {
  readonly hops: readonly number[];
  readonly answers: ReadonlySet<number>;
}

/** What is known of a call in the end. */
export interface KnownOfCall {
  /** Whether the carrier at which it began is named, by itself or by whoever had the call from it. */
  readonly isOriginFound: boolean;
  /** Whether that carrier says itself that the call began at it: what a traceback calls its origin. */
  readonly isOriginSaid: boolean;
  readonly isPathFound: boolean;
}

/** How a silent carrier is passed over. */
export type Resumption =
  /** Not at all: the traceback ends there. */
  | 'none'
  /** By the live record of a carrier that answers, and sent the call to the silent one. */
  | 'by-neighbour';

/**
 * What one traceback finds out that begins at the terminating carrier, without conducting it: hop by hop, an answer names the carrier before, whether
 * that one answers or not; a silent one is passed over where the one before it answers, and nothing is known beyond two silent ones in a row.
 */
export function foundByTraceback({ hops, answers }: PartlyAnsweredCall, resumption: Resumption): KnownOfCall {
  const does = (index: number): boolean => answers.has(hops[index] ?? -1);
  const isPassed = resumption === 'by-neighbour' ? (index: number): boolean => does(index + 1) : (): boolean => false;
  let reached = 0;
  while (reached < hops.length - 1 && (does(reached) || isPassed(reached))) reached += 1;
  const isOriginFound = reached === hops.length - 1;
  return { isOriginFound, isOriginSaid: isOriginFound && does(reached), isPathFound: isOriginFound };
}

/**
 * What the records of all carriers that share theirs say together, wherever in the call they are: each names both neighbours. Tracebacks that
 * begin at each of those records find the same origin: the one nearest to it names it.
 */
export function foundByRecords({ hops, answers }: PartlyAnsweredCall): KnownOfCall {
  const does = (index: number): boolean => answers.has(hops[index] ?? -1);
  const isNamed = (index: number): boolean => does(index - 1) || does(index) || does(index + 1);
  const last = hops.length - 1;
  return {
    isOriginFound: isNamed(last),
    isOriginSaid: does(last),
    isPathFound: hops.every((_hop, index) => isNamed(index)),
  };
}

const START_MS = Date.UTC(2026, 1, 3, 15);
/** Steps of one traceback: a dozen for each hop, and one that does not end is a mistake. */
const MAX_STEPS = 1_000;

/** The same by the lifecycle, conducted as the platform does, to its end: requests, answers, deadlines, and a search for neighbours in live records. */
export function conductedTraceback(call: PartlyAnsweredCall, first = 0): KnownOfCall {
  const { hops, answers } = call;
  const tracebackId = 't-1';
  let { state } = startTraceback({ tracebackId, atMs: START_MS, first: referenceTo(hops[first] ?? 0) });
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const view = viewTraceback(state);
    if (view.status === 'closed') break;
    const events = pendingEffects(state).flatMap((effect) => performed(call, state, effect));
    if (events.length > 0) state = events.reduce((before, event) => stepTraceback(before, event).state, state);
    else if (view.wakeAtMs === undefined) throw new Error('a traceback waits for nothing');
    else state = stepTraceback(state, { type: 'time-passed', tracebackId, atMs: view.wakeAtMs }).state;
  }
  const { status, path, outcome } = viewTraceback(state);
  if (status !== 'closed') throw new Error('a traceback does not end');
  const found = path.map(({ provider }) => hops.indexOf(carrierOf(provider)));
  const last = hops.length - 1;
  return {
    isOriginFound: found.at(-1) === last,
    isOriginSaid: outcome?.kind === 'origin' && found.at(-1) === last && answers.has(hops[last] ?? -1),
    isPathFound: found.length === hops.length && found.every((hop, index) => hop === index),
  };
}

type Effect = ReturnType<typeof pendingEffects>[number];

/** Does one thing, as the area of tracebacks does. */
function performed(
  { hops, answers }: PartlyAnsweredCall,
  { tracebackId, nowMs: atMs }: TracebackState,
  effect: Effect,
): readonly TracebackEvent[] {
  const frame = { tracebackId, atMs };
  if (effect.type === 'ask-provider') {
    const { requestId, provider, hop } = effect;
    const sent: TracebackEvent = { type: 'request-sent', ...frame, requestId, zone: 'America/Chicago' };
    const carrier = carrierOf(provider);
    if (!answers.has(carrier)) return [sent];
    const before = hops[hops.indexOf(carrier) + 1];
    const finding: TracebackFinding =
      before === undefined ? { arm: 'origin', customer: {} } : { arm: 'received-from', upstream: referenceTo(before) };
    return [
      sent,
      { type: 'answer-received', ...frame, answer: answerOf({ requestId, provider, hop, finding, ...frame }) },
    ];
  }
  const done: TracebackEvent = { type: 'effect-done', ...frame, effectId: effect.effectId };
  if (effect.type !== 'seek-neighbours' || effect.provider === undefined) return [done];
  const silent = effect.provider;
  const { certain } = liveNeighbours(recordsOf(hops, answers), { silent, call: CALL });
  const reports = certain.map(({ providerId }): TracebackEvent => {
    const provider = referenceTo(Number(providerId.slice(4)));
    return { type: 'neighbour-reported', ...frame, reportId: `live:${providerId}`, provider, sentTo: silent };
  });
  return [...reports, done];
}

interface Answering {
  readonly tracebackId: string;
  readonly requestId: string;
  readonly provider: ProviderReference;
  readonly hop: number;
  readonly finding: TracebackFinding;
  readonly atMs: number;
}

function answerOf({ tracebackId, requestId, provider, hop, finding, atMs }: Answering): TracebackAnswer {
  return {
    format: 'hopback.traceback-answer.1',
    ...{ answerId: `a-${hop}`, requestId, tracebackId, revision: 1, answeredAt: new Date(atMs).toISOString() },
    ...{ provider, finding, answeredBy: { kind: 'automatic', policyId: 'p' } },
    searched: { windows: [], keys: [], coverage: [], recordsConsidered: 1 },
  };
}

const CALL: RequestedCall = {
  called: '+12025550143',
  at: { asWritten: '2026-02-02T09:30Z', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
};

/** Records of the call that carriers share who answer, each with the carrier that it sent the call to. */
function recordsOf(hops: readonly number[], answers: ReadonlySet<number>): readonly NeighbourRecord[] {
  return hops.flatMap((carrier, index) => {
    const next = hops[index - 1];
    if (!answers.has(carrier) || next === undefined) return [];
    const record = {
      called: { shown: 'whole', asWritten: '12025550143', tn: '12025550143' },
      egress: { trunk: 'out' },
    } as unknown as NeighbourRecord['record'];
    return [{ providerId: `prv-${carrier}`, record, sentToId: `prv-${next}` }];
  });
}

const referenceTo = (carrier: number) => ({ providerId: `prv-${carrier}`, name: `Carrier ${carrier}` });
const carrierOf = (provider: ProviderReference | undefined): number => Number(provider?.providerId?.slice(4) ?? -1);
