import type { PlatformClient, Traceback } from '@hopback/sdk/platform';
import { doingOf, finalNumber } from '../node/index.js';
import { createSeededRandom } from '../../faults/index.js';
import type { Behaviour } from '../../scenario/index.js';
import { callsToTrace, traceInWords } from '../plan/index.js';
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
  /** Digits that the callee was shown, by index of the call. */
  readonly shown: ReadonlyMap<number, string>;
  /** Calls that came to a callee, by index, and when they were placed: of others nobody complains. */
  readonly reached: ReadonlyMap<number, number>;
  readonly onTrouble: (what: string) => void;
}

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** How often it is looked, seldom enough that looking costs no answers; and for how many looks nothing may have changed before clocks are moved on. */
const LOOK_MS = 100;
const CALM_LOOKS = 3;
/** The same where an answer is on its way. */
const AWAITED_LOOKS = 100;
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
  const lateMs = lateAnswers(options.plan);
  const prompt = promptProviders(options.plan);
  const given = new Set<string>();
  await openStaffTracebacks(options);
  let quiet = 0;
  while (performance.now() < untilMs) {
    const tracebacks = await calm(platform.operator, { untilMs, prompt, given });
    const open = tracebacks.filter(({ state }) => state === 'open');
    if (open.length === 0) {
      if (quiet >= QUIET_ROUNDS) return;
      quiet += 1;
      await advance(ROUND_MS);
      continue;
    }
    quiet = Math.min(quiet, 1);
    const due = Math.min(...open.map((one) => dueOf(one, { nowMs: nowMs(), lateMs })));
    await advance(Math.max(ROUND_MS, due - nowMs() + SECOND_MS));
    // Whoever is late is known to be; its neighbours are looked for now.
    await advance(ROUND_MS);
  }
  onTrouble('the platform did not come to an end');
}

/**
 * All tracebacks, once nothing about them has changed for some looks; for more of them where somebody is asked who answers by itself: a machine with
 * much to do is slow, and whoever is slow must not become late by a clock that is moved on. What has not come by then waits for a person.
 */
async function calm(
  client: PlatformClient,
  { untilMs, prompt, given }: { readonly untilMs: number } & Awaiting,
): Promise<readonly Traceback[]> {
  let before = '';
  let awaited: readonly string[] = [];
  let tracebacks: readonly Traceback[] = [];
  let wanted = CALM_LOOKS;
  for (let looks = 0; looks < wanted && performance.now() < untilMs; looks += 1) {
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
    awaited = tracebacks.flatMap((one) => awaitedRequests(one, { prompt, given }));
    wanted = awaited.length > 0 ? AWAITED_LOOKS : CALM_LOOKS;
  }
  for (const requestId of awaited) given.add(requestId);
  return tracebacks;
}

/** Providers that answer by themselves at once, by their ids in the registry. */
function promptProviders({ providers }: NetworkPlan): ReadonlySet<string> {
  const isPrompt = (behaviour: Behaviour): boolean => {
    const { isSilent, answersAfterMs } = doingOf(behaviour);
    return isSilent !== true && answersAfterMs === undefined;
  };
  const prompt = providers.filter(
    ({ answersTracebacks, behaviours }) => answersTracebacks && behaviours.every(isPrompt),
  );
  return new Set(prompt.map(({ providerId }) => providerId));
}

/** Who answers at once, and requests whose answers nobody waits for any more. */
interface Awaiting {
  readonly prompt: ReadonlySet<string>;
  readonly given: Set<string>;
}

/** Requests to those who will answer without anything being due. */
const awaitedRequests = ({ state, hops }: Traceback, { prompt, given }: Awaiting): readonly string[] =>
  hops
    .filter((hop) => state === 'open' && (hop.state === 'asked' || hop.state === 'acknowledged'))
    .filter(({ provider, requestId }) => prompt.has(provider.providerId ?? '') && !given.has(requestId))
    .map(({ requestId }) => requestId);

/** All tracebacks, as staff sees them. */
export async function allTracebacks(client: PlatformClient): Promise<readonly Traceback[]> {
  const all: Traceback[] = [];
  for await (const one of client.tracebacks.iterate({ limit: PAGE })) all.push(one);
  return all;
}

const PAGE = 200;

/**
 * When something becomes of a traceback by itself, milliseconds: an answer is due, or comes from somebody who is late; a day of grace is over; it has
 * waited for a person for long enough.
 */
function dueOf(
  { hops, updatedAt }: Traceback,
  { nowMs, lateMs }: { readonly nowMs: number; readonly lateMs: readonly number[] },
): number {
  const asked = hops.filter(({ state }) => ['asked', 'acknowledged', 'overdue'].includes(state));
  const times = asked.flatMap(({ state, dueAt, issuedAt }) => {
    if (dueAt === undefined || issuedAt === undefined) return [];
    const due = Date.parse(dueAt);
    return [state === 'overdue' ? due + DAY_MS : due, ...lateMs.map((ms) => Date.parse(issuedAt) + ms)];
  });
  const ahead = times.filter((one) => one > nowMs);
  return ahead.length === 0 ? Date.parse(updatedAt) + STALLED_MS : Math.min(...ahead);
}

/** After how long those answer who are late. */
const lateAnswers = ({ providers }: NetworkPlan): readonly number[] =>
  providers.flatMap(({ behaviours }) =>
    behaviours.flatMap((behaviour) => doingOf(behaviour).answersAfterMs?.(behaviour) ?? []),
  );

/** Calls of the plan that staff traces, of those that somebody got: what the scenario asks for, then as the seed draws them of the others. */
async function openStaffTracebacks(options: SettleOptions): Promise<void> {
  const { plan, reached, onTrouble } = options;
  const asked = new Set<PlannedCall>();
  for (const { trace, call } of callsToTrace(plan, ({ index }) => reached.has(index))) {
    if (call === undefined) onTrouble(`${traceInWords(trace)} was to be traced, and none came to its callee`);
    else asked.add(call);
  }
  for (const call of asked) await openTraceback(call, options);
  const count = plan.scenario.platform?.staffTracebacks ?? 0;
  const random = createSeededRandom(plan.seed, 'staff-tracebacks');
  const left = plan.calls.filter((call) => reached.has(call.index) && !asked.has(call));
  for (let drawn = 0; drawn < count && left.length > 0; drawn += 1) {
    const [call] = left.splice(random.int(left.length), 1);
    if (call !== undefined) await openTraceback(call, options);
  }
}

async function openTraceback(call: PlannedCall, { plan, platform, reached, shown }: SettleOptions): Promise<void> {
  const heard = { calling: shown.get(call.index) ?? call.calling, atMs: reached.get(call.index) ?? 0 };
  await platform.operator.tracebacks.create(openingOf(call, plan, heard));
}

/** What a callee can say of a call. */
function openingOf(
  call: PlannedCall,
  { providers }: NetworkPlan,
  { calling, atMs }: { readonly calling: string; readonly atMs: number },
): Parameters<PlatformClient['tracebacks']['create']>[0] {
  const written = new Date(atMs).toISOString();
  const first = providers.find(({ id }) => id === call.way.at(-1));
  return {
    direction: 'back',
    call: {
      ...{ called: finalNumber(call), calling },
      at: { asWritten: written, local: written.slice(0, -1), zone: 'UTC', precision: 'millisecond' },
    },
    ...(first !== undefined && { firstProvider: { providerId: first.providerId, name: first.name } }),
  };
}
