import { DrachtioServer, type DrachtioServerOptions, type MessageTap } from '@hopback/harness/drachtio';
import { ManualClock } from '@hopback/sdk/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { connectApp, type AppRequest, type AppResponse } from './drachtio-app.js';
import { createInbox } from './drachtio-inbox.js';
import { connectRawApp, type RawAppOptions } from './drachtio-raw-app.js';
import { createSipPeer, TRANSPORTS, type PeerTransport, type SipPeer } from './sip-peer.js';

export type DrachtioLab = Awaited<ReturnType<typeof createLab>>;
/** An application whose requests the test takes one by one. */
export type LabApp = Awaited<ReturnType<DrachtioLab['app']>>;

/** A request that the test answers. */
export interface Taken {
  readonly req: AppRequest;
  readonly res: AppResponse;
}

/** Settings of {@link createLab}: the server's, but for where it listens, which is everywhere. */
export type LabOptions = Omit<DrachtioServerOptions, 'clock'> & { readonly clock?: ManualClock };

let tap: MessageTap | undefined;

/** Shows every message of laboratories that are opened from now on, or no more of them. */
export function tapLabs(shows: MessageTap | undefined): void {
  tap = shows;
}

/** Opens a server on UDP, TCP and WebSocket, under a clock that the test moves. Disposing of it closes all connections. */
export async function createLab(options: LabOptions = {}) {
  const clock = options.clock ?? new ManualClock();
  const server = await DrachtioServer.open({
    listen: TRANSPORTS.map((transport) => ({ transport, host: '127.0.0.1', port: 0 })),
    // Tests speak at once; those of the waiting itself ask for it.
    answerHoldMs: 0,
    ...(tap === undefined ? {} : { onMessage: tap }),
    ...options,
    clock,
  });
  const opened: AsyncDisposable[] = [];
  const peers: SipPeer[] = [];
  const keep = <T extends AsyncDisposable>(one: T): T => {
    opened.push(one);
    return one;
  };
  /** Waits until nothing moves any more at the server: no message, no frame, no change of what it holds. */
  const quiet = (): Promise<void> => untilQuiet([server]);
  const pass = async (ms: number): Promise<void> => {
    await quiet();
    clock.advance(ms);
    await quiet();
  };
  /** Lets all timers of ended calls run out, and expects that the server holds nothing but connections. */
  const callsOver = async (): Promise<void> => {
    await pass(40_000);
    const { connections, applications: _, timers, ...calls } = server.inUse();
    expect(calls).toEqual(NOTHING);
    // One timer per listener looks over its connections.
    expect(timers).toBeLessThanOrEqual(connections === 0 ? 0 : 2);
  };
  return {
    ...{ server, clock, quiet, pass },
    /** Connects an application that takes requests with these methods, in lower case, and leaves them to the test. */
    app: async (...methods: readonly string[]) => {
      const requests = createInbox<Taken>(({ req }) => req.method);
      const connected = keep(
        await connectApp(server, {
          setUp: (srf) => {
            for (const method of methods) srf.use(method, (req, res) => requests.push({ req, res }));
          },
        }),
      );
      // Its routes are on their way.
      await quiet();
      return {
        ...connected,
        next: (method: string): Promise<Taken> =>
          requests.next(`${method} at the application`, ({ req }) => req.method === method),
        untaken: (): readonly string[] => requests.untaken().map(({ req }) => req.method),
      };
    },
    rawApp: async (rawOptions?: RawAppOptions) => keep(await connectRawApp(server, rawOptions)),
    peer: async (transport: PeerTransport = 'udp'): Promise<SipPeer> => {
      const peer = keep(await createSipPeer(server, transport));
      peers.push(peer);
      return peer;
    },
    /** Expects that nothing comes any more to a peer or an application that the test has not taken. */
    nothingMore: async (to: { readonly untaken: () => readonly unknown[] }): Promise<void> => {
      await quiet();
      expect(to.untaken()).toEqual([]);
    },
    callsOver,
    nothingLeft: async (): Promise<void> => {
      await callsOver();
      for (const peer of peers) await peer.close();
      await quiet();
      // What is left are connections between servers, which stay open for the next call.
      const { connections: left, timers: watching, applications: _still, ...nothing } = server.inUse();
      expect(nothing).toEqual(NOTHING);
      expect(watching).toBeLessThanOrEqual(left === 0 ? 0 : 2);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

/** Of the running test, in files that call {@link useLab}: its laboratory, its application, and a peer that speaks UDP. */
export let lab: DrachtioLab;
export let app: LabApp;
export let peer: SipPeer;

/**
 * Gives each test of a file a laboratory. When the test is over, the server must hold nothing any more.
 * @param methods - requests that the application takes; without them there is no application
 */
export function useLab({ methods, ...options }: LabOptions & { readonly methods?: readonly string[] } = {}): void {
  beforeEach(async () => {
    lab = await createLab(options);
    if (methods !== undefined) app = await lab.app(...methods);
    peer = await lab.peer();
  });
  afterEach(async () => {
    await using over = lab;
    await over.nothingLeft();
  });
}

const NOTHING = {
  ...{ serverTransactions: 0, clientTransactions: 0, dialogs: 0, pendingRequests: 0, pendingInvites: 0 },
  ...{ unacknowledged: 0, outgoing: 0, owedAcknowledgements: 0, proxied: 0 },
};

/** Turns of the event loop without a change after which what is on its way over loopback has arrived. */
const QUIET_TURNS = 30;

/** Waits until servers neither send nor receive, nor change what they hold. */
export async function untilQuiet(servers: readonly DrachtioServer[]): Promise<void> {
  const state = (): string => JSON.stringify(servers.map((server) => [server.counters(), server.inUse()]));
  let before = state();
  for (let turns = 0; turns < QUIET_TURNS; turns += 1) {
    await new Promise((resolve) => void setImmediate(resolve));
    const now = state();
    if (now !== before) turns = 0;
    before = now;
  }
}
