import { once } from 'node:events';
import { connect } from 'node:net';
import { abortedAfter, scheduleInBackground, wait } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';
import { guardSocket } from './guarded-socket.js';
import type { SrfLike } from './srf-module.js';
import { UsageError } from './usage-error.js';

/** Where a drachtio server is controlled. */
export interface DrachtioAddress {
  readonly host: string;
  readonly port: number;
}

/** What happened to the connection. */
export interface LinkNotice {
  readonly kind: 'connected' | 'unreachable' | 'lost';
  readonly detail: string;
}

/** What a connection is kept up with. */
export interface LinkOptions {
  readonly address: DrachtioAddress;
  readonly secret: string;
  readonly Srf: new () => SrfLike;
  /** Says what is done with requests; called anew for each connection. */
  readonly setUp: (srf: SrfLike) => void;
  readonly onNotice: (notice: LinkNotice) => void;
}

/** A connection to a drachtio server that is made again whenever it is lost. */
export interface DrachtioLink {
  readonly isConnected: () => boolean;
  /** Rejects when there is no use in trying again: the server refuses the secret. Pending otherwise. */
  readonly refused: Promise<never>;
  /** Has the server hand over no more requests with these methods. */
  readonly leave: (methods: readonly string[]) => void;
  readonly close: () => Promise<void>;
}

/** drachtio-server's own when its configuration names none. */
const DEFAULT_PORT = 9022;
/** How long a connection may take: longer than any two machines of one network need. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Between attempts: at first as long as a restart takes at least, in the end so short that nobody waits for it. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** How long the server may take to close a connection that was ended. */
const CLOSE_TIMEOUT_MS = 2_000;

/** @throws {@link UsageError} for what is no `host:port` */
export function drachtioAddress(text: string): DrachtioAddress {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (host !== undefined && number >= 1 && number <= 65_535) return { host, port: number };
  throw new UsageError('--drachtio must be HOST:PORT, an IPv6 address in brackets', [
    `Without a port it is ${String(DEFAULT_PORT)}.`,
  ]);
}

/**
 * Keeps a connection up until it is closed. Its own reconnecting is not left to drachtio-srf: that cannot be called off, and its pauses
 * grow without end.
 */
export function keepConnected(options: LinkOptions): DrachtioLink {
  const stop = new AbortController();
  const state: { srf: SrfLike | undefined } = { srf: undefined };
  const work = keepTrying(options, state, stop.signal);
  const refused = work.then(() => new Promise<never>(() => undefined));
  // Whoever does not wait for it hears of it from others.
  refused.catch(() => undefined);
  return {
    refused,
    isConnected: () => state.srf !== undefined,
    leave: (methods) => methods.forEach((method) => state.srf?.unregisterForMessages(method)),
    async close() {
      stop.abort();
      await work.catch(() => undefined);
    },
  };
}

async function keepTrying(
  options: LinkOptions,
  state: { srf: SrfLike | undefined },
  signal: AbortSignal,
): Promise<void> {
  // One listener for all connections.
  const stopped = whenAborted(signal);
  let pauseMs = FIRST_PAUSE_MS;
  let told: string | undefined;
  while (!signal.aborted) {
    const trouble = (await reach(options.address, signal)) ?? (await runOnce(options, state, stopped));
    // Once for each reason: whoever waits for a server for hours need not read it a thousand times.
    if (trouble !== undefined && trouble !== told && !signal.aborted)
      options.onNotice({ kind: 'unreachable', detail: trouble });
    told = trouble;
    if (trouble === undefined) pauseMs = FIRST_PAUSE_MS;
    await wait(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Whether somebody listens: drachtio-srf cannot be told to give an attempt up, and a process that ends would wait for it. */
async function reach({ host, port }: DrachtioAddress, signal: AbortSignal): Promise<string | undefined> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, abortedAfter(CONNECT_TIMEOUT_MS)]) });
    return undefined;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return `${host}:${String(port)} cannot be reached (${name === 'AbortError' ? 'no answer' : (code ?? name)})`;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/**
 * @returns why it never came up; undefined when it was up
 * @throws {@link HopbackError} `unauthorized` when the server refuses the secret
 */
async function runOnce(
  { address, secret, Srf, setUp, onNotice }: LinkOptions,
  state: { srf: SrfLike | undefined },
  stopped: Promise<undefined>,
): Promise<string | undefined> {
  const place = `${address.host}:${String(address.port)}`;
  const srf = new Srf();
  const ended = new Promise<'ended'>((resolve) => {
    // Without a listener an error would end the process; a connection that failed is closed, too.
    srf.on('error', () => undefined);
    srf.on('close', () => resolve('ended'));
  });
  const connected = new Promise<'up' | Error>((resolve) => {
    srf.on('connect', (error) => resolve(error instanceof Error ? error : 'up'));
  });
  setUp(srf);
  // One attempt: the next is made here.
  srf.connect({ ...address, secret, enablePing: true, reconnect: { maxAttempts: 1 } });
  const cut = guardSocket(srf);
  const opened = await Promise.race([connected, ended, stopped, late(CONNECT_TIMEOUT_MS)]);
  if (opened instanceof Error)
    throw new HopbackError('unauthorized', 'the drachtio server refuses the secret of --secret-file', {
      cause: opened,
    });
  if (opened === 'up') {
    state.srf = srf;
    onNotice({ kind: 'connected', detail: place });
    const how = await Promise.race([ended, stopped]);
    state.srf = undefined;
    if (how === 'ended') onNotice({ kind: 'lost', detail: 'the connection was lost, and is made again' });
  }
  if (opened !== 'ended') await endConnection(srf, ended);
  // Somebody who says nothing would keep a socket for each attempt; what is closed already takes no harm.
  cut();
  return opened === 'up' ? undefined : `${place} does not answer as a drachtio server does`;
}

async function endConnection(srf: SrfLike, ended: Promise<unknown>): Promise<void> {
  try {
    srf.disconnect();
  } catch {
    // It is thrown where the connection is gone.
  }
  await Promise.race([ended, late(CLOSE_TIMEOUT_MS)]);
}

/** A wait that keeps no process from its end. */
const late = (delayMs: number): Promise<void> => new Promise((resolve) => void scheduleInBackground(resolve, delayMs));

/** Resolves when a signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
