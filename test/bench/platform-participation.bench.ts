import { liveNeighbours, type NeighbourRecord } from '../../harness/src/platform/domain/tracebacks/live-neighbours.js';
import { startTraceback, stepTraceback } from '../../sdk/src/traceback/lifecycle/step-traceback.js';
import { pendingEffects, viewTraceback } from '../../sdk/src/traceback/lifecycle/traceback-view.js';
import type {
  ProviderReference,
  RequestedCall,
  TracebackAnswer,
  TracebackFinding,
} from '../../sdk/src/traceback/index.js';
import type { TracebackEvent, TracebackState } from '../../sdk/src/traceback/lifecycle/traceback-state.js';
import { seededDice } from '../../sdk/src/testing/platform/platform-faults.js';
import type { Bench, BenchContext, Figure } from './bench.js';
import { drawCall, growCarriers } from './platform-carriers.js';

/** Shares of carriers that answer, the largest first, and in how many calls the origin has to be known: those of Jäger, CCS 2024. */
const SHARES: readonly { readonly percent: number; readonly atLeast: number; readonly path: number }[] = [
  { percent: 1, atLeast: 20, path: 9 },
  { percent: 10, atLeast: 53, path: 42 },
  { percent: 20, atLeast: 70, path: 63 },
  { percent: 30, atLeast: 83, path: 79 },
];
/** Where the curve is drawn. */
const CURVE: readonly number[] = [0.5, 1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100];
/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const CALLS = 4_000;
const FULL_CALLS = 40_000;
/** Calls of each share whose tracebacks are conducted: each takes a millisecond or two. */
const CONDUCTED = 500;
const FULL_CONDUCTED = 4_000;

/** What is known where only some carriers answer. */
export const bench: Bench = {
  name: 'platform-participation',
  description: 'in how many calls over 7,000 carriers the origin is known where only the largest of them answer',
  figures: [
    'mean-hops',
    ...SHARES.flatMap(({ percent }) => [
      `origin-known-${percent}`,
      `origin-known-resumed-${percent}`,
      `origin-known-answers-${percent}`,
      `origin-said-${percent}`,
      `full-path-${percent}`,
    ]),
    'conducted-alike',
  ],
  quick: { seconds: 15 },
  run: measure,
};

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  const dice = seededDice(11);
  const calls = Array.from({ length: context.full ? FULL_CALLS : CALLS }, () => drawCall(graph, dice));
  const note = `${calls.length} calls`;
  yield {
    figure: 'mean-hops',
    value: calls.reduce((sum, hops) => sum + hops.length, 0) / calls.length,
    unit: 'hops',
    note,
  };
  const answering = (percent: number): ReadonlySet<number> =>
    new Set(graph.bySize.slice(0, Math.round((CARRIERS * percent) / 100)));
  const partly = (percent: number): readonly PartlyAnsweredCall[] => {
    const answers = answering(percent);
    return calls.map((hops) => ({ hops, answers }));
  };
  draw(context, partly);
  let [conducted, alike] = [0, 0];
  for (const { percent, atLeast, path } of SHARES) {
    const all = partly(percent);
    const shared = all.map(foundByRecords);
    const resumed = all.map((call) => foundByTraceback(call, 'by-neighbour'));
    const answered = all.map((call) => foundByTraceback(call, 'none'));
    const origin = { unit: '%', baseline: 'Jäger', baselineValue: atLeast, note };
    yield {
      ...{ figure: `origin-known-${percent}`, ...origin },
      ...{ value: percentOf(shared, 'isOriginFound'), bar: { valueAtLeast: atLeast } },
    };
    yield { figure: `origin-known-resumed-${percent}`, value: percentOf(resumed, 'isOriginFound'), ...origin };
    yield { figure: `origin-known-answers-${percent}`, value: percentOf(answered, 'isOriginFound'), ...origin };
    yield { figure: `origin-said-${percent}`, value: percentOf(shared, 'isOriginSaid'), unit: '%', note };
    yield {
      ...{ figure: `full-path-${percent}`, value: percentOf(shared, 'isPathFound'), unit: '%', note },
      ...{ baseline: 'Jäger', baselineValue: path },
    };
    const sample = all.slice(0, context.full ? FULL_CONDUCTED : CONDUCTED);
    conducted += sample.length;
    alike += sample.filter(isConductedAlike).length;
  }
  yield {
    ...{ figure: 'conducted-alike', value: (100 * alike) / conducted, unit: '%', bar: { valueAtLeast: 100 } },
    note: `${conducted} tracebacks by the lifecycle`,
  };
}

const percentOf = (known: readonly KnownOfCall[], what: keyof KnownOfCall): number =>
  (100 * known.filter((one) => one[what]).length) / known.length;

/**
 * Whether the lifecycle finds what the model says: in the traceback that begins at the terminating carrier, and in one that begins at each carrier
 * that shares its record of the call.
 */
function isConductedAlike(call: PartlyAnsweredCall): boolean {
  const found = conductedTraceback(call);
  const expected = foundByTraceback(call, 'by-neighbour');
  const begun = call.hops.flatMap((carrier, index) =>
    call.answers.has(carrier) ? [conductedTraceback(call, index).isOriginFound] : [],
  );
  return (
    found.isOriginFound === expected.isOriginFound &&
    found.isOriginSaid === expected.isOriginSaid &&
    found.isPathFound === expected.isPathFound &&
    begun.includes(true) === foundByRecords(call).isOriginFound
  );
}

const WIDTH = 50;

/** Draws in how many calls the origin is known, for the person who waits. */
function draw(context: BenchContext, partly: (percent: number) => readonly PartlyAnsweredCall[]): void {
  context.progress(
    'origin known, % of calls: # a traceback from the terminating carrier, + one from each shared record as well',
  );
  for (const percent of CURVE) {
    const calls = partly(percent);
    const one = percentOf(
      calls.map((call) => foundByTraceback(call, 'by-neighbour')),
      'isOriginFound',
    );
    const all = percentOf(calls.map(foundByRecords), 'isOriginFound');
    const [inner, outer] = [one, all].map((value) => Math.round((value * WIDTH) / 100));
    const bar = '#'
      .repeat(inner ?? 0)
      .padEnd(outer ?? 0, '+')
      .padEnd(WIDTH, '·');
    context.progress(`${String(percent).padStart(5)} % answer ${bar} ${one.toFixed(0)} – ${all.toFixed(0)} %`);
  }
}

/** A call by its carriers, the terminating one first, of whom some answer and the others are silent. */
interface PartlyAnsweredCall {
  readonly hops: readonly number[];
  readonly answers: ReadonlySet<number>;
}

/** What is known of a call in the end. */
interface KnownOfCall {
  /** Whether the carrier at which it began is named, by itself or by whoever had the call from it. */
  readonly isOriginFound: boolean;
  /** Whether that carrier says itself that the call began at it: what a traceback calls its origin. */
  readonly isOriginSaid: boolean;
  readonly isPathFound: boolean;
}

/** How a silent carrier is passed over. */
type Resumption =
  /** Not at all: the traceback ends there. */
  | 'none'
  /** By the live record of a carrier that answers, and sent the call to the silent one. */
  | 'by-neighbour';

/**
 * What one traceback finds out that begins at the terminating carrier, without conducting it: hop by hop, an answer names the carrier before, whether
 * that one answers or not; a silent one is passed over where the one before it answers, and nothing is known beyond two silent ones in a row.
 */
function foundByTraceback({ hops, answers }: PartlyAnsweredCall, resumption: Resumption): KnownOfCall {
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
function foundByRecords({ hops, answers }: PartlyAnsweredCall): KnownOfCall {
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
function conductedTraceback(call: PartlyAnsweredCall, first = 0): KnownOfCall {
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
