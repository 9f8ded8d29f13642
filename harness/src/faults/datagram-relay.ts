import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { createDeliverySchedule } from './delivery-schedule.js';
import { MAX_IN_FLIGHT_BYTES, REORDER_BEHIND_MAX, SOCKET_BUFFER_BYTES } from './fault-settings.js';
import type {
  DatagramSettings,
  PacketAction,
  RecordedPacket,
  RelayAddress,
  RelayContext,
  RelayDirection,
  RelayTransport,
} from './fault-settings.js';
import { SeededRandom } from './seeded-random.js';

/** A datagram as it reaches the relay. */
interface DatagramArrival {
  readonly sizeBytes: number;
  readonly nowMs: number;
  /** Whether the relay lets nothing through. Default false. */
  readonly isPaused?: boolean;
}

/** What becomes of one datagram. */
export interface DatagramPlan {
  /** Counted from 0 in its direction. */
  readonly number: number;
  readonly action: PacketAction;
  /** When it leaves the relay, in order: once, twice, or never. */
  readonly deliveries: readonly PlannedDelivery[];
  /** Earlier datagrams that were held back and need not wait any longer. All their copies leave then. */
  readonly releases: readonly PlannedRelease[];
  /** Whether an outage begins with it. */
  readonly beginsOutage: boolean;
}

/** One datagram leaving, as the original (copy 0) or its double (copy 1). */
interface PlannedDelivery {
  readonly atMs: number;
  readonly copy: number;
}

/** A datagram that was held back, and when it leaves instead of at its deadline. */
interface PlannedRelease {
  readonly number: number;
  readonly atMs: number;
}

/** How many may be held back at once: beyond it the next one passes, or at a rate of 1 nothing would ever overtake anything. */
export const HELD_MAX: number = 4;

interface Held {
  readonly number: number;
  readonly dueMs: number;
  readonly deadlineMs: number;
  /** How many have yet to pass it. */
  behind: number;
}

/**
 * The numbers of one datagram. All are drawn for each of them, also where the settings do not ask for one: what happens to the
 * n-th datagram depends on the seed, the direction, n and the settings, and a datagram that is lost at 10 % is lost at 20 %.
 */
interface Draws {
  readonly loss: number;
  readonly duplication: number;
  readonly jitter: number;
  readonly copyJitter: number;
  readonly reorder: number;
  readonly behind: number;
  readonly cut: number;
}

/**
 * Makes the state machine of one direction. It has no clock and no sockets: the same seed and the same arrivals under the same
 * settings give the same plans. Settings that are another object than those of the call before count as newly set.
 */
export function createDatagramPlanner(seed: number, direction: RelayDirection) {
  const random = new SeededRandom(seed, `datagrams/${direction}`);
  const outage = createOutages();
  const order = createOrder();
  let count = 0;
  return {
    plan: (arrival: DatagramArrival, settings: DatagramSettings): DatagramPlan => {
      const number = count++;
      const draws = draw(random);
      const isPaused = arrival.isPaused === true;
      const cut = isPaused ? 'none' : outage.meets(arrival, settings, draws.cut);
      if (isPaused || cut !== 'none' || draws.loss < settings.lossRate) {
        const action = isPaused ? 'paused' : cut === 'none' ? 'lost' : 'cut';
        return {
          number,
          action,
          deliveries: [],
          releases: [],
          beginsOutage: cut === 'begins',
        };
      }
      return { number, ...order.place({ number, nowMs: arrival.nowMs, draws }, settings), beginsOutage: false };
    },
  };
}

function draw(random: SeededRandom): Draws {
  return {
    loss: random.next(),
    duplication: random.next(),
    jitter: random.next(),
    copyJitter: random.next(),
    reorder: random.next(),
    behind: random.int(REORDER_BEHIND_MAX),
    cut: random.next(),
  };
}

function createOutages() {
  let known: DatagramSettings | undefined;
  let untilMs = Number.NEGATIVE_INFINITY;
  let bytes = 0;
  return {
    /** Whether a datagram falls into an outage, or is the first of a new one. */
    meets: (
      { sizeBytes, nowMs }: DatagramArrival,
      settings: DatagramSettings,
      cut: number,
    ): 'none' | 'inside' | 'begins' => {
      if (settings !== known) bytes = 0;
      known = settings;
      if (nowMs < untilMs) return 'inside';
      bytes += sizeBytes;
      if (cut >= settings.cutRate && bytes <= settings.cutAfterBytes) return 'none';
      bytes = 0;
      untilMs = nowMs + settings.outageMs;
      return 'begins';
    },
  };
}

/** When datagrams leave: in the order of their arrival, but for those that are held back. */
function createOrder() {
  let lastMs = Number.NEGATIVE_INFINITY;
  let held: Held[] = [];

  const release = (passedAtMs: number): readonly PlannedRelease[] => {
    for (const one of held) one.behind -= 1;
    const free = held.filter(({ behind }) => behind === 0);
    held = held.filter(({ behind }) => behind > 0);
    return free.map(({ number, dueMs, deadlineMs }) => ({
      number,
      atMs: Math.min(deadlineMs, Math.max(dueMs, passedAtMs)),
    }));
  };

  return {
    place: (
      {
        number,
        nowMs,
        draws,
      }: {
        readonly number: number;
        readonly nowMs: number;
        readonly draws: Draws;
      },
      settings: DatagramSettings,
    ): Pick<DatagramPlan, 'action' | 'deliveries' | 'releases'> => {
      const { delayMs, jitterMs } = settings;
      const latestMs = nowMs + delayMs + jitterMs;
      const ownMs = nowMs + delayMs + draws.jitter * jitterMs;
      // Never later than its own bounds allow, also when those of earlier ones were wider or the clock was turned back.
      const inOrderMs = Math.max(ownMs, Math.min(lastMs, latestMs));
      const isDoubled = draws.duplication < settings.duplicationRate;
      held = held.filter(({ deadlineMs }) => deadlineMs > nowMs);
      if (draws.reorder < settings.reorderRate && settings.reorderMs > 0 && held.length < HELD_MAX) {
        const deadlineMs = inOrderMs + settings.reorderMs;
        held.push({ number, dueMs: inOrderMs, deadlineMs, behind: draws.behind + 1 });
        return {
          action: 'held',
          deliveries: plannedDeliveries(deadlineMs, isDoubled ? deadlineMs : undefined),
          releases: [],
        };
      }
      lastMs = inOrderMs;
      const copyMs = Math.max(inOrderMs, nowMs + delayMs + draws.copyJitter * jitterMs);
      const action = isDoubled ? 'duplicated' : inOrderMs > nowMs ? 'delayed' : 'passed';
      const releases = held.length === 0 ? NOTHING_RELEASED : release(inOrderMs);
      return { action, deliveries: plannedDeliveries(inOrderMs, isDoubled ? copyMs : undefined), releases };
    },
  };
}

const NOTHING_RELEASED: readonly PlannedRelease[] = Object.freeze([]);

function plannedDeliveries(atMs: number, copyAtMs: number | undefined): readonly PlannedDelivery[] {
  return copyAtMs === undefined
    ? [{ atMs, copy: 0 }]
    : [
        { atMs, copy: 0 },
        { atMs: copyAtMs, copy: 1 },
      ];
}

/** Somebody who sends to the relay, with a socket of their own towards the target, so that replies find their way back. */
interface DatagramSource {
  /** In order of appearance, from 0. */
  readonly number: number;
  readonly address: RelayAddress;
  /** Sends to the target. Never throws; `done` is told of an error. */
  readonly send: (octets: Buffer, done: SendDone) => void;
}

/** Called once for every datagram, with the error that kept it from leaving. */
type SendDone = (error: Error | null) => void;

/** What sources are made with. */
interface DatagramSourcesOptions {
  readonly target: RelayAddress;
  readonly maxSources: number;
  readonly idleMs: number;
  readonly clock: TimerClock;
  readonly onReply: (source: DatagramSource, octets: Buffer) => void;
  /** A socket towards the target reported an error. */
  readonly onError: () => void;
}

/** Keeps the sources by their address, and closes those that are idle. */
function createDatagramSources(options: DatagramSourcesOptions) {
  const { clock, idleMs, maxSources } = options;
  const sources = new Map<string, OpenSource>();
  const closing = new Set<Promise<void>>();
  let count = 0;
  let cancelSweep: (() => void) | undefined;

  const shut = (key: string, source: OpenSource): void => {
    if (sources.get(key) === source) sources.delete(key);
    const closed = source.close().then(() => void closing.delete(closed));
    closing.add(closed);
  };

  const sweepLater = (): void => {
    const lastActiveMs = [...sources.values()].map((source) => source.lastActiveMs);
    cancelSweep?.();
    cancelSweep = undefined;
    if (lastActiveMs.length === 0) return;
    const dueMs = Math.min(...lastActiveMs) + idleMs;
    cancelSweep = clock.schedule(sweep, Math.max(0, dueMs - clock.nowMs()));
  };

  const sweep = (): void => {
    const nowMs = clock.nowMs();
    for (const [key, source] of sources) if (nowMs - source.lastActiveMs >= idleMs) shut(key, source);
    sweepLater();
  };

  return {
    /** The source of that address, a new one if need be; `undefined` where there are too many. */
    of: (address: RelayAddress): DatagramSource | undefined => {
      const key = `${address.host} ${address.port}`;
      let source = sources.get(key);
      if (source === undefined) {
        if (sources.size >= maxSources) return undefined;
        source = openSource({ number: count++, address }, options, (broken) => shut(key, broken));
        sources.set(key, source);
        if (cancelSweep === undefined) sweepLater();
      }
      source.lastActiveMs = clock.nowMs();
      return source;
    },
    open: () => sources.size,
    close: async () => {
      cancelSweep?.();
      for (const [key, source] of sources) shut(key, source);
      await Promise.all(closing);
    },
  };
}

interface OpenSource extends DatagramSource {
  lastActiveMs: number;
  readonly close: () => Promise<void>;
}

/** @param onUnusable - told when the socket could not be connected, as when the process has no file descriptor left */
function openSource(
  { number, address }: Pick<DatagramSource, 'number' | 'address'>,
  { target, clock, onReply, onError }: DatagramSourcesOptions,
  onUnusable: (source: OpenSource) => void,
): OpenSource {
  const socket = createSocket({
    type: isIPv6(target.host) ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
  /** What wants to be sent before the socket is connected, one turn of the event loop later. */
  let waiting: (() => void)[] = [];
  let state: 'connecting' | 'connected' | 'closed' = 'connecting';
  let closed: Promise<void> | undefined;
  const settleWaiting = (): void => {
    const sends = waiting;
    waiting = [];
    for (const send of sends) send();
  };

  const source: OpenSource = {
    number,
    address,
    lastActiveMs: clock.nowMs(),
    send: (octets, done) => {
      if (state === 'connected') socket.send(octets, done);
      else if (state === 'connecting') waiting.push(() => source.send(octets, done));
      else done(new Error('the source is closed'));
    },
    close: () => {
      state = 'closed';
      closed ??= new Promise((resolve) => void socket.close(resolve));
      settleWaiting();
      return closed;
    },
  };

  socket.on('message', (octets) => {
    source.lastActiveMs = clock.nowMs();
    onReply(source, octets);
  });
  // ECONNREFUSED, which ICMP brings for a datagram of before: the socket stays as it is.
  socket.on('error', () => {
    onError();
    if (state === 'connecting') onUnusable(source);
  });
  socket.once('connect', () => {
    if (state === 'connecting') state = 'connected';
    settleWaiting();
  });
  socket.connect(target.port, target.host);
  return source;
}

/** What a lane is made with. */
interface DatagramLaneOptions {
  readonly direction: RelayDirection;
  readonly send: (source: DatagramSource, octets: Buffer, done: SendDone) => void;
}

/** A datagram under way. */
interface Datagram {
  readonly number: number;
  readonly source: DatagramSource;
  readonly octets: Buffer;
  /** How many leave when it falls due. */
  readonly copies: number;
  /** Whether it is the double of one that is under way by itself. */
  readonly isDouble: boolean;
  readonly recorded: RecordedPacket | undefined;
  /** One that was held and let go is in the schedule twice; the first time counts. */
  hasLeft: boolean;
}

/** Makes one direction of a relay of datagrams. */
export function createDatagramLane(context: RelayContext<DatagramSettings>, { direction, send }: DatagramLaneOptions) {
  const { clock, ledger, controls } = context;
  const planner = createDatagramPlanner(context.seed, direction);
  const underWay = { packets: 0, bytes: 0 };
  const held = new Map<number, Datagram>();
  let highestLeft = -1;

  const leave = (datagram: Datagram): void => {
    const { number, source, octets, copies, isDouble } = datagram;
    if (datagram.hasLeft) return;
    datagram.hasLeft = true;
    held.delete(number);
    if (!isDouble && number < highestLeft) ledger.count(direction, 'reordered');
    highestLeft = Math.max(highestLeft, number);
    const done: SendDone = (error) => {
      underWay.packets -= 1;
      underWay.bytes -= octets.length;
      if (error === null) return ledger.delivered(direction, octets.length);
      ledger.count(direction, 'errors');
      ledger.dropped(direction, 1, octets.length);
    };
    for (let copy = 0; copy < copies; copy += 1) send(source, octets, done);
  };
  const schedule = createDeliverySchedule(clock, leave);

  const depart = (datagram: Pick<Datagram, 'source' | 'octets' | 'recorded'>, plan: DatagramPlan): void => {
    const { number, action, deliveries } = plan;
    underWay.packets += deliveries.length;
    underWay.bytes += deliveries.length * datagram.octets.length;
    // What is held leaves with all its copies at once; else each copy has its own time.
    const [first] = deliveries;
    const isHeld = action === 'held';
    for (const { atMs, copy } of isHeld && first !== undefined ? [first] : deliveries) {
      const copies = isHeld ? deliveries.length : 1;
      const leaving = { ...datagram, number, copies, isDouble: copy > 0, hasLeft: false };
      if (isHeld) held.set(number, leaving);
      schedule.add(atMs, leaving);
    }
  };

  const release = ({ releases }: DatagramPlan): void => {
    for (const { number, atMs } of releases) {
      const datagram = held.get(number);
      if (datagram === undefined) continue;
      ledger.released(datagram.recorded, atMs);
      schedule.add(atMs, datagram);
    }
  };

  return {
    /** Takes a datagram as it arrives; one without a source is refused. */
    arrive: (source: DatagramSource | undefined, octets: Buffer) => {
      const atMs = clock.nowMs();
      const sizeBytes = octets.length;
      const arrival = { sizeBytes, nowMs: atMs, isPaused: controls.isPaused[direction] };
      const plan = planner.plan(arrival, controls.settings[direction]);
      if (plan.beginsOutage) ledger.count(direction, 'cut');
      const hasRoom = underWay.bytes + sizeBytes * plan.deliveries.length <= MAX_IN_FLIGHT_BYTES;
      const goer = hasRoom ? source : undefined;
      const isRefused = goer === undefined && plan.deliveries.length > 0;
      const action = isRefused ? 'refused' : plan.action;
      const deliveriesMs = isRefused ? [] : plan.deliveries.map((delivery) => delivery.atMs);
      const packet = { direction, source: source?.number ?? -1, number: plan.number };
      const recorded = ledger.arrived({ ...packet, action, sizeBytes, atMs, deliveriesMs });
      if (goer !== undefined) depart({ source: goer, octets, recorded }, plan);
      release(plan);
    },
    /** Lets nothing leave any more: to be called before the sockets are closed. */
    stop: schedule.close,
    /** Counts what has not left as dropped: to be called when the sockets are closed. */
    dropRest: () => {
      ledger.dropped(direction, underWay.packets, underWay.bytes);
      [underWay.packets, underWay.bytes] = [0, 0];
    },
  };
}

/**
 * Starts a relay between UDP sockets. Rejects with the error of the socket that could not be bound.
 * @param idleMs - after so long without a datagram either way a source is forgotten
 */
export async function startDatagramRelay(
  context: RelayContext<DatagramSettings>,
  idleMs: number,
): Promise<RelayTransport> {
  const { target, maxSources, clock, ledger } = context;
  const socket = await bind(context.listen);
  const toTarget = createDatagramLane(context, {
    direction: 'toTarget',
    send: (source, octets, done) => source.send(octets, done),
  });
  const toSource = createDatagramLane(context, {
    direction: 'toSource',
    send: ({ address }, octets, done) => socket.send(octets, address.port, address.host, done),
  });
  const sources = createDatagramSources({
    target,
    maxSources,
    idleMs,
    clock,
    onReply: toSource.arrive,
    onError: () => ledger.count('toTarget', 'errors'),
  });
  socket.on('message', (octets, { address: host, port }) => {
    // From port 0 it came without a wish for an answer, and none could be sent.
    toTarget.arrive(port === 0 ? undefined : sources.of({ host, port }), octets);
  });
  socket.on('error', () => ledger.count('toSource', 'errors'));
  const { address: host, port } = socket.address();
  return {
    address: { host, port },
    openSources: sources.open,
    pausedOrResumed: () => undefined,
    close: async () => {
      toTarget.stop();
      toSource.stop();
      await Promise.all([sources.close(), new Promise<void>((resolve) => void socket.close(resolve))]);
      toTarget.dropRest();
      toSource.dropRest();
    },
  };
}

function bind({ host, port }: RelayAddress): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(host) ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => void socket.close(() => reject(error));
    socket.once('error', refuse);
    socket.bind(port, host, () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}
