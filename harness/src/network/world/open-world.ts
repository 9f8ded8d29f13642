import { HopbackError } from '@hopback/sdk/errors';
import type { AppReport, Traceback } from '@hopback/sdk/platform';
import type { Verstat } from '@hopback/sdk/stir';
import { wait } from '@hopback/sdk/internal/runtime';
import type { RunFacts, SeenAlert, SeenAnswer, SeenCall, SeenCampaign, SeenTraceback } from '../../oracle/index.js';
import { finalNumber } from '../node/call-route.js';
import { isDownNow } from '../node/node-material.js';
import type { HopNote } from '../node/srf-face.js';
import type { NodeBooks } from '../node/node.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import { createAwaitedCalls, hopsInOrder, openCallEnds } from './callers.js';
import type { CallerView, ReachedCall } from './callers.js';
import { TELLING_MS, createNodeHost, forkCallEnds, forkNodeHost } from './forked-process.js';
import type { HostEvents, NodeHost, NodePlace } from './forked-process.js';
import { openWorldCertificates } from './world-certificates.js';
import { allTracebacks, openWorldPlatform, settlePlatform } from './world-platform.js';
import type { PlatformMember, WorldPlatform } from './world-platform.js';
import { WorldClock } from './world.js';
import type { FoundSoFar, World, WorldOptions } from './world.js';

const REPORT_ID = /^call-(\d+)$/;
const SECOND_MS = 1_000;
const MS_DIGITS = 1_000;

/** Id of the report of a call. */
const reportIdOf = ({ index }: PlannedCall): string => `call-${String(index)}`;

/** Index of the call that a report is of; undefined for those of others. */
function callOfReport(reportId: string): number | undefined {
  const index = REPORT_ID.exec(reportId)?.[1];
  return index === undefined ? undefined : Number(index);
}

/** What a call-blocking app heard of a call, and says of it. */
function reportOf({ call, atMs, calling, verstat, isRejected }: ReachedCall, plan: NetworkPlan): AppReport {
  const servedBy = plan.providers.find(({ id }) => id === call.way.at(-1))?.name;
  return {
    format: 'hopback.app-report.1',
    reportId: reportIdOf(call),
    app: { name: 'Call guard' },
    calledAt: new Date(atMs).toISOString(),
    called: { shown: 'number', tn: finalNumber(call) },
    ...(calling !== undefined && isNumber(calling) && { calling }),
    ...(verstat !== undefined && { verstat }),
    ...(servedBy !== undefined && { servedBy }),
    action: isRejected ? 'blocked' : 'answered-by-app',
    reason: 'content',
    ...(call.isAnswered && { durationSeconds: Math.round(call.durationMs / MS_DIGITS) }),
    ...(call.transcript !== undefined && { transcript: { text: call.transcript, language: 'en' } }),
  };
}

/** As E.164 has them: what a caller shows that is none is left out. */
const isNumber = (digits: string): boolean => /^[1-9]\d{6,14}$/.test(digits);

/** Opens the sender of reports for the app of the network. A report that cannot be sent is an error of the network. */
function openReportIntake(plan: NetworkPlan, { client }: PlatformMember, onTrouble: (what: string) => void) {
  const pending = new Set<Promise<void>>();
  const reported = new Set<number>();
  const send = async (reached: ReachedCall): Promise<void> => {
    // What was said is known when it was heard.
    const { call } = reached;
    const heardMs = call.isAnswered && !call.isRejected ? call.durationMs : 0;
    await wait(heardMs + SECOND_MS / 10);
    try {
      await client.appReports.create(reportOf(reached, plan));
    } catch (error) {
      onTrouble(`a report was not taken: ${String(error)}`);
    }
  };
  return {
    report: (reached: ReachedCall) => {
      // A call that was forked rings twice, and is one.
      if (reported.has(reached.call.index)) return;
      reported.add(reached.call.index);
      const sending = send(reached).finally(() => pending.delete(sending));
      pending.add(sending);
    },
    /** Resolves when all that was reported is with the platform. */
    sent: async () => {
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}

/** What the platform knows, by the calls of a plan. */
type PlatformFacts = Pick<RunFacts, 'campaigns' | 'alerts' | 'tracebacks'> & {
  /** Records that it has, by id of the provider. */
  readonly received: ReadonlyMap<string, number>;
};

/** How calls of the plan are known. */
interface CallKeys {
  /** Index by record id. */
  readonly byRecord: ReadonlyMap<string, number>;
  /** When calls were placed, by index, milliseconds since the epoch. */
  readonly placed: ReadonlyMap<number, number>;
}

/** Calls of a campaign that are read at most. */
const MAX_CAMPAIGN_CALLS = 1_000_000;
/** Records of calls before and after those of the run are counted too: clocks may be wrong by hours. */
const MARGIN_MS = 86_400_000;

/** Asks the platform, as its staff. */
async function platformFacts(plan: NetworkPlan, platform: WorldPlatform, keys: CallKeys): Promise<PlatformFacts> {
  const { operator, reference, agencies } = platform;
  const campaigns: SeenCampaign[] = [];
  for await (const { campaignId, name, firstSeenAt } of operator.campaigns.iterate({})) {
    const members = await reference.campaignCalls(campaignId, MAX_CAMPAIGN_CALLS);
    const calls = members.flatMap(({ recordId, reportId }) => [
      ...(recordId === undefined ? [] : [keys.byRecord.get(recordId)]),
      ...(reportId === undefined ? [] : [callOfReport(reportId)]),
    ]);
    const known = new Set(calls.filter((index) => index !== undefined));
    campaigns.push({
      campaignId,
      name,
      firstSeenMs: Date.parse(firstSeenAt),
      calls: [...known].toSorted((one, other) => one - other),
    });
  }
  const alerts: SeenAlert[] = [];
  for (const { organizationId, client } of agencies.values())
    for await (const { campaignId, raisedAt } of client.alerts.iterate({}))
      if (campaignId !== undefined) alerts.push({ campaignId, agency: organizationId, atMs: Date.parse(raisedAt) });
  const calls = callIndex(plan, keys);
  const tracebacks = await allTracebacks(operator);
  return {
    campaigns,
    alerts,
    received: await receivedOf(plan, platform),
    tracebacks: tracebacks.map((one) => seenTraceback(one, { plan, indexOf: calls })),
  };
}

async function receivedOf(plan: NetworkPlan, { reference }: WorldPlatform): Promise<ReadonlyMap<string, number>> {
  const received = new Map<string, number>();
  const range = { fromMs: Date.now() - MARGIN_MS, toMs: Date.now() + MARGIN_MS };
  for (const { id, providerId } of plan.providers) received.set(id, await reference.recordCount(providerId, range));
  return received;
}

type IndexOf = (traceback: Traceback) => number | undefined;

/** The call that a traceback is about: by its record, or of those with its numbers the one nearest in time. */
function callIndex({ calls }: NetworkPlan, { byRecord, placed }: CallKeys): IndexOf {
  const byCalled = new Map<string, PlannedCall[]>();
  for (const call of calls) {
    const known = byCalled.get(finalNumber(call));
    if (known === undefined) byCalled.set(finalNumber(call), [call]);
    else known.push(call);
  }
  const number = (written: string | undefined): string => written?.replace(/\D/g, '') ?? '';
  return ({ call }) => {
    const { recordId, called, calling, at } = call;
    if (recordId !== undefined && byRecord.has(recordId)) return byRecord.get(recordId);
    const candidates = (byCalled.get(number(called)) ?? []).filter(({ index }) => placed.has(index));
    const atMs = Date.parse(`${at.local}Z`);
    // Callers may show another number than they began with.
    const apart = ({ index, calling: own }: PlannedCall): number =>
      Math.abs((placed.get(index) ?? 0) - atMs) + (own === number(calling) ? 0 : OTHER_CALLER_MS);
    return candidates.toSorted((one, other) => apart(one) - apart(other))[0]?.index;
  };
}

/** A call of another caller is rather meant where it came so much nearer in time, milliseconds. */
const OTHER_CALLER_MS = 60_000;

function seenTraceback(
  traceback: Traceback,
  { plan, indexOf }: { readonly plan: NetworkPlan; readonly indexOf: IndexOf },
): SeenTraceback {
  const { tracebackId, state, outcome, openedAt, closedAt, hops, campaign } = traceback;
  const idOf = (providerId: string | undefined): string | undefined =>
    plan.providers.find((one) => one.providerId === providerId)?.id;
  const answers = hops.flatMap((hop): readonly SeenAnswer[] => {
    const { arm, issuedAt, answeredAt, upstream, provider } = hop;
    if (arm === undefined || issuedAt === undefined || answeredAt === undefined) return [];
    const named = upstream && (idOf(upstream.providerId) ?? upstream.name);
    return [
      {
        provider: idOf(provider.providerId) ?? provider.name,
        kind: arm,
        afterMs: Date.parse(answeredAt) - Date.parse(issuedAt),
        ...(named !== undefined && { named }),
      },
    ];
  });
  const last = hops.at(-1);
  const provider = idOf(last?.provider.providerId) ?? last?.provider.name;
  return {
    tracebackId,
    state,
    callIndex: indexOf(traceback) ?? -1,
    openedAtMs: Date.parse(openedAt),
    answers,
    ...(outcome !== undefined && { outcome: { kind: outcome, ...(provider !== undefined && { provider }) } }),
    ...(campaign !== undefined && { campaignId: campaign.campaignId }),
    ...(closedAt !== undefined && { concludedAtMs: Date.parse(closedAt) }),
  };
}

/** Items of a page at most. */
const PAGE = 200;

/** Counts what the platform has: campaigns and tracebacks as its staff sees them, and the alerts of each agency. */
async function foundSoFar({ operator, agencies }: WorldPlatform): Promise<FoundSoFar> {
  const campaigns = await countOf(operator.campaigns.iterate({ limit: PAGE }));
  const tracebacks = await allTracebacks(operator);
  let alerts = 0;
  for (const { client } of agencies.values()) alerts += await countOf(client.alerts.iterate({ limit: PAGE }));
  const concluded = tracebacks.filter(({ state }) => state !== 'open').length;
  return {
    campaigns,
    tracebacks: tracebacks.length,
    concluded,
    alerts,
  };
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const item of items) if (item !== undefined) count += 1;
  return count;
}

const ANSWERED = 200;
/** Troubles that are kept. */
const MAX_TROUBLES = 1_000;

/** What comes in about calls, from all sides. */
type WorldNotes = ReturnType<typeof createWorldNotes>;

/** Begins to write down. */
function createWorldNotes() {
  const hops = new Map<number, HopNote[]>();
  const views = new Map<number, CallerView>();
  const verstats = new Map<number, Verstat>();
  /** Digits that the callee was shown. */
  const shown = new Map<number, string>();
  const placed = new Map<number, number>();
  const reached = new Set<number>();
  const troubles: RunFacts['troubles'][number][] = [];
  return {
    placed,
    shown,
    troubles,
    hop: (note: HopNote) => {
      const known = hops.get(note.index);
      if (known === undefined) hops.set(note.index, [note]);
      else known.push(note);
    },
    /** Calls that came to a callee, by index, and when they were placed. At a switch that is not ours a callee is known by having answered. */
    reachedAt: () =>
      new Map([...placed].filter(([index]) => reached.has(index) || views.get(index)?.finalStatus === ANSWERED)),
    reached: ({ call, verstat, calling }: ReachedCall) => {
      reached.add(call.index);
      if (verstat !== undefined) verstats.set(call.index, verstat);
      if (calling !== undefined) shown.set(call.index, calling);
    },
    view: (view: CallerView) => void views.set(view.index, view),
    trouble: (where: string, what: string) => {
      if (troubles.length < MAX_TROUBLES) troubles.push({ where, what });
    },
    call: (index: number): SeenCall => {
      const verstat = verstats.get(index);
      return {
        ...(views.get(index) ?? { index, reasons: [] }),
        hops: hopsInOrder(hops.get(index) ?? []),
        ...(verstat !== undefined && { shownVerstat: verstat }),
        ...(reached.has(index) && { isAtCallee: true }),
      };
    },
  };
}

/** Processes of one network at most. */
const MAX_WORLD_PROCESSES = 64;

/**
 * Opens a network over real SIP on loopback: its providers with their certificates and records, callers and callees, and the platform where the
 * scenario has one. Calls are in real time; days of waiting are not.
 * @param options - the plan, a folder, and what differs
 * @returns the network, up; to be closed, or taken with `await using`
 * @throws {@link HopbackError} `invalid-argument` for a number of processes out of 0 to 64; `invalid-configuration` where an
 * address cannot be bound; `storage-failed` where the folder cannot be used
 * @see docs/decisions/0019-test-network.md
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const { platform: _none, thresholds: _any, ...calls } = await readShippedScenario('three-hops');
 * const plan = planNetwork(calls, { onceOnly: true });
 * const world = await openWorld({ plan, directory });
 * const [seen] = await Promise.all(plan.calls.map((call) => world.place({ ...call, durationMs: 50 })));
 * console.log(seen?.hops.length); // 3
 * await world.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { processes = 0 } = options;
  if (!Number.isInteger(processes) || processes < 0 || processes > MAX_WORLD_PROCESSES)
    throw new HopbackError('invalid-argument', `a network has 0 to ${String(MAX_WORLD_PROCESSES)} processes`);
  const notes = createWorldNotes();
  const closers: (() => Promise<void>)[] = [];
  const keep: Keep = (part) => {
    closers.push(part.close);
    return part;
  };
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) => notes.trouble('world', `it did not close: ${String(error)}`));
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  try {
    const parts = await openParts(options, notes, keep);
    const { platform } = parts;
    const world = new RunningWorld(parts);
    return {
      place: (call) => world.place(call),
      settle: () => world.settle(),
      facts: () => world.facts(),
      ...(platform !== undefined && {
        found: () => foundSoFar(platform),
        platform: { url: platform.reference.url, profile: platform.profile },
      }),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Registers a part to be closed with the network. */
type Keep = <Part extends { readonly close: () => Promise<void> }>(part: Part) => Part;

/** What a network consists of. */
type WorldParts = Awaited<ReturnType<typeof openParts>>;

async function openParts(options: WorldOptions, notes: WorldNotes, keep: Keep) {
  const { plan, directory, processes = 0, onMessage, drachtio = {}, external = {}, listen = {} } = options;
  const clock = new WorldClock();
  const certificates = keep(await openWorldCertificates(plan, options.certificates));
  const onTrouble = (what: string): void => notes.trouble('platform', what);
  const hasPlatform = plan.scenario.platform !== undefined;
  const platform = hasPlatform ? keep(await openWorldPlatform(plan, { directory, clock, onTrouble })) : undefined;
  const reports = platform && openReportIntake(plan, platform.app, (what) => notes.trouble('app', what));
  const onReached = (reached: ReachedCall): void => {
    notes.reached(reached);
    if (reached.call.isReported) reports?.report(reached);
  };
  const ends = keep(await (processes === 0 ? openCallEnds : forkCallEnds)({ plan, listen }, onReached));
  const awaited = keep(createAwaitedCalls(plan));
  const events: HostEvents = {
    onHop: (note) => {
      notes.hop(note);
      awaited.hop(note);
    },
    onTrouble: notes.trouble,
    onMessage: (message) => onMessage?.(message),
  };
  const own = plan.providers.map(({ id }) => id).filter((id) => external[id] === undefined);
  const material = { ...certificates.material, ...(platform !== undefined && { platform: platform.forNodes }) };
  const shared = {
    plan,
    material,
    directory,
    drachtio,
    listen,
    aheadMs: 0,
    isTapped: onMessage !== undefined,
  };
  const hosts: NodeHost[] = [];
  const places: NodePlace[] = [];
  for (const providers of spread(own, Math.max(1, processes))) {
    const host = keep(processes === 0 ? createNodeHost(events) : await forkNodeHost(events));
    hosts.push(host);
    places.push(...(await host.open({ ...shared, providers })));
  }
  const addresses: Readonly<Record<string, string>> = {
    ...Object.fromEntries(places.map(({ id, address }) => [id, address])),
    ...Object.fromEntries(Object.entries(external).map(([id, { uri }]) => [id, uri.replace(/^sips?:/, '')])),
  };
  await Promise.all(hosts.map((host) => host.connect({ providers: addresses, destinations: ends.sinks })));
  await ends.register(Object.fromEntries(places.map(({ id, phones = '' }) => [id, phones])));
  const isForked = processes > 0;
  return {
    plan,
    notes,
    isForked,
    clock,
    certificates,
    platform,
    reports,
    ends,
    awaited,
    hosts,
    addresses,
  };
}

/** Carries the calls of a plan, and knows what was seen of them. */
class RunningWorld {
  readonly #parts: WorldParts;
  #startMs: number | undefined;
  #books: readonly NodeBooks[] = [];

  constructor(parts: WorldParts) {
    this.#parts = parts;
  }

  async place(call: PlannedCall): Promise<SeenCall> {
    const { plan, notes, isForked, awaited, ends, addresses } = this.#parts;
    this.#begin(call);
    if (awaited.isAwaited(call)) {
      const view = await awaited.come(call);
      if (view.placedAtMs !== undefined) notes.placed.set(call.index, view.placedAtMs);
      notes.view(view);
      return notes.call(call.index);
    }
    notes.placed.set(call.index, Date.now());
    const first = plan.providers.find(({ id }) => id === call.way[0]);
    const isDown = isDownNow(first?.behaviours ?? [], { startMs: this.#startMs });
    const address = isDown ? undefined : addresses[first?.id ?? ''];
    const view = await ends.place({ call, address }).catch((error: unknown) => {
      notes.trouble('callers', String(error));
      return undefined;
    });
    if (view !== undefined) notes.view(view);
    // Another process tells of its hops at intervals.
    if (isForked) await wait(2 * TELLING_MS);
    return notes.call(call.index);
  }

  async settle(): Promise<void> {
    const { plan, notes, platform, reports, clock, hosts } = this.#parts;
    const order = plan.providers.map(({ id }) => id);
    const written = (await Promise.all(hosts.map((host) => host.drain()))).flat();
    const placeOf = ({ records }: NodeBooks): number => order.indexOf(records.provider);
    this.#books = written.toSorted((one, other) => placeOf(one) - placeOf(other));
    await reports?.sent();
    if (platform === undefined) return;
    await settlePlatform({
      plan,
      platform,
      reached: notes.reachedAt(),
      shown: notes.shown,
      nowMs: clock.nowMs,
      advance: async (ms) => {
        clock.advance(ms);
        await Promise.all(hosts.map((host) => host.advance(ms)));
      },
      onTrouble: (what) => notes.trouble('platform', what),
    });
    await platform.writeProfile();
  }

  async facts(): Promise<RunFacts> {
    const { plan, notes, platform, hosts } = this.#parts;
    const answering = (await Promise.all(hosts.map((host) => host.answering()))).flat();
    const waiting = answering.flatMap(({ provider, waiting: left }) => left.map((what) => ({ where: provider, what })));
    const byRecord = new Map(this.#books.flatMap(({ recorded }) => recorded));
    const found = platform && (await platformFacts(plan, platform, { byRecord, placed: notes.placed }));
    return {
      startedAtMs: this.#startMs ?? Date.now(),
      endedAtMs: Date.now(),
      troubles: [...notes.troubles, ...waiting],
      answering: answering.map(({ provider, answers }) => ({ provider, ...answers })),
      calls: plan.calls.map(({ index }) => notes.call(index)),
      records: this.#books.map(({ records }) => ({ ...records, received: found?.received.get(records.provider) ?? 0 })),
      campaigns: found?.campaigns ?? [],
      alerts: found?.alerts ?? [],
      tracebacks: found?.tracebacks ?? [],
    };
  }

  /** The run begins with its first call. */
  #begin({ atMs }: PlannedCall): void {
    if (this.#startMs !== undefined) return;
    const { notes, certificates, hosts } = this.#parts;
    const startMs = Date.now() - atMs;
    this.#startMs = startMs;
    certificates.begin();
    for (const host of hosts) void host.begin(startMs).catch((error: unknown) => notes.trouble('world', String(error)));
  }
}

/** Providers in turn over so many processes; none is without any. */
function spread(ids: readonly string[], over: number): readonly (readonly string[])[] {
  const parts = Array.from({ length: Math.max(1, Math.min(over, ids.length)) }, (): string[] => []);
  for (const [index, id] of ids.entries()) parts[index % parts.length]?.push(id);
  return parts;
}
