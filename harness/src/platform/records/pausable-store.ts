import type { RecordStore } from '@hopback/sdk/records';

/** A store whose files can be made to stand still. */
export interface PausableStore {
  readonly store: RecordStore;
  /** Does something while nothing is written to the store: writes wait until it is done. One at a time. @throws what `work` throws */
  readonly whilePaused: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** Makes the writes of a store wait while its files are copied. What only reads goes on. */
export function pausableStore(store: RecordStore): PausableStore {
  let paused: Promise<unknown> = Promise.resolve();
  const writing = new Set<Promise<unknown>>();
  const write = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    for (let seen: unknown; seen !== paused;) {
      seen = paused;
      await paused;
    }
    const done = work();
    const settled = done.catch(() => undefined);
    writing.add(settled);
    void settled.then(() => writing.delete(settled));
    return done;
  };
  return {
    store: {
      ...store,
      insert: (records) => write(() => store.insert(records)),
      cover: (interval) => write(() => store.cover(interval)),
      uncover: (interval) => write(() => store.uncover(interval)),
      expire: (beforeUs) => write(() => store.expire(beforeUs)),
      hold: (order) => write(() => store.hold(order)),
      release: (holdId, reason, by) => write(() => store.release(holdId, reason, by)),
    },
    whilePaused: (work) => {
      const turn = paused.then(async () => {
        await Promise.all(writing);
        return work();
      });
      paused = turn.catch(() => undefined);
      return turn;
    },
  };
}
