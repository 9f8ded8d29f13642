import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import { lockFolder, openValueJournal } from '../../log/index.js';
import { followFiles } from '../ingest/follow-file.js';
import type { FollowNotice } from '../ingest/follow-turn.js';
import { listenToSource } from '../ingest/listen-source.js';
import { openRejectFile } from '../ingest/reject-file.js';
import type { RejectFile } from '../ingest/reject-file.js';
import { SourceProgress } from '../ingest/source-progress.js';
import { createSourceReader } from '../ingest/source-configuration.js';
import type { FileSourceConfiguration, HepConfiguration, SourceConfiguration } from '../ingest/source-configuration.js';
import type { RecordStore } from '../store/record-store.js';
import { followFolder, rejectsFile } from './intake-folders.js';
import { once, sourceNotice } from './intake-source.js';
import type { IntakeSource, IntakeSourceNotice } from './intake-source.js';
import { createPushedSource } from './pushed-source.js';

/** What sources are taken in with. */
export interface IntakeSourceParts {
  /** Directory of the store. */
  readonly directory: string;
  readonly sink: Pick<RecordStore, 'insert' | 'cover'>;
  readonly clock: Clock;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  readonly onNotice: (notice: IntakeSourceNotice) => void;
}

/**
 * Begins to take in one source: follows its files, listens for it, or waits for what is sent where it has no path. A source is taken in
 * by one process at a time.
 */
export async function openIntakeSource(source: SourceConfiguration, parts: IntakeSourceParts): Promise<IntakeSource> {
  const lock = await lockFolder(followFolder(parts.directory, source.id), `the source ${source.id}`);
  let rejects: RejectFile | undefined;
  try {
    rejects = await openRejectFile({ path: rejectsFile(parts.directory, source.id, 'tail') });
    const open = { ...parts, rejects, lock };
    if (source.format === 'hep') return await listened(source, open);
    return source.path === undefined ? sent(source, open) : await followed({ ...source, path: source.path }, open);
  } catch (error) {
    await rejects?.close();
    await lock.close();
    throw error;
  }
}

interface OpenParts extends IntakeSourceParts {
  readonly rejects: RejectFile;
  readonly lock: { readonly close: () => Promise<void> };
}

/** Notices of files whose rows may be missing. */
const BROKEN: ReadonlySet<FollowNotice['kind']> = new Set(['lost', 'damaged', 'not-gzip']);

async function followed(
  source: FileSourceConfiguration & { readonly path: string },
  parts: OpenParts,
): Promise<IntakeSource> {
  const { rejects, lock, sink, clock, schedule, onNotice } = parts;
  const { id, path, rotated, longestCallMs, longestSilenceMs, stuckAfterMs } = source;
  const reader = createSourceReader(source);
  let brokenFiles = 0;
  const values = await openValueJournal({ directory: join(followFolder(parts.directory, id), 'places') });
  if (!/[*?]/.test(path) && !(await exists(path)))
    onNotice({ source: id, kind: 'waiting-for-file', path, detail: 'there is no such file yet' });
  const follower = await followFiles({
    ...{ sourceId: id, path, reader, store: sink, rejects, values, clock, schedule },
    ...(rotated === undefined ? {} : { rotated }),
    ...(longestCallMs === undefined ? {} : { longestCallMs }),
    ...(longestSilenceMs === undefined ? {} : { longestSilenceMs }),
    ...(stuckAfterMs === undefined ? {} : { stuckAfterMs }),
    onNotice: (notice) => {
      if (BROKEN.has(notice.kind)) brokenFiles += 1;
      onNotice(sourceNotice(id, notice));
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

async function listened(configuration: HepConfiguration, parts: OpenParts): Promise<IntakeSource> {
  const { rejects, lock, sink, schedule, onNotice } = parts;
  const { id } = configuration;
  const progress = progressOf(configuration, parts);
  let failures = 0;
  const listener = await listenToSource({
    ...{ configuration, rejects, schedule },
    store: {
      async insert(records) {
        const inserted = await progress.storing(() => sink.insert(records));
        failures = 0;
        return inserted;
      },
    },
    onFailed: (cause) => {
      failures += 1;
      progress.failed();
      onNotice(sourceNotice(id, { kind: 'failed', cause }));
    },
  });
  progress.start();
  for (const { transport, host, port } of listener.listening)
    onNotice({ source: id, kind: 'listening', detail: `${transport} ${host} port ${String(port)}` });
  return {
    state() {
      const { records, rejected, inserted, repeated, waiting, lost } = listener.statistics();
      const { udpPackets, tcpPackets } = listener.counters();
      const skipped = 0;
      return {
        ...{ id, rows: udpPackets + tcpPackets, records, skipped, rejected, inserted, repeated, waiting },
        ...progress.state(),
        ...{ unreadBytes: 0, unreadFiles: 0, brokenFiles: 0, failures, lost: lost + rejects.statistics().lost },
      };
    },
    look: listener.commit,
    close: once(async () => {
      progress.close();
      await listener.close();
      await rejects.close();
      await lock.close();
    }),
  };
}

function sent(source: FileSourceConfiguration, parts: OpenParts): IntakeSource {
  const { rejects, lock, sink } = parts;
  const progress = progressOf(source, parts);
  const pushed = createPushedSource({
    progress,
    sourceId: source.id,
    newReader: () => createSourceReader(source),
    store: sink,
    rejects,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
  progress.start();
  return {
    ...pushed,
    close: once(async () => {
      progress.close();
      await pushed.close();
      await rejects.close();
      await lock.close();
    }),
  };
}

function progressOf(
  { id, stuckAfterMs }: SourceConfiguration,
  { clock, schedule, onNotice }: IntakeSourceParts,
): SourceProgress {
  return new SourceProgress({
    ...{ clock, schedule, stuckAfterMs },
    notice: (notice) => onNotice(sourceNotice(id, notice)),
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
