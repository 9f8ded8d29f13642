import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { CarriedTruth, TrueHop } from '../network/truth/index.js';
import type { ScenarioSharing } from '../scenario/index.js';
import { createSureSuspicion } from './sure-suspicion.js';

/** How many records a provider has to have: not the same where it depends on the instant, and where a call comes in several branches. */
export interface ExpectedRecords {
  readonly least: number;
  /** Of `least`, those that reach the platform in any case, by what their provider shares. */
  readonly shared: number;
  readonly most: number;
}

/** Counts the records that calls should leave behind. */
export interface RecordsCount {
  /** `wasAnswered`: the caller got 200, so that the call came through every hop, whatever depended on the instant. */
  readonly add: (call: PlannedCall, truth: CarriedTruth, wasAnswered: boolean) => void;
  readonly of: (provider: string) => ExpectedRecords;
}

/** How long after its end a call is written down, milliseconds: with a switch that crashes until then, it may be lost. */
const WRITING_MS = 5_000;

/** Starts to count, for the providers of a plan. */
export function createRecordsCount({ providers, scenario }: NetworkPlan): RecordsCount {
  const counts = new Map<string, { least: number; shared: number; most: number }>();
  const sharing = new Map<string, ScenarioSharing>();
  const isSuspicious = createSureSuspicion();
  const forking = new Set<string>();
  const crashing = new Map<string, readonly { readonly fromMs: number; readonly untilMs: number }[]>();
  for (const { id, behaviours, shares } of providers) {
    counts.set(id, { least: 0, shared: 0, most: 0 });
    if (scenario.platform !== undefined) sharing.set(id, shares);
    if (behaviours.some(({ kind }) => kind === 'forks')) forking.add(id);
    const crashes = behaviours.filter(({ kind }) => kind === 'crashes');
    if (crashes.length > 0)
      crashing.set(
        id,
        crashes.map(({ fromSeconds = 0, untilSeconds = Infinity }) => ({
          fromMs: fromSeconds * 1_000,
          untilMs: untilSeconds * 1_000,
        })),
      );
  }
  const isLost = (provider: string, { atMs, durationMs }: PlannedCall): boolean =>
    crashing
      .get(provider)
      ?.some(({ fromMs, untilMs }) => atMs < untilMs && atMs + durationMs + WRITING_MS >= fromMs) === true;
  const isShared = (hop: TrueHop): boolean => {
    const shares = sharing.get(hop.provider) ?? 'nothing';
    return shares === 'suspicious' ? isSuspicious(hop) : shares !== 'nothing';
  };
  return {
    add: (call, { hops }, wasAnswered) => {
      let isForked = false;
      for (const hop of hops) {
        const { provider, record, isCertain } = hop;
        isForked ||= forking.has(provider);
        const count = counts.get(provider);
        if (count === undefined || record === 'none') continue;
        if (record === 'kept' && (isCertain || wasAnswered) && !isLost(provider, call)) {
          count.least += 1;
          if (isShared(hop)) count.shared += 1;
        }
        count.most += isForked ? Infinity : 1;
      }
    },
    of: (provider) => counts.get(provider) ?? { least: 0, shared: 0, most: 0 },
  };
}
