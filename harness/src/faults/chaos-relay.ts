import { isIP } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import { startDatagramRelay } from './datagram-relay.js';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import {
  DATAGRAM_FAULT_KIND,
  MAX_FAULT_MS,
  RECORD_LIMIT_DEFAULT,
  RECORD_LIMIT_MAX,
  STREAM_FAULT_KIND,
  createRelayLedger,
} from './fault-settings.js';
import type {
  BothDirections,
  DatagramFaults,
  DatagramSettings,
  DirectionCounters,
  FaultKind,
  FaultsByDirection,
  RelayAddress,
  RelayChange,
  RelayContext,
  RelayDirection,
  RelayPacket,
  RelayRecord,
  RelayTransport,
  StreamFaults,
  StreamSettings,
} from './fault-settings.js';
import { STEADY_CLOCK } from '@hopback/sdk/internal/runtime';
import { startStreamRelay } from './stream-relay.js';

/** The protocols that a relay speaks. */
export type RelayProtocol = 'udp' | 'tcp';

/** The faults of each protocol. */
export interface FaultsOf {
  readonly udp: DatagramFaults;
  readonly tcp: StreamFaults;
}

/** How a relay is made. */
export interface ChaosRelayOptions<Protocol extends RelayProtocol = RelayProtocol> {
  readonly protocol: Protocol;
  /** Where everything leads to. */
  readonly target: RelayAddress;
  /** Where the relay is bound; default 127.0.0.1, a free port. */
  readonly listen?: Partial<RelayAddress>;
  /** Whole number from 0 to `Number.MAX_SAFE_INTEGER`: with the same seed the n-th packet of a direction meets the same fate. */
  readonly seed: number;
  /** The same for both directions, or told by direction; default none. */
  readonly faults?: FaultsOf[Protocol] | FaultsByDirection<FaultsOf[Protocol]>;
  /**
   * How many source addresses, or connections, there may be at once, 1 to 65,535; default 256. What
   * comes from further ones is refused: datagrams are dropped, connections closed.
   */
  readonly maxSources?: number;
  /**
   * After so many milliseconds without a datagram either way a source address is forgotten, 1 to 3,600,000; default
   * five minutes. Connections end by themselves.
   */
  readonly idleMs?: number;
  /** How many packets and changes the record keeps, 0 to 1,000,000; default 10,000. */
  readonly recordLimit?: number;
  /** Told of each packet as it arrives. It must not throw. */
  readonly onPacket?: (packet: RelayPacket) => void;
  /** Default the machine's monotonic clock and Node's timers. */
  readonly clock?: TimerClock;
}

/** Sources at once unless told otherwise: each takes a file descriptor, of which many systems give a process 1,024. */
const SOURCES_DEFAULT = 256;
/** Most sources at once: as many as an address has ports. */
export const SOURCES_MAX: number = 65_535;
/** How long an idle source is remembered unless told otherwise: five minutes, as RFC 4787 section 4.3 (REQ-5) recommends. */
const IDLE_MS_DEFAULT = 300_000;

/**
 * A relay between two hops that loses, doubles, delays, reorders and cuts off what passes, as a seed decides. Of UDP each source
 * address has a socket of its own towards the target, so that replies find their way back. Of TCP each connection has one; its bytes
 * are delayed and split, never lost, doubled or reordered, until it is cut. What peers send and what becomes of their sockets
 * never throws; it is counted.
 * @see RFC 4737 for reordering, RFC 3393 for jitter
 */
export class ChaosRelay<Protocol extends RelayProtocol = RelayProtocol> implements AsyncDisposable {
  /** Where it is bound: what those who shall meet the faults are given instead of the target. */
  readonly address: RelayAddress;
  readonly #protocol: Protocol;
  readonly #context: RelayContext<SettingsOf[Protocol]>;
  readonly #transport: RelayTransport;
  #closed: Promise<void> | undefined;

  private constructor(protocol: Protocol, context: RelayContext<SettingsOf[Protocol]>, transport: RelayTransport) {
    this.address = transport.address;
    this.#protocol = protocol;
    this.#context = context;
    this.#transport = transport;
    this.#recordFaults();
  }

  /**
   * Starts a relay.
   * @param options - protocol, target, seed; faults for each direction, default none
   * @returns the relay, bound and running, until it is closed
   * @throws {@link HopbackError} `invalid-argument` when a rate is not 0 to 1, a duration not 0 to 3,600,000 ms, a fault not one of
   * this protocol, an address not an IP address, or when the relay cannot be bound (with the system's error as its cause)
   * @example
   * ```ts
   * await using relay = await ChaosRelay.open({
   *   protocol: 'udp',
   *   target: { host: '127.0.0.1', port: 5060 },
   *   seed: 7,
   *   faults: { toTarget: { lossRate: 0.1, jitterMs: 20 }, toSource: { duplicationRate: 0.05 } },
   * });
   * relay.setFaults({ toTarget: { lossRate: 0.5 } });
   * console.log(relay.address.host, relay.counters().toTarget.received); // 127.0.0.1 0
   * ```
   */
  static async open<Protocol extends RelayProtocol>(
    options: ChaosRelayOptions<Protocol>,
  ): Promise<ChaosRelay<Protocol>> {
    const { protocol } = options;
    if (!Object.hasOwn(TRANSPORTS, protocol)) throw invalid(`a relay is for udp or tcp, not for ${protocol}`);
    const idleMs = whole(options.idleMs ?? IDLE_MS_DEFAULT, { name: 'idleMs', least: 1, most: MAX_FAULT_MS });
    const context = contextOf(options);
    const transport = await TRANSPORTS[protocol].start(context, idleMs).catch((cause: unknown) => {
      throw new HopbackError('invalid-argument', 'the relay could not be bound where it was told to listen', { cause });
    });
    return new ChaosRelay(protocol, context, transport);
  }

  /**
   * Sets the faults for packets that arrive from now on: the same for both directions, or by direction, where one that is not named
   * keeps those it has. Faults not given are gone. Throws {@link HopbackError} `invalid-argument` for what cannot be, and changes
   * nothing then.
   */
  setFaults(faults: FaultsOf[Protocol] | FaultsByDirection<FaultsOf[Protocol]>): void {
    const { controls } = this.#context;
    const before = controls.settings;
    controls.settings = TRANSPORTS[this.#protocol].kind.settle(faults, before);
    this.#recordFaults(before);
  }

  /**
   * Lets nothing through, in one direction or both, until resumed. Datagrams that arrive are dropped, those under way go on. Bytes of
   * connections wait, as does their end; connections are still accepted.
   */
  pause(direction?: RelayDirection): void {
    this.#setPaused(true, direction);
  }

  /** Ends a pause. */
  resume(direction?: RelayDirection): void {
    this.#setPaused(false, direction);
  }

  /** Counts so far. */
  counters(): Readonly<Record<RelayDirection, DirectionCounters>> {
    return this.#context.ledger.counters();
  }

  /** How many source addresses, or connections, there are at present. */
  openSources(): number {
    return this.#transport.openSources();
  }

  /** What was decided so far, as plain data. */
  record(): RelayRecord<FaultsOf[Protocol]> {
    return { protocol: this.#protocol, seed: this.#context.seed, ...this.#context.ledger.record() };
  }

  /** Drops what is under way and closes all sockets; counts and record stay. Never rejects; a second call waits for the first. */
  close(): Promise<void> {
    return (this.#closed ??= this.#transport.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #setPaused(isPaused: boolean, given: RelayDirection | undefined): void {
    const { clock, ledger, controls } = this.#context;
    for (const direction of given === undefined ? DIRECTIONS : [given]) {
      controls.isPaused[direction] = isPaused;
      ledger.changed({ atMs: clock.nowMs(), kind: isPaused ? 'paused' : 'resumed', direction });
    }
    this.#transport.pausedOrResumed();
  }

  #recordFaults(before?: BothDirections<object>): void {
    const { clock, ledger } = this.#context;
    const settings: BothDirections<object> = this.#context.controls.settings;
    const atMs = clock.nowMs();
    for (const direction of DIRECTIONS) {
      if (settings[direction] === before?.[direction]) continue;
      const faults = Object.fromEntries(Object.entries(settings[direction]).filter(([, value]) => value !== Infinity));
      ledger.changed({ atMs, kind: 'faults', direction, faults } satisfies RelayChange<object>);
    }
  }
}

interface SettingsOf {
  readonly udp: DatagramSettings;
  readonly tcp: StreamSettings;
}

interface Transport<Protocol extends RelayProtocol> {
  readonly kind: FaultKind<SettingsOf[Protocol]>;
  readonly start: (context: RelayContext<SettingsOf[Protocol]>, idleMs: number) => Promise<RelayTransport>;
}

const TRANSPORTS: { readonly [Protocol in RelayProtocol]: Transport<Protocol> } = {
  udp: { kind: DATAGRAM_FAULT_KIND, start: startDatagramRelay },
  tcp: { kind: STREAM_FAULT_KIND, start: startStreamRelay },
};

function contextOf<Protocol extends RelayProtocol>(
  options: ChaosRelayOptions<Protocol>,
): RelayContext<SettingsOf[Protocol]> {
  const { protocol, seed, onPacket, clock = STEADY_CLOCK } = options;
  const limits = { name: 'recordLimit', least: 0, most: RECORD_LIMIT_MAX };
  const recordLimit = whole(options.recordLimit ?? RECORD_LIMIT_DEFAULT, limits);
  const { kind } = TRANSPORTS[protocol];
  const none = { toTarget: kind.none, toSource: kind.none };
  return {
    seed: whole(seed, { name: 'seed', least: 0, most: Number.MAX_SAFE_INTEGER }),
    listen: address({ host: '127.0.0.1', port: 0, ...options.listen }, 0),
    target: address(options.target, 1),
    maxSources: whole(options.maxSources ?? SOURCES_DEFAULT, { name: 'maxSources', least: 1, most: SOURCES_MAX }),
    clock,
    ledger: createRelayLedger({ startMs: clock.nowMs(), recordLimit, onPacket }),
    controls: { settings: kind.settle(options.faults ?? {}, none), isPaused: { toTarget: false, toSource: false } },
  };
}

const DIRECTIONS: readonly RelayDirection[] = ['toTarget', 'toSource'];

function address({ host, port }: RelayAddress, leastPort: 0 | 1): RelayAddress {
  if (isIP(host) === 0) throw invalid(`a relay needs an IP address, not ${host}`);
  return { host, port: whole(port, { name: 'port', least: leastPort, most: 65_535 }) };
}

function whole(
  value: number,
  {
    name,
    least,
    most,
  }: {
    readonly name: string;
    readonly least: number;
    readonly most: number;
  },
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

const invalid = (message: string): HopbackError => new HopbackError('invalid-argument', message);
