import type { RecordStore } from '../store/record-store.js';
import { scheduleInBackground } from '../../core/runtime/clock.js';
import { createHepListener } from './hep-listener.js';
import type { HepListener } from './hep-listener.js';
import { createPendingInserts } from './pending-inserts.js';
import type { RowReading } from './record-reader.js';
import type { RejectSink } from './rejects.js';
import { createSourceHepReader } from './source-configuration.js';
import type { HepConfiguration } from './source-configuration.js';

/** Options of {@link SourceListener.open}. */
export interface SourceListenOptions {
  readonly configuration: HepConfiguration;
  readonly store: Pick<RecordStore, 'insert'>;
  /** Told of packets that cannot be read, by their reason: packets have no line, and their bytes are not kept. */
  readonly rejects: RejectSink;
  /** Runs something later; the returned function cancels it. Default the timers of Node, which keep no process alive. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
  /** Told when the store refuses; it is tried again. */
  readonly onFailed?: (cause: unknown) => void;
}

/**
 * Listens for the signalling of a switch and puts its calls into a store. Packets come once: what is not in the store when the process is
 * killed is lost, a quarter of a second of ended calls and the calls that were up. Hence it claims no coverage.
 * @see {@link FileFollower} for sources in files
 * @example
 * ```ts
 * const configuration = readSourceConfiguration({
 *   id: 'proxy-1',
 *   format: 'hep',
 *   time: { zone: 'utc' },
 *   ownAddresses: ['192.0.2.1'],
 *   listen: { udp: { host: '127.0.0.1', port: 0 }, agents: ['127.0.0.1'] },
 * });
 * if (configuration.format !== 'hep') throw new Error('not listened to');
 * const rejects = { reject: () => {}, flush: async () => {} };
 * const store = createMemoryRecordStore();
 * await using listener = await SourceListener.open({ configuration, store, rejects });
 * console.log(listener.statistics().records); // 0
 * ```
 */
export class SourceListener implements AsyncDisposable {
  readonly #calls: ReturnType<typeof takeCalls>;
  readonly #listener: HepListener;
  #closing: Promise<void> | undefined;

  /**
   * Begins to listen.
   * @param options - configuration of the source, store, reject sink
   * @returns the listener, which has begun; to be closed
   * @throws {@link HopbackError} `invalid-configuration` where no address of the switch is named, nothing says where to listen, or an address
   * is none; `unavailable` when an address cannot be bound
   */
  static async open(options: SourceListenOptions): Promise<SourceListener> {
    const calls = takeCalls(options);
    const { reader, take } = calls;
    const listener = await createHepListener({ ...options.configuration.listen, reader, onReadings: take });
    return new SourceListener(calls, listener);
  }

  private constructor(calls: ReturnType<typeof takeCalls>, listener: HepListener) {
    this.#calls = calls;
    this.#listener = listener;
  }

  /** Where it listens. */
  get listening() {
    return this.#listener.listening;
  }

  /** Packets and connections since it began. */
  counters() {
    return this.#listener.counters();
  }

  /** `waiting` calls are up, `pending` records not in the store yet, `lost` ones given up, since the store refused for too long. */
  statistics() {
    const { reader, counts, pending } = this.#calls;
    const { inserted, repeated, pending: unstored } = pending.statistics();
    return {
      ...counts,
      inserted,
      repeated,
      waiting: reader.waiting(),
      pending: unstored,
    };
  }

  /** Stores what is complete. @throws {@link HopbackError} what the store refused with; it is tried again */
  commit(): Promise<void> {
    return this.#calls.pending.commit();
  }

  /** Ends listening, makes records of calls that are up as far as they are known, and stores them. Never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { reader, take, pending } = this.#calls;
    await this.#listener.close();
    take(reader.expire(Infinity));
    await pending.close();
  }
}

/** The way of calls from packets to the store. */
function takeCalls(options: SourceListenOptions) {
  const { configuration, store, rejects, schedule = scheduleInBackground } = options;
  const reader = createSourceHepReader(configuration);
  const counts = { records: 0, rejected: 0, lost: 0 };
  const settled = (): Promise<void> => rejects.flush();
  const pending = createPendingInserts({
    store,
    schedule,
    settled,
    onFailed: options.onFailed,
  });

  const take = (readings: readonly RowReading[]): void => {
    for (const reading of readings) {
      if (reading.status === 'record') {
        counts.records += 1;
        if (!pending.take(reading.record)) counts.lost += 1;
      } else if (reading.status === 'rejected') {
        counts.rejected += 1;
        const { reason, field, detail } = reading;
        const named = field === undefined ? {} : { field };
        rejects.reject({
          sourceId: configuration.id,
          file: '',
          ...NOWHERE,
          reason,
          ...named,
          detail,
        });
      } else continue;
      pending.commitLater();
    }
  };
  return {
    reader,
    counts,
    pending,
    take,
  };
}

/** Of packets that cannot be read. */
const NOWHERE = {
  line: 0,
  sha256: '',
  bytes: new Uint8Array(0),
  sizeBytes: 0,
} as const;
