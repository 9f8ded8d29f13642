import type { TimerClock } from '@hopback/sdk/internal';
import { SWEEP_MS, type ConnectionLimits } from './connection-limits.js';
import { hostPort, type Endpoint, type Flow, type TransportFault } from './flow.js';

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
export interface Connections {
  readonly size: () => number;
  /** False where there are too many: the connection was dropped. */
  readonly add: (connection: Connection) => boolean;
  readonly remove: (connection: Connection) => void;
  /** An open connection to an address, whoever opened it. */
  readonly find: (remote: Endpoint) => Connection | undefined;
  /** Ends all, and the looking over. */
  readonly close: () => void;
}

/** Makes an empty list that looks over its connections for silent and slow peers, once a second. */
export function createConnections(clock: TimerClock, limits: ConnectionLimits): Connections {
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
    add: (connection) => {
      if (all.size >= limits.maxConnections) {
        connection.drop('too-many-connections');
        return false;
      }
      all.add(connection);
      byRemote.set(hostPort(connection.remote), connection);
      watch();
      return true;
    },
    remove: (connection) => {
      all.delete(connection);
      const key = hostPort(connection.remote);
      if (byRemote.get(key) === connection) byRemote.delete(key);
      if (all.size > 0) return;
      cancelSweep?.();
      cancelSweep = undefined;
    },
    find: (remote) => byRemote.get(hostPort(remote)),
    close: () => {
      for (const connection of all) connection.end();
      cancelSweep?.();
      cancelSweep = undefined;
    },
  };
}
