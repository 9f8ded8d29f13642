import type { SeenMessage, WorldOptions } from './world.js';
import { createCallRoutes, openNode } from '../node/index.js';
import type {
  HopNote,
  NetworkNode,
  NodeAnswering,
  NodeBooks,
  NodeMaterial,
  NodePeers,
  RunStart,
  SrfControl,
} from '../node/index.js';
import type { NetworkPlan } from '../plan/index.js';
import { createWorldClock } from './world-clock.js';

/** What providers are opened with. Plain JSON: it may go to another process. */
export interface HostOrder {
  readonly plan: NetworkPlan;
  readonly material: NodeMaterial;
  /** Ids of the providers that this host is for. */
  readonly providers: readonly string[];
  readonly directory: string;
  /** Whether messages are shown. */
  readonly isTapped: boolean;
  readonly drachtio: Readonly<Record<string, SrfControl>>;
  /** Where providers take calls, by id; the others at any free port. */
  readonly listen: NonNullable<WorldOptions['listen']>;
  /** By how much the clock of the platform is ahead of that of the machine, milliseconds. */
  readonly aheadMs: number;
}

/** Where a provider is. */
export interface NodePlace {
  readonly id: string;
  readonly address: string;
  readonly phones?: string;
}

/** Some providers of a network, in this process or another. Each method takes and gives plain JSON. */
export interface NodeHost {
  readonly open: (order: HostOrder) => Promise<readonly NodePlace[]>;
  readonly connect: (peers: NodePeers) => Promise<void>;
  /** The run has begun at that time, milliseconds since the epoch. */
  readonly begin: (startMs: number) => Promise<void>;
  /** The platform's clock has been moved on. */
  readonly advance: (ms: number) => Promise<void>;
  readonly drain: () => Promise<readonly NodeBooks[]>;
  /** How its providers have answered, by their ids. */
  readonly answering: () => Promise<readonly (NodeAnswering & { readonly provider: string })[]>;
  /** Never rejects. */
  readonly close: () => Promise<void>;
}

/** What a host tells by itself. */
export interface HostEvents {
  readonly onHop: (note: HopNote) => void;
  readonly onTrouble: (where: string, what: string) => void;
  readonly onMessage: (message: SeenMessage) => void;
}

/** Makes a host of this process. */
export function createNodeHost({ onHop, onTrouble, onMessage }: HostEvents): NodeHost {
  const nodes: NetworkNode[] = [];
  const clock = createWorldClock();
  const start: RunStart = { startMs: undefined };
  return {
    open: async ({ plan, material, providers, directory, isTapped, drachtio, listen, aheadMs }) => {
      clock.advance(aheadMs);
      const routes = createCallRoutes(plan);
      for (const id of providers) {
        const provider = plan.providers.find((one) => one.id === id);
        if (provider === undefined) continue;
        const node = await openNode({
          ...{ plan, provider, routes, material, directory, clock, start, onHop },
          onTrouble: (what) => onTrouble(id, what),
          ...(isTapped && {
            onMessage: ({ atMs, direction, transport, local, remote, text }) =>
              onMessage({ provider: id, atMs, direction, transport, local, remote, text }),
          }),
          ...(drachtio[id] !== undefined && { drachtio: drachtio[id] }),
          ...(listen[id] !== undefined && { listen: listen[id] }),
        });
        nodes.push(node);
      }
      return nodes.map(({ id, address, phones }) => ({ id, address, ...(phones !== undefined && { phones }) }));
    },
    connect: async (peers) => {
      for (const node of nodes) node.connect(peers);
    },
    begin: async (startMs) => {
      start.startMs = startMs;
      for (const node of nodes) node.begin();
    },
    advance: async (ms) => clock.advance(ms),
    drain: () => Promise.all(nodes.map((node) => node.drain())),
    answering: async () => nodes.map((node) => ({ provider: node.id, ...node.answering() })),
    close: async () => {
      const closed = await Promise.allSettled(nodes.map((node) => node.close()));
      for (const [index, one] of closed.entries())
        if (one.status === 'rejected') onTrouble(nodes[index]?.id ?? '', String(one.reason));
    },
  };
}
