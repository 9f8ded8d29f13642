/**
 * Faults on the way between two hops: a relay that loses, doubles, delays, reorders and cuts off, the same way for the same seed.
 * @packageDocumentation
 */
export { createChaosRelay, IDLE_MS_DEFAULT, SOURCES_DEFAULT, SOURCES_MAX } from './chaos-relay.js';
export type { ChaosRelay, ChaosRelayOptions, FaultsOf, RelayProtocol } from './chaos-relay.js';
export {
  CHUNK_GAP_MS_DEFAULT,
  MAX_FAULT_MS,
  OUTAGE_MS_DEFAULT,
  RECORD_LIMIT_DEFAULT,
  RECORD_LIMIT_MAX,
  REORDER_BEHIND_MAX,
  REORDER_MS_DEFAULT,
  STREAM_PIECE_BYTES,
} from './fault-settings.js';
export type {
  CutKind,
  DatagramFaults,
  DirectionCounters,
  FaultsByDirection,
  PacketAction,
  RelayAddress,
  RelayChange,
  RelayDirection,
  RelayPacket,
  RelayRecord,
  StreamFaults,
} from './fault-settings.js';
export { createSeededRandom, MAX_INT_BELOW } from './seeded-random.js';
export type { SeededRandom } from './seeded-random.js';
