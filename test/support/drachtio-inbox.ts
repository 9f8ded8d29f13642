/** What has come and waits to be asked for; who asks first waits until it comes. */
export interface Inbox<T> {
  readonly push: (item: T) => void;
  /**
   * Takes the first item that matches, now or when it comes.
   * @param what - names it in the error that says it did not come
   * @throws Error after some seconds, listing what came instead
   */
  readonly next: (what: string, matches: (item: T) => boolean) => Promise<T>;
  /** What nobody has taken. */
  readonly untaken: () => readonly T[];
}

/** Long beyond everything that loopback takes, short enough that a test says what it waited for. */
export const PATIENCE_MS = 8_000;

/**
 * Makes an empty inbox.
 * @param around - what else the error of something that did not come says
 */
export function createInbox<T>(describe: (item: T) => string, around: () => string = () => ''): Inbox<T> {
  const untaken: T[] = [];
  const waiting = new Set<{ readonly matches: (item: T) => boolean; readonly give: (item: T) => void }>();
  return {
    push: (item) => {
      for (const one of waiting) {
        if (!one.matches(item)) continue;
        waiting.delete(one);
        one.give(item);
        return;
      }
      untaken.push(item);
    },
    next: (what, matches) => {
      const index = untaken.findIndex(matches);
      if (index >= 0) return Promise.resolve(untaken.splice(index, 1)[0] as T);
      // Made here, so that the stack shows who waited.
      const late = new Error(`no ${what}`);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(one);
          late.message = `no ${what} came, but ${untaken.map(describe).join('; ') || 'nothing'}${around()}`;
          reject(late);
        }, PATIENCE_MS);
        const one = {
          matches,
          give: (item: T): void => {
            clearTimeout(timer);
            resolve(item);
          },
        };
        waiting.add(one);
      });
    },
    untaken: () => [...untaken],
  };
}
