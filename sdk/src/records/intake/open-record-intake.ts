import type { CallRecord } from '../../core/call-record.js';
import { HopbackError } from '../../errors.js';
import { lockFolder } from '../../log/index.js';
import { createRecordFeed } from '../feed/record-feed.js';
import type { RecordFeed } from '../feed/record-feed.js';
import { scheduleInBackground } from '../../core/runtime/clock.js';
import { createPendingInserts } from '../ingest/pending-inserts.js';
import type { PendingInserts } from '../ingest/pending-inserts.js';
import { isRecordId } from '../store/record-query.js';
import type { SharedRecordStore } from '../store/shared-record-store.js';
import { openSharedRecordStore } from '../store/shared-record-store.js';
import { openRecordStream } from '../stream/open-record-stream.js';
import type { OpenRecordStream } from '../stream/open-record-stream.js';
import { spoolFolder } from './intake-folders.js';
import { once, sourceNotice } from './intake-source.js';
import { checkSources, closeAll, createIntakeSources } from './intake-sources.js';
import type { IntakeSources } from './intake-sources.js';
import { makeSourceKnown } from './make-source-known.js';
import { openIntakeSource } from './open-intake-source.js';
import { RETENTION_DAYS } from './record-intake.js';
import type { IntakePlatform, RecordIntake, RecordIntakeOptions } from './record-intake.js';
import { startRetention } from './retention.js';

/**
 * Opens everything that takes in the records of a carrier: store, retention, spool and stream to the platform, and each source. Killed at
 * any instant, it goes on where it was, and of what came by files or was acknowledged loses and doubles nothing.
 * @param options - folder, sources, platform, retention, clock
 * @returns the intake, which has begun; to be closed
 * @throws {@link HopbackError} `invalid-configuration` where a source cannot be; `storage-failed` where a folder cannot be used, or another
 * process takes in one of the sources; as {@link openSharedRecordStore}
 * @see {@link createRecordFeed} for what is durable when
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const source = readSourceConfiguration({ id: 'fs-1', format: 'freeswitch-json', time: { zone: 'utc' } });
 * const intake = await openRecordIntake({ directory, sources: [source], clock: { nowMs: Date.now } });
 * const pushed = await intake.push('fs-1', new TextEncoder().encode('{"variables":{}}'));
 * console.log(pushed.status === 'taken' && pushed.rejects[0]?.field); // uuid
 * await intake.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openRecordIntake(options: RecordIntakeOptions): Promise<RecordIntake> {
  checkSources(options.sources);
  const opened: { readonly close: () => Promise<void> }[] = [];
  const keep: Keep = (part) => {
    opened.unshift(part);
    return part;
  };
  try {
    const parts = await openParts(options, keep);
    await parts.sources.replace(options.sources);
    const close = once(() => closeAll(opened));
    return intakeOf(parts, close);
  } catch (error) {
    await closeAll(opened).catch(() => undefined);
    throw error;
  }
}

type Keep = <Part extends { readonly close: () => Promise<void> }>(part: Part) => Part;

interface Parts {
  readonly store: SharedRecordStore;
  readonly platform: { readonly stream: OpenRecordStream; readonly feed: RecordFeed } | undefined;
  readonly submitted: PendingInserts;
  readonly sources: IntakeSources;
}

/** In this order, and closed in the other: whoever hands records in ends before whoever takes them. */
async function openParts(options: RecordIntakeOptions, keep: Keep): Promise<Parts> {
  const { directory, clock, retentionDays: days = RETENTION_DAYS, maxSubmitted, onNotice = () => undefined } = options;
  const store = keep(await openSharedRecordStore({ directory, clock }));
  const failed = (source: string, what: string) => (cause: unknown) =>
    onNotice({ source, kind: 'failed', detail: `${what}: ${String(cause)}` });
  keep(
    await startRetention({
      ...{ store, days, clock, schedule: scheduleInBackground },
      onExpired: (records) => onNotice({ kind: 'expired', records, days }),
      onFailed: failed('store', 'retention could not be kept'),
    }),
  );
  const platform =
    options.platform === undefined ? undefined : await openPlatform(options.platform, { directory, store, keep });
  const sink = platform?.feed ?? store;
  const submitted = keep(
    createPendingInserts({
      ...{ store: sink, schedule: scheduleInBackground },
      ...(maxSubmitted === undefined ? {} : { maxPending: maxSubmitted }),
      onFailed: (cause) => onNotice(sourceNotice('submitted', { kind: 'failed', cause })),
    }),
  );
  const open = async (source: RecordIntakeOptions['sources'][number]) => {
    // Records of ours that are sent name the sources they are of, and those become known with them.
    if (source.format !== 'hopback' || source.path !== undefined) await makeSourceKnown(store, source.id);
    return openIntakeSource(source, { directory, sink, clock, schedule: scheduleInBackground, onNotice });
  };
  return { store, platform, submitted, sources: keep(createIntakeSources(open)) };
}

async function openPlatform(
  { transport, policy, tenantId, spool }: IntakePlatform,
  parts: { readonly directory: string; readonly store: SharedRecordStore; readonly keep: Keep },
): Promise<NonNullable<Parts['platform']>> {
  const { directory, store, keep } = parts;
  const folder = spool ?? spoolFolder(directory);
  keep(await lockFolder(folder, 'the spool'));
  const source = `/carriers/${encodeURIComponent(tenantId)}`;
  const stream = keep(await openRecordStream({ directory: folder, source, transport }));
  return { stream, feed: createRecordFeed({ store, stream, policy }) };
}

function intakeOf({ store, platform, submitted, sources }: Parts, close: () => Promise<void>): RecordIntake {
  const counts = { accepted: 0, refused: 0 };
  let isClosed = false;
  const submit = (records: readonly CallRecord[]): number => {
    const taken = isClosed ? 0 : records.filter((record) => isStorable(record) && submitted.take(record)).length;
    counts.accepted += taken;
    counts.refused += records.length - taken;
    if (taken > 0) submitted.commitLater();
    return taken;
  };
  const closing = (): Promise<void> => {
    isClosed = true;
    return close();
  };
  return {
    store,
    submit,
    async push(sourceId, octets) {
      if (isClosed) throw new HopbackError('closed', 'The intake of records is closed.');
      const push = sources.named(sourceId)?.push;
      return push === undefined ? { status: 'unknown-source' } : push(octets);
    },
    async look({ signal } = {}) {
      for (const source of sources.all()) {
        if (signal?.aborted === true) return;
        await source.look();
      }
    },
    replaceSources: sources.replace,
    endSources: once(sources.close),
    drain: async (drainOptions) => platform?.stream.drain(drainOptions),
    state: () => ({
      sources: sources.all().map(({ state }) => state()),
      submitted: { ...counts, ...submitted.statistics() },
      ...(platform === undefined
        ? {}
        : { platform: { status: platform.stream.status(), counts: platform.feed.counts() } }),
    }),
    close: closing,
    [Symbol.asyncDispose]: closing,
  };
}

/** Whether a store can ever take a record: one that it cannot would keep all behind it waiting. */
function isStorable({ recordId, inviteAtUs }: CallRecord): boolean {
  return isRecordId(recordId) && Number.isSafeInteger(inviteAtUs) && inviteAtUs >= 0;
}
