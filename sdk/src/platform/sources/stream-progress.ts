import type { PlatformLogger } from '../client/request-options.js';

/** Events that may wait to be dealt with; the stream is not read meanwhile. */
const MAX_OPEN_EVENTS = 64;

/** Events that are tried further beside the stream, which has gone on: beyond, one is given up to the lists of the platform. */
const MAX_STEPPED_OVER = 256;

/** Keeps where in the stream a carrier is, beyond the life of a process. */
export interface EventPosition {
  /** Id of the last event of which everything up to it was dealt with; undefined where there is none yet. */
  readonly load: () => Promise<string | undefined>;
  readonly save: (lastEventId: string) => Promise<void>;
}

/** What of the stream is under way, in its order; the position moves with what is done at its beginning. */
export interface StreamProgress {
  /** Resolves when one more may be begun. */
  readonly room: (signal: AbortSignal) => Promise<void>;
  /** @param deal - resolves to whether it was dealt with; what it is given says that the others shall not wait for it */
  readonly begin: (lastEventId: string, deal: (stepOver: () => boolean) => Promise<boolean>) => void;
  /** Resolves when nothing is under way, and the position is kept. */
  readonly allDone: () => Promise<void>;
}

interface OpenEvent {
  readonly lastEventId: string;
  /** Resolves when it is done or stepped over. */
  readonly gone: Promise<void>;
  isPast: boolean;
}

/** Makes it, of one stream. */
export function createStreamProgress(
  position: EventPosition | undefined,
  logger: PlatformLogger | undefined,
): StreamProgress {
  const open: OpenEvent[] = [];
  const running = new Set<Promise<unknown>>();
  let steppedOver = 0;
  let saving: Promise<void> = Promise.resolve();

  const save = (lastEventId: string): void => {
    if (position === undefined || lastEventId === '') return;
    // One after the other: the last one is to stay.
    saving = saving
      .then(() => position.save(lastEventId))
      .catch(() => logger?.warn({}, 'the position in the event stream could not be kept'));
  };

  const moveOn = (): void => {
    let last: string | undefined;
    while (open[0]?.isPast === true) last = open.shift()?.lastEventId;
    if (last !== undefined) save(last);
  };

  return {
    room: async (signal) => {
      while (open.length >= MAX_OPEN_EVENTS && !signal.aborted) await open[0]?.gone;
    },
    begin(lastEventId, deal) {
      let leave = (): void => {};
      const entry: OpenEvent = { lastEventId, gone: new Promise((resolve) => (leave = resolve)), isPast: false };
      const goPast = (isPast: boolean): void => {
        entry.isPast = isPast;
        moveOn();
        leave();
      };
      let isBeside = false;
      const dealing = deal(() => {
        isBeside = steppedOver < MAX_STEPPED_OVER;
        if (isBeside) steppedOver += 1;
        goPast(true);
        return isBeside;
      })
        .then((isDone) => {
          if (isBeside) steppedOver -= 1;
          else if (!entry.isPast) goPast(isDone);
        })
        .finally(() => running.delete(dealing));
      open.push(entry);
      running.add(dealing);
    },
    allDone: async () => {
      await Promise.all(running);
      await saving;
    },
  };
}
