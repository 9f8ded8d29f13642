import { startTraceback, stepTraceback, pendingEffects, viewTraceback } from '../../sdk/src/traceback/index.js';
import type { TracebackEvent, TracebackFinding, TracebackState } from '../../sdk/src/traceback/index.js';
import type { Bench, BenchContext, Figure } from './bench.js';
import { drawCall, growCarriers } from './platform-carriers.js';
import type { CarrierGraph } from './platform-carriers.js';
import { seededDice } from '../../sdk/src/testing/platform/seeded-dice.js';

/** Shares of carriers that answer, the largest first, and in how many calls the origin has to be known: those of Jäger, CCS 2024. */
const SHARES: readonly { readonly percent: number; readonly atLeast: number }[] = [
  { percent: 1, atLeast: 20 },
  { percent: 10, atLeast: 53 },
  { percent: 20, atLeast: 70 },
  { percent: 30, atLeast: 83 },
];

/** Tracebacks of the reference platform: what a hop costs, and what is known where only some carriers answer. */
export const bench: Bench = {
  name: 'platform-tracebacks',
  description: 'the course of tracebacks over 7,000 carriers: processor time a hop, and how often the origin is known',
  figures: [
    'lifecycle-cpu-100',
    'lifecycle-cpu-10000',
    ...SHARES.map(({ percent }) => `origin-known-${percent}`),
    ...SHARES.map(({ percent }) => `full-path-${percent}`),
  ],
  run: measure,
};

/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const CALLS = 4_000;
const FULL_CALLS = 40_000;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  for (const open of [100, 10_000]) {
    const figure = `lifecycle-cpu-${open}`;
    if (!context.wants(figure)) continue;
    yield {
      figure,
      value: cpuOfHops(graph, context.full ? open : Math.min(open, 1_000)),
      unit: 'ms/hop',
      bar: { valueAtMost: 2 },
    };
  }
  for (const { percent, atLeast } of SHARES) {
    const known = knownOrigins(graph, percent, context.full ? FULL_CALLS : CALLS);
    yield { figure: `origin-known-${percent}`, value: known.origin, unit: '%', bar: { valueAtLeast: atLeast } };
    yield { figure: `full-path-${percent}`, value: known.path, unit: '%' };
  }
}

const START_MS = Date.UTC(2026, 1, 3, 15);
const nameOf = (carrier: number) => ({ providerId: `prv-${carrier}`, name: `Carrier ${carrier}` });

/** Conducts tracebacks beside each other, a step of each in turn, with states that are read anew from JSON: milliseconds of processor a hop. */
function cpuOfHops(graph: CarrierGraph, open: number): number {
  const dice = seededDice(7);
  const calls = Array.from({ length: open }, () => drawCall(graph, dice));
  const run = (from: number, to: number): number => {
    let hops = 0;
    const states = calls.slice(from, to).map((path, index) => begin(path, `t-${from + index}`));
    for (let running = states.length; running > 0;) {
      running = 0;
      for (const [index, one] of states.entries()) {
        const next = advance(JSON.parse(JSON.stringify(one)) as TracebackState, calls[from + index] ?? []);
        hops += next.answered;
        states[index] = next.state;
        if (!next.isOver) running += 1;
      }
    }
    return hops;
  };
  run(0, Math.min(50, open));
  const before = process.cpuUsage();
  const hops = run(0, open);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / hops;
}

function begin(path: readonly number[], tracebackId: string): TracebackState {
  return startTraceback({ tracebackId, atMs: START_MS, first: nameOf(path[0] ?? 0) }).state;
}

/** Does what is due of one traceback, and has the provider that was asked answer. */
function advance(
  state: TracebackState,
  path: readonly number[],
): { readonly state: TracebackState; readonly answered: number; readonly isOver: boolean } {
  let answered = 0;
  let now = state;
  for (const effect of pendingEffects(state)) {
    const frame = { tracebackId: state.tracebackId, atMs: START_MS + state.facts.length * 60_000 };
    const events: TracebackEvent[] = [];
    if (effect.type === 'ask-provider') {
      const { requestId, hop, provider } = effect;
      events.push({ type: 'request-sent', ...frame, requestId, zone: 'America/Chicago' });
      const next = path[hop];
      const finding: TracebackFinding =
        next === undefined ? { arm: 'origin', customer: {} } : { arm: 'received-from', upstream: nameOf(next) };
      const answer = {
        ...({
          format: 'hopback.traceback-answer.1',
          answerId: `a-${hop}`,
          requestId,
          tracebackId: state.tracebackId,
        } as const),
        ...{ revision: 1, answeredAt: new Date(frame.atMs).toISOString(), provider, finding },
        answeredBy: { kind: 'automatic', policyId: 'p' } as const,
        searched: { windows: [], keys: [], coverage: [], recordsConsidered: 1 },
      };
      events.push({ type: 'answer-received', tracebackId: frame.tracebackId, atMs: frame.atMs + 1_000, answer });
      answered += 1;
    } else events.push({ type: 'effect-done', ...frame, effectId: effect.effectId });
    for (const event of events) now = stepTraceback(now, event).state;
  }
  const { status } = viewTraceback(now);
  return { state: now, answered, isOver: status === 'closed' || now === state };
}

/**
 * In how many of a hundred calls the origin is known, and the whole path, where the largest carriers answer and share what they know: an answer
 * or shared record names both neighbours, so that a silent carrier is known where one beside it answers.
 */
function knownOrigins(
  graph: CarrierGraph,
  percent: number,
  calls: number,
): { readonly origin: number; readonly path: number } {
  const dice = seededDice(11);
  const honest = new Set(graph.bySize.slice(0, Math.round((graph.bySize.length * percent) / 100)));
  let [origin, path] = [0, 0];
  for (let call = 0; call < calls; call += 1) {
    const hops = drawCall(graph, dice);
    const isKnown = (index: number): boolean =>
      [index - 1, index, index + 1].some((near) => honest.has(hops[near] ?? -1));
    if (isKnown(hops.length - 1)) origin += 1;
    if (hops.every((_hop, index) => isKnown(index))) path += 1;
  }
  return { origin: (100 * origin) / calls, path: (100 * path) / calls };
}
