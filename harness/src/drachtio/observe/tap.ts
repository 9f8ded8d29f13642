import type { Endpoint, TransportName } from '../transport/flow.js';

/** A message that passed a server, as ladders and captures need it. */
export interface TappedMessage {
  readonly direction: 'in' | 'out';
  readonly transport: TransportName;
  /** The listener that it came to or that the peer knows us by, also on a connection that we opened from another port. */
  readonly local: Endpoint;
  /** The peer. */
  readonly remote: Endpoint;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The octets as they came or went, one character each; a message of a stream without its neighbours. */
  readonly text: string;
}

/** Listens to messages. It is called in the way of every message: it should be quick, and what it throws is lost. */
export type MessageTap = (message: TappedMessage) => void;

/** Those who listen. */
export interface Taps {
  /** @returns stops the listening */
  readonly add: (tap: MessageTap) => () => void;
  readonly isEmpty: () => boolean;
  readonly show: (message: TappedMessage) => void;
}

/** Makes an empty list. */
export function createTaps(): Taps {
  const taps = new Set<MessageTap>();
  return {
    add: (tap) => {
      taps.add(tap);
      return () => void taps.delete(tap);
    },
    isEmpty: () => taps.size === 0,
    show: (message) => {
      for (const tap of taps) {
        try {
          tap(message);
        } catch {
          // Whoever looks on has no say in the call.
        }
      }
    },
  };
}
