import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { CutKind, RelayDirection, StreamSettings } from './fault-settings.js';
import type { RelayContext } from './relay-transport.js';
import { RESET_GAP_MS, resetSocket } from './reset-socket.js';
import { createStreamPump } from './stream-pump.js';
import type { StreamPump, StreamSchedule } from './stream-pump.js';

/** A connection through the relay: two sockets and a pump for each direction. */
export interface StreamConnection {
  readonly pausedOrResumed: () => void;
  /** Drops everything at once. */
  readonly destroy: () => void;
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
}

/** What a connection begins with. */
export interface StreamConnectionOptions {
  readonly client: Socket;
  /** In order of appearance, from 0. */
  readonly number: number;
  readonly schedule: StreamSchedule;
}

/** Connects somebody who came to the target. Never throws; an error of one socket resets the other. */
export function openStreamConnection(
  context: RelayContext<StreamSettings>,
  { client, number, schedule }: StreamConnectionOptions,
): StreamConnection {
  const { clock, ledger } = context;
  const { host, port } = context.target;
  const upstream = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const sockets = { toTarget: upstream, toSource: client };
  const reset = (socket: Socket): void => schedule.add(clock.nowMs() + RESET_GAP_MS, () => resetSocket(socket));
  const pump = (direction: RelayDirection, from: Socket): StreamPump =>
    createStreamPump(context, {
      ...{ direction, source: number, from, to: sockets[direction], schedule },
      onReset: () => reset(sockets[direction]),
      onCut: (as) => {
        ledger.count(direction, 'cut');
        CUTS[as](sockets[direction], { sockets: [client, upstream], abandon, reset });
      },
    });
  const pumps = { toTarget: pump('toTarget', client), toSource: pump('toSource', upstream) };
  const abandon = (): void => {
    pumps.toTarget.abandon();
    pumps.toSource.abandon();
  };
  upstream.on('error', () => {
    ledger.count('toTarget', 'errors');
    pumps.toTarget.abandon();
    pumps.toSource.breakOff();
  });
  client.on('error', () => {
    ledger.count('toSource', 'errors');
    pumps.toSource.abandon();
    pumps.toTarget.breakOff();
  });
  return {
    pausedOrResumed: () => {
      pumps.toTarget.pausedOrResumed();
      pumps.toSource.pausedOrResumed();
    },
    destroy: () => {
      abandon();
      client.destroy();
      upstream.destroy();
    },
    closed: Promise.all([closing(client), closing(upstream)]).then(abandon),
  };
}

interface Both {
  readonly sockets: readonly Socket[];
  readonly abandon: () => void;
  readonly reset: (socket: Socket) => void;
}

/** What a cut does to the socket that its direction leads to, or to both. */
const CUTS: Readonly<Record<CutKind, (to: Socket, both: Both) => void>> = {
  reset: (_to, { sockets, abandon, reset }) => {
    abandon();
    for (const socket of sockets) reset(socket);
  },
  close: (_to, { sockets, abandon }) => {
    abandon();
    for (const socket of sockets) socket.end(() => void socket.destroy());
  },
  'half-close': (to) => void to.end(),
};

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}
