import type { Metric, MetricName, OracleReport, RunFacts, Finding } from '../../harness/src/oracle/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../../harness/src/network/plan/index.js';
import type { CallTruth, TrueHop } from '../../harness/src/network/truth/index.js';
import type { Behaviour, Scenario } from '../../harness/src/scenario/index.js';

// A small network for tests of runner and report: a foreign dialer by gateway and transit, and an office by the same transit.

const ROLES = {
  fern: 'foreign',
  elm: 'gateway',
  birch: 'transit',
  dune: 'originating',
  alder: 'terminating',
} as const;

/** Settings of {@link samplePlan}. */
export interface SamplePlanOptions {
  readonly calls?: number;
  readonly everyMs?: number;
  readonly thresholds?: Scenario['thresholds'];
  readonly maxConcurrent?: number;
  readonly behaviours?: Readonly<Record<string, readonly Behaviour[]>>;
}

/** A plan whose calls alternate between the dialer's and the office's. */
export function samplePlan(options: SamplePlanOptions = {}): NetworkPlan {
  const { calls = 10, everyMs = 100, thresholds, maxConcurrent, behaviours = {} } = options;
  const scenario: Scenario = {
    format: 'hopback.scenario.1',
    name: 'sample',
    why: 'A foreign dialer calls through a gateway; an office calls through the same transit. Used by tests of the runner and of the report.',
    providers: Object.entries(ROLES).map(([id, role]) => ({ id, role, behaviours: behaviours[id] ?? [] })),
    trunks: [
      { from: 'fern', to: 'elm' },
      { from: 'elm', to: 'birch' },
      { from: 'dune', to: 'birch' },
      { from: 'birch', to: 'alder' },
    ],
    callers: [
      { id: 'dialer', kind: 'robocaller', at: 'fern', numbers: { kind: 'neighbour' }, calls: ['homes'] },
      {
        id: 'office',
        kind: 'ordinary',
        at: 'dune',
        numbers: { kind: 'own', numbers: ['12025550101'] },
        calls: ['homes'],
      },
    ],
    called: [{ id: 'homes', at: 'alder', first: '12025550150', count: 40 }],
    phases: [
      { name: 'flood', seconds: (calls * everyMs) / 1_000, rate: { shape: 'constant', perSecond: 1_000 / everyMs } },
    ],
    ...(thresholds !== undefined && { thresholds }),
    ...(maxConcurrent !== undefined && { maxConcurrent }),
  };
  const providers = Object.entries(ROLES).map(([id, role], index): PlannedProvider => {
    const near = (one: 'from' | 'to', other: 'from' | 'to'): string[] =>
      scenario.trunks.filter((trunk) => trunk[one] === id).map((trunk) => trunk[other]);
    return {
      ...{ id, role, name: `${id} telephone`, providerId: `prv-000000000${index}`, spc: `700${index}` },
      ...{ country: role === 'foreign' ? 'CY' : 'US', stir: role !== 'foreign', numbers: [] },
      ...{ failureAction: 'continue_return_reason', shares: 'nothing', answersTracebacks: role !== 'foreign' },
      ...{ behaviours: behaviours[id] ?? [], downstream: near('from', 'to'), upstream: near('to', 'from') },
      callers: scenario.callers.filter(({ at }) => at === id).map((caller) => caller.id),
      serves: scenario.called.filter(({ at }) => at === id).map((called) => called.id),
    };
  });
  const planned = Array.from({ length: calls }, (_, index): PlannedCall => {
    const isRobocall = index % 2 === 0;
    return {
      ...{ index, atMs: index * everyMs, phase: 'flood', caller: isRobocall ? 'dialer' : 'office' },
      ...(isRobocall && { campaign: 'dialer', transcript: 'Your account has been suspended.' }),
      calling: isRobocall ? `1202555${String(1_000 + index).slice(-4)}` : '12025550101',
      ...{ called: `120255501${String(50 + (index % 40)).slice(-2)}`, destination: 'homes' },
      way: isRobocall ? ['fern', 'elm', 'birch', 'alder'] : ['dune', 'birch', 'alder'],
      ...{ isAnswered: true, durationMs: 500, isReported: false, isRejected: false },
    };
  });
  return {
    ...{
      scenario,
      seed: 7,
      providers,
      calls: planned,
      durationMs: calls * everyMs,
      doNotOriginate: [],
      onceOnly: false,
    },
  };
}

/** What is true of the calls of {@link samplePlan}: gateways attest C, originating providers A. */
export function sampleTruth(plan: NetworkPlan): (index: number) => CallTruth {
  return (index) => {
    const call = plan.calls.find((one) => one.index === index);
    if (call === undefined) throw new Error(`no call ${index}`);
    const signer = call.way.find((id) => id === 'elm' || id === 'dune') ?? '';
    const at = call.way.indexOf(signer);
    const attestation = signer === 'elm' ? 'C' : 'A';
    const hops = call.way.map((provider, hop): TrueHop => {
      const numbers = { calling: call.calling, called: call.called, identity: [] };
      const before = call.way[hop - 1];
      const after = call.way[hop + 1];
      const verifies = provider === 'alder' || provider === 'birch';
      return {
        ...{ provider, receives: numbers, sends: numbers, isOnRecord: true, record: 'kept', isCertain: true },
        from: before === undefined ? { caller: call.caller } : { provider: before },
        to: after === undefined ? { destination: call.destination } : { provider: after },
        verdict: verifies
          ? { verstat: ['TN-Validation-Passed'], attestation, because: `signed by ${signer} with ${attestation}` }
          : { verstat: ['not-asked'], because: hop < at ? 'nothing is signed yet' : 'it signs the call itself' },
      };
    });
    return {
      ...{ index, hops, finalStatus: [call.isAnswered ? 200 : 486] },
      culprit: { kind: signer === 'elm' ? 'point-of-entry' : 'origin', provider: signer },
      answers: call.way.map((provider, hop) => {
        const before = call.way[hop - 1];
        const truth =
          provider === 'elm'
            ? ({ kind: 'point-of-entry', foreign: 'fern' } as const)
            : before === undefined
              ? ({ kind: 'origin', caller: call.caller } as const)
              : ({ kind: 'upstream', provider: before } as const);
        return { provider, truth, given: truth };
      }),
      fairOutcomes: [{ kind: signer === 'elm' ? 'point-of-entry' : 'origin', provider: signer }, { kind: 'disputed' }],
      innocent: call.way.filter((id) => id !== signer),
    };
  };
}

/** Finds calls that ended wrongly and verdicts that are not true: as much of an oracle as a test of its callers needs. */
export function sampleJudge(plan: NetworkPlan, facts: RunFacts): OracleReport {
  const truthOf = sampleTruth(plan);
  const findings: Finding[] = [];
  const counts = { placed: 0, good: 0, of: 0, wrong: 0, accused: 0 };
  const setups: number[] = [];
  for (const { index, placedAtMs, finalStatus, setupMs, hops } of facts.calls) {
    if (placedAtMs === undefined) continue;
    counts.placed += 1;
    if (setupMs !== undefined) setups.push(setupMs);
    const truth = truthOf(index);
    if (finalStatus !== 200) {
      counts.wrong += 1;
      findings.push({ kind: 'call-outcome', callIndex: index, expected: '200', seen: String(finalStatus) });
    }
    for (const [hop, { provider, verstat }] of hops.entries()) {
      counts.of += 1;
      const wanted = truth.hops[hop]?.verdict.verstat ?? [];
      if (wanted.includes(verstat ?? 'not-asked')) counts.good += 1;
      else
        findings.push({
          kind: 'verdict',
          callIndex: index,
          provider,
          expected: wanted.join(' or '),
          seen: verstat ?? 'not-asked',
        });
    }
  }
  for (const { callIndex, tracebackId, outcome } of facts.tracebacks) {
    const provider = outcome?.provider;
    if (
      provider === undefined ||
      (!truthOf(callIndex).innocent.includes(provider) && provider === truthOf(callIndex).culprit.provider)
    )
      continue;
    counts.accused += 1;
    findings.unshift({
      kind: 'accusation',
      callIndex,
      provider,
      tracebackId,
      expected: `${truthOf(callIndex).culprit.provider} named`,
      seen: `${provider} named as ${outcome?.kind ?? ''}`,
    });
  }
  const count = (value: number): Metric => ({ kind: 'count', count: value });
  const rate = (good: number, of: number): Metric => ({ kind: 'rate', good, of, value: of === 0 ? 1 : good / of });
  const times = (values: readonly number[]): Metric => {
    const [min, max] = values.length === 0 ? [0, 0] : [Math.min(...values), Math.max(...values)];
    const mean = values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      kind: 'distribution',
      count: values.length,
      min,
      mean,
      max,
      percentiles: { '50': mean, '90': max, '95': max, '99': max, '99.9': max },
    };
  };
  const traced = facts.tracebacks.length;
  const metrics: Record<MetricName, Metric> = {
    ...{ calls_placed: count(counts.placed), calls_unplaced: count(plan.calls.length - counts.placed) },
    ...{ calls_wrong: count(counts.wrong), calls_answered: count(0), calls_unavailable: count(0) },
    ...{ call_setup_ms: times(setups), verify_latency_ms: times([]) },
    ...{ verdict_accuracy: rate(counts.good, counts.of), records_complete: rate(0, 0), records_streamed: rate(0, 0) },
    answers_automatic: rate(0, 0),
    ...{ answers_correct: rate(0, 0), tracebacks: count(traced), tracebacks_concluded: rate(traced, traced) },
    ...{
      traceback_fair: rate(traced - counts.accused, traced),
      traceback_origin_correct: rate(traced - counts.accused, traced),
    },
    ...{ wrong_accusations: count(counts.accused), disputed: count(0), time_to_origin_ms: times([]) },
    ...{ campaign_precision: rate(0, 0), campaign_recall: rate(0, 0), time_to_campaign_ms: times([]) },
    ...{ time_to_alert_ms: times([]), troubles: count(facts.troubles.length) },
  };
  return { metrics, findings, findingsInAll: findings.length };
}
