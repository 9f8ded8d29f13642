import type { Socket } from 'node:net';

/** Where drachtio-srf has its socket. None of it is promised: without it there is a connection without a guard. */
export interface SocketHolder {
  readonly app?: {
    readonly client?: {
      readonly wp?: { readonly on: (event: 'connect', listener: (socket: Socket) => void) => void };
    };
  };
}

/** Listener of octets that came. */
type OnData = (octets: Uint8Array) => void;

/**
 * Guards the connection of an `Srf` that has just begun to connect: drachtio-srf throws at octets that are no frame of a drachtio server, from where nobody can
 * catch it, so that whatever else answers at the control port would end the process. Such a connection is closed instead.
 * @returns closes the connection, whether the other side does so too or not
 */
export function guardSocket({ app }: SocketHolder): () => void {
  let guarded: Socket | undefined;
  app?.client?.wp?.on('connect', (socket) => {
    guarded = socket;
    for (const listener of socket.listeners('data') as OnData[]) {
      socket.on('data', caught(listener, socket));
      socket.off('data', listener);
    }
  });
  return () => void guarded?.destroy();
}

const caught =
  (listener: OnData, socket: Socket): OnData =>
  (octets) => {
    try {
      listener(octets);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  };
