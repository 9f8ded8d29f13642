import type { Socket } from 'node:net';
import type { DeliverySchedule } from './delivery-schedule.js';
import type { CutKind, RelayDirection, StreamSettings } from './fault-settings.js';
import type { PacketAction } from './relay-ledger.js';
import { STREAM_WINDOW_BYTES } from './relay-transport.js';
import type { RelayContext } from './relay-transport.js';
import { createStreamOutlet } from './stream-outlet.js';
import type { StreamEvent } from './stream-outlet.js';
import { createStreamPlanner } from './stream-plan.js';

/** What happens in connections when it falls due. */
export type StreamSchedule = DeliverySchedule<() => void>;

/** Moves the bytes of one direction of a connection. */
export interface StreamPump {
  /** Reads or stops reading, and lets go what was kept, as the relay is paused or not. */
  readonly pausedOrResumed: () => void;
  /** The socket that is read from is broken: behind what was read from it the other end is reset. */
  readonly breakOff: () => void;
  /** Drops what is under way; what still comes is thrown away. */
  readonly abandon: () => void;
}

/** What a pump is made with. */
export interface StreamPumpOptions {
  readonly direction: RelayDirection;
  /** Number of the connection. */
  readonly source: number;
  readonly from: Socket;
  readonly to: Socket;
  readonly schedule: StreamSchedule;
  readonly onReset: () => void;
  readonly onCut: (as: CutKind) => void;
}

/** Makes the pump of one direction and begins to read. */
export function createStreamPump(context: RelayContext<StreamSettings>, options: StreamPumpOptions): StreamPump {
  const { clock, ledger, controls } = context;
  const { direction, source, from, to, schedule, onReset, onCut } = options;
  const planner = createStreamPlanner(context.seed, { direction, number: source });
  const isPaused = (): boolean => controls.isPaused[direction];
  let isAbandoned = false;
  let count = 0;

  /** Reads no further ahead than the window, and goes on when half of it is free. */
  const flow = (): void => {
    if (isPaused() || outlet.pendingBytes() >= STREAM_WINDOW_BYTES) from.pause();
    else if (from.isPaused() && outlet.pendingBytes() <= STREAM_WINDOW_BYTES / 2) from.resume();
  };
  const outlet = createStreamOutlet({ direction, to, ledger, isPaused, onFlushed: flow, onReset, onCut });
  const arrived = (sizeBytes: number, nowMs: number, atMs?: number): void => {
    const action: PacketAction = atMs === undefined ? 'cut' : atMs > nowMs ? 'delayed' : 'passed';
    const deliveriesMs = atMs === undefined ? [] : [atMs];
    ledger.arrived({ direction, source, number: count++, action, sizeBytes, atMs: nowMs, deliveriesMs });
  };
  const read = (octets: Buffer): void => {
    const nowMs = clock.nowMs();
    if (isAbandoned) return arrived(octets.length, nowMs);
    const plan = planner.plan({ sizeBytes: octets.length, nowMs }, controls.settings[direction]);
    let begin = 0;
    for (const { sizeBytes, atMs } of plan.fragments) {
      arrived(sizeBytes, nowMs, atMs);
      outlet.expect(sizeBytes);
      const piece = octets.subarray(begin, begin + sizeBytes);
      schedule.add(atMs, () => outlet.due(piece));
      begin += sizeBytes;
    }
    if (begin < octets.length) arrived(octets.length - begin, nowMs);
    const { cut } = plan;
    if (cut !== undefined) schedule.add(cut.atMs, () => outlet.due({ cutAs: cut.as }));
    flow();
  };
  /** Behind all bytes read so far. */
  const finish = (event: StreamEvent): void => {
    schedule.add(planner.end(clock.nowMs(), controls.settings[direction]), () => outlet.due(event));
  };

  from.on('data', read);
  from.once('end', () => finish('end'));
  flow();
  return {
    pausedOrResumed: () => {
      outlet.release();
      flow();
    },
    breakOff: () => finish('reset'),
    abandon: () => {
      isAbandoned = true;
      outlet.abandon();
      flow();
    },
  };
}
