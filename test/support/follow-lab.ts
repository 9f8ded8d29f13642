import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followFiles } from '../../sdk/src/records/ingest/follow-files.js';
import type { FileFollower, FollowOptions } from '../../sdk/src/records/ingest/follow-files.js';
import type { FollowNotice } from '../../sdk/src/records/ingest/follow-turn.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createCountingStore, createRejectList, createRowReader } from './followed-rows.js';

/** A directory with a log, and the clock, store, rejects and notices of its followers. */
export interface FollowLab {
  readonly directory: string;
  readonly log: string;
  readonly clock: ReturnType<typeof createManualClock>;
  readonly values: Map<string, string>;
  readonly store: ReturnType<typeof createCountingStore>;
  readonly rejects: ReturnType<typeof createRejectList>;
  readonly notices: FollowNotice[];
  readonly follow: (options?: Partial<FollowOptions>) => Promise<FileFollower>;
  readonly end: () => Promise<void>;
}

/** Makes a {@link FollowLab}; `end` closes all followers and removes the directory. */
export async function createFollowLab(): Promise<FollowLab> {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-follow-'));
  const followers: FileFollower[] = [];
  const log = join(directory, 'cdr.csv');
  const clock = createManualClock(Date.now());
  const values = new Map<string, string>();
  const store = createCountingStore();
  const rejects = createRejectList();
  const notices: FollowNotice[] = [];
  const { names, facts, open } = nodeFollowedFiles;
  const follow: FollowLab['follow'] = async (options = {}) => {
    const follower = await followFiles({
      ...{ sourceId: 'test-switch', path: log, reader: createRowReader(), store, rejects, clock },
      values: { get: (key) => values.get(key), set: async (key, value) => void values.set(key, value) },
      ...{ schedule: clock.schedule, files: { names, facts, open }, onNotice: (notice) => notices.push(notice) },
      ...options,
    });
    followers.push(follower);
    return follower;
  };
  const end = async (): Promise<void> => {
    for (const follower of followers) await follower.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { directory, log, clock, values, store, rejects, notices, follow, end };
}
