import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Counts the sockets that this process opens as a client, each from its making to its end. */
export interface ClientSockets extends Disposable {
  /** Most at a time. */
  readonly peak: () => number;
  /** All together. */
  readonly opened: () => number;
}

/** Starts counting; Node itself reports every socket, so that none is missed between two looks. */
export function countClientSockets(): ClientSockets {
  let open = 0;
  let peak = 0;
  let opened = 0;
  const count = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    open += 1;
    opened += 1;
    peak = Math.max(peak, open);
    socket.once('close', () => {
      open -= 1;
    });
  };
  subscribe(CHANNEL, count);
  return { peak: () => peak, opened: () => opened, [Symbol.dispose]: () => void unsubscribe(CHANNEL, count) };
}

const CHANNEL = 'net.client.socket';
