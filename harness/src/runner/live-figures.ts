import type { CallTruth } from '../network/truth/index.js';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { FoundSoFar } from '../network/world/index.js';
import { hopPairs, hopVerdict } from '../oracle/index.js';
import type { SeenCall } from '../oracle/index.js';
import { latencySummary } from '../report/index.js';
import type { LatencySummary, RunSnapshot } from '../report/index.js';

/** How one provider does, from the beginning of a run. */
export interface LiveHop {
  readonly provider: string;
  readonly calls: number;
  /** Of the hops that found something, or should have, those that found what is true. */
  readonly verdicts: { readonly good: number; readonly of: number };
  /** How long INVITEs were held in the last seconds, milliseconds. */
  readonly heldMs?: LatencySummary;
}

/** Counts of a run that goes on. */
export interface LiveCounts {
  readonly planned: number;
  readonly placed: number;
  readonly unplaced: number;
  readonly ended: number;
  readonly wrong: number;
  readonly up: number;
  readonly verdicts: { readonly good: number; readonly of: number };
}

/** Keeps the figures of a run while it goes on: some counts and the times of the last second, however many calls there are. */
export interface LiveFigures {
  readonly placed: (call: PlannedCall) => void;
  readonly unplaced: (call: PlannedCall) => void;
  readonly ended: (call: SeenCall) => void;
  /** Keeps what the platform has found. */
  readonly find: (found: FoundSoFar) => void;
  readonly found: () => FoundSoFar | undefined;
  readonly counts: () => LiveCounts;
  readonly hops: () => readonly LiveHop[];
  /** Closes the second: figures since the snapshot before. */
  readonly snapshot: (at: { readonly atMs: number; readonly rateFactor: number }) => RunSnapshot;
  readonly snapshots: () => readonly RunSnapshot[];
}

interface HopTally {
  calls: number;
  good: number;
  of: number;
  held: number[];
  last?: LatencySummary;
}

/** Makes figures that stand at nothing. `truthOf` tells what is true of a call. */
export function createLiveFigures(plan: NetworkPlan, truthOf: (index: number) => CallTruth): LiveFigures {
  const counts = { placed: 0, unplaced: 0, ended: 0, wrong: 0, good: 0, of: 0 };
  const hops = new Map<string, HopTally>(plan.providers.map(({ id }) => [id, { calls: 0, good: 0, of: 0, held: [] }]));
  const external = new Set(plan.providers.filter(({ isExternal }) => isExternal === true).map(({ id }) => id));
  const snapshots: RunSnapshot[] = [];
  let setups: number[] = [];
  let phase = plan.calls[0]?.phase ?? '';
  let found: FoundSoFar | undefined;
  const ended = (seen: SeenCall): void => {
    counts.ended += 1;
    const truth = truthOf(seen.index);
    if (seen.finalStatus === undefined || !truth.finalStatus.includes(seen.finalStatus)) counts.wrong += 1;
    if (seen.setupMs !== undefined) setups.push(seen.setupMs);
    for (const pair of hopPairs(truth.hops, seen.hops)) {
      const { provider } = pair.truth;
      const tally = hops.get(provider);
      // A hop of another process may be told of later than the end of its call: what was not seen is judged when all is over.
      if (tally === undefined || pair.seen === undefined || external.has(provider)) continue;
      const verdict = hopVerdict(pair);
      if (verdict !== 'unasked') [counts.of, tally.of] = [counts.of + 1, tally.of + 1];
      if (verdict === 'right') [counts.good, tally.good] = [counts.good + 1, tally.good + 1];
      tally.calls += 1;
      tally.held.push(pair.seen.heldUs / 1_000);
    }
  };
  const snapshot: LiveFigures['snapshot'] = ({ atMs, rateFactor }) => {
    const before = snapshots.at(-1);
    const seconds = (atMs - (before?.atMs ?? 0)) / 1_000;
    const [setupMs, heldMs] = [latencySummary(setups), latencySummary([...hops.values()].flatMap(({ held }) => held))];
    for (const tally of hops.values()) {
      const summary = latencySummary(tally.held);
      if (summary !== undefined) tally.last = summary;
      tally.held = [];
    }
    setups = [];
    const { placed, unplaced, wrong } = counts;
    const made: RunSnapshot = {
      ...{ atMs, phase, rateFactor, placed, unplaced, ended: counts.ended, wrong, up: placed - counts.ended },
      placedPerSecond: seconds > 0 ? (placed - (before?.placed ?? 0)) / seconds : 0,
      ...(setupMs !== undefined && { setupMs }),
      ...(heldMs !== undefined && { heldMs }),
      ...(found !== undefined && { found }),
    };
    snapshots.push(made);
    return made;
  };
  return {
    placed: (call) => {
      counts.placed += 1;
      phase = call.phase;
    },
    unplaced: () => void (counts.unplaced += 1),
    ...{ ended, snapshot, snapshots: () => snapshots },
    find: (given) => void (found = given),
    found: () => found,
    counts: () => {
      const { good, of, placed, unplaced, wrong } = counts;
      const up = placed - counts.ended;
      return { planned: plan.calls.length, placed, unplaced, ended: counts.ended, wrong, up, verdicts: { good, of } };
    },
    hops: () =>
      [...hops].map(([provider, { calls, good, of, last }]) => ({
        ...{ provider, calls, verdicts: { good, of } },
        ...(last !== undefined && { heldMs: last }),
      })),
  };
}
