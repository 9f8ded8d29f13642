import type { LogRecord, SegmentLog } from '../../sdk/src/log/index.js';
import type { Appended } from '../../sdk/src/log/segment-log.js';

/** A log in memory: durable when told so, or at once. */
export type MemorySegmentLog = SegmentLog & MemoryControls;

interface MemoryControls {
  /** Makes durable what was appended. */
  readonly sync: () => void;
  /** What the disk does from now on. */
  disk: 'works' | 'refuses-reads' | 'refuses-writes' | 'throws';
  /** How far it was trimmed. */
  readonly trimmedThrough: () => number;
  /** Takes a record away, as a damaged block does. */
  readonly lose: (sequence: number) => void;
}

/** Makes an empty one. */
export function createMemorySegmentLog(
  options: { readonly isManual?: boolean; readonly after?: number } = {},
): MemorySegmentLog {
  const records = new Map<number, Uint8Array>();
  const listeners = new Set<(sequence: number) => void>();
  let last = options.after ?? 0;
  let durable = last;
  let trimmed = last;
  let sizeBytes = 0;
  const sync = (): void => {
    if (log.disk !== 'works' && log.disk !== 'refuses-reads') return;
    if (durable === last) return;
    durable = last;
    for (const listener of listeners) listener(durable);
  };
  const append = (payload: Uint8Array | string): Appended => {
    if (log.disk === 'throws') throw new Error('a log that throws');
    last += 1;
    const bytes = Buffer.from(payload as Uint8Array);
    records.set(last, bytes);
    sizeBytes += bytes.length;
    if (options.isManual !== true) setImmediate(sync);
    return { accepted: true, sequence: last };
  };
  const read = async (from: number, limits: Parameters<SegmentLog['read']>[1] = {}): Promise<readonly LogRecord[]> => {
    if (log.disk === 'refuses-reads') throw new Error('EIO');
    const found: LogRecord[] = [];
    let bytes = 0;
    for (let sequence = Math.max(from, trimmed + 1); sequence <= durable; sequence += 1) {
      const payload = records.get(sequence);
      if (payload === undefined) continue;
      bytes += payload.length;
      if (found.length >= (limits.maxRecords ?? 10_000) || (found.length > 0 && bytes > (limits.maxBytes ?? 1_048_576)))
        break;
      found.push({ sequence, payload });
    }
    return found;
  };
  /** Into memory that is written over afterwards, as that of a file is. */
  const visit: SegmentLog['visit'] = async (from, show, limits) => {
    const found = await read(from, limits);
    for (const { sequence, payload } of found) {
      const bytes = Buffer.concat([Buffer.of(0), payload, Buffer.of(0)]);
      show(sequence, bytes, 1, bytes.length - 1);
      bytes.fill(0xff);
    }
    return found.length;
  };
  const log: Pick<SegmentLog, keyof SegmentLog> & MemoryControls = {
    ...{ disk: 'works', append, sync, read, visit },
    lose: (sequence) => void records.delete(sequence),
    trimmedThrough: () => trimmed,
    get durableSequence() {
      return durable;
    },
    get lastSequence() {
      return last;
    },
    get firstSequence() {
      return trimmed + 1;
    },
    flush: async () => {
      if (log.disk === 'refuses-writes') throw new Error('ENOSPC');
      sync();
      return durable;
    },
    onDurable: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    trim: async (through) => {
      for (let sequence = trimmed + 1; sequence <= through; sequence += 1) {
        sizeBytes -= records.get(sequence)?.length ?? 0;
        records.delete(sequence);
      }
      trimmed = Math.max(trimmed, Math.min(through, last));
    },
    state: () => ({
      ...{ firstSequence: trimmed + 1, lastSequence: last, durableSequence: durable, segments: 1, sizeBytes },
      ...{ pendingRecords: last - durable, pendingBytes: 0, isFailing: false, failures: 0, listenerFailures: 0 },
      lost: { records: 0, recordsInDoubt: 0, damagedBytes: 0, unreadableBytes: 0 },
    }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return log as MemorySegmentLog;
}
