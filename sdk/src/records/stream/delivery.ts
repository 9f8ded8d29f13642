import { createBreaker, type Breaker } from './breaker.js';
import { DeliveryAttempts } from './delivery-attempts.js';
import type { DeliveryParts, DeliveryTally, Sender } from './delivery-attempts.js';
import { decompress } from './batch.js';
import { createLane, type Lane } from './lane.js';
import type { Pack } from './pack.js';
import { unpackedLines, type ReadablePack } from './packed-chunk.js';
import type { ReadPack } from './packed-spool.js';
import { createChunkPool } from './record-chunk.js';
import { encodeFrameOfLine, frameLaneHash, lineCallGroup, lineText } from './spool-frame.js';

/** Sends what is in the lanes. */
export interface Delivery {
  readonly tally: Readonly<DeliveryTally>;
  readonly breaker: Breaker;
  /** Takes a record as spooled: what `bytes` has from `from` to before `to`, of which it keeps a copy. */
  readonly push: (sequence: number, bytes: Uint8Array, from: number, to: number) => void;
  /**
   * Takes a pack, which is sent as it is where it is what would be sent; else its records go to their lanes one by one.
   * @param unreadableAt - sequence number of a pack that cannot be read
   * @param through - up to where the spool is packed: none of its records has a higher number, lest it be taken for one of those behind
   * @throws Error when there is no memory for it
   */
  readonly pushPack: (read: ReadPack, unreadableAt: number, through: number) => Promise<void>;
  /** Begins every attempt whose time has come. */
  readonly start: (urgency: Urgency) => void;
  /** When `start` should be called again if nothing else happens, monotonic milliseconds; Infinity where only others know. */
  readonly dueAtMs: (urgency: Urgency) => number;
  readonly inFlight: () => number;
  readonly queued: () => number;
  readonly sizeBytes: () => number;
  /** Whether some lane has fewer batches behind the one on its way than are read before their turn. */
  readonly isHungry: () => boolean;
  /** No record that is not settled has a lower sequence number; Infinity where all are. */
  readonly floorSequence: () => number;
  /** The lane with the oldest record that is not settled. */
  readonly oldest: () => OldestRecord | undefined;
  /**
   * Gives up records up to a sequence number, but for those that are being sent this moment.
   * @returns how many
   */
  readonly dropThrough: (sequence: number) => number;
  /**
   * Takes all records with a higher sequence number out of the lanes, unless a batch is on its way. They may be pushed again: those among
   * them that are settled are not taken a second time.
   * @param readThrough - how far records had been pushed
   * @returns whether it did
   */
  readonly forgetAbove: (sequence: number, readThrough: number) => boolean;
  /** Whether a record as spooled, which `bytes` has from `from` on, was settled before its lane forgot what comes behind it. */
  readonly isSettled: (sequence: number, bytes: Uint8Array, from: number) => boolean;
  /** Gives up what is on its way and waits until it has ended. */
  readonly close: () => Promise<void>;
}

/** A record that is not settled. */
export type OldestRecord = Pick<Lane, 'headSequence' | 'headAcceptedAtMs'>;

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
  const chunkLimits = { records: policy.batchRecords, bytes: policy.batchBytes };
  const chunks = policy.maxInFlight * (BATCHES_AHEAD + 1);
  const pool = createChunkPool(chunkLimits, { chunks, bytes: policy.windowBytes });
  const senders = Array.from({ length: policy.maxInFlight }, () => newSender(createLane(pool, clock)));
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
      if (sender === undefined) continue;
      if (readyAtMs(sender, urgency, policy.lingerMs) <= nowMs) {
        if (!breaker.permit(nowMs)) return;
        attempts.begin(sender);
        turn = index + 1;
      }
      if (sender.inFlight > 0) attempts.prepare(sender);
    }
  };

  /** Of each lane: what is below and was pushed from the spool is settled. */
  const settledBelow = senders.map(() => 0);
  // What is no frame of this release goes anywhere: it is not sent.
  const laneOf = (bytes: Uint8Array, from: number): number => frameLaneHash(bytes, from) % senders.length;
  const isSettled: Delivery['isSettled'] = (sequence, bytes, from) =>
    sequence < (settledBelow[laneOf(bytes, from)] ?? 0);
  const push: Delivery['push'] = (sequence, bytes, from, to) => {
    senders[laneOf(bytes, from)]?.lane.push(sequence, bytes, from, to);
  };
  const isAsSent = (pack: Pack): pack is ReadablePack =>
    pack.encoding === (parts.transport.encoding ?? 'gzip') &&
    pack.lanes === senders.length &&
    pack.count <= policy.batchRecords &&
    (pack.lineBytes <= policy.batchBytes || pack.count === 1);
  /** Groups of which records stand in the lanes by themselves: under their places, which say nothing of the spool. */
  let partedGroups: readonly Pick<Pack, 'groupFirst' | 'groupLast'>[] = [];
  const part = (pack: Pack, through: number): void => {
    const [groupFirst, groupLast] = [Math.min(pack.groupFirst, through), Math.min(pack.groupLast, through)];
    const last = partedGroups.at(-1);
    // A group that was packed again begins where the torn one did.
    if (last?.groupFirst !== groupFirst || last.groupLast !== groupLast)
      partedGroups = [...partedGroups, { groupFirst, groupLast }];
  };
  /** No record that is not settled has a lower number: of a parted group any may be the one. */
  const floorSequence = (): number => {
    const floor = Math.min(...senders.map(({ lane }) => lane.floorSequence()));
    if (partedGroups.length === 0) return floor;
    partedGroups = partedGroups.filter(({ groupLast }) => groupLast >= floor);
    return Math.min(floor, ...partedGroups.map(({ groupFirst }) => groupFirst));
  };
  const unpack = async (pack: ReadablePack, through: number): Promise<void> => {
    const { body, encoding, lineBytes, first, acceptedAtMs } = pack;
    const lines = unpackedLines(await decompress(body, encoding, lineBytes));
    // Now: the lanes may have had nothing of its group meanwhile, and whatever settled then has let go of it.
    part(pack, through);
    for (let index = 0; index < lines.count; index += 1) {
      const line = lines.from(index, index + 1);
      const frame = encodeFrameOfLine(lineText(line), lineCallGroup(line), acceptedAtMs);
      push(Math.min(first + index, through), frame, 0, frame.length);
    }
  };

  return {
    tally,
    breaker,
    push: (sequence, bytes, from, to) => {
      const lane = laneOf(bytes, from);
      if (sequence >= (settledBelow[lane] ?? 0)) senders[lane]?.lane.push(sequence, bytes, from, to);
    },
    pushPack: async ({ pack, payload }, unreadableAt, through) => {
      if (pack === undefined) push(unreadableAt, payload, 0, payload.length);
      else if (!isReadable(pack)) {
        part(pack, through);
        push(Math.min(pack.first, through), pack.body, 0, pack.body.length);
      } else if (isAsSent(pack)) senders[pack.lane]?.lane.pushPack(pack);
      else await unpack(pack, through);
    },
    start,
    dueAtMs: (urgency) => {
      const ready = Math.min(...senders.map((sender) => readyAtMs(sender, urgency, policy.lingerMs)));
      return Math.max(ready, attempts.heldUntilMs, breaker.permittedAtMs());
    },
    inFlight: () => sum(senders, (sender) => sender.inFlight),
    queued: () => sum(senders, ({ lane, inFlight }) => lane.size() - inFlight),
    sizeBytes: () => sum(senders, ({ lane }) => lane.sizeBytes()),
    isHungry: () => senders.some(({ lane, inFlight }) => lane.batches() - (inFlight > 0 ? 1 : 0) < BATCHES_AHEAD),
    floorSequence,
    oldest: () => oldestOf(senders),
    dropThrough: (sequence) => sum(senders, (sender) => dropOf(sender, sequence)),
    forgetAbove: (sequence, readThrough) => {
      if (senders.some(({ isBusy }) => isBusy)) return false;
      for (const [index, sender] of senders.entries()) {
        const unsettled = Math.min(sender.lane.forgetAbove(sequence), readThrough + 1);
        settledBelow[index] = Math.max(settledBelow[index] ?? 0, unsettled);
        sender.batch = sender.prepared = undefined;
      }
      return true;
    },
    isSettled,
    close: () => attempts.close(),
  };
}

const isReadable = (pack: Pack): pack is ReadablePack => pack.encoding !== undefined;

/** Batches of a lane that are read before their turn, so that reading and sending go on beside each other. */
const BATCHES_AHEAD = 3;

function newSender(lane: Lane): Sender {
  const nothing = { batch: undefined, records: undefined, prepared: undefined };
  return { lane, isBusy: false, inFlight: 0, ...nothing, failures: 0, notBeforeMs: 0 };
}

/** When the lane's next batch may go. */
function readyAtMs({ lane, isBusy, batch, notBeforeMs }: Sender, urgency: Urgency, lingerMs: number): number {
  if (lane.size() === 0 || isBusy) return Number.POSITIVE_INFINITY;
  const isDue =
    batch !== undefined || urgency.isFull || lane.isNextWhole() || lane.headSequence() <= urgency.throughSequence;
  return isDue ? notBeforeMs : Math.max(notBeforeMs, lane.headQueuedAtMs() + lingerMs);
}

function dropOf(sender: Sender, sequence: number): number {
  if (sender.isBusy) return 0;
  const dropped = sender.lane.dropThrough(sequence);
  if (dropped > 0) sender.batch = sender.prepared = undefined;
  return dropped;
}

function oldestOf(senders: readonly Sender[]): Lane | undefined {
  let oldest: Lane | undefined;
  for (const { lane } of senders) {
    if (lane.size() > 0 && (oldest === undefined || lane.headSequence() < oldest.headSequence())) oldest = lane;
  }
  return oldest;
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
