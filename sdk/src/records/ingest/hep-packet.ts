/** Largest packet that is read, bytes: what its own length field of 16 bits can say. */
export const MAX_HEP_PACKET_BYTES = 65_535;

/** Most chunks of a packet. The generic ones are twenty; agents of vendors add a few of their own. */
export const MAX_HEP_CHUNKS = 64;

/** Why bytes are no HEP3 packet that can be read. */
type HepFailure = `hep-${string}`;

/** One end of what was captured. */
export interface HepEndpoint {
  /** `192.0.2.1`, or `2001:db8::1` in the form of RFC 5952. */
  readonly address: string;
  /** 0 to 65,535; absent where the agent named none. */
  readonly port?: number;
}

/** A captured message as an agent sent it. Nothing in it has been verified: it says what the agent wrote. */
export type HepPacket = Extract<ReturnType<typeof parseHepPacket>, { readonly status: 'parsed' }>['packet'];

/** Payload type of SIP. */
export const HEP_SIP = 1;

/** `HEP3` and the length of the whole packet. */
const HEP_HEADER_BYTES = 6;

/**
 * How long the packet is that begins here: what a reader of a stream has to wait for. Never throws for peer input.
 * @param bytes - at least `HEP_HEADER_BYTES` from `at` on
 * @returns bytes with the header, 6 to 65,535; undefined where no packet begins
 */
function hepPacketLength(bytes: Uint8Array, at: number = 0): number | undefined {
  if (bytes.length - at < HEP_HEADER_BYTES) return undefined;
  if (bytes[at] !== 0x48 || bytes[at + 1] !== 0x45 || bytes[at + 2] !== 0x50 || bytes[at + 3] !== 0x33)
    return undefined;
  const length = number16(bytes, at + 4);
  return length < HEP_HEADER_BYTES ? undefined : length;
}

/**
 * Takes a HEP3 packet apart. Chunks of vendors other than 0 and generic chunks that a record has no use for are passed over; a
 * generic chunk given twice is refused, since two readers could take a different one. Never throws for peer input.
 * @param bytes - one whole packet, at most {@link MAX_HEP_PACKET_BYTES}
 * @returns `parsed`; or `malformed` with the reason and the place
 * @see HEP/EEP Network Protocol, revision 12 (HEPv3)
 */
export function parseHepPacket(bytes: Uint8Array) {
  if (bytes.length > MAX_HEP_PACKET_BYTES) return malformed('hep-too-long', MAX_HEP_PACKET_BYTES);
  if (bytes.length < HEP_HEADER_BYTES) return malformed('hep-too-short', bytes.length);
  const length = hepPacketLength(bytes);
  if (length === undefined) return malformed('hep-no-magic', 0);
  if (length !== bytes.length) return malformed('hep-length-mismatch', 4);
  const chunks: (Chunk | undefined)[] = [];
  let count = 0;
  for (let at = HEP_HEADER_BYTES; at < length;) {
    if (at + CHUNK_HEADER_BYTES > length) return malformed('hep-bad-chunk-length', at);
    const size = number16(bytes, at + 4);
    if (size < CHUNK_HEADER_BYTES || at + size > length) return malformed('hep-bad-chunk-length', at + 4);
    count += 1;
    if (count > MAX_HEP_CHUNKS) return malformed('hep-too-many-chunks', at);
    const type = number16(bytes, at + 2);
    if (number16(bytes, at) === GENERIC_VENDOR && type <= LAST_READ_TYPE) {
      if (chunks[type] !== undefined) return malformed('hep-duplicate-chunk', at);
      const wanted = FIXED_SIZES[type];
      if (wanted !== undefined && size !== wanted + CHUNK_HEADER_BYTES)
        return malformed('hep-bad-chunk-length', at + 4);
      chunks[type] = { start: at + CHUNK_HEADER_BYTES, end: at + size };
    }
    at += size;
  }
  return packetOf(bytes, chunks);
}

const CHUNK_HEADER_BYTES = 6;
const GENERIC_VENDOR = 0;

/** Generic chunk types. @see HEPv3, section 3.1 */
const FAMILY = 1;
const SOURCE_IPV4 = 3;
const DESTINATION_IPV4 = 4;
const SOURCE_IPV6 = 5;
const DESTINATION_IPV6 = 6;
const SOURCE_PORT = 7;
const DESTINATION_PORT = 8;
const SECONDS = 9;
const MICROSECONDS = 10;
const PAYLOAD_TYPE = 11;
const KEY = 14;
const PAYLOAD = 15;
const COMPRESSED_PAYLOAD = 16;
const CORRELATION_ID = 17;
const LAST_READ_TYPE = CORRELATION_ID;

/** Bytes of the chunks that have a size of their own, by type. */
const FIXED_SIZES: readonly (number | undefined)[] = [
  ...[undefined, 1, 1, 4, 4, 16, 16, 2, 2, 4, 4, 1],
  // Heplify and sngrep write the number of the agent in four bytes, as it is laid down.
  4,
];

/** Values of the family chunk: AF_INET, and AF_INET6 as Linux, BSD and macOS number it. */
const IPV4_FAMILY = 2;
const IPV6_FAMILIES: readonly number[] = [10, 24, 28, 30];

/** Longest correlation id: Call-IDs of real switches stay below 200 characters. */
const MAX_CORRELATION_BYTES = 512;
const MAX_KEY_BYTES = 256;

interface Chunk {
  readonly start: number;
  readonly end: number;
}

function malformed(reason: HepFailure, offset: number) {
  return { status: 'malformed', reason, offset } as const;
}

function packetOf(bytes: Uint8Array, chunks: readonly (Chunk | undefined)[]) {
  const payload = chunks[PAYLOAD];
  const compressed = chunks[COMPRESSED_PAYLOAD];
  if (payload === undefined) {
    return compressed === undefined
      ? malformed('hep-missing-chunk', bytes.length)
      : malformed('hep-compressed', compressed.start);
  }
  const seconds = numberOf(bytes, chunks[SECONDS]);
  const microseconds = numberOf(bytes, chunks[MICROSECONDS]) ?? 0;
  const payloadType = numberOf(bytes, chunks[PAYLOAD_TYPE]);
  if (seconds === undefined || payloadType === undefined) return malformed('hep-missing-chunk', bytes.length);
  if (seconds === 0 || microseconds > 999_999) return malformed('hep-bad-time', chunks[SECONDS]?.start ?? 0);
  const ends = endpointsOf(bytes, chunks);
  if (typeof ends === 'string') return malformed(ends, chunks[FAMILY]?.start ?? bytes.length);
  const packet = {
    source: ends.source,
    destination: ends.destination,
    /** When the agent saw the message by its own clock, microseconds since the epoch. */
    atUs: seconds * 1_000_000 + microseconds,
    /** 1 is SIP. */
    payloadType,
    /** Key by which the agent makes itself known: a password in the clear. Never shown; on disk only within the packets that `keepRaw` keeps. */
    key: textOf(bytes, chunks[KEY], MAX_KEY_BYTES),
    /** What messages of one call have in common, by the agent: usually the Call-ID of the first leg. */
    correlationId: textOf(bytes, chunks[CORRELATION_ID], MAX_CORRELATION_BYTES),
    /** The captured message; a view into the packet, no copy. */
    payload: bytes.subarray(payload.start, payload.end),
  };
  return { status: 'parsed', packet } as const;
}

function endpointsOf(
  bytes: Uint8Array,
  chunks: readonly (Chunk | undefined)[],
): { readonly source: HepEndpoint; readonly destination: HepEndpoint } | HepFailure {
  const family = numberOf(bytes, chunks[FAMILY]);
  if (family === undefined) return 'hep-missing-chunk';
  const isIpv6 = IPV6_FAMILIES.includes(family);
  if (!isIpv6 && family !== IPV4_FAMILY) return 'hep-family-mismatch';
  const source = chunks[isIpv6 ? SOURCE_IPV6 : SOURCE_IPV4];
  const destination = chunks[isIpv6 ? DESTINATION_IPV6 : DESTINATION_IPV4];
  if (source === undefined || destination === undefined) return 'hep-family-mismatch';
  const addressOf = (at: number): string => (isIpv6 ? ipv6Text(bytes, at) : ipv4Text(bytes, at));
  return {
    source: endpoint(addressOf(source.start), numberOf(bytes, chunks[SOURCE_PORT])),
    destination: endpoint(addressOf(destination.start), numberOf(bytes, chunks[DESTINATION_PORT])),
  };
}

function endpoint(address: string, port: number | undefined): HepEndpoint {
  return port === undefined ? { address } : { address, port };
}

function number16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** An unsigned number of at most four bytes. */
function numberOf(bytes: Uint8Array, chunk: Chunk | undefined): number | undefined {
  if (chunk === undefined) return undefined;
  let value = 0;
  for (let at = chunk.start; at < chunk.end; at += 1) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

/** Printable text of a chunk, without the zero bytes that agents in C leave behind it; undefined where none is left. */
function textOf(bytes: Uint8Array, chunk: Chunk | undefined, maxBytes: number): string | undefined {
  if (chunk === undefined || chunk.end - chunk.start > maxBytes) return undefined;
  let end = chunk.end;
  while (end > chunk.start && bytes[end - 1] === 0) end -= 1;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + chunk.start, end - chunk.start);
  const text = view.toString('utf8').trim();
  return text === '' || HAS_CONTROL.test(text) ? undefined : text;
}

const HAS_CONTROL = /[\u0000-\u001f\u007f]/;

function ipv4Text(bytes: Uint8Array, at: number): string {
  return `${bytes[at] ?? 0}.${bytes[at + 1] ?? 0}.${bytes[at + 2] ?? 0}.${bytes[at + 3] ?? 0}`;
}

/** Lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. @see RFC 5952 section 4 */
function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let group = 0; group < 8; group += 1) groups.push(number16(bytes, at + group * 2));
  // A call over IPv4 that a socket of IPv6 saw: the same peer must not have two names.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return ipv4Text(bytes, at + 12);
  let longest = { start: -1, length: 1 };
  for (let start = 0; start < 8;) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > longest.length) longest = { start, length };
    start += length + 1;
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (longest.start < 0) return text(0, 8);
  return `${text(0, longest.start)}::${text(longest.start + longest.length, 8)}`;
}

/**
 * Makes what cuts one connection into packets by their length fields. It holds one packet at most, 65,535 bytes, and copies each byte
 * once, however small the pieces are in which a peer sends them. Never throws for peer input.
 * @see HEPv3, section 3
 */
export function hepStream() {
  const header = new Uint8Array(HEP_HEADER_BYTES);
  const state: StreamState = {
    partial: header,
    isHeader: true,
    filled: 0,
    isBroken: false,
  };
  return {
    /**
     * Takes bytes as they come.
     * @returns the packets that are whole with them, views that hold until the next call; or that the bytes are no HEP3, after which
     * nothing of the connection can be read any more
     */
    take: (bytes: Uint8Array): { readonly packets: readonly Uint8Array[]; readonly isBroken: boolean } => {
      const packets: Uint8Array[] = [];
      for (let at = 0; at < bytes.length && !state.isBroken;) {
        const length = state.filled === 0 ? hepPacketLength(bytes, at) : undefined;
        if (length !== undefined && at + length <= bytes.length) {
          packets.push(bytes.subarray(at, at + length));
          at += length;
          continue;
        }
        at += fill(state, bytes, at);
        if (state.isHeader || state.filled < state.partial.length) continue;
        packets.push(state.partial);
        Object.assign(state, { partial: header, isHeader: true, filled: 0 });
      }
      return { packets, isBroken: state.isBroken };
    },
    /** Bytes of a packet that is not whole yet. */
    pending: () => (state.isBroken ? 0 : state.filled),
  };
}

interface StreamState {
  /** The packet that is not whole yet; its header, while that is not. */
  partial: Uint8Array;
  isHeader: boolean;
  filled: number;
  isBroken: boolean;
}

/** Adds to the packet that was begun. @returns how many bytes it took */
function fill(state: StreamState, bytes: Uint8Array, at: number): number {
  const count = Math.min(state.partial.length - state.filled, bytes.length - at);
  state.partial.set(bytes.subarray(at, at + count), state.filled);
  state.filled += count;
  if (!state.isHeader || state.filled < HEP_HEADER_BYTES) return count;
  const header = state.partial;
  const length = hepPacketLength(header);
  if (length === undefined) state.isBroken = true;
  else {
    state.partial = new Uint8Array(length);
    state.partial.set(header);
    state.isHeader = false;
  }
  return count;
}
