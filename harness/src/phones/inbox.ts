/** Things that happened, waiting for somebody to read them. */
export interface Inbox<T> {
  readonly put: (item: T) => void;
  /** A reader; each thing goes to one reader only. Leaving a loop over it ends the reader, not the inbox. */
  readonly items: () => AsyncIterableIterator<T>;
  /** Nothing more will come: readers get what is left, then they are done. */
  readonly end: () => void;
}

/**
 * Makes an empty inbox.
 * @param limit - how many things are kept for readers; of more the oldest are forgotten, so that an inbox that nobody reads stays small
 */
export function createInbox<T>(limit: number): Inbox<T> {
  const waiting: T[] = [];
  const readers: Waiting<T>[] = [];
  let isOver = false;
  const done: IteratorResult<T> = { done: true, value: undefined };

  const items = (): AsyncIterableIterator<T> => {
    let isLeft = false;
    const reader: AsyncIterableIterator<T> = {
      next: () => {
        if (isLeft) return Promise.resolve(done);
        const [value] = waiting.splice(0, 1);
        if (value !== undefined) return Promise.resolve({ done: false, value });
        if (isOver) return Promise.resolve(done);
        return new Promise((resolve) => readers.push({ reader, resolve }));
      },
      return: () => {
        isLeft = true;
        for (const { resolve } of removeAll(readers, (one) => one.reader === reader)) resolve(done);
        return Promise.resolve(done);
      },
      [Symbol.asyncIterator]: () => reader,
    };
    return reader;
  };

  return {
    items,
    put: (item) => {
      const next = readers.shift();
      if (next !== undefined) {
        next.resolve({ done: false, value: item });
        return;
      }
      if (isOver) return;
      waiting.push(item);
      if (waiting.length > limit) waiting.shift();
    },
    end: () => {
      isOver = true;
      for (const { resolve } of readers.splice(0)) resolve(done);
    },
  };
}

interface Waiting<T> {
  readonly reader: AsyncIterableIterator<T>;
  readonly resolve: (result: IteratorResult<T>) => void;
}

function removeAll<T>(list: T[], is: (item: T) => boolean): readonly T[] {
  const removed = list.filter(is);
  const kept = list.filter((item) => !is(item));
  list.splice(0, list.length, ...kept);
  return removed;
}
