import type { RelayDirection } from './fault-settings.js';

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
export const RECORD_LIMIT_DEFAULT: number = 10_000;
/** Most that can be kept: more would fill the memory of a process before a report is written. */
export const RECORD_LIMIT_MAX: number = 1_000_000;

/** Keeps the counts and the record of one relay. Pure bookkeeping; instants come in as the clock tells them. */
export interface RelayLedger {
  /** Counts an arrival, records it and tells the observer. The answer is for {@link RelayLedger.released}. */
  readonly arrived: (packet: RelayPacket) => RecordedPacket | undefined;
  /** A packet that was held leaves earlier than was said. */
  readonly released: (packet: RecordedPacket | undefined, atMs: number) => void;
  readonly delivered: (direction: RelayDirection, sizeBytes: number) => void;
  readonly dropped: (direction: RelayDirection, packets: number, bytes: number) => void;
  readonly count: (direction: RelayDirection, what: 'reordered' | 'cut' | 'errors') => void;
  readonly changed: (change: RelayChange<object>) => void;
  readonly counters: () => Readonly<Record<RelayDirection, DirectionCounters>>;
  readonly record: () => Omit<RelayRecord<object>, 'protocol' | 'seed'>;
}

/** A packet in the record. */
export interface RecordedPacket {
  packet: RelayPacket;
}

type Counts = { -readonly [Name in keyof Omit<DirectionCounters, 'inFlight'>]: number };

/** What a ledger is made with; instants are told to it, and by it, since `startMs`. */
export interface RelayLedgerOptions {
  readonly startMs: number;
  readonly recordLimit: number;
  readonly onPacket: ((packet: RelayPacket) => void) | undefined;
}

/** Makes an empty ledger. */
export function createRelayLedger({ startMs, recordLimit, onPacket }: RelayLedgerOptions): RelayLedger {
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
    arrived: (told) => {
      countArrival(counts[told.direction], told);
      const kept = isKept();
      if (!kept && onPacket === undefined) return undefined;
      const packet = sinceStart(told, startMs);
      const entry: RecordedPacket = { packet };
      if (kept) packets.push(entry);
      onPacket?.(packet);
      return entry;
    },
    released: (entry, atMs) => {
      if (entry === undefined) return;
      const { packet } = entry;
      entry.packet = { ...packet, deliveriesMs: packet.deliveriesMs.map(() => atMs - startMs) };
    },
    delivered: (direction, sizeBytes) => {
      counts[direction].delivered += 1;
      counts[direction].deliveredBytes += sizeBytes;
    },
    dropped: (direction, number, bytes) => {
      counts[direction].dropped += number;
      counts[direction].droppedBytes += bytes;
    },
    count: (direction, what) => void (counts[direction][what] += 1),
    changed: (change) => {
      if (isKept()) changes.push({ ...change, atMs: change.atMs - startMs });
    },
    counters: () => ({ toTarget: withInFlight(counts.toTarget), toSource: withInFlight(counts.toSource) }),
    record: () => ({ packets: packets.map(({ packet }) => packet), changes: [...changes], omitted }),
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
