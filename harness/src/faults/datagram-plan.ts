import { REORDER_BEHIND_MAX } from './fault-settings.js';
import type { DatagramSettings, RelayDirection } from './fault-settings.js';
import type { PacketAction } from './relay-ledger.js';
import { createSeededRandom } from './seeded-random.js';
import type { SeededRandom } from './seeded-random.js';

/** A datagram as it reaches the relay. */
export interface DatagramArrival {
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
export interface PlannedDelivery {
  readonly atMs: number;
  readonly copy: number;
}

/** A datagram that was held back, and when it leaves instead of at its deadline. */
export interface PlannedRelease {
  readonly number: number;
  readonly atMs: number;
}

/** Decides what happens to each datagram of one direction. */
export interface DatagramPlanner {
  readonly plan: (arrival: DatagramArrival, settings: DatagramSettings) => DatagramPlan;
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
export function createDatagramPlanner(seed: number, direction: RelayDirection): DatagramPlanner {
  const random = createSeededRandom(seed, `datagrams/${direction}`);
  const outage = createOutages();
  const order = createOrder();
  let count = 0;
  return {
    plan: (arrival, settings) => {
      const number = count++;
      const draws = draw(random);
      const isPaused = arrival.isPaused === true;
      const cut = isPaused ? 'none' : outage.meets(arrival, settings, draws.cut);
      if (isPaused || cut !== 'none' || draws.loss < settings.lossRate) {
        const action = isPaused ? 'paused' : cut === 'none' ? 'lost' : 'cut';
        return { number, action, deliveries: [], releases: [], beginsOutage: cut === 'begins' };
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

interface Outages {
  /** Whether a datagram falls into an outage, or is the first of a new one. */
  readonly meets: (arrival: DatagramArrival, settings: DatagramSettings, cut: number) => 'none' | 'inside' | 'begins';
}

function createOutages(): Outages {
  let known: DatagramSettings | undefined;
  let untilMs = Number.NEGATIVE_INFINITY;
  let bytes = 0;
  return {
    meets: ({ sizeBytes, nowMs }, settings, cut) => {
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

interface Order {
  readonly place: (
    datagram: { readonly number: number; readonly nowMs: number; readonly draws: Draws },
    settings: DatagramSettings,
  ) => Pick<DatagramPlan, 'action' | 'deliveries' | 'releases'>;
}

/** When datagrams leave: in the order of their arrival, but for those that are held back. */
function createOrder(): Order {
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
    place: ({ number, nowMs, draws }, settings) => {
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
        return { action: 'held', deliveries: deliveries(deadlineMs, isDoubled ? deadlineMs : undefined), releases: [] };
      }
      lastMs = inOrderMs;
      const copyMs = Math.max(inOrderMs, nowMs + delayMs + draws.copyJitter * jitterMs);
      const action = isDoubled ? 'duplicated' : inOrderMs > nowMs ? 'delayed' : 'passed';
      const releases = held.length === 0 ? NOTHING_RELEASED : release(inOrderMs);
      return { action, deliveries: deliveries(inOrderMs, isDoubled ? copyMs : undefined), releases };
    },
  };
}

const NOTHING_RELEASED: readonly PlannedRelease[] = Object.freeze([]);

function deliveries(atMs: number, copyAtMs: number | undefined): readonly PlannedDelivery[] {
  return copyAtMs === undefined
    ? [{ atMs, copy: 0 }]
    : [
        { atMs, copy: 0 },
        { atMs: copyAtMs, copy: 1 },
      ];
}
