import type { Socket } from 'node:net';

/**
 * How long after the last bytes a reset is sent: libuv, and so every peer on Node, takes bytes and a reset that it meets together for
 * bytes and an orderly end.
 */
export const RESET_GAP_MS: number = 2;

/** Closes a connection with RST and drops what was not sent; one that is being set up as soon as it is. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting) {
    socket.once('connect', () => resetSocket(socket));
    return;
  }
  // A reset while a FIN is on its way out is refused by libuv, and Node would leave the socket open.
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
