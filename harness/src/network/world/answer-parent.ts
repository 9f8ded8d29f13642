import type { ForkedQuestion, ForkedWord } from './forked-process.js';

/** What a process can be asked, by name. */
export type AskedMethods = Readonly<Record<string, (argument: unknown) => Promise<unknown>>> & {
  /** Asked, or called when nobody is there to ask any more; the process ends behind it. */
  readonly close: () => Promise<void>;
};

/** What is told by itself goes together: one message of the process for each is too many. */
export const TELLING_MS = 20;

const say = (word: ForkedWord): void => {
  if (process.connected) process.send?.(word);
};

let waiting: unknown[] = [];
const flush = (): void => {
  if (waiting.length === 0) return;
  const told = waiting;
  waiting = [];
  say({ kind: 'told', told });
};

/** Tells the process that has started this one something by itself. */
export function tellParent(told: unknown): void {
  if (waiting.length === 0) setTimeout(flush, TELLING_MS);
  waiting.push(told);
}

/** Answers what the process that has started this one asks with `forkProcess`. */
export function answerParent(methods: AskedMethods): void {
  process.on('message', ({ id, method, argument }: ForkedQuestion) => {
    const asked = methods[method] ?? (() => Promise.reject(new TypeError(`there is no method ${method}`)));
    asked(argument).then(
      (value) => {
        // What was told before the answer is there before it.
        flush();
        say({ kind: 'answer', id, value });
      },
      (error: unknown) => say({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.on('disconnect', () => {
    void methods.close().finally(() => process.exit());
  });
}
