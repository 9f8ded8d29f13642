import { appendFile } from 'node:fs/promises';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { FileFollower, type FollowOptions } from '../../sdk/src/records/ingest/follow-files.js';
import type { FollowNotice } from '../../sdk/src/records/ingest/follow-turn.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createCountingStore, createRejectList, createRowReader } from './followed-rows.js';

/** A directory with a log, and the clock, store, rejects and notices of its followers; `end` closes these and removes the directory. */
export async function createFollowLab() {
  const { path: directory, at, close } = await createTemporaryDirectory();
  const followers: FileFollower[] = [];
  const log = at('cdr.csv');
  const clock = new ManualClock(Date.now());
  const values = new Map<string, string>();
  const store = createCountingStore();
  const rejects = createRejectList();
  const notices: FollowNotice[] = [];
  const { names, facts, open } = nodeFollowedFiles;
  const follow = async (options: Partial<FollowOptions> = {}): Promise<FileFollower> => {
    const follower = await FileFollower.open({
      ...{ sourceId: 'test-switch', path: log, reader: createRowReader(), store, rejects, clock },
      values: { get: (key) => values.get(key), set: async (key, value) => void values.set(key, value) },
      ...{ schedule: clock.schedule, files: { names, facts, open }, onNotice: (notice) => notices.push(notice) },
      ...options,
    });
    followers.push(follower);
    return follower;
  };
  /** Writes behind a file, and has its follower look. */
  const append = async (follower: FileFollower, content: string | Uint8Array, path = log): Promise<void> => {
    await appendFile(path, content);
    await follower.look();
  };
  /** Lets time go by, and has a follower look. */
  const lookAfter = async (follower: FileFollower, ms: number): Promise<void> => {
    clock.advance(ms);
    await follower.look();
  };
  const end = async (): Promise<void> => {
    for (const follower of followers) await follower.close();
    await close();
  };
  return { directory, log, clock, values, store, rejects, notices, follow, append, lookAfter, end };
}

export type FollowLab = Awaited<ReturnType<typeof createFollowLab>>;
