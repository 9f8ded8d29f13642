import { once } from 'node:events';
import type { Server } from 'node:net';
import { createServer, Socket } from 'node:net';
import type { AppConnection, AppDirectory } from './app-connection.js';
import { adoptApp, EVERY_VERB } from './app-connection.js';
import type { AppCommand, ProxyCommand, SipCommand } from './command.js';
import { parseCommand } from './command.js';
import { responsePayload } from './frames.js';

/**
 * A control connection within a process: two sockets with nothing between them. What one end writes, the other has read when `write` returns; a connection
 * over loopback costs two system calls and a turn of the event loop for the same, and an application that carries calls writes five times for each leg.
 *
 * An end writes from a turn of the event loop of its own, as the server does, or takes what the other end does in answer within its `write`.
 */
class LinkEnd extends Socket {
  #other: LinkEnd | undefined;

  join(other: LinkEnd): void {
    this.#other = other;
    this.once('close', () => {
      this.#other = undefined;
      other.destroy();
    });
  }

  override write(
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    onWritten?: (error?: Error | null) => void,
  ): boolean {
    const done = typeof encoding === 'function' ? encoding : onWritten;
    const other = this.#other;
    if (other === undefined) {
      done?.(new Error('the other end is gone'));
      return false;
    }
    const octets =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')
        : Buffer.from(chunk);
    other.emit('data', octets);
    done?.();
    return true;
  }

  override end(): this {
    return this.destroy();
  }
}

/** Makes both ends of a connection. What closes one closes the other. */
function createInProcessLink(): readonly [Socket, Socket] {
  const ends = [new LinkEnd(), new LinkEnd()] as const;
  ends[0].join(ends[1]);
  ends[1].join(ends[0]);
  return ends;
}

/** Where applications connect. */
export type ControlServer = Awaited<ReturnType<typeof createControlServer>>;

/** What it is made with. */
export interface ControlServerOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly apps: AppDirectory;
  /** What stands behind `OK|` for an application that has authenticated. */
  readonly greeting: () => string;
  readonly frameId: () => string;
  /** Octets that an application may leave unread before it is cut off. */
  readonly maxBacklogBytes: number;
}

/** Who carries commands out. */
export interface ControlUser {
  readonly onSip: (app: AppConnection, command: SipCommand) => void;
  readonly onProxy: (app: AppConnection, command: ProxyCommand) => void;
  readonly onClosed: (app: AppConnection) => void;
}

/**
 * Listens for applications.
 * @throws Error of Node when the address cannot be bound
 */
export async function createControlServer(options: ControlServerOptions, user: ControlUser) {
  const { apps } = options;
  let count = 0;
  const sockets = new Set<Socket>();
  const adopt = (socket: Socket): AppConnection => {
    count += 1;
    sockets.add(socket);
    const app = adoptApp(socket, {
      id: count,
      maxBacklogBytes: options.maxBacklogBytes,
      user: {
        onPayload: (from, payload) => obey(from, parseCommand(payload), { options, user }),
        onClosed: (closed) => {
          sockets.delete(socket);
          apps.remove(closed);
          user.onClosed(closed);
        },
      },
    });
    apps.add(app);
    return app;
  };
  const server = createServer(adopt);
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  return {
    host: options.host,
    port,
    /** The most that waits for any one application to read, octets. */
    backlogBytes: () => apps.all().reduce((most, app) => Math.max(most, app.backlogBytes()), 0),
    /** Connects to an application of this process, which then gets all that comes. */
    connectTo: (application: Server) => {
      const [near, far] = createInProcessLink();
      apps.route(adopt(near), EVERY_VERB);
      application.emit('connection', far);
    },
    /** Closes the listener and every application's connection. */
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Obeying {
  readonly options: ControlServerOptions;
  readonly user: ControlUser;
}

function obey(app: AppConnection, command: AppCommand, { options, user }: Obeying): void {
  const answer = (rest: string): void => app.send(responsePayload(options.frameId(), command.messageId, rest));
  const dismiss = (why: string): void => {
    answer(`NO|${why}`);
    app.close();
  };
  switch (command.kind) {
    case 'authenticate':
      if (command.secret !== options.secret) {
        dismiss('incorrect secret');
        return;
      }
      app.setAuthenticated();
      answer(`OK|${options.greeting()}`);
      return;
    case 'ping':
      answer('OK|pong');
      return;
    case 'route':
      options.apps.route(app, command.verb);
      answer('OK');
      return;
    case 'remove-route':
      options.apps.removeRoutes(app);
      answer('OK');
      return;
    case 'invalid':
      dismiss(command.answer);
      return;
    default:
  }
  if (!app.isAuthenticated()) dismiss('incorrect secret');
  else if (command.kind === 'sip') user.onSip(app, command);
  else user.onProxy(app, command);
}
