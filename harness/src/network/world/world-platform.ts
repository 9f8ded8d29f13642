import type { KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformClient, privateKeyJwt } from '@hopback/sdk/platform';
import type { PlatformScope, ProviderEntry, RouteCallParams, Traceback } from '@hopback/sdk/platform';
import { createTestKey } from '@hopback/sdk/testing';
import { wait } from '@hopback/sdk/internal/runtime';
import { SeededRandom } from '../../faults/index.js';
import type { PlatformLog, ReferencePlatform } from '../../platform/index.js';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourOf } from '../node/behaviours.js';
import { finalNumber } from '../node/call-route.js';
import type { NodeMembership, NodePlatform } from '../node/node-material.js';
import { callsToTrace, traceInWords } from '../plan/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';
import type { WorldClock } from './world.js';

/** Somebody who calls the platform. */
export interface PlatformMember {
  readonly organizationId: string;
  readonly client: PlatformClient;
}

/** The platform of a network, with all its members in. */
export type WorldPlatform = Awaited<ReturnType<typeof openWorldPlatform>>;

/** Rates that no network reaches. */
const UNLIMITED = { perSecond: 1_000_000, burst: 1_000_000 };
/** Everybody who was let in, and who they are, is of that day. */
const FILED_AT = '2026-01-15T00:00:00Z';
const ZONE = 'America/New_York';
const HOME = 'US';

/** Starts the platform of a network, and lets everybody in over its API. */
export async function openWorldPlatform(
  plan: NetworkPlan,
  {
    directory,
    clock,
    onTrouble,
  }: {
    readonly directory: string;
    readonly clock: WorldClock;
    readonly onTrouble: (what: string) => void;
  },
) {
  // Databases and all that: loaded where there is a platform alone.
  const { FIRST_OPERATOR_CLIENT, startReferencePlatform } = await import('../../platform/index.js');
  const reference = await startReferencePlatform({
    clock,
    directory: join(directory, 'platform'),
    database: { memory: true },
    log: troublesOf(onTrouble),
    rates: { perClient: UNLIMITED, perAddress: UNLIMITED },
  });
  try {
    const door = await openDoor(reference, { clock, operatorId: FIRST_OPERATOR_CLIENT });
    const members: Record<string, NodeMembership> = {};
    for (const provider of plan.providers) {
      await door.ask('putProvider', { parameters: { providerId: provider.providerId }, body: entryOf(provider) });
      if (provider.country !== HOME) continue;
      const office = { zone: ZONE, spcs: [provider.spc] };
      await door.ask('setProviderOffice', { parameters: { providerId: provider.providerId }, body: office });
      members[provider.id] = await door.carrier(provider);
    }
    const agencies = new Map<string, PlatformMember>();
    for (const jurisdiction of plan.scenario.platform?.agencies ?? [HOME])
      agencies.set(jurisdiction, await door.agency(jurisdiction));
    const profile = join(directory, 'operator.json');
    const writeProfile = (): Promise<void> =>
      writeOperator(reference, { profile, clientId: FIRST_OPERATOR_CLIENT, clock });
    await writeProfile();
    const forNodes: NodePlatform = {
      baseUrl: reference.url,
      tokenUrl: reference.tokenUrl,
      receiptKeys: reference.receiptKeys,
      members,
    };
    return {
      reference,
      operator: door.operator,
      agencies,
      forNodes,
      /** File by which `hopback-harness` calls it as its operator. */
      profile,
      /** Writes that file anew, with how far the clock of the platform is ahead by now. */
      writeProfile,
      /** Reports what call-blocking apps hear. */
      app: await door.letIn({ kind: 'app', organizationId: 'app-guard', name: 'Call guard' }),
      close: () => reference.close(),
    };
  } catch (error) {
    await reference.close();
    throw error;
  }
}

interface Joining {
  readonly kind: PlatformScope;
  readonly organizationId: string;
  readonly name: string;
  readonly jurisdiction?: string;
  readonly contactEmail?: string;
}

interface Key {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

async function openDoor(
  platform: ReferencePlatform,
  { clock, operatorId }: { readonly clock: WorldClock; readonly operatorId: string },
) {
  const clientOf = async (clientId: string, { keyId, privateKey }: Key): Promise<PlatformClient> =>
    new PlatformClient({
      baseUrl: platform.url,
      clock,
      authorization: await privateKeyJwt({ tokenUrl: platform.tokenUrl, clientId, key: privateKey, keyId, clock }),
    });
  const operator = await clientOf(operatorId, platform.home.operatorKey);
  /** Calls a route as the operator. */
  const ask = async (operationId: string, params: RouteCallParams): Promise<void> => {
    const route = platform.routes.find((one) => one.operationId === operationId);
    if (route === undefined) throw new TypeError(`there is no operation ${operationId}`);
    await operator.call(route, params);
  };
  const enrol = async (joining: Joining) => {
    const { organizationId, name } = joining;
    const keyId = `${organizationId}-key`;
    const { privateKey, privateKeyPem, publicKeyJwk } = createTestKey();
    await ask('registerOrganization', { body: joining });
    const clientId = `${organizationId}-1`;
    const keys = [{ jwk: { ...publicKeyJwk, kid: keyId } }];
    await ask('registerClient', { body: { clientId, organizationId, name, keys } });
    return { clientId, key: { keyId, privateKey }, pem: privateKeyPem };
  };
  const letIn = async (joining: Joining): Promise<PlatformMember> => {
    const { clientId, key } = await enrol(joining);
    return { organizationId: joining.organizationId, client: await clientOf(clientId, key) };
  };
  return {
    operator,
    ask,
    letIn,
    agency: (jurisdiction: string) => {
      const organizationId = `ag-${jurisdiction.toLowerCase()}`;
      const contactEmail = `robocalls@${organizationId}.example`;
      return letIn({
        kind: 'agency',
        organizationId,
        jurisdiction,
        contactEmail,
        name: `Agency of ${jurisdiction}`,
      });
    },
    carrier: async ({ providerId, name }: PlannedProvider): Promise<NodeMembership> => {
      const { clientId, key, pem } = await enrol({ kind: 'carrier', organizationId: providerId, name });
      const answerKey = createTestKey();
      const answerKeyId = `${providerId}-answers`;
      const jwk = { ...answerKey.publicKeyJwk, kid: answerKeyId };
      await ask('addAnswerKey', { parameters: { providerId }, body: { jwk } });
      return {
        clientId,
        keyId: key.keyId,
        privateKeyPem: pem,
        answerKeyId,
        answerKeyPem: answerKey.privateKeyPem,
      };
    },
  };
}

function entryOf({ id, providerId, name, role, country, spc, stir }: PlannedProvider): ProviderEntry {
  const isAbroad = country !== HOME;
  return {
    format: 'hopback.provider-entry.1',
    providerId,
    businessName: name,
    previousBusinessNames: [],
    otherDbaNames: [],
    country,
    isForeignVoiceServiceProvider: isAbroad,
    isVoiceServiceProvider: isAbroad || role === 'originating' || role === 'ipes' || role === 'terminating',
    isGatewayProvider: role === 'gateway',
    isNonGatewayIntermediateProvider: role === 'transit',
    implementation: stir ? 'complete' : 'none',
    robocallMitigationContact: { name: 'Robocall mitigation', email: `tracebacks@${id}.example` },
    ocns: [],
    spcs: stir ? [spc] : [],
    principals: [],
    affiliates: [],
    ...(!isAbroad && { certified24HoursOn: '2026-01-15' }),
    updatedAt: FILED_AT,
  };
}

/** What the platform says went wrong in it. */
function troublesOf(onTrouble: (what: string) => void): PlatformLog {
  return {
    info: () => undefined,
    warn: () => undefined,
    error: (message, details) => onTrouble(`${message} ${JSON.stringify(details ?? {})}`),
  };
}

/** Keys lie where nobody else reads them. */
const PRIVATE = 0o600;

async function writeOperator(
  { url, home }: ReferencePlatform,
  {
    profile,
    clientId,
    clock,
  }: {
    readonly profile: string;
    readonly clientId: string;
    readonly clock: WorldClock;
  },
): Promise<void> {
  const { keyId, privateKey } = home.operatorKey;
  // A profile names its key from its own folder.
  const keyFile = 'operator-key.pem';
  await writeFile(join(dirname(profile), keyFile), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: PRIVATE,
  });
  const clockAheadMs = clock.nowMs() - Date.now();
  const members = {
    baseUrl: url,
    clientId,
    keyId,
    keyFile,
    clockAheadMs,
  };
  await writeFile(profile, `${JSON.stringify(members, undefined, 2)}\n`, { mode: PRIVATE });
}

/** What has to be done until a platform has nothing left to do. */
interface SettleOptions {
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
    await wait(LOOK_MS);
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
    const { isSilent, answersAfterMs } = behaviourOf(behaviour);
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
    behaviours.flatMap((behaviour) => behaviourOf(behaviour).answersAfterMs?.(behaviour) ?? []),
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
  const random = new SeededRandom(plan.seed, 'staff-tracebacks');
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
      called: finalNumber(call),
      calling,
      at: { asWritten: written, local: written.slice(0, -1), zone: 'UTC', precision: 'millisecond' },
    },
    ...(first !== undefined && { firstProvider: { providerId: first.providerId, name: first.name } }),
  };
}
