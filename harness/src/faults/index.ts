/**
 * Faults on the way between two hops: a relay that loses, doubles, delays, reorders and cuts off, the same way for the same seed.
 * @packageDocumentation
 */
export { ChaosRelay } from './chaos-relay.js';
export type { ChaosRelayOptions, FaultsOf, RelayProtocol } from './chaos-relay.js';
export type {
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
export { SeededRandom } from './seeded-random.js';
