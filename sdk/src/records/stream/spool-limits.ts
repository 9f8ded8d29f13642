import type { SegmentLog } from '../../log/index.js';
import type { Delivery } from './delivery.js';
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
  /** Records given up. */
  readonly dropped: () => number;
  /** Something has come to be on disk: sizes have changed. */
  readonly onDurable: () => void;
}

/** What the limits are held against. */
export interface SpoolLimitsParts {
  readonly log: SegmentLog;
  readonly policy: StreamPolicy;
  readonly time: StreamTime;
  readonly delivery: Pick<Delivery, 'oldest' | 'dropThrough'>;
  readonly reader: Pick<SpoolReader, 'nextSequence' | 'skipThrough'>;
  readonly watermark: Pick<Watermark, 'sequence'>;
}

/** Makes them; the octets that wait are reckoned from the mean of all records in the log, since most are not read yet. */
export function createSpoolLimits(parts: SpoolLimitsParts): SpoolLimits {
  const { log, policy, time, delivery, reader, watermark } = parts;
  let dropped = 0;
  let meanBytes = meanRecordBytes(log);

  const waitingBytes = (): number => (log.lastSequence - watermark.sequence()) * meanBytes;
  const isTooOld = (): boolean => {
    const oldest = delivery.oldest();
    return oldest !== undefined && time.nowMs() - oldest.headAcceptedAtMs() > policy.maxSpoolAgeMs;
  };
  const dropThrough = (sequence: number): void => {
    dropped += delivery.dropThrough(sequence);
    // What has not been read is left out unread.
    dropped += Math.max(0, sequence - reader.nextSequence() + 1);
    reader.skipThrough(sequence);
  };

  return {
    refusal: () => {
      if (policy.dropPolicy === 'drop-oldest') return undefined;
      if (waitingBytes() >= policy.maxSpoolBytes) return 'spool-full';
      return isTooOld() ? 'spool-too-old' : undefined;
    },
    enforce: () => {
      if (policy.dropPolicy !== 'drop-oldest') return;
      if (waitingBytes() > policy.maxSpoolBytes)
        dropThrough(
          Math.min(
            log.durableSequence,
            log.lastSequence - Math.floor((policy.maxSpoolBytes * KEPT_WHEN_DROPPING) / meanBytes),
          ),
        );
      for (let oldest = delivery.oldest(); oldest !== undefined && isTooOld(); oldest = delivery.oldest()) {
        const before = dropped;
        dropThrough(oldest.headSequence());
        // Being sent this moment: it is not given up while it may arrive.
        if (dropped === before) return;
      }
    },
    dropped: () => dropped,
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
