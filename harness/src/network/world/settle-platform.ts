import type { PlatformClient, Traceback, TracebackHop } from '@hopback/sdk/platform';
import { createSeededRandom } from '../../faults/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import type { WorldPlatform } from './world-platform.js';

/** What has to be done until a platform has nothing left to do. */
export interface SettleOptions {
  readonly plan: NetworkPlan;
  readonly platform: WorldPlatform;
  /** Time of the platform's clock, milliseconds. */
  readonly nowMs: () => number;
  /** Moves all clocks on. */
  readonly advance: (ms: number) => Promise<void>;
  /** Calls that were placed, by index, and when. */
  readonly placed: ReadonlyMap<number, number>;
  readonly onTrouble: (what: string) => void;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How often it is looked, and for how many looks nothing may have changed before clocks are moved on. */
const LOOK_MS = 40;
const CALM_LOOKS = 6;
/** Looks for neighbours, and of detection, come each half minute. */
const ROUND_MS = 31 * SECOND_MS;
/** Rounds after the last deadline in which nothing new was begun: detection looks again within a minute. */
const QUIET_ROUNDS = 3;
/** A traceback waits for at most so long for a person. */
const STALLED_MS = 14 * DAY_MS;
/** Longest that all of it may take, milliseconds of the machine. */
const PATIENCE_MS = 120_000;

/**
 * Has the platform come to an end: opens what staff traces, then waits until nothing moves, moves the clock on to what is due next, and so on until all
 * tracebacks are closed and nothing new begins.
 */
export async function settlePlatform(options: SettleOptions): Promise<void> {
  const { platform, advance, nowMs, onTrouble } = options;
  const untilMs = performance.now() + PATIENCE_MS;
  await openStaffTracebacks(options);
  let quiet = 0;
  while (performance.now() < untilMs) {
    const tracebacks = await calm(platform.operator, untilMs);
    const open = tracebacks.filter(({ state }) => state === 'open');
    if (open.length === 0) {
      if (quiet >= QUIET_ROUNDS) return;
      quiet += 1;
      await advance(ROUND_MS);
      continue;
    }
    quiet = Math.min(quiet, 1);
    const due = Math.min(...open.map((one) => dueOf(one, nowMs())));
    await advance(Math.max(ROUND_MS, due - nowMs() + SECOND_MS));
    // Whoever is late is known to be; its neighbours are looked for now.
    await advance(ROUND_MS);
  }
  onTrouble('the platform did not come to an end');
}

/** All tracebacks, once nothing about them has changed for some looks. */
async function calm(client: PlatformClient, untilMs: number): Promise<readonly Traceback[]> {
  let before = '';
  let tracebacks: readonly Traceback[] = [];
  for (let looks = 0; looks < CALM_LOOKS && performance.now() < untilMs; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    tracebacks = await allTracebacks(client);
    const campaigns = await client.campaigns.list({});
    const now = JSON.stringify([
      tracebacks.map(({ tracebackId, state, hops }) => [tracebackId, state, hops.map((hop) => hop.state)]),
      campaigns.items.map(({ campaignId, observedCalls, estimatedVolume }) => [
        campaignId,
        observedCalls,
        estimatedVolume?.reported,
      ]),
    ]);
    if (now !== before) looks = 0;
    before = now;
  }
  return tracebacks;
}

/** All tracebacks, as staff sees them. */
export async function allTracebacks(client: PlatformClient): Promise<readonly Traceback[]> {
  const all: Traceback[] = [];
  for await (const one of client.tracebacks.iterate({ limit: PAGE })) all.push(one);
  return all;
}

const PAGE = 200;

/** When something becomes of a traceback by itself, milliseconds: an answer that is due, a day of grace, the end of waiting. */
function dueOf({ hops, updatedAt }: Traceback, nowMs: number): number {
  const asked = hops.filter(({ state }) => ['asked', 'acknowledged', 'overdue'].includes(state));
  const times = asked.flatMap((hop) => dueOfHop(hop, nowMs));
  return times.length === 0 ? Date.parse(updatedAt) + STALLED_MS : Math.min(...times);
}

/** Those who are late answer at a full hour after they were asked. */
function dueOfHop({ state, dueAt, issuedAt }: TracebackHop, nowMs: number): readonly number[] {
  if (dueAt === undefined || issuedAt === undefined) return [];
  const dueMs = state === 'overdue' ? Date.parse(dueAt) + DAY_MS : Date.parse(dueAt);
  const hours = Math.ceil((nowMs - Date.parse(issuedAt) + MINUTE_MS) / HOUR_MS);
  return [Math.min(dueMs, Date.parse(issuedAt) + Math.max(hours, 1) * HOUR_MS)];
}

/** Calls of the plan that staff traces, as the seed draws them of those that were placed. */
async function openStaffTracebacks({ plan, platform, placed }: SettleOptions): Promise<void> {
  const count = plan.scenario.platform?.staffTracebacks ?? 0;
  const random = createSeededRandom(plan.seed, 'staff-tracebacks');
  const left = plan.calls.filter(({ index }) => placed.has(index));
  for (let drawn = 0; drawn < count && left.length > 0; drawn += 1) {
    const [call] = left.splice(random.int(left.length), 1);
    if (call !== undefined)
      await platform.operator.tracebacks.create(openingOf(call, plan, placed.get(call.index) ?? 0));
  }
}

function openingOf(
  { called, calling, way }: PlannedCall,
  { providers }: NetworkPlan,
  atMs: number,
): Parameters<PlatformClient['tracebacks']['create']>[0] {
  const written = new Date(atMs).toISOString();
  const first = providers.find(({ id }) => id === way.at(-1));
  return {
    direction: 'back',
    call: {
      ...{ called, calling },
      at: { asWritten: written, local: written.slice(0, -1), zone: 'UTC', precision: 'millisecond' },
    },
    ...(first !== undefined && { firstProvider: { providerId: first.providerId, name: first.name } }),
  };
}
