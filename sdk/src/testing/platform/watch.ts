import { HopbackError } from '../../errors.js';

/** Lets a test wait for what is going to be, without a clock: every change has all conditions looked at anew. */
export interface Watch {
  /** Something has changed. */
  readonly changed: () => void;
  /**
   * Resolves with what the condition returns once it returns something; rejects with {@link HopbackError} `closed` when that can no longer
   * be.
   */
  readonly until: <Value>(condition: () => Value | undefined) => Promise<Value>;
  readonly end: () => void;
}

/** Makes a watch. */
export function createWatch(): Watch {
  const waiting = new Set<() => void>();
  const ending = new Set<() => void>();
  let isEnded = false;
  const closed = (): HopbackError =>
    new HopbackError('closed', 'the test platform was closed while something was waited for');
  return {
    changed: () => {
      for (const look of [...waiting]) look();
    },
    until: (condition) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const value = condition();
          if (value === undefined) return;
          waiting.delete(look);
          ending.delete(giveUp);
          resolve(value);
        };
        const giveUp = (): void => reject(closed());
        if (isEnded) return giveUp();
        waiting.add(look);
        ending.add(giveUp);
        look();
      }),
    end: () => {
      isEnded = true;
      for (const giveUp of ending) giveUp();
      ending.clear();
      waiting.clear();
    },
  };
}
