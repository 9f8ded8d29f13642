import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer, ServerOptions } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { HopbackError } from '../../errors.js';
import type { ListenerConfiguration } from '../config/configuration.js';
import { causeText } from '../services/notice.js';
import { pathFrom } from '../services/files.js';
import { createPlainConnections } from './plain-connections.js';
import type { PlainConnections, PlainHandler } from './plain-connections.js';

/** One address that is listened at. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Files of its certificate. */
  readonly files: readonly string[];
  /**
   * Reads the certificate and key anew; connections that are there stay.
   * @returns puts them in force
   * @throws {@link HopbackError} when they cannot be used
   */
  readonly prepare: () => Promise<() => void>;
  /** Takes no more connections, lets requests under way end, and closes what is left after the time. */
  readonly close: (drainMs: number) => Promise<void>;
}

/** Longer than the seconds for which load balancers and switches keep a connection: they end it, so that no request meets one that closes. */
const KEEP_ALIVE_MS = 75_000;
/** For the header of a request: whoever needs longer is no switch. */
const HEADERS_MS = 10_000;
/** For a whole request, a large batch of records over a slow line included. */
const REQUEST_MS = 120_000;

/**
 * Listens.
 * @param configuration - where
 * @param options - the directory that its paths begin at, and what answers
 * @returns the listener, once it listens
 * @throws {@link HopbackError} `invalid-configuration` when the certificate cannot be used, `unavailable` when the address cannot be bound
 */
export async function listen(
  configuration: ListenerConfiguration,
  {
    directory,
    handler,
    plain,
  }: { readonly directory: string; readonly handler: RequestListener; readonly plain?: PlainHandler },
): Promise<Listener> {
  const { host, port, tls } = configuration;
  const timeouts = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const server: Server | TlsServer =
    tls === undefined
      ? createServer({ ...timeouts, noDelay: true }, handler)
      : createTlsServer(
          { ...timeouts, noDelay: true, handshakeTimeout: HEADERS_MS, ...(await usableTls(tls, directory)) },
          handler,
        );
  server.maxRequestsPerSocket = 0;
  const connections =
    plain && takePlain(server, { plain, event: tls === undefined ? 'connection' : 'secureConnection' });
  await listening(server, { host, port });
  const address = server.address() as AddressInfo;
  return {
    host,
    port: address.port,
    isTls: tls !== undefined,
    files: tls === undefined ? [] : filesOf(tls).map((path) => pathFrom(directory, path)),
    async prepare() {
      if (tls === undefined || !('setSecureContext' in server)) return () => undefined;
      const next = await usableTls(tls, directory);
      return () => server.setSecureContext(next);
    },
    close: (drainMs) => closed(server, { drainMs, connections }),
  };
}

const filesOf = ({ certificate, key, clientCa }: NonNullable<ListenerConfiguration['tls']>): readonly string[] =>
  clientCa === undefined ? [certificate, key] : [certificate, key, clientCa];

/**
 * Reads the files of a TLS listener and tries them out.
 * @throws {@link HopbackError} `invalid-configuration` when they cannot be used
 */
export async function usableTls(
  tls: NonNullable<ListenerConfiguration['tls']>,
  directory: string,
): Promise<Awaited<ReturnType<typeof tlsOptions>>> {
  const options = await tlsOptions(tls, directory);
  try {
    createSecureContext(options);
  } catch (cause) {
    throw unusable(causeText(cause), cause);
  }
  return options;
}

async function tlsOptions(
  tls: NonNullable<ListenerConfiguration['tls']>,
  directory: string,
): Promise<Pick<ServerOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized' | 'minVersion'>> {
  const [cert, key, ca] = await Promise.all(
    filesOf(tls).map((path) =>
      readFile(pathFrom(directory, path)).catch((cause: unknown) => {
        throw unusable(`${path} cannot be read`, cause);
      }),
    ),
  );
  if (cert === undefined || key === undefined) throw unusable('no certificate', undefined);
  const own = { cert, key, minVersion: 'TLSv1.2' } as const;
  return ca === undefined ? own : { ...own, ca, requestCert: true, rejectUnauthorized: true };
}

const unusable = (detail: string, cause: unknown): HopbackError =>
  new HopbackError('invalid-configuration', `the TLS certificate of a listener cannot be used: ${detail}`, { cause });

function listening(
  server: Server | TlsServer,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(
        new HopbackError('unavailable', `cannot listen on ${host} port ${String(port)}: ${cause.message}`, {
          ...{ cause, retryable: true },
        }),
      );
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      // From here on an error is one of a single connection that could not be accepted, such as for want of descriptors: others can.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** Connections begin with plain requests; Node's parser gets those on which anything else comes. */
function takePlain(
  server: Server | TlsServer,
  { plain, event }: { readonly plain: PlainHandler; readonly event: 'connection' | 'secureConnection' },
): PlainConnections {
  const connections = createPlainConnections(plain, { keepAliveMs: KEEP_ALIVE_MS, bodyMs: HEADERS_MS });
  const parsers = server.listeners(event) as ((this: typeof server, socket: Socket) => void)[];
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    connections.take(socket, () => {
      for (const parser of parsers) parser.call(server, socket);
    });
  });
  return connections;
}

/**
 * New connections are refused at once. Those that are there are told with their next answer; those on which none is asked for are ended once
 * they have had the time for it, since a request that is on its way to an end that closes is lost.
 */
function closed(
  server: Server | TlsServer,
  { drainMs, connections }: { readonly drainMs: number; readonly connections: PlainConnections | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    const closeIdle = (): void => {
      connections?.closeIdle();
      server.closeIdleConnections();
    };
    let idle: NodeJS.Timeout | undefined;
    const notice = setTimeout(
      () => {
        closeIdle();
        // A connection is idle as soon as its answer has gone out, which nobody tells.
        idle = setInterval(closeIdle, IDLE_CHECK_MS);
      },
      Math.min(NOTICE_MS, drainMs / 2),
    );
    const timer = setTimeout(() => {
      connections?.closeAll();
      server.closeAllConnections();
    }, drainMs);
    // That of http.Server would end idle connections now.
    NetServer.prototype.close.call(server, () => {
      for (const each of [timer, notice, idle]) clearTimeout(each);
      // Stops its looking at connections; that it is closed already is no news.
      server.close(() => undefined);
      resolve();
    });
  });
}

/** In which a connection of a switch that is in use sees another request. */
const NOTICE_MS = 1_000;
const IDLE_CHECK_MS = 50;
