/** Work by key, in lanes: never two pieces for the same key of a lane at once, and not too many of a lane in all. */
export interface KeyedWork<Lane extends string> {
  /** Has the worker of a lane called for a key; what is asked for while it runs, it runs once more. */
  readonly enqueue: (key: string, lane: Lane) => void;
  /** Runs when nothing else does for this key, but for lanes that are not exclusive. Rejects as `run` does. */
  readonly exclusively: <Value>(key: string, run: () => Promise<Value>) => Promise<Value>;
  /** Resolves when nothing is queued or running. */
  readonly idle: () => Promise<void>;
  /** What is queued is dropped; resolves when what is running has ended. */
  readonly stop: () => Promise<void>;
}

/** Pieces of work that wait for the same thing, such as the store, the platform or people: where that is slow the others go on. */
export interface WorkLane {
  /** Pieces at once. */
  readonly concurrency: number;
  /** Whether nothing else runs for the key meanwhile. */
  readonly isExclusive: boolean;
  /** What is done for a key: it may not reject. */
  readonly run: (key: string) => Promise<void>;
}

interface OpenLane extends WorkLane {
  readonly queued: Set<string>;
  readonly running: Set<string>;
}

/** Makes the queues. */
export function createKeyedWork<Lane extends string>(options: Readonly<Record<Lane, WorkLane>>): KeyedWork<Lane> {
  const lanes = new Map<Lane, OpenLane>();
  for (const [name, lane] of Object.entries(options) as [Lane, WorkLane][])
    lanes.set(name, { ...lane, queued: new Set(), running: new Set() });
  const tails = new Map<string, Promise<unknown>>();
  const waiters: (() => void)[] = [];
  let isStopped = false;

  const exclusively = <Value>(key: string, piece: () => Promise<Value>): Promise<Value> => {
    const before = tails.get(key) ?? Promise.resolve();
    const result = before.then(piece);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
      moveOn();
    });
    return result;
  };
  const isIdle = (): boolean =>
    tails.size === 0 && [...lanes.values()].every(({ queued, running }) => queued.size === 0 && running.size === 0);
  const pump = (lane: OpenLane): void => {
    const { concurrency, isExclusive, queued, running, run } = lane;
    for (const key of queued) {
      if (running.size >= concurrency || isStopped) return;
      // One that would only wait for its turn takes no place from the others.
      if (running.has(key) || (isExclusive && tails.has(key))) continue;
      queued.delete(key);
      running.add(key);
      void (isExclusive ? exclusively(key, () => run(key)) : run(key)).finally(() => {
        running.delete(key);
        moveOn();
      });
    }
  };
  const moveOn = (): void => {
    for (const lane of lanes.values()) pump(lane);
    if (isIdle()) for (const waiter of waiters.splice(0)) waiter();
  };
  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      waiters.push(resolve);
      moveOn();
    });
  return {
    enqueue: (key, name) => {
      const lane = lanes.get(name);
      if (isStopped || lane === undefined) return;
      lane.queued.add(key);
      pump(lane);
    },
    exclusively,
    idle,
    stop: async () => {
      isStopped = true;
      for (const { queued } of lanes.values()) queued.clear();
      await idle();
    },
  };
}
