import { join } from 'node:path';
import { openSegmentLog, openValueJournal, type SegmentLog } from '../../log/index.js';
import { ACKNOWLEDGED_KEY, keptSequence } from './kept-sequence.js';
import { openPackedSpool, type PackedSpool } from './packed-spool.js';
import { createPackingStream, type RecordStream, type RecordStreamOptions } from './record-stream.js';

/** Octets of a pack at most: a batch of the largest size that grows when it is compressed. */
const LONGEST_PACK_BYTES = 16 * 1_048_576;

/** A stream and where it keeps its records. */
export interface OpenRecordStreamOptions extends Omit<RecordStreamOptions, 'log' | 'deadLetters' | 'values'> {
  /** For its files alone; made where it is not there. One process at a time. */
  readonly directory: string;
  /** Octets of a segment of the spool, which is freed as a whole. Default that of the segment log. */
  readonly segmentBytes?: number;
}

/** A stream that owns its files: closing it closes them, and the transport. */
export interface OpenRecordStream extends RecordStream {
  /** The spool: what the disk has refused or lost, and how much room it takes, is in its `state()`. */
  readonly spool: Pick<SegmentLog, 'state' | 'onDurable'>;
}

/**
 * Opens spool, dead letters and position in a directory, whatever state a killed process left them in, and makes the stream on them.
 * @param options - directory, transport, source, limits
 * @returns the stream; closing it closes the files and the transport
 * @throws {@link HopbackError} `storage-failed` when the disk refuses, `invalid-configuration` when a limit is out of its bounds
 * @see {@link createRecordStream} for a stream on logs of one's own
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 *
 * const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
 * const stream = await openRecordStream({
 *   directory,
 *   source: '/carriers/example/switches/1',
 *   transport: { deliver: async () => ({ status: 'acknowledged', rejected: [] }), close: async () => {} },
 * });
 * console.log(stream.record({ recordId: 'd546c842a20f26164092a1e15ac8fa4e', callGroupId: 'call-1' }).accepted); // true
 * console.log((await stream.drain()).status); // drained
 * await stream.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openRecordStream(options: OpenRecordStreamOptions): Promise<OpenRecordStream> {
  const { directory, segmentBytes, ...parts } = options;
  const opened: { readonly close: () => Promise<void> }[] = [];
  const keep = <Part extends { readonly close: () => Promise<void> }>(part: Part): Part => {
    opened.unshift(part);
    return part;
  };
  const closeAll = async (): Promise<void> => {
    for (const part of opened.splice(0)) await part.close();
  };
  try {
    const values = keep(await openValueJournal({ directory: join(directory, 'values') }));
    const sized = segmentBytes === undefined ? {} : { segmentBytes };
    const packs = await openSegmentLog({
      directory: join(directory, 'packed'),
      maxRecordBytes: LONGEST_PACK_BYTES,
      ...sized,
    });
    // What it could not write is lost to nobody: the spool has it still.
    keep({ close: () => packs.close().catch(() => undefined) });
    const packed = await openPackedSpool(packs);
    const settledThrough = keptSequence(values, ACKNOWLEDGED_KEY);
    const log = keep(
      await openSegmentLog({
        directory: join(directory, 'spool'),
        // A spool that lost its end gives no number again of which the position says that it was delivered, or that was packed.
        afterSequence: Math.max(settledThrough, packed.through()),
        ...sized,
      }),
    );
    const deadLetters = keep(
      // A pack that this release cannot read is put aside whole: were there no room for it, its lane would wait for ever.
      await openSegmentLog({ directory: join(directory, 'dead-letters'), maxRecordBytes: LONGEST_PACK_BYTES }),
    );
    keep(options.transport);
    const stream = keep(createPackingStream({ ...parts, log, deadLetters, values }, packed));
    return owning(stream, spoolOf(log, packed), closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Both logs as one: what was packed is in the spool still, for those who look at its room and its losses. */
function spoolOf(log: SegmentLog, packed: PackedSpool): OpenRecordStream['spool'] {
  return {
    onDurable: log.onDurable,
    state: () => {
      const state = log.state();
      const lost = { ...state.lost, records: state.lost.records + packed.lost() };
      return { ...state, sizeBytes: state.sizeBytes + packed.sizeBytes(), lost };
    },
  };
}

function owning(stream: RecordStream, spool: OpenRecordStream['spool'], close: () => Promise<void>): OpenRecordStream {
  return {
    spool,
    record: stream.record,
    get durableSequence() {
      return stream.durableSequence;
    },
    flush: stream.flush,
    drain: stream.drain,
    status: stream.status,
    statuses: stream.statuses,
    deadLetters: stream.deadLetters,
    settleDeadLetters: stream.settleDeadLetters,
    close,
    [Symbol.asyncDispose]: close,
  };
}
