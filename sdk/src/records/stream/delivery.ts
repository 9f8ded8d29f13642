import { createBreaker, type Breaker } from './breaker.js';
import { DeliveryAttempts } from './delivery-attempts.js';
import type { DeliveryParts, DeliveryTally, Sender } from './delivery-attempts.js';
import { createLane, type QueuedRecord } from './lane.js';
import type { StreamPolicy } from './stream-policy.js';

/** Sends what is in the lanes. */
export interface Delivery {
  readonly tally: Readonly<DeliveryTally>;
  readonly breaker: Breaker;
  readonly push: (laneHash: number, record: QueuedRecord) => void;
  /** Begins every attempt whose time has come. */
  readonly start: (urgency: Urgency) => void;
  /** When `start` should be called again if nothing else happens, monotonic milliseconds; Infinity where only others know. */
  readonly dueAtMs: (urgency: Urgency) => number;
  readonly inFlight: () => number;
  readonly queued: () => number;
  readonly sizeBytes: () => number;
  /** The oldest record that is not settled. */
  readonly oldest: () => QueuedRecord | undefined;
  /**
   * Gives up records up to a sequence number, but for those that are being sent this moment.
   * @returns how many
   */
  readonly dropThrough: (sequence: number) => number;
  /** Gives up what is on its way and waits until it has ended. */
  readonly close: () => Promise<void>;
}

/** Records that do not wait for others to fill their batch. */
export interface Urgency {
  /** Those up to this sequence number. */
  readonly throughSequence: number;
  /** All: no more can be read until some are settled. */
  readonly isFull: boolean;
}

/** Makes as many lanes as batches may be on their way. */
export function createDelivery(parts: DeliveryParts): Delivery {
  const { policy, clock, random } = parts;
  const senders = Array.from({ length: policy.maxInFlight }, newSender);
  const breaker = createBreaker({ failures: policy.breakerFailures, open: policy.breakerOpen, random });
  const tally = {
    acknowledged: 0,
    batches: 0,
    requests: 0,
    retried: 0,
    dead: 0,
    storageFailures: 0,
    trouble: undefined,
  };
  const attempts = new DeliveryAttempts(parts, breaker, tally);
  /** Whose turn it is first: in a half-open breaker the same batch must not be the only one that is ever tried. */
  let turn = 0;

  const start = (urgency: Urgency): void => {
    const nowMs = clock.monotonicMs();
    if (attempts.isClosed || attempts.heldUntilMs > nowMs) return;
    const first = turn;
    for (let count = 0; count < senders.length; count += 1) {
      const index = (first + count) % senders.length;
      const sender = senders[index];
      if (sender === undefined || readyAtMs(sender, urgency, policy) > nowMs) continue;
      if (!breaker.permit(nowMs)) return;
      attempts.begin(sender);
      turn = index + 1;
    }
  };

  return {
    tally,
    breaker,
    push: (laneHash, record) => senders[laneHash % senders.length]?.lane.push(record),
    start,
    dueAtMs: (urgency) => {
      const ready = Math.min(...senders.map((sender) => readyAtMs(sender, urgency, policy)));
      return Math.max(ready, attempts.heldUntilMs, breaker.permittedAtMs());
    },
    inFlight: () => sum(senders, (sender) => sender.inFlight),
    queued: () => sum(senders, ({ lane, inFlight }) => lane.size() - inFlight),
    sizeBytes: () => sum(senders, ({ lane }) => lane.sizeBytes()),
    oldest: () => oldestOf(senders),
    dropThrough: (sequence) => sum(senders, (sender) => dropOf(sender, sequence)),
    close: () => attempts.close(),
  };
}

function newSender(): Sender {
  return { lane: createLane(), inFlight: 0, batch: undefined, records: [], failures: 0, notBeforeMs: 0 };
}

/** When the lane's next batch may go. */
function readyAtMs({ lane, inFlight, batch, notBeforeMs }: Sender, urgency: Urgency, policy: StreamPolicy): number {
  const head = lane.head();
  if (head === undefined || inFlight > 0) return Number.POSITIVE_INFINITY;
  const isDue =
    batch !== undefined ||
    urgency.isFull ||
    head.sequence <= urgency.throughSequence ||
    lane.isSplit() ||
    lane.size() >= policy.batchRecords ||
    lane.sizeBytes() >= policy.batchBytes;
  return isDue ? notBeforeMs : Math.max(notBeforeMs, head.queuedAtMs + policy.lingerMs);
}

function dropOf(sender: Sender, sequence: number): number {
  if (sender.inFlight > 0) return 0;
  const dropped = sender.lane.dropThrough(sequence);
  if (dropped > 0) sender.batch = undefined;
  return dropped;
}

function oldestOf(senders: readonly Sender[]): QueuedRecord | undefined {
  let oldest: QueuedRecord | undefined;
  for (const { lane } of senders) {
    const head = lane.head();
    if (head !== undefined && (oldest === undefined || head.sequence < oldest.sequence)) oldest = head;
  }
  return oldest;
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
