import type { CallRecord } from '../../contract/call-record.js';
import type { RecordTransport } from '../../contract/record-batch.js';
import { MACHINE_CLOCK, scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { once } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import { FolderLock } from '../../log/index.js';
import { RecordFeed } from '../feed/record-feed.js';
import type { RecordFeedCounts } from '../feed/record-feed.js';
import { createPendingInserts } from '../ingest/pending-inserts.js';
import type { PendingInserts } from '../ingest/pending-inserts.js';
import { createSourceHepReader, createSourceReader } from '../ingest/source-configuration.js';
import type { SourceConfiguration } from '../ingest/source-configuration.js';
import type { SharingPolicy } from '../redaction/sharing-policy.js';
import { isRecordId } from '../store/record-store.js';
import { SharedRecordStore } from '../store/shared-record-store.js';
import { RecordStream } from '../stream/record-stream.js';
import type { Drained } from '../stream/record-stream.js';
import type { StreamStatus } from '../stream/stream-policy.js';
import { makeSourceKnown, sourceNotice, spoolFolder, startRetention } from './intake-source.js';
import type { IntakeNotice, IntakeSource, IntakeSourceState, Pushed } from './intake-source.js';
import { openIntakeSource } from './open-intake-source.js';

/** The sources that are taken in at a time. */
type IntakeSources = ReturnType<typeof createIntakeSources>;

/**
 * Looks at sources before anything is opened.
 * @throws {@link HopbackError} `invalid-configuration` where two have one id, or a zone, columns or a layout cannot be
 */
function checkSources(sources: readonly SourceConfiguration[]): void {
  const ids = new Set<string>();
  for (const source of sources) {
    if (ids.has(source.id)) throw new HopbackError('invalid-configuration', `two sources have the id ${source.id}`);
    ids.add(source.id);
    if (source.format === 'hep') createSourceHepReader(source);
    else createSourceReader(source);
  }
}

interface Running {
  readonly configuration: SourceConfiguration;
  readonly source: IntakeSource;
}

/** Makes the set, empty at first. */
function createIntakeSources(open: (source: SourceConfiguration) => Promise<IntakeSource>) {
  let running = new Map<string, Running>();
  let changing: Promise<void> = Promise.resolve();
  let isClosed = false;

  const start = async (configuration: SourceConfiguration): Promise<Running> => ({
    configuration,
    source: await open(configuration),
  });
  const change = async (configurations: readonly SourceConfiguration[]): Promise<void> => {
    if (isClosed) throw new HopbackError('closed', 'The intake of records is closed.');
    checkSources(configurations);
    const before = running;
    const stay = configurations.map((one) => ({ one, was: before.get(one.id) }));
    const kept = new Set(stay.filter(({ one, was }) => was !== undefined && isSame(was.configuration, one)));
    const ended = [...before.values()].filter((one) => ![...kept].some(({ was }) => was === one));
    // What ends gives its places and ports free before another takes them.
    for (const { source } of ended) await source.close();
    const after = new Map<string, Running>();
    const opened: Running[] = [];
    try {
      for (const entry of stay) {
        const { one, was } = entry;
        if (was !== undefined && kept.has(entry)) after.set(one.id, was);
        else {
          const begun = await start(one);
          opened.push(begun);
          after.set(one.id, begun);
        }
      }
    } catch (error) {
      running = await restored(before, { ended, opened });
      throw error;
    }
    running = after;
  };
  /** As it was, but for a source that cannot be opened again either. */
  const restored = async (
    before: ReadonlyMap<string, Running>,
    { ended, opened }: { readonly ended: readonly Running[]; readonly opened: readonly Running[] },
  ): Promise<Map<string, Running>> => {
    for (const { source } of opened) await source.close().catch(() => undefined);
    const again = new Map(before);
    for (const { configuration } of ended) {
      const begun = await start(configuration).catch(() => undefined);
      if (begun === undefined) again.delete(configuration.id);
      else again.set(configuration.id, begun);
    }
    return again;
  };
  return {
    all: (): readonly IntakeSource[] => [...running.values()].map(({ source }) => source),
    named: (sourceId: string): IntakeSource | undefined => running.get(sourceId)?.source,
    /** One change after the other. @throws what the first that cannot be is refused with; then all are as they were */
    replace: (configurations: readonly SourceConfiguration[]) => {
      const turn = changing.then(() => change(configurations));
      changing = turn.catch(() => undefined);
      return turn;
    },
    /** Ends all, the last first, whatever one of them says. @throws the first that one of them said */
    close: async () => {
      isClosed = true;
      await changing;
      await closeAll([...running.values()].map(({ source }) => source).reverse());
    },
  };
}

/** One after the other, whatever one of them says; then the first that was said. */
async function closeAll(parts: readonly { readonly close: () => Promise<void> }[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts) await part.close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Configurations are plain JSON, read by one schema, which puts members in one order. */
function isSame(one: SourceConfiguration, other: SourceConfiguration): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** 18 months: what a carrier keeps records for, by 47 CFR 42.6 and by the industry traceback that asks for them. */
export const RETENTION_DAYS = 548;

/** Options of {@link RecordIntake.open}. */
export interface RecordIntakeOptions {
  /** Of the store, made where it is not there; places, rejected rows and the spool are below it. Holds telephone numbers: for one user. */
  readonly directory: string;
  /** A source in files without a `path` is one that is sent, by {@link RecordIntake.push}. */
  readonly sources: readonly SourceConfiguration[];
  /** What leaves, where it goes, and under whose name. Without it nothing leaves. */
  readonly platform?: {
    /** The way there. The intake closes it. */
    readonly transport: RecordTransport;
    /** What may leave. */
    readonly policy: SharingPolicy;
    /** Whose records they are, as the platform knows the carrier. */
    readonly tenantId: string;
    /** Where records wait for the platform. Default `spool` below the store. */
    readonly spool?: string;
  };
  /** Days that records are kept, except under a hold, 1 to 36,500. Default 548. */
  readonly retentionDays?: number;
  /** Records that are submitted and wait for the store at most, 1 or more. Default 200,000, some 200 MB. */
  readonly maxSubmitted?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Told what happens; not to throw. */
  readonly onNotice?: (notice: IntakeNotice) => void;
}

/** How everything stands. */
export interface IntakeState {
  readonly sources: readonly IntakeSourceState[];
  /** What became of records that were submitted. */
  readonly submitted: {
    readonly accepted: number;
    /** Not taken, since too many waited or no store can take them: they are lost, and their count is all that is left. */
    readonly refused: number;
    readonly inserted: number;
    readonly repeated: number;
    /** Not in the store yet. */
    readonly pending: number;
    /** Attempts of the store that failed since the last that did not. */
    readonly failures: number;
  };
  /** Where something may leave. */
  readonly platform?: { readonly status: StreamStatus; readonly counts: RecordFeedCounts };
}

/**
 * Takes in the records of a carrier, stores them, and sends on what may leave: store, retention, spool and stream to the platform, and each
 * source. Killed at any instant, it goes on where it was, and of what came by files or was acknowledged loses and doubles nothing.
 * @see {@link RecordFeed} for what is durable when
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const source = readSourceConfiguration({ id: 'fs-1', format: 'freeswitch-json', time: { zone: 'utc' } });
 * const intake = await RecordIntake.open({ directory, sources: [source] });
 * const pushed = await intake.push('fs-1', new TextEncoder().encode('{"variables":{}}'));
 * console.log(pushed.status === 'taken' && pushed.rejects[0]?.field); // uuid
 * await intake.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class RecordIntake implements AsyncDisposable {
  /** Where records are looked up. The intake closes it. */
  readonly store: SharedRecordStore;
  readonly #parts: Parts;
  readonly #closeParts: () => Promise<void>;
  readonly #endSources: () => Promise<void>;
  readonly #counts = { accepted: 0, refused: 0 };
  #isClosed = false;

  /**
   * Opens all of it.
   * @param options - folder, sources, platform, retention, clock
   * @returns the intake, which has begun; to be closed
   * @throws {@link HopbackError} `invalid-configuration` where a source cannot be; `storage-failed` where a folder cannot be used, or another
   * process takes in one of the sources; as {@link SharedRecordStore.open}
   */
  static async open(options: RecordIntakeOptions): Promise<RecordIntake> {
    checkSources(options.sources);
    const opened: { readonly close: () => Promise<void> }[] = [];
    const keep: Keep = (part) => {
      opened.unshift(part);
      return part;
    };
    try {
      const parts = await openParts(options, keep);
      await parts.sources.replace(options.sources);
      return new RecordIntake(parts, () => closeAll(opened));
    } catch (error) {
      await closeAll(opened).catch(() => undefined);
      throw error;
    }
  }

  private constructor(parts: Parts, close: () => Promise<void>) {
    this.store = parts.store;
    this.#parts = parts;
    this.#closeParts = once(close);
    this.#endSources = once(parts.sources.close);
  }

  /**
   * Takes records that nobody waits for, at once, whatever the disk does: they go to the store within a quarter of a second, or as soon as it
   * takes them. What is not there when the process is killed is lost. Never throws.
   * @returns how many were taken; of the rest, which is counted, too many wait, or no store can ever take them: without an id or a time
   */
  submit(records: readonly CallRecord[]): number {
    const { submitted } = this.#parts;
    const taken = this.#isClosed ? 0 : records.filter((one) => isStorable(one) && submitted.take(one)).length;
    this.#counts.accepted += taken;
    this.#counts.refused += records.length - taken;
    if (taken > 0) submitted.commitLater();
    return taken;
  }

  /**
   * Takes in rows of a source that is sent: whole rows, of whole legs. What could not be read is in the reject file of the source.
   * @returns what became of them, when all of it is durable; `unknown-source` where no such source is sent
   * @throws HopbackError what the store or the spool refuses with, after which some may be there: sent again, nothing is doubled;
   * `closed` after the end
   */
  async push(sourceId: string, octets: Uint8Array): Promise<Pushed | { readonly status: 'unknown-source' }> {
    if (this.#isClosed) throw new HopbackError('closed', 'The intake of records is closed.');
    const push = this.#parts.sources.named(sourceId)?.push;
    return push === undefined ? { status: 'unknown-source' } : push(octets);
  }

  /** Takes in what is there, one source after the other, until the signal says to leave it. */
  async look({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    for (const source of this.#parts.sources.all()) {
      if (signal?.aborted === true) return;
      await source.look();
    }
  }

  /**
   * Puts other sources in the place of those there are. One that stays as it was goes on untouched; one that changed goes on from its
   * place. Where one cannot be, all stay as they were.
   * @throws HopbackError `invalid-configuration` or `storage-failed` where one cannot be
   */
  replaceSources(sources: readonly SourceConfiguration[]): Promise<void> {
    return this.#parts.sources.replace(sources);
  }

  /** Ends taking in from sources; what was read is durable. */
  endSources(): Promise<void> {
    return this.#endSources();
  }

  /** Waits until the platform has what may leave. `undefined` where nothing may. */
  async drain(options?: { readonly timeoutMs?: number }): Promise<Drained | undefined> {
    return this.#parts.platform?.stream.drain(options);
  }

  state(): IntakeState {
    const { sources, submitted, platform } = this.#parts;
    return {
      sources: sources.all().map(({ state }) => state()),
      submitted: { ...this.#counts, ...submitted.statistics() },
      ...(platform === undefined
        ? {}
        : { platform: { status: platform.stream.status(), counts: platform.feed.counts() } }),
    };
  }

  /** Ends everything; what was taken is durable, or counted. @throws HopbackError the first that the disk refused with, after all is closed */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#closeParts();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

type Keep = <Part extends { readonly close: () => Promise<void> }>(part: Part) => Part;

interface Parts {
  readonly store: SharedRecordStore;
  readonly platform: { readonly stream: RecordStream; readonly feed: RecordFeed } | undefined;
  readonly submitted: PendingInserts;
  readonly sources: IntakeSources;
}

/** In this order, and closed in the other: whoever hands records in ends before whoever takes them. */
async function openParts(options: RecordIntakeOptions, keep: Keep): Promise<Parts> {
  const { directory, clock = MACHINE_CLOCK, maxSubmitted, onNotice = () => undefined } = options;
  const { retentionDays: days = RETENTION_DAYS } = options;
  const store = keep(await SharedRecordStore.open({ directory, clock }));
  const failed = (source: string, what: string) => (cause: unknown) =>
    onNotice({ source, kind: 'failed', detail: `${what}: ${String(cause)}` });
  keep(
    await startRetention({
      store,
      days,
      clock,
      schedule: scheduleInBackground,
      onExpired: (records) => onNotice({ kind: 'expired', records, days }),
      onFailed: failed('store', 'retention could not be kept'),
    }),
  );
  const platform =
    options.platform === undefined ? undefined : await openPlatform(options.platform, { directory, store, keep });
  const sink = platform?.feed ?? store;
  const submitted = keep(
    createPendingInserts({
      store: sink,
      schedule: scheduleInBackground,
      ...(maxSubmitted === undefined ? {} : { maxPending: maxSubmitted }),
      onFailed: (cause) => onNotice(sourceNotice('submitted', { kind: 'failed', cause })),
    }),
  );
  const open = async (source: RecordIntakeOptions['sources'][number]) => {
    // Records of ours that are sent name the sources they are of, and those become known with them.
    if (source.format !== 'hopback' || source.path !== undefined) await makeSourceKnown(store, source.id);
    return openIntakeSource(source, {
      directory,
      sink,
      clock,
      schedule: scheduleInBackground,
      onNotice,
    });
  };
  return { store, platform, submitted, sources: keep(createIntakeSources(open)) };
}

async function openPlatform(
  { transport, policy, tenantId, spool }: NonNullable<RecordIntakeOptions['platform']>,
  parts: {
    readonly directory: string;
    readonly store: SharedRecordStore;
    readonly keep: Keep;
  },
): Promise<NonNullable<Parts['platform']>> {
  const { directory, store, keep } = parts;
  const folder = spool ?? spoolFolder(directory);
  keep(await FolderLock.take(folder, 'the spool'));
  const source = `/carriers/${encodeURIComponent(tenantId)}`;
  const stream = keep(await RecordStream.open({ directory: folder, source, transport }));
  return { stream, feed: new RecordFeed({ store, stream, policy }) };
}

/** Whether a store can ever take a record: one that it cannot would keep all behind it waiting. */
function isStorable({ recordId, inviteAtUs }: CallRecord): boolean {
  return isRecordId(recordId) && Number.isSafeInteger(inviteAtUs) && inviteAtUs >= 0;
}
