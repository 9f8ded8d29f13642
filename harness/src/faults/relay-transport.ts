import type { TimerClock } from '@hopback/sdk/internal';
import type { BothDirections, RelayDirection } from './fault-settings.js';
import type { RelayLedger } from './relay-ledger.js';

/** Where a socket is bound, or leads to. */
export interface RelayAddress {
  /** An IPv4 or IPv6 address; names are not resolved. */
  readonly host: string;
  readonly port: number;
}

/** What a transport works with; the relay around it changes `controls` while it runs. */
export interface RelayContext<Settings> {
  readonly seed: number;
  readonly listen: RelayAddress;
  readonly target: RelayAddress;
  readonly maxSources: number;
  readonly clock: TimerClock;
  readonly ledger: RelayLedger;
  readonly controls: RelayControls<Settings>;
}

/** What the relay does at present. */
export interface RelayControls<Settings> {
  settings: BothDirections<Settings>;
  readonly isPaused: Record<RelayDirection, boolean>;
}

/** The sockets of a running relay. */
export interface RelayTransport {
  /** Where it is bound. */
  readonly address: RelayAddress;
  readonly openSources: () => number;
  /** Has a look at `isPaused`, which has changed. */
  readonly pausedOrResumed: () => void;
  /** Resolves when no socket is open any more. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Asked for by every UDP socket: the usual 208 KiB of Linux overflow in a burst of a few hundred datagrams, and what the kernel
 * drops is in no count. The kernel gives less where net.core.rmem_max says so.
 */
export const SOCKET_BUFFER_BYTES: number = 4 * 1024 * 1024;
/** Most bytes of datagrams under way in one direction: a second of 20,000 datagrams of 1,400 bytes, twice over. What comes on top is refused. */
export const MAX_IN_FLIGHT_BYTES: number = 64 * 1024 * 1024;
/** Bytes of one direction of a connection under way before the relay stops reading: as much as a large TCP window. */
export const STREAM_WINDOW_BYTES: number = 4 * 1024 * 1024;
