import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { findMatch } from '../../sdk/dist/traceback/index.js';
import type { TracebackRequest } from '../../sdk/src/contract/traceback-exchange.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import type { MatchOutcome } from '../../sdk/src/traceback/match-outcome.js';
import type { TrunkParty } from '../../sdk/src/traceback/index.js';
import { durations, type Percentiles } from './bench.js';
import { trunksOf, UNSTATED_ZONE } from './traceback-requests.js';
import type { Ground } from './traceback-traffic.js';

// Requests matched with the records of a store, and what of each outcome the figures are made of.

/** Requests that come at a rate at first, and then one after the other in lanes. */
export interface MatchesAsked {
  readonly store: RecordStore;
  readonly ground: Ground;
  readonly requests: readonly TracebackRequest[];
  /** How many of them are sent by the clock. */
  readonly paced: number;
  /** Of those, a second. */
  readonly rate: number;
}

/** What of an outcome is compared with the truth. */
export type MatchBrief = Awaited<ReturnType<typeof briefOf>>;

/** What became of the requests. */
export interface MatchesMeasured {
  readonly outcomes: readonly MatchBrief[];
  /** From when a paced one was to be sent to its outcome, milliseconds. */
  readonly latency: Percentiles;
}

const LANES = 4;
/** Requests before those that are measured: they open the days and compile the code. */
const WARMING = 20;

/** Matches all of them. */
export async function measureMatches({ store, ground, requests, paced, rate }: MatchesAsked): Promise<MatchesMeasured> {
  const directory = trunksOf(ground);
  const options = { defaultZone: UNSTATED_ZONE };
  const times = durations();
  const outcomes: MatchBrief[] = Array.from({ length: requests.length });
  const match = async (at: number): Promise<void> => {
    outcomes[at] = briefOf(await findMatch(requests[at]!, { store, directory, options }));
  };
  for (let at = 0; at < WARMING; at += 1) await match(at);
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: paced }, async (_, at) => {
      const dueMs = startMs + (at * 1_000) / rate;
      await sleep(Math.max(0, dueMs - performance.now()));
      await match(at);
      // From when it was to be sent: a late timer, or a loop that was busy, counts.
      times.record(performance.now() - dueMs);
    }),
  );
  let next = paced;
  const lane = async (): Promise<void> => {
    while (next < requests.length) {
      next += 1;
      await match(next - 1);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { outcomes, latency: times.percentiles() };
}

function briefOf(outcome: MatchOutcome) {
  const candidates =
    outcome.status === 'several' ? outcome.candidates : outcome.status === 'unique' ? [outcome.candidate] : [];
  const named = outcome.status === 'unique' ? nameOf(outcome.candidate.upstream) : undefined;
  return {
    status: outcome.status,
    ...(named !== undefined && { named }),
    amongThree: candidates.slice(0, 3).flatMap(({ legs }) => legs.map(({ recordId }) => recordId)),
    because: outcome.status === 'several' ? outcome.because : [outcome.status],
  };
}

function nameOf(party: TrunkParty | undefined): string | undefined {
  if (party === undefined) return undefined;
  if (party.kind === 'customer') return party.customerId;
  return party.kind === 'provider' ? party.provider.name : party.contact.name;
}
