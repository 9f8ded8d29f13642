import { createDatagramPlanner } from './datagram-plan.js';
import type { DatagramPlan } from './datagram-plan.js';
import type { DatagramSource, SendDone } from './datagram-sources.js';
import { createDeliverySchedule } from './delivery-schedule.js';
import type { DatagramSettings, RelayDirection } from './fault-settings.js';
import type { RecordedPacket } from './relay-ledger.js';
import { MAX_IN_FLIGHT_BYTES } from './relay-transport.js';
import type { RelayContext } from './relay-transport.js';

/** The datagrams of one direction. */
export interface DatagramLane {
  /** Takes a datagram as it arrives; one without a source is refused. */
  readonly arrive: (source: DatagramSource | undefined, octets: Buffer) => void;
  /** Lets nothing leave any more: to be called before the sockets are closed. */
  readonly stop: () => void;
  /** Counts what has not left as dropped: to be called when the sockets are closed. */
  readonly dropRest: () => void;
}

/** What a lane is made with. */
export interface DatagramLaneOptions {
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
export function createDatagramLane(
  context: RelayContext<DatagramSettings>,
  { direction, send }: DatagramLaneOptions,
): DatagramLane {
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
    arrive: (source, octets) => {
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
    stop: schedule.close,
    dropRest: () => {
      ledger.dropped(direction, underWay.packets, underWay.bytes);
      [underWay.packets, underWay.bytes] = [0, 0];
    },
  };
}
