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

/** Makes an empty list. */
export function createTaps() {
  const taps = new Set<MessageTap>();
  return {
    /** @returns stops the listening */
    add: (tap: MessageTap): (() => void) => {
      taps.add(tap);
      return () => void taps.delete(tap);
    },
    isEmpty: () => taps.size === 0,
    show: (message: TappedMessage) => {
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

/** What a server has received and sent, by method and status. */
export interface MessageCounters {
  readonly received: DirectionCounters;
  readonly sent: DirectionCounters;
  /** Messages that were sent again, by a timer or because the other side repeated itself. */
  readonly retransmissions: number;
  /** Messages that were answered or dropped for a fault of their own, by fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** INVITEs that were refused because there were too many. */
  readonly overloaded: number;
}

/** Messages of one direction. */
export interface DirectionCounters {
  /** By method: `INVITE`, `ACK`, …; what is not known to SIP counts as `other`. */
  readonly requests: Readonly<Record<string, number>>;
  /** By status: `180`, `200`, … */
  readonly responses: Readonly<Record<string, number>>;
}

/** Makes counters that stand at nothing. */
export function createCounters() {
  const received = new Map<string, number>();
  const sent = new Map<string, number>();
  const faults = new Map<string, number>();
  let retransmissions = 0;
  let overloaded = 0;
  return {
    countReceived: (name: string) => add(received, name),
    countSent: (text: string) =>
      add(sent, text.startsWith('SIP/2.0 ') ? text.slice(8, 11) : text.slice(0, text.indexOf(' '))),
    countRetransmission: () => {
      retransmissions += 1;
    },
    countFault: (fault: string) => add(faults, fault),
    countOverload: () => {
      overloaded += 1;
    },
    snapshot: (): MessageCounters => ({
      received: split(received),
      sent: split(sent),
      retransmissions,
      overloaded,
      faults: Object.fromEntries(faults),
    }),
  };
}

/** Peers invent methods; the table of names does not grow with them. */
const METHODS: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'PRACK',
  'UPDATE',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'PUBLISH',
]);

function add(counts: Map<string, number>, raw: string): void {
  const name = METHODS.has(raw) || raw.length === 3 || raw.includes('-') ? raw : 'other';
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function split(counts: ReadonlyMap<string, number>): DirectionCounters {
  const requests: Record<string, number> = {};
  const responses: Record<string, number> = {};
  for (const [name, count] of counts) (/^\d/.test(name) ? responses : requests)[name] = count;
  return { requests, responses };
}
