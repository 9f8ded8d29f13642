/** Hands values from one side to the other, one taker at a time. */
export interface Channel<Value> {
  /** Puts a value at the end. Without effect once the channel has ended. */
  readonly put: (value: Value) => void;
  /** How many wait to be taken. */
  readonly waiting: () => number;
  /** Ends the iteration: what waits is not handed out any more. With an error it rejects. The first end counts. */
  readonly end: (error?: unknown) => void;
  readonly isEnded: () => boolean;
  /** Takes values until the end; leaving it ends the channel. */
  readonly values: (onLeft: () => void) => AsyncGenerator<Value, void, undefined>;
}

/** Makes a channel without a bound: whoever puts looks at what waits. */
export function createChannel<Value>(): Channel<Value> {
  const queue: Value[] = [];
  let ended: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const isEnded = (): boolean => ended !== undefined;
  const stir = (): void => {
    wake?.();
    wake = undefined;
  };
  const end = (...error: readonly unknown[]): void => {
    ended ??= error.length === 0 || error[0] === undefined ? {} : { error: error[0] };
    stir();
  };

  async function* values(onLeft: () => void): AsyncGenerator<Value, void, undefined> {
    try {
      while (!isEnded()) {
        const value = queue.shift();
        if (value === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield value;
      }
      if (ended !== undefined && 'error' in ended) throw ended.error;
    } finally {
      end();
      onLeft();
    }
  }

  return {
    put: (value) => {
      if (isEnded()) return;
      queue.push(value);
      stir();
    },
    waiting: () => queue.length,
    end: (error) => end(error),
    isEnded,
    values,
  };
}
