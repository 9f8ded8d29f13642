import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSourceReader, followFiles, listenToSource, openRejectFile } from '../records/index.js';
import type {
  FileSourceConfiguration,
  FollowNotice,
  HepConfiguration,
  RecordStore,
  RejectFile,
  SourceConfiguration,
} from '../records/index.js';
import { lockFolder, openValueJournal } from '../log/index.js';
import type { CliIo } from './io.js';
import { shownText } from './shown-text.js';
import { followFolder, rejectsFile } from './store-folders.js';
import { UsageError } from './usage-error.js';

/** How one source fares. */
export interface SourceState {
  readonly id: string;
  readonly rows: number;
  readonly records: number;
  readonly skipped: number;
  readonly rejected: number;
  readonly inserted: number;
  readonly repeated: number;
  /** Legs that wait for rows, or calls that are up. */
  readonly waiting: number;
  /** Octets that are not rows yet. */
  readonly unreadBytes: number;
  /** Files that were found and not read: still being packed or copied, or not to be opened. */
  readonly unreadFiles: number;
  /** Files that were lost or damaged since the start: rows of theirs may be missing. */
  readonly brokenFiles: number;
  /** Looks, or batches for the store, that failed since the last that did not. */
  readonly failures: number;
  /** Rejected rows that the disk did not take, and records that the store did not. */
  readonly lost: number;
}

/** A source that is taken in. */
export interface TailedSource {
  readonly state: () => SourceState;
  /** Takes in what is there. */
  readonly look: () => Promise<void>;
  /** Ends; what was read is durable. */
  readonly close: () => Promise<void>;
}

/** What happened at a source. */
export interface SourceNotice {
  readonly source: string;
  readonly kind: FollowNotice['kind'] | 'waiting-for-file' | 'listening';
  readonly path?: string;
  readonly detail: string;
}

/** What sources are taken in with. */
export interface TailParts {
  /** Directory of the store. */
  readonly directory: string;
  readonly sink: Pick<RecordStore, 'insert' | 'cover'>;
  readonly io: CliIo;
  /** In place of the path of the configuration. */
  readonly path: string | undefined;
  readonly onNotice: (notice: SourceNotice) => void;
}

/**
 * The configuration of each source with the path that is followed.
 * @throws {@link UsageError} where there is none, or one for several sources
 */
export function checkPaths(
  sources: readonly SourceConfiguration[],
  { path, isOnce }: { readonly path: string | undefined; readonly isOnce: boolean },
): void {
  if (path !== undefined && (sources.length !== 1 || sources[0]?.format === 'hep'))
    throw new UsageError('--path is for one source in files');
  for (const source of sources) {
    if (source.format === 'hep') {
      if (isOnce) throw new UsageError(`--once ends when files are read, and the source ${source.id} is listened to`);
    } else if (path === undefined && source.path === undefined)
      throw new UsageError(`the source ${source.id} has no path: add it to its file, or name it with --path`);
  }
}

/** Begins to take in one source. */
export async function tailSource(source: SourceConfiguration, parts: TailParts): Promise<TailedSource> {
  const lock = await lockFolder(followFolder(parts.directory, source.id), `the source ${source.id}`);
  let rejects: RejectFile | undefined;
  try {
    rejects = await openRejectFile({ path: rejectsFile(parts.directory, source.id, 'tail') });
    return await (source.format === 'hep'
      ? listened(source, { ...parts, rejects, lock })
      : followed(source, { ...parts, rejects, lock }));
  } catch (error) {
    await rejects?.close();
    await lock.close();
    throw error;
  }
}

interface OpenParts extends TailParts {
  readonly rejects: RejectFile;
  readonly lock: { readonly close: () => Promise<void> };
}

async function followed(source: FileSourceConfiguration, parts: OpenParts): Promise<TailedSource> {
  const { rejects, lock, sink, io, onNotice } = parts;
  const { id, rotated, longestCallMs, longestSilenceMs } = source;
  const path = parts.path ?? source.path ?? '';
  const reader = createSourceReader(source);
  let brokenFiles = 0;
  const values = await openValueJournal({ directory: join(followFolder(parts.directory, id), 'places') });
  if (!/[*?]/.test(path) && !(await exists(path)))
    onNotice({ source: id, kind: 'waiting-for-file', path, detail: 'there is no such file yet' });
  const follower = await followFiles({
    ...{ sourceId: id, path, reader, store: sink, rejects, values, clock: io.clock },
    ...(rotated === undefined ? {} : { rotated }),
    ...(longestCallMs === undefined ? {} : { longestCallMs }),
    ...(longestSilenceMs === undefined ? {} : { longestSilenceMs }),
    onNotice: (notice) => {
      if (notice.kind === 'lost' || notice.kind === 'damaged') brokenFiles += 1;
      onNotice(noticeOf(id, notice));
    },
  }).catch(async (error: unknown) => {
    await values.close().catch(() => undefined);
    throw error;
  });
  return {
    state: () => ({ id, ...follower.statistics(), brokenFiles, lost: rejects.statistics().lost }),
    look: follower.look,
    close: once(async () => {
      await follower.close();
      await rejects.close();
      try {
        await values.close();
      } finally {
        await lock.close();
      }
    }),
  };
}

async function listened(configuration: HepConfiguration, parts: OpenParts): Promise<TailedSource> {
  const { rejects, lock, sink, onNotice } = parts;
  const { id } = configuration;
  let failures = 0;
  const listener = await listenToSource({
    configuration,
    rejects,
    store: {
      async insert(records) {
        const inserted = await sink.insert(records);
        failures = 0;
        return inserted;
      },
    },
    onFailed: (cause) => {
      failures += 1;
      onNotice(noticeOf(id, { kind: 'failed', cause }));
    },
  });
  for (const { transport, host, port } of listener.listening)
    onNotice({ source: id, kind: 'listening', detail: `${transport} ${host} port ${String(port)}` });
  return {
    state() {
      const { records, rejected, inserted, repeated, waiting, lost } = listener.statistics();
      const { udpPackets, tcpPackets } = listener.counters();
      const skipped = 0;
      return {
        ...{ id, rows: udpPackets + tcpPackets, records, skipped, rejected, inserted, repeated, waiting },
        ...{ unreadBytes: 0, unreadFiles: 0, brokenFiles: 0, failures, lost: lost + rejects.statistics().lost },
      };
    },
    look: listener.commit,
    close: once(async () => {
      await listener.close();
      await rejects.close();
      await lock.close();
    }),
  };
}

const DETAILS: Readonly<Record<FollowNotice['kind'], string>> = {
  truncated: 'is shorter than what was read of it, or other content: it is read from its beginning',
  lost: 'was gone before it was read to its end, or rows that waited for others are not known any more',
  damaged: 'cannot be unpacked, or not yet',
  failed: 'could not be taken in, which is tried again',
};

function noticeOf(source: string, { kind, path, cause }: FollowNotice): SourceNotice {
  const why = cause instanceof Error ? `: ${shownText(cause.message)}` : '';
  return { source, kind, ...(path === undefined ? {} : { path }), detail: `${DETAILS[kind]}${why}` };
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
