import type { LifecycleRules } from '@hopback/sdk/traceback';
import { createSeededRandom } from '../faults/index.js';
import { callsToTrace } from '../network/plan/index.js';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import { networkTruth } from '../network/truth/index.js';
import type { NetworkTruth } from '../network/truth/index.js';
import type { JudgedFacts, SeenCall, SeenTraceback } from '../oracle/index.js';
import { conductTraceback } from './conduct-traceback.js';
import { countRecords } from './count-records.js';
import { createRecordStores } from './record-stores.js';
import { seenCalls } from './seen-call.js';

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
  readonly rules?: LifecycleRules;
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
    const random = createSeededRandom(plan.seed, 'simulation/traced');
    const wanted = Math.min(count, from.length) + asked.length;
    if (count >= from.length) for (const call of from) drawn.add(call);
    while (drawn.size < wanted) drawn.add(random.pick(from));
  }
  return [...drawn].sort((one, other) => one.index - other.index);
}
