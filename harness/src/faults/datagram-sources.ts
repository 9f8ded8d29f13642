import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { TimerClock } from '@hopback/sdk/internal';
import { SOCKET_BUFFER_BYTES } from './relay-transport.js';
import type { RelayAddress } from './relay-transport.js';

/** Somebody who sends to the relay, with a socket of their own towards the target, so that replies find their way back. */
export interface DatagramSource {
  /** In order of appearance, from 0. */
  readonly number: number;
  readonly address: RelayAddress;
  /** Sends to the target. Never throws; `done` is told of an error. */
  readonly send: (octets: Buffer, done: SendDone) => void;
}

/** Called once for every datagram, with the error that kept it from leaving. */
export type SendDone = (error: Error | null) => void;

/** The sources of one relay. */
export interface DatagramSources {
  /** The source of that address, a new one if need be; `undefined` where there are too many. */
  readonly of: (address: RelayAddress) => DatagramSource | undefined;
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

/** What sources are made with. */
export interface DatagramSourcesOptions {
  readonly target: RelayAddress;
  readonly maxSources: number;
  readonly idleMs: number;
  readonly clock: TimerClock;
  readonly onReply: (source: DatagramSource, octets: Buffer) => void;
  /** A socket towards the target reported an error. */
  readonly onError: () => void;
}

/** Keeps the sources by their address, and closes those that are idle. */
export function createDatagramSources(options: DatagramSourcesOptions): DatagramSources {
  const { clock, idleMs, maxSources } = options;
  const sources = new Map<string, OpenSource>();
  const closing = new Set<Promise<void>>();
  let count = 0;
  let cancelSweep: (() => void) | undefined;

  const shut = (key: string, source: OpenSource): void => {
    if (sources.get(key) === source) sources.delete(key);
    const closed = source.close().then(() => void closing.delete(closed));
    closing.add(closed);
  };

  const sweepLater = (): void => {
    const lastActiveMs = [...sources.values()].map((source) => source.lastActiveMs);
    cancelSweep?.();
    cancelSweep = undefined;
    if (lastActiveMs.length === 0) return;
    const dueMs = Math.min(...lastActiveMs) + idleMs;
    cancelSweep = clock.schedule(sweep, Math.max(0, dueMs - clock.nowMs()));
  };

  const sweep = (): void => {
    const nowMs = clock.nowMs();
    for (const [key, source] of sources) if (nowMs - source.lastActiveMs >= idleMs) shut(key, source);
    sweepLater();
  };

  return {
    of: (address) => {
      const key = `${address.host} ${address.port}`;
      let source = sources.get(key);
      if (source === undefined) {
        if (sources.size >= maxSources) return undefined;
        source = openSource({ number: count++, address }, options, (broken) => shut(key, broken));
        sources.set(key, source);
        if (cancelSweep === undefined) sweepLater();
      }
      source.lastActiveMs = clock.nowMs();
      return source;
    },
    open: () => sources.size,
    close: async () => {
      cancelSweep?.();
      for (const [key, source] of sources) shut(key, source);
      await Promise.all(closing);
    },
  };
}

interface OpenSource extends DatagramSource {
  lastActiveMs: number;
  readonly close: () => Promise<void>;
}

/** @param onUnusable - told when the socket could not be connected, as when the process has no file descriptor left */
function openSource(
  { number, address }: Pick<DatagramSource, 'number' | 'address'>,
  { target, clock, onReply, onError }: DatagramSourcesOptions,
  onUnusable: (source: OpenSource) => void,
): OpenSource {
  const socket = createSocket({
    type: isIPv6(target.host) ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
  /** What wants to be sent before the socket is connected, one turn of the event loop later. */
  let waiting: (() => void)[] = [];
  let state: 'connecting' | 'connected' | 'closed' = 'connecting';
  let closed: Promise<void> | undefined;
  const settleWaiting = (): void => {
    const sends = waiting;
    waiting = [];
    for (const send of sends) send();
  };

  const source: OpenSource = {
    number,
    address,
    lastActiveMs: clock.nowMs(),
    send: (octets, done) => {
      if (state === 'connected') socket.send(octets, done);
      else if (state === 'connecting') waiting.push(() => source.send(octets, done));
      else done(new Error('the source is closed'));
    },
    close: () => {
      state = 'closed';
      closed ??= new Promise((resolve) => void socket.close(resolve));
      settleWaiting();
      return closed;
    },
  };

  socket.on('message', (octets) => {
    source.lastActiveMs = clock.nowMs();
    onReply(source, octets);
  });
  // ECONNREFUSED, which ICMP brings for a datagram of before: the socket stays as it is.
  socket.on('error', () => {
    onError();
    if (state === 'connecting') onUnusable(source);
  });
  socket.once('connect', () => {
    if (state === 'connecting') state = 'connected';
    settleWaiting();
  });
  socket.connect(target.port, target.host);
  return source;
}
