import type { TimerClock } from '@hopback/sdk/internal/runtime';
import type { Endpoint, Flow, TransportFault } from './flow.js';
import { hostPort } from './flow.js';

/** What a peer may take of a listener for connections. */
export interface ConnectionLimits {
  /** Connections at a time; one more is closed at once. */
  readonly maxConnections: number;
  /** Silence after which a connection without a message on its way is closed. */
  readonly idleMs: number;
  /** Longest time from the first octet of a message to its last. */
  readonly messageMs: number;
  /** Octets that wait for a peer that does not read; beyond it the connection is closed. */
  readonly maxBacklogBytes: number;
}

/**
 * 8,192 connections: two hundred phones for each of forty carriers, and still far from a process's file limit. Ten minutes of silence:
 * RFC 5626 asks for keep-alives every two at most. 32 s a message: by then its transaction has ended. 8 MiB backlog: some
 * thousand messages.
 */
export const CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 8_192,
  idleMs: 600_000,
  messageMs: 32_000,
  maxBacklogBytes: 8 * 1_048_576,
};

/** How often connections are looked over for silence and slowness: one timer for all of them. */
const SWEEP_MS = 1_000;

/** Key and certificate of a listener for TLS or secure WebSockets, as PEM text. */
export interface TlsFiles {
  readonly keyPem: string;
  /** Leaf first, intermediates behind it. */
  readonly certificatePem: string;
  /** Whom to believe on connections that we open; without it peers are not checked, as between test hops with certificates of their own. */
  readonly caPem?: string;
}

/** A connection as the list of all of them sees it. */
export interface Connection extends Flow {
  /** When the last octet came, by the clock. */
  readonly lastHeardMs: () => number;
  /** Since when a message has been incomplete, or undefined. */
  readonly incompleteSinceMs: () => number | undefined;
  /** Closes it for a reason. */
  readonly drop: (fault: TransportFault) => void;
  /** Closes it without one. */
  readonly end: () => void;
}

/** The connections of one listener, found again by where they lead. */
export type Connections = ReturnType<typeof createConnections>;

/** Makes an empty list that looks over its connections for silent and slow peers, once a second. */
export function createConnections(clock: TimerClock, limits: ConnectionLimits) {
  const all = new Set<Connection>();
  const byRemote = new Map<string, Connection>();
  let cancelSweep: (() => void) | undefined;

  const sweep = (): void => {
    cancelSweep = undefined;
    const nowMs = clock.nowMs();
    for (const connection of all) {
      const since = connection.incompleteSinceMs();
      if (since !== undefined && nowMs - since > limits.messageMs) connection.drop('slow-sender');
      else if (nowMs - connection.lastHeardMs() > limits.idleMs) connection.drop('idle');
    }
    watch();
  };
  const watch = (): void => {
    if (all.size > 0) cancelSweep ??= clock.schedule(sweep, SWEEP_MS);
  };

  return {
    size: () => all.size,
    /** False where there are too many: the connection was dropped. */
    add: (connection: Connection) => {
      if (all.size >= limits.maxConnections) {
        connection.drop('too-many-connections');
        return false;
      }
      all.add(connection);
      byRemote.set(hostPort(connection.remote), connection);
      watch();
      return true;
    },
    remove: (connection: Connection) => {
      all.delete(connection);
      const key = hostPort(connection.remote);
      if (byRemote.get(key) === connection) byRemote.delete(key);
      if (all.size > 0) return;
      cancelSweep?.();
      cancelSweep = undefined;
    },
    /** An open connection to an address, whichever side opened it. */
    find: (remote: Endpoint): Connection | undefined => byRemote.get(hostPort(remote)),
    /** Ends all, and the looking over. */
    close: () => {
      for (const connection of all) connection.end();
      cancelSweep?.();
      cancelSweep = undefined;
    },
  };
}
