/** Long beyond everything that loopback takes, short enough that a test says what it waited for. */
export const PATIENCE_MS = 8_000;

/**
 * Makes an empty inbox: an item that comes goes to the first reader that waits for it.
 * @param around - what else the error of an item that did not come says
 */
export function createInbox<T>(describe: (item: T) => string, around: () => string = () => '') {
  const untaken: T[] = [];
  const waiting = new Set<{ readonly matches: (item: T) => boolean; readonly give: (item: T) => void }>();
  return {
    push: (item: T): void => {
      for (const one of waiting) {
        if (!one.matches(item)) continue;
        waiting.delete(one);
        one.give(item);
        return;
      }
      untaken.push(item);
    },
    /** Takes the first item that matches, now or when it comes. `what` names it in the error of one that does not. */
    next: (what: string, matches: (item: T) => boolean): Promise<T> => {
      const index = untaken.findIndex(matches);
      if (index >= 0) return Promise.resolve(untaken.splice(index, 1)[0] as T);
      // Made here, so that the stack shows the reader.
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
    untaken: (): readonly T[] => [...untaken],
  };
}
