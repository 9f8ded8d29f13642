import type { Socket } from 'node:net';
import { createFrameReader, framed } from './frames.js';

/** The connection of one application. */
export interface AppConnection {
  readonly id: number;
  readonly isAuthenticated: () => boolean;
  readonly setAuthenticated: () => void;
  readonly isOpen: () => boolean;
  /** Queues a payload; those of one turn of the event loop leave together. Never throws. */
  readonly send: (payload: string) => void;
  /** Octets that wait for the application to read. */
  readonly backlogBytes: () => number;
  /** Closes it behind what was queued. */
  readonly close: () => void;
}

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
export function adoptApp(socket: Socket, { id, maxBacklogBytes, user }: AppConnectionParts): AppConnection {
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
  const app: AppConnection = {
    id,
    isAuthenticated: () => isAuthenticated,
    setAuthenticated: () => {
      isAuthenticated = true;
    },
    isOpen: () => !isClosing && !socket.destroyed,
    send: (payload) => {
      if (isClosing) return;
      queued += framed(payload);
      if (queued.length + socket.writableLength > maxBacklogBytes) socket.destroy();
      else schedule();
    },
    backlogBytes: () => queued.length + socket.writableLength,
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
export interface AppDirectory {
  readonly add: (app: AppConnection) => void;
  readonly remove: (app: AppConnection) => void;
  /** Asking twice for the same verb is asking once. */
  readonly route: (app: AppConnection, verb: string) => void;
  /** Forgets all verbs of an application. */
  readonly removeRoutes: (app: AppConnection) => void;
  /** The next application in turn that wants a verb and has said the secret, or undefined. */
  readonly next: (verb: string) => AppConnection | undefined;
  readonly all: () => readonly AppConnection[];
}

/** Makes an empty directory. */
export function createAppDirectory(): AppDirectory {
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
    add: (app) => void apps.add(app),
    remove: (app) => {
      apps.delete(app);
      removeRoutes(app);
    },
    route: (app, verb) => {
      const takers = byVerb.get(verb) ?? [];
      if (!takers.includes(app)) byVerb.set(verb, [...takers, app]);
    },
    removeRoutes,
    next: (verb) => {
      const takers = (byVerb.get(verb) ?? byVerb.get(EVERY_VERB))?.filter((taker) => taker.isAuthenticated());
      if (takers === undefined || takers.length === 0) return undefined;
      const turn = turns.get(verb) ?? 0;
      turns.set(verb, turn + 1);
      return takers[turn % takers.length];
    },
    all: () => [...apps],
  };
}
