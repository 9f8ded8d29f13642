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
export const SWEEP_MS = 1_000;
