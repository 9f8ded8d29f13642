import type { SegmentLog } from '../../log/index.js';
import type { Delivery } from './delivery.js';
import type { PackedSpool } from './packed-spool.js';
import type { SpoolReader } from './spool-reader.js';
import type { StreamPolicy } from './stream-policy.js';
import type { StreamTime } from './stream-time.js';
import type { Watermark } from './watermark.js';

/** Part of the limit that is left when records are dropped, so that it is not done for every single one. */
const KEPT_WHEN_DROPPING = 0.95;

/** Holds the spool to its limits. */
export interface SpoolLimits {
  /** Why no record may be added now; undefined where one may. Cheap: it is asked for every record. */
  readonly refusal: () => 'spool-full' | 'spool-too-old' | undefined;
  /** Gives up the oldest, where that is the policy and a limit is passed. */
  readonly enforce: () => void;
  /** Octets of the records that wait unpacked from a sequence number on, as far as they are durable. */
  readonly unpackedBytes: (fromSequence: number) => number;
  /** Records given up. */
  readonly dropped: () => number;
  /** Something has come to be on disk: sizes have changed. */
  readonly onDurable: () => void;
}

/** What the limits are held against. */
export interface SpoolLimitsParts {
  readonly log: SegmentLog;
  readonly packed: PackedSpool | undefined;
  readonly policy: StreamPolicy;
  readonly time: StreamTime;
  readonly delivery: Pick<Delivery, 'oldest' | 'dropThrough'>;
  readonly reader: Pick<SpoolReader, 'skipThrough' | 'skipped'>;
  readonly watermark: Pick<Watermark, 'sequence'>;
  /** Whether a stretch of the spool is being packed: nothing of it is given up then. */
  readonly isPacking: () => boolean;
}

/** Makes them; the octets that wait are reckoned from the mean of all records in the log, and of packed ones, since most are not read yet. */
export function createSpoolLimits(parts: SpoolLimitsParts): SpoolLimits {
  const { log, packed, policy, time, delivery, reader, watermark } = parts;
  let dropped = 0;
  let meanBytes = meanRecordBytes(log);

  /** Records of the packs that wait, whose octets are fewer. */
  const waitingPacked = (): number =>
    Math.max(0, Math.min(packed?.through() ?? 0, log.lastSequence) - watermark.sequence());
  const waitingBytes = (): number => {
    const count = waitingPacked();
    const packedBytes = count === 0 ? 0 : count * (packed?.meanRecordBytes() ?? 0);
    return packedBytes + (log.lastSequence - watermark.sequence() - count) * meanBytes;
  };
  /** Up to where records are given up, so that so many octets are less. */
  const sequenceBehind = (bytes: number): number => {
    const count = waitingPacked();
    const packedBytes = count * (packed?.meanRecordBytes() ?? 0);
    return bytes < packedBytes
      ? watermark.sequence() + Math.ceil((count * bytes) / packedBytes)
      : watermark.sequence() + count + Math.ceil((bytes - packedBytes) / meanBytes);
  };
  const isTooOld = (): boolean => {
    const oldest = delivery.oldest();
    return oldest !== undefined && time.nowMs() - oldest.headAcceptedAtMs() > policy.maxSpoolAgeMs;
  };
  const dropThrough = (sequence: number): void => {
    dropped += delivery.dropThrough(sequence);
    // What has not been read is left out unread.
    reader.skipThrough(sequence);
  };

  return {
    refusal: () => {
      if (policy.dropPolicy === 'drop-oldest') return undefined;
      if (waitingBytes() >= policy.maxSpoolBytes) return 'spool-full';
      return isTooOld() ? 'spool-too-old' : undefined;
    },
    enforce: () => {
      if (policy.dropPolicy !== 'drop-oldest' || parts.isPacking()) return;
      const bytes = waitingBytes();
      if (bytes > policy.maxSpoolBytes)
        dropThrough(Math.min(log.durableSequence, sequenceBehind(bytes - policy.maxSpoolBytes * KEPT_WHEN_DROPPING)));
      for (let oldest = delivery.oldest(); oldest !== undefined && isTooOld(); oldest = delivery.oldest()) {
        const before = dropped;
        dropThrough(oldest.headSequence());
        // Being sent this moment: it is not given up while it may arrive.
        if (dropped === before) return;
      }
    },
    unpackedBytes: (fromSequence) => (log.durableSequence - fromSequence + 1) * meanBytes,
    dropped: () => dropped + reader.skipped(),
    onDurable: () => {
      meanBytes = meanRecordBytes(log);
    },
  };
}

/** At least 1, so that nothing is divided by none. */
function meanRecordBytes(log: SegmentLog): number {
  const { firstSequence, durableSequence, sizeBytes } = log.state();
  return Math.max(1, sizeBytes / Math.max(1, durableSequence - firstSequence + 1));
}
