import { HopbackError } from '@hopback/sdk/errors';
import { z } from 'zod';
import type { TimerClock } from '@hopback/sdk/internal/runtime';

/** Which way a packet goes: from whoever sent to the relay first on to the target, or back. */
export type RelayDirection = 'toTarget' | 'toSource';

/** Longest duration of a fault: an hour is longer than any timer of SIP or of a traceback, and far below what a Node timer can hold. */
export const MAX_FAULT_MS: number = 3_600_000;
/** Behind how many later datagrams one is held back at most: from three on, receivers that count as TCP does take it for lost. */
export const REORDER_BEHIND_MAX: number = 3;
/** Length of a piece without `chunkBytes`: what one Ethernet frame carries of a TCP stream. */
export const STREAM_PIECE_BYTES: number = 1_460;

const RATE = z.number().min(0).max(1);
const DURATION = z.number().min(0).max(MAX_FAULT_MS);
const NO_RATE = RATE.default(0);
const NO_TIME = DURATION.default(0);
/** Stands for what never comes. */
const NEVER = Number.POSITIVE_INFINITY;

const DatagramFaults = z.strictObject({
  /** How many are lost. */
  lossRate: NO_RATE,
  /** How many arrive twice. */
  duplicationRate: NO_RATE,
  /** How long each is under way. */
  delayMs: NO_TIME,
  /**
   * Up to how much longer each is under way, all durations equally likely. Jitter alone keeps the order, as a queue does: where
   * datagrams follow each other faster than they spread, one that is late makes those behind it late too.
   */
  jitterMs: NO_TIME,
  /** How many are held back until 1 to 3 later ones have passed. */
  reorderRate: NO_RATE,
  /**
   * How much longer one is held back at most, also when nothing passes. Default 100: five packets of 20 ms, which a jitter buffer
   * still notices.
   */
  reorderMs: DURATION.default(100),
  /** How many are the first of an outage, in which nothing gets through in this direction. */
  cutRate: NO_RATE,
  /** An outage begins with the datagram that exceeds so many bytes since the last one, or since these faults were set. 0 or more. */
  cutAfterBytes: z.int().min(0).default(NEVER),
  /** How long an outage lasts. Default 1,000: longer than T1 of SIP (500 ms), so that the first retransmission falls into it. */
  outageMs: DURATION.default(1_000),
});

/**
 * What a relay does to the datagrams of one direction. Rates are probabilities from 0 to 1 for each datagram; durations are
 * milliseconds from 0 to 3,600,000, an hour. What is not given does not happen.
 */
export type DatagramFaults = Readonly<z.input<typeof DatagramFaults>>;

/** Datagram faults, checked, with nothing left open. */
export type DatagramSettings = Readonly<z.output<typeof DatagramFaults>>;

const StreamFaults = z.strictObject({
  /** How long each byte is under way. */
  delayMs: NO_TIME,
  /** Up to how much longer each piece is under way, all durations equally likely. */
  jitterMs: NO_TIME,
  /** In how many pieces, as a probability from 0 to 1, the connection is cut, at any byte of the piece. */
  cutRate: NO_RATE,
  /** The connection is cut behind so many of its bytes, counted from when these faults were set where that is later; 0 is before the first. */
  cutAfterBytes: z.int().min(0).default(NEVER),
  /**
   * How the connection is cut. The bytes before the cut have been handed to the network by then; what was under way in the other
   * direction is dropped, save by `half-close`.
   * - `reset`, the default: RST to both ends, 2 ms after the bytes before. `close`: FIN to both ends, and what either still sends is
   *   thrown away.
   * - `half-close`: FIN to the end that this direction leads to; what else comes for it is thrown away, the other direction lives on.
   */
  cutAs: z.enum(['reset', 'close', 'half-close']).default('reset'),
  /** The stream is sent on in pieces of 1 to so many bytes. Without it pieces are 1,460 bytes long and not kept apart. */
  chunkBytes: z
    .int()
    .min(1)
    .max(2 ** 32)
    .default(NEVER),
  /**
   * How long after one piece the next may follow at the earliest, where there is a `chunkBytes`. Default 1, the smallest gap that a
   * Node timer keeps; a reader that is slower finds several pieces in one read.
   */
  chunkGapMs: DURATION.default(1),
  /** A slow line: so many bytes a second in each connection. More than 0. */
  bytesPerSecond: z.number().positive().default(NEVER),
});

/**
 * What a relay does to the bytes of one direction of each TCP connection. None is lost, doubled or moved before the connection is
 * cut. The bytes are dealt with in pieces; where a piece ends is decided by the seed and not by how the bytes happen to be read.
 * Durations are milliseconds from 0 to 3,600,000, an hour. What is not given does not happen.
 */
export type StreamFaults = Readonly<z.input<typeof StreamFaults>>;

/** Stream faults, checked, with nothing left open; a `chunkBytes` of infinity means no re-segmentation. */
export type StreamSettings = Readonly<z.output<typeof StreamFaults>>;

/** Faults of the two directions. A direction that is not named keeps the faults that it has, which are none at first. */
export interface FaultsByDirection<Faults> {
  readonly toTarget?: Faults;
  readonly toSource?: Faults;
}

/** Settings of both directions. */
export type BothDirections<Settings> = Readonly<Record<RelayDirection, Settings>>;

/** How the faults of one protocol become its settings. */
export interface FaultKind<Settings> {
  /** The settings under which nothing happens. */
  readonly none: Settings;
  /**
   * Settings for both directions of faults that are the same for both or told by direction. All of them are checked before any
   * is answered; throws {@link HopbackError} `invalid-argument` for a name that is not known or a value out of its bounds.
   */
  readonly settle: (faults: unknown, before: BothDirections<Settings>) => BothDirections<Settings>;
}

/** Faults of datagrams. */
export const DATAGRAM_FAULT_KIND: FaultKind<DatagramSettings> = faultKind(DatagramFaults);

/** Faults of streams. */
export const STREAM_FAULT_KIND: FaultKind<StreamSettings> = faultKind(StreamFaults);

function faultKind<Settings>(schema: z.ZodType<Settings>): FaultKind<Settings> {
  const byDirection = z.strictObject({ toTarget: schema.optional(), toSource: schema.optional() });
  return {
    none: schema.parse({}),
    settle: (faults, before) => {
      if (typeof faults === 'object' && faults !== null && ('toTarget' in faults || 'toSource' in faults)) {
        const { toTarget = before.toTarget, toSource = before.toSource } = checked(byDirection, faults);
        return { toTarget, toSource };
      }
      // Two objects: a planner takes settings that are not the ones it had for newly set.
      return { toTarget: checked(schema, faults), toSource: checked(schema, faults) };
    },
  };
}

function checked<Value>(schema: z.ZodType<Value>, given: unknown): Value {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new HopbackError('invalid-argument', `faults${where === '' ? '' : `.${where}`}: ${issue?.message}`);
}

/**
 * What was decided about a packet when it arrived.
 * - `passed`: leaves at once. `delayed`: leaves later. `held`: until others have passed it. `duplicated`: leaves twice.
 * - `lost`: by its loss rate. `cut`: fell into an outage, or came behind the cut of its connection. `paused`: the relay let nothing
 *   through. `refused`: more sources or more bytes under way than the relay takes.
 */
export type PacketAction = 'passed' | 'delayed' | 'held' | 'duplicated' | 'lost' | 'cut' | 'paused' | 'refused';

/** One packet: a datagram, or over TCP bytes that leave together. */
export interface RelayPacket {
  readonly direction: RelayDirection;
  /** Which source address or connection it belongs to, counted from 0 in order of appearance; -1 for a source that was refused. */
  readonly source: number;
  /** Of datagrams, counted from 0 in their direction; of bytes, from 0 in the direction of their connection. */
  readonly number: number;
  readonly action: PacketAction;
  readonly sizeBytes: number;
  /** When it arrived, in milliseconds since the relay began. */
  readonly atMs: number;
  /**
   * When it leaves by the plan, in milliseconds since the relay began: none for one that is dropped, two for one that is doubled.
   * For one that is `held` an observer is told its deadline; the record has when it was let go.
   */
  readonly deliveriesMs: readonly number[];
}

/**
 * Counts of one direction. Packets are datagrams, or over TCP bytes that leave together. At every moment `received` +
 * `duplicated` = `delivered` + `dropped` + `inFlight`.
 */
export interface DirectionCounters {
  /** Packets that reached the relay. */
  readonly received: number;
  /** Packets handed to the network, doubles included. */
  readonly delivered: number;
  /** Packets that will never leave: lost, cut off, paused, refused, or under way when the relay or the connection was closed. */
  readonly dropped: number;
  /** Doubles that were made. */
  readonly duplicated: number;
  /** Packets that were planned to leave later than they came. */
  readonly delayed: number;
  /** Packets that left after one with a higher number. @see RFC 4737 section 3.3 */
  readonly reordered: number;
  /** Outages that began, or connections that this direction cut. */
  readonly cut: number;
  /** Errors that sockets on the side that this direction leads to reported, such as ECONNREFUSED, EPIPE and ECONNRESET. */
  readonly errors: number;
  /** Packets under way. */
  readonly inFlight: number;
  readonly receivedBytes: number;
  readonly deliveredBytes: number;
  readonly droppedBytes: number;
}

/** A change of what the relay does. */
export interface RelayChange<Faults> {
  /** In milliseconds since the relay began. */
  readonly atMs: number;
  readonly kind: 'faults' | 'paused' | 'resumed';
  readonly direction: RelayDirection;
  /** The faults from then on, with defaults filled in and without bounds that are infinite; of `faults` alone. */
  readonly faults?: Faults;
}

/** What was decided about the packets of a relay, as plain data that JSON can hold. */
export interface RelayRecord<Faults> {
  readonly protocol: 'udp' | 'tcp';
  readonly seed: number;
  readonly changes: readonly RelayChange<Faults>[];
  /** In order of arrival, the first ones up to the record's limit. */
  readonly packets: readonly RelayPacket[];
  /** Packets and changes that came when the record was full. */
  readonly omitted: number;
}

/** Packets and changes that are kept unless told otherwise: some seconds of a busy call scenario, a few megabytes. */
export const RECORD_LIMIT_DEFAULT = 10_000;
/** Most that can be kept: more would fill the memory of a process before a report is written. */
export const RECORD_LIMIT_MAX = 1_000_000;

/** Keeps the counts and the record of one relay. Pure bookkeeping; instants come in as the clock tells them. */
export type RelayLedger = ReturnType<typeof createRelayLedger>;

/** A packet in the record. */
export interface RecordedPacket {
  packet: RelayPacket;
}

type Counts = { -readonly [Name in keyof Omit<DirectionCounters, 'inFlight'>]: number };

/** What a ledger is made with; instants are told to it, and by it, since `startMs`. */
interface RelayLedgerOptions {
  readonly startMs: number;
  readonly recordLimit: number;
  readonly onPacket: ((packet: RelayPacket) => void) | undefined;
}

/** Makes an empty ledger. */
export function createRelayLedger({ startMs, recordLimit, onPacket }: RelayLedgerOptions) {
  const counts: Record<RelayDirection, Counts> = { toTarget: noCounts(), toSource: noCounts() };
  const packets: RecordedPacket[] = [];
  const changes: RelayChange<object>[] = [];
  let omitted = 0;
  const isKept = (): boolean => {
    const hasRoom = packets.length + changes.length < recordLimit;
    if (!hasRoom) omitted += 1;
    return hasRoom;
  };

  return {
    /** Counts an arrival, records it and tells the observer. The answer is for {@link RelayLedger.released}. */
    arrived: (told: RelayPacket): RecordedPacket | undefined => {
      countArrival(counts[told.direction], told);
      const kept = isKept();
      if (!kept && onPacket === undefined) return undefined;
      const packet = sinceStart(told, startMs);
      const entry: RecordedPacket = { packet };
      if (kept) packets.push(entry);
      onPacket?.(packet);
      return entry;
    },
    /** A packet that was held leaves earlier than was said. */
    released: (entry: RecordedPacket | undefined, atMs: number) => {
      if (entry === undefined) return;
      const { packet } = entry;
      entry.packet = { ...packet, deliveriesMs: packet.deliveriesMs.map(() => atMs - startMs) };
    },
    delivered: (direction: RelayDirection, sizeBytes: number) => {
      counts[direction].delivered += 1;
      counts[direction].deliveredBytes += sizeBytes;
    },
    dropped: (direction: RelayDirection, number: number, bytes: number) => {
      counts[direction].dropped += number;
      counts[direction].droppedBytes += bytes;
    },
    count: (direction: RelayDirection, what: 'reordered' | 'cut' | 'errors') => void (counts[direction][what] += 1),
    changed: (change: RelayChange<object>) => {
      if (isKept()) changes.push({ ...change, atMs: change.atMs - startMs });
    },
    counters: (): Readonly<Record<RelayDirection, DirectionCounters>> => ({
      toTarget: withInFlight(counts.toTarget),
      toSource: withInFlight(counts.toSource),
    }),
    record: (): Omit<RelayRecord<object>, 'protocol' | 'seed'> => ({
      packets: packets.map(({ packet }) => packet),
      changes: [...changes],
      omitted,
    }),
  };
}

function countArrival(counts: Counts, { deliveriesMs, sizeBytes, atMs }: RelayPacket): void {
  counts.received += 1;
  counts.receivedBytes += sizeBytes;
  const [first] = deliveriesMs;
  if (first === undefined) {
    counts.dropped += 1;
    counts.droppedBytes += sizeBytes;
    return;
  }
  counts.duplicated += deliveriesMs.length - 1;
  if (first > atMs) counts.delayed += 1;
}

function sinceStart(packet: RelayPacket, startMs: number): RelayPacket {
  return {
    ...packet,
    atMs: packet.atMs - startMs,
    deliveriesMs: packet.deliveriesMs.map((atMs) => atMs - startMs),
  };
}

function noCounts(): Counts {
  return {
    received: 0,
    delivered: 0,
    dropped: 0,
    duplicated: 0,
    delayed: 0,
    reordered: 0,
    cut: 0,
    errors: 0,
    receivedBytes: 0,
    deliveredBytes: 0,
    droppedBytes: 0,
  };
}

function withInFlight(counts: Counts): DirectionCounters {
  return { ...counts, inFlight: counts.received + counts.duplicated - counts.delivered - counts.dropped };
}

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
interface RelayControls<Settings> {
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
