import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HopbackError } from '@hopback/sdk/errors';

/** A question to another process of a network. */
export interface ForkedQuestion {
  readonly id: number;
  readonly method: string;
  readonly argument?: unknown;
}

/** What another process says: an answer, or what it tells by itself, several at once. */
export type ForkedWord =
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'told'; readonly told: readonly unknown[] };

/** Another process of a network. */
export interface ForkedProcess {
  /** Rejects with `internal` where the method does, and with `unavailable` once the process is gone. */
  readonly ask: <Value>(method: string, argument?: unknown) => Promise<Value>;
  /** Asks it to `close`, and waits until it has ended. Never rejects. */
  readonly close: () => Promise<void>;
}

/** As they are compiled, where both the sources and what is compiled of them find them. */
const COMPILED = '../../../dist/network/world/';
/** How long a process may take to close before it is ended, milliseconds. */
const CLOSING_MS = 10_000;

/**
 * Starts a process of a network.
 * @param script - name of its compiled file, which calls `answerParent`
 * @param onTold - gets what it tells by itself, one after the other
 */
export async function forkProcess(script: string, onTold: (told: unknown) => void): Promise<ForkedProcess> {
  const child = fork(fileURLToPath(new URL(`${COMPILED}${script}`, import.meta.url)), [], {
    // What a debugger or a test runner gave to this process is not for that one.
    ...{ execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  });
  const asked = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  let isGone = false;
  const gone = (): void => {
    isGone = true;
    for (const { reject } of asked.values()) reject(lost());
    asked.clear();
  };
  child.once('exit', gone);
  child.on('error', gone);
  child.on('message', (word: ForkedWord) => {
    if (word.kind === 'told') {
      for (const told of word.told) onTold(told);
      return;
    }
    const question = asked.get(word.id);
    asked.delete(word.id);
    if (word.kind === 'answer') question?.resolve(word.value);
    else question?.reject(new HopbackError('internal', word.message));
  });
  let ids = 0;
  const ask = <Value>(method: string, argument?: unknown): Promise<Value> => {
    if (isGone) return Promise.reject(lost());
    ids += 1;
    const id = ids;
    return new Promise<Value>((resolve, reject) => {
      asked.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, method, argument } satisfies ForkedQuestion);
    });
  };
  await once(child, 'spawn');
  return {
    ask,
    close: async () => {
      if (isGone) return;
      const exited = once(child, 'exit');
      const patience = setTimeout(() => child.kill('SIGKILL'), CLOSING_MS);
      await ask('close').catch(() => undefined);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(patience);
    },
  };
}

const lost = (): HopbackError => new HopbackError('unavailable', 'a process of the network has ended');
