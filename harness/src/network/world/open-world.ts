import { HopbackError } from '@hopback/sdk/errors';
import { isDownNow } from '../node/index.js';
import type { NodeBooks } from '../node/index.js';
import type { PlannedCall } from '../plan/index.js';
import { TELLING_MS } from './answer-parent.js';
import { openReportDesk } from './app-reports.js';
import { createAwaitedCalls } from './awaited-calls.js';
import { openCallEnds } from './call-ends.js';
import type { ReachedCall } from './callees.js';
import { forkCallEnds } from './forked-ends.js';
import { forkNodeHost } from './forked-host.js';
import { foundSoFar } from './found-so-far.js';
import { createNodeHost } from './node-host.js';
import type { HostEvents, NodeHost, NodePlace } from './node-host.js';
import { platformFacts } from './platform-facts.js';
import { settlePlatform } from './settle-platform.js';
import { openWorldCertificates } from './world-certificates.js';
import { createWorldClock } from './world-clock.js';
import { createWorldNotes } from './world-notes.js';
import { openWorldPlatform } from './world-platform.js';
import type { World, WorldOptions } from './world.js';

/** Processes of one network at most. */
export const MAX_WORLD_PROCESSES = 64;

/**
 * Opens a network over real SIP on loopback: its providers with their certificates and records, callers and callees, and the platform where the
 * scenario has one. Calls are in real time; days of waiting are not.
 * @param options - the plan, a folder, and what differs
 * @returns the network, up; to be closed, or taken with `await using`
 * @throws {@link HopbackError} `invalid-argument` for a number of processes out of 0 to {@link MAX_WORLD_PROCESSES}; `invalid-configuration` where an
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
  const { plan, directory, processes = 0, onMessage, drachtio = {}, external = {}, listen = {} } = options;
  if (!Number.isInteger(processes) || processes < 0 || processes > MAX_WORLD_PROCESSES)
    throw new HopbackError('invalid-argument', `a network has 0 to ${String(MAX_WORLD_PROCESSES)} processes`);
  const notes = createWorldNotes();
  const closers: (() => Promise<void>)[] = [];
  const keep = <Part extends { readonly close: () => Promise<void> }>(part: Part): Part => {
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
    const clock = createWorldClock();
    const certificates = keep(await openWorldCertificates(plan, options.certificates));
    const platform =
      plan.scenario.platform === undefined
        ? undefined
        : keep(
            await openWorldPlatform(plan, {
              ...{ directory, clock, onTrouble: (what) => notes.trouble('platform', what) },
            }),
          );
    const desk = platform && openReportDesk(plan, platform.app, (what) => notes.trouble('app', what));
    const onReached = (reached: ReachedCall): void => {
      notes.reached(reached);
      if (reached.call.isReported) desk?.report(reached);
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
    const hosts: NodeHost[] = [];
    const places: NodePlace[] = [];
    for (const providers of spread(own, Math.max(1, processes))) {
      const host = keep(processes === 0 ? createNodeHost(events) : await forkNodeHost(events));
      hosts.push(host);
      const order = {
        plan,
        material,
        providers,
        directory,
        drachtio,
        listen,
        aheadMs: 0,
        isTapped: onMessage !== undefined,
      };
      places.push(...(await host.open(order)));
    }
    const addresses: Readonly<Record<string, string>> = {
      ...Object.fromEntries(places.map(({ id, address }) => [id, address])),
      ...Object.fromEntries(Object.entries(external).map(([id, { uri }]) => [id, uri.replace(/^sips?:/, '')])),
    };
    await Promise.all(hosts.map((host) => host.connect({ providers: addresses, destinations: ends.sinks })));
    await ends.register(Object.fromEntries(places.map(({ id, phones = '' }) => [id, phones])));

    let startMs: number | undefined;
    const begin = (call: PlannedCall): void => {
      if (startMs !== undefined) return;
      startMs = Date.now() - call.atMs;
      certificates.begin();
      for (const host of hosts)
        void host.begin(startMs).catch((error: unknown) => notes.trouble('world', String(error)));
    };
    let books: readonly NodeBooks[] = [];
    const keys = (): Parameters<typeof platformFacts>[2] => ({
      byRecord: new Map(books.flatMap(({ recorded }) => recorded)),
      placed: notes.placed,
    });
    return {
      place: async (call) => {
        begin(call);
        if (awaited.isAwaited(call)) {
          const view = await awaited.come(call);
          if (view.placedAtMs !== undefined) notes.placed.set(call.index, view.placedAtMs);
          notes.view(view);
          return notes.call(call.index);
        }
        notes.placed.set(call.index, Date.now());
        const first = plan.providers.find(({ id }) => id === call.way[0]);
        const address = isDownNow(first?.behaviours ?? [], { startMs }) ? undefined : addresses[first?.id ?? ''];
        const view = await ends.place({ call, address }).catch((error: unknown) => {
          notes.trouble('callers', String(error));
          return undefined;
        });
        if (view !== undefined) notes.view(view);
        // Another process tells of its hops at intervals.
        if (processes > 0) await new Promise((resolve) => setTimeout(resolve, 2 * TELLING_MS));
        return notes.call(call.index);
      },
      settle: async () => {
        const order = plan.providers.map(({ id }) => id);
        const written = (await Promise.all(hosts.map((host) => host.drain()))).flat();
        const placeOf = ({ records }: NodeBooks): number => order.indexOf(records.provider);
        books = written.toSorted((one, other) => placeOf(one) - placeOf(other));
        await desk?.sent();
        if (platform === undefined) return;
        await settlePlatform({
          ...{ plan, platform, reached: notes.reachedAt(), shown: notes.shown, nowMs: clock.nowMs },
          advance: async (ms) => {
            clock.advance(ms);
            await Promise.all(hosts.map((host) => host.advance(ms)));
          },
          onTrouble: (what) => notes.trouble('platform', what),
        });
        await platform.writeProfile();
      },
      facts: async () => {
        const answering = (await Promise.all(hosts.map((host) => host.answering()))).flat();
        const waiting = answering.flatMap(({ provider, waiting: left }) =>
          left.map((what) => ({ where: provider, what })),
        );
        const found = platform && (await platformFacts(plan, platform, keys()));
        return {
          ...{
            startedAtMs: startMs ?? Date.now(),
            endedAtMs: Date.now(),
            troubles: [...notes.troubles, ...waiting],
            answering: answering.map(({ provider, answers }) => ({ provider, ...answers })),
          },
          calls: plan.calls.map(({ index }) => notes.call(index)),
          records: books.map(({ records }) => ({ ...records, received: found?.received.get(records.provider) ?? 0 })),
          ...{ campaigns: found?.campaigns ?? [], alerts: found?.alerts ?? [], tracebacks: found?.tracebacks ?? [] },
        };
      },
      ...(platform !== undefined && {
        found: () => foundSoFar(platform),
        platform: { url: platform.reference.url, profile: platform.profile },
      }),
      ...{ close, [Symbol.asyncDispose]: close },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Providers in turn over so many processes; none is without any. */
function spread(ids: readonly string[], over: number): readonly (readonly string[])[] {
  const parts = Array.from({ length: Math.max(1, Math.min(over, ids.length)) }, (): string[] => []);
  for (const [index, id] of ids.entries()) parts[index % parts.length]?.push(id);
  return parts;
}
