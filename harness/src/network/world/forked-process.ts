import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HopbackError } from '@hopback/sdk/errors';
import { schedule } from '@hopback/sdk/internal/runtime';
import { createCallRoutes } from '../node/call-route.js';
import { openNode } from '../node/node.js';
import type { HopNote, SrfControl } from '../node/srf-face.js';
import type { NetworkNode, NodeAnswering, NodeBooks, NodePeers } from '../node/node.js';
import type { NodeMaterial, RunStart } from '../node/node-material.js';
import type { NetworkPlan } from '../plan/index.js';
import type { CallEnds, CallEndsOrder, PlacedCall, ReachedCall } from './callers.js';
import { WorldClock } from './world.js';
import type { SeenMessage, WorldOptions } from './world.js';

/** A question to another process of a network. */
interface ForkedQuestion {
  readonly id: number;
  readonly method: string;
  readonly argument?: unknown;
}

/** What another process says: an answer, or what it tells by itself, several at once. */
type ForkedMessage =
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly value?: unknown;
    }
  | {
      readonly kind: 'failure';
      readonly id: number;
      readonly message: string;
    }
  | { readonly kind: 'told'; readonly told: readonly unknown[] };

/** As they are compiled, where both the sources and what is compiled of them find them. */
const COMPILED = '../../../dist/network/world/';
/** How long a process may take to close before it is ended, milliseconds. */
const CLOSING_MS = 10_000;

/**
 * Starts a process of a network.
 * @param script - name of its compiled file, which calls `answerParent`
 * @param onTold - gets what it tells by itself, one after the other
 */
async function forkProcess(script: string, onTold: (told: unknown) => void) {
  const child = fork(fileURLToPath(new URL(`${COMPILED}${script}`, import.meta.url)), [], {
    // What a debugger or a test runner gave to this process is not for that one.
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const asked = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  let isGone = false;
  const gone = (): void => {
    isGone = true;
    for (const { reject } of asked.values()) reject(lost());
    asked.clear();
  };
  child.once('exit', gone);
  child.on('error', gone);
  child.on('message', (word: ForkedMessage) => {
    if (word.kind === 'told') {
      for (const told of word.told) onTold(told);
      return;
    }
    const question = asked.get(word.id);
    asked.delete(word.id);
    if (word.kind === 'answer') question?.resolve(word.value);
    else question?.reject(new HopbackError('internal', word.message));
  });
  let ids = 0;
  const ask = <Value>(method: string, argument?: unknown): Promise<Value> => {
    if (isGone) return Promise.reject(lost());
    ids += 1;
    const id = ids;
    return new Promise<Value>((resolve, reject) => {
      asked.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, method, argument } satisfies ForkedQuestion);
    });
  };
  await once(child, 'spawn');
  return {
    /** Rejects with `internal` where the method does, and with `unavailable` once the process is gone. */
    ask,
    /** Asks it to `close`, and waits until it has ended. Never rejects. */
    close: async () => {
      if (isGone) return;
      const exited = once(child, 'exit');
      const cancel = schedule(() => child.kill('SIGKILL'), CLOSING_MS);
      await ask('close').catch(() => undefined);
      if (child.connected) child.disconnect();
      await exited;
      cancel();
    },
  };
}

const lost = (): HopbackError => new HopbackError('unavailable', 'a process of the network has ended');

/** What a process can be asked, by name. */
type AskedMethods = Readonly<Record<string, (argument: unknown) => Promise<unknown>>> & {
  /** Asked, or called when nobody is there to ask any more; the process ends behind it. */
  readonly close: () => Promise<void>;
};

/** What is told by itself goes together: one message of the process for each is too many. */
export const TELLING_MS = 20;

const say = (word: ForkedMessage): void => {
  if (process.connected) process.send?.(word);
};

let waiting: unknown[] = [];
const flush = (): void => {
  if (waiting.length === 0) return;
  const told = waiting;
  waiting = [];
  say({ kind: 'told', told });
};

/** Tells the process that has started this one something by itself. */
export function tellParent(told: unknown): void {
  if (waiting.length === 0) schedule(flush, TELLING_MS);
  waiting.push(told);
}

/** Answers what the process that has started this one asks with `forkProcess`. */
export function answerParent(methods: AskedMethods): void {
  process.on('message', ({ id, method, argument }: ForkedQuestion) => {
    const asked = methods[method] ?? (() => Promise.reject(new TypeError(`there is no method ${method}`)));
    asked(argument).then(
      (value) => {
        // What was told before the answer is there before it.
        flush();
        say({ kind: 'answer', id, value });
      },
      (error: unknown) => say({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.on('disconnect', () => {
    void methods.close().finally(() => process.exit());
  });
}

/**
 * A message as one process tells it to another: its members in a row. There are some sixty of a call, and what goes between processes with a name for each
 * member takes more than twice as long.
 */
type ToldMessage = readonly [
  provider: string,
  atMs: number,
  direction: 'in' | 'out',
  transport: string,
  localAddress: string,
  localPort: number,
  remoteAddress: string,
  remotePort: number,
  text: string,
];

/** Puts a message in a row. */
export function toldMessage({ provider, atMs, direction, transport, local, remote, text }: SeenMessage): ToldMessage {
  return [provider, atMs, direction, transport, local.address, local.port, remote.address, remote.port, text];
}

/** The message again. */
function seenMessage(told: ToldMessage): SeenMessage {
  const [provider, atMs, direction, transport, localAddress, localPort, remoteAddress, remotePort, text] = told;
  const local = { address: localAddress, port: localPort };
  const remote = { address: remoteAddress, port: remotePort };
  return {
    provider,
    atMs,
    direction,
    transport,
    local,
    remote,
    text,
  };
}

/** A call that reached the callee, as one process tells it to another: the plan is known to both. */
export type ReachedIndex = Omit<ReachedCall, 'call'> & { readonly index: number };

/** A call that is to be placed, as one process asks another: the plan is known to both, and the call may be made to last as long as somebody wants. */
export type PlacedIndex = Omit<PlacedCall, 'call'> & Pick<PlacedCall['call'], 'index' | 'durationMs'>;

/**
 * Starts a process for whoever calls and is called: a platform that is busy for a tenth of a second in this one keeps no caller waiting.
 * @returns both ends; a call that is placed once the process is gone is one of which nothing was seen
 */
export async function forkCallEnds(order: CallEndsOrder, onReached: (reached: ReachedCall) => void): Promise<CallEnds> {
  const { ask, close } = await forkProcess('ends-process.js', (told) => {
    const { index, ...reached } = told as ReachedIndex;
    const call = order.plan.calls[index];
    if (call !== undefined) onReached({ call, ...reached });
  });
  try {
    return {
      sinks: await ask<CallEnds['sinks']>('open', order),
      register: (phones) => ask('register', phones),
      place: ({ call: { index, durationMs }, address }) =>
        ask('place', { index, durationMs, address } satisfies PlacedIndex),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

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
  const clock = new WorldClock();
  const start: RunStart = { startMs: undefined };
  return {
    open: async ({ plan, material, providers, directory, isTapped, drachtio, listen, aheadMs }) => {
      clock.advance(aheadMs);
      const routes = createCallRoutes(plan);
      for (const id of providers) {
        const provider = plan.providers.find((one) => one.id === id);
        if (provider === undefined) continue;
        const node = await openNode({
          plan,
          provider,
          routes,
          material,
          directory,
          clock,
          start,
          onHop,
          onTrouble: (what) => onTrouble(id, what),
          ...(isTapped && { onMessage: (message) => onMessage({ provider: id, ...message }) }),
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

/** An event of {@link HostEvents} by its name, with what it is told; a message by itself. */
export type HostMessage =
  | { readonly name: 'onHop'; readonly parts: Parameters<HostEvents['onHop']> }
  | { readonly name: 'onTrouble'; readonly parts: Parameters<HostEvents['onTrouble']> }
  | { readonly name: 'onMessage'; readonly message: ToldMessage };

/**
 * Starts a process, and a host in it.
 * @returns the host; its methods reject with `unavailable` once the process is gone
 */
export async function forkNodeHost(events: HostEvents): Promise<NodeHost> {
  const { ask, close } = await forkProcess('host-process.js', (told) => tell(events, told as HostMessage));
  return {
    open: (order) => ask('open', order),
    connect: (peers) => ask('connect', peers),
    begin: (startMs) => ask('begin', startMs),
    advance: (ms) => ask('advance', ms),
    drain: () => ask('drain'),
    answering: () => ask('answering'),
    close,
  };
}

function tell(events: HostEvents, told: HostMessage): void {
  if (told.name === 'onHop') events.onHop(...told.parts);
  else if (told.name === 'onTrouble') events.onTrouble(...told.parts);
  else events.onMessage(seenMessage(told.message));
}
