import { HEP_HEADER_BYTES, hepPacketLength } from './hep-packet.js';

/** Cuts the bytes of a connection into packets. */
export interface HepStream {
  /**
   * Takes bytes as they come.
   * @returns the packets that are whole with them, views that hold until the next call; or that the bytes are no HEP3, after which
   * nothing of the connection can be read any more
   */
  readonly take: (bytes: Uint8Array) => { readonly packets: readonly Uint8Array[]; readonly isBroken: boolean };
  /** Bytes of a packet that is not whole yet. */
  readonly pending: () => number;
}

/**
 * Makes what cuts one connection into packets by their length fields. It holds one packet at most, 65,535 bytes, and copies each byte
 * once, however small the pieces are in which a peer sends them. Never throws for peer input.
 * @see HEPv3, section 3
 */
export function hepStream(): HepStream {
  const header = new Uint8Array(HEP_HEADER_BYTES);
  const state: StreamState = { partial: header, isHeader: true, filled: 0, isBroken: false };
  return {
    take: (bytes) => {
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
