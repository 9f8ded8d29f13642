import type { Socket } from 'node:net';
import { createFrameReader, framed } from './frames.js';

/** The connection of one application. */
export type AppConnection = ReturnType<typeof adoptApp>;

/** Who is told what an application does. */
export interface AppConnectionUser {
  readonly onPayload: (app: AppConnection, payload: string) => void;
  readonly onClosed: (app: AppConnection) => void;
}

/** What a connection is made with. */
export interface AppConnectionParts {
  readonly id: number;
  /** An application that leaves more unread is cut off. */
  readonly maxBacklogBytes: number;
  readonly user: AppConnectionUser;
}

/**
 * Takes the connection of an application over. Frames are gathered until the loop has handled what it read, since one write of
 * many frames costs hardly more than a write of one.
 */
export function adoptApp(socket: Socket, { id, maxBacklogBytes, user }: AppConnectionParts) {
  const reader = createFrameReader();
  let queued = '';
  let isScheduled = false;
  let isAuthenticated = false;
  let isClosing = false;
  socket.setNoDelay(true);

  const flush = (): void => {
    isScheduled = false;
    const text = queued;
    queued = '';
    if (text !== '' && !socket.destroyed && socket.writable) socket.write(text, 'latin1');
    if (isClosing) socket.end();
  };
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  };
  const app = {
    id,
    isAuthenticated: () => isAuthenticated,
    setAuthenticated: () => {
      isAuthenticated = true;
    },
    isOpen: () => !isClosing && !socket.destroyed,
    /** Queues a payload; those of one turn of the event loop leave together. Never throws. */
    send: (payload: string) => {
      if (isClosing) return;
      queued += framed(payload);
      if (queued.length + socket.writableLength > maxBacklogBytes) socket.destroy();
      else schedule();
    },
    /** Octets that wait for the application to read. */
    backlogBytes: () => queued.length + socket.writableLength,
    /** Closes it behind what was queued. */
    close: () => {
      isClosing = true;
      schedule();
    },
  };
  socket.on('data', (octets: Buffer) => {
    if (isClosing) return;
    const payloads = reader.push(octets.toString('latin1'));
    if (payloads === undefined) {
      socket.destroy();
      return;
    }
    for (const payload of payloads) user.onPayload(app, payload);
  });
  // A reset connection is closed like any other.
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
  socket.on('close', () => {
    isClosing = true;
    user.onClosed(app);
  });
  return app;
}

/** Stands for all of them, for an application that the server connected to. */
export const EVERY_VERB = '*';

/** Which applications want what. */
export type AppDirectory = ReturnType<typeof createAppDirectory>;

/** Makes an empty directory. */
export function createAppDirectory() {
  const apps = new Set<AppConnection>();
  const byVerb = new Map<string, AppConnection[]>();
  const turns = new Map<string, number>();
  const removeRoutes = (app: AppConnection): void => {
    for (const [verb, takers] of byVerb) {
      const others = takers.filter((taker) => taker !== app);
      if (others.length === 0) byVerb.delete(verb);
      else byVerb.set(verb, others);
    }
  };
  return {
    add: (app: AppConnection) => void apps.add(app),
    remove: (app: AppConnection) => {
      apps.delete(app);
      removeRoutes(app);
    },
    /** Asking twice for the same verb is asking once. */
    route: (app: AppConnection, verb: string) => {
      const takers = byVerb.get(verb) ?? [];
      if (!takers.includes(app)) byVerb.set(verb, [...takers, app]);
    },
    /** Forgets all verbs of an application. */
    removeRoutes,
    /** The next application in turn that wants a verb and has said the secret, or undefined. */
    next: (verb: string): AppConnection | undefined => {
      const takers = (byVerb.get(verb) ?? byVerb.get(EVERY_VERB))?.filter((taker) => taker.isAuthenticated());
      if (takers === undefined || takers.length === 0) return undefined;
      const turn = turns.get(verb) ?? 0;
      turns.set(verb, turn + 1);
      return takers[turn % takers.length];
    },
    all: (): readonly AppConnection[] => [...apps],
  };
}
