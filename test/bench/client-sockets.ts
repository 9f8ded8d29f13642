import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const CHANNEL = 'net.client.socket';

/**
 * Counts the sockets that this process opens as a client, each from its making to its end. Node itself reports every socket as it is made, so that
 * none is missed between two looks.
 */
export function countClientSockets() {
  const open = new Set<Socket>();
  let peak = 0;
  let opened = 0;
  const count = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    opened += 1;
    // `close` is told a turn of the event loop after the descriptor has gone; `destroyed` is when it goes.
    for (const earlier of open) if (earlier.destroyed) open.delete(earlier);
    open.add(socket);
    peak = Math.max(peak, open.size);
  };
  subscribe(CHANNEL, count);
  return { peak: () => peak, opened: () => opened, [Symbol.dispose]: () => void unsubscribe(CHANNEL, count) };
}
