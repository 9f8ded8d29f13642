import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How long an event loop verifies calls. */
export interface Turn {
  readonly ms: number;
}

/** What came of it. */
export interface TurnResult {
  readonly verdicts: number;
  readonly elapsedMs: number;
}

/** Several event loops, each with a verification service of its own, as a switch has them that runs one per processor. */
export interface EventLoops extends AsyncDisposable {
  /** All of them at a time, for about so long; verifications per second of all together. */
  readonly rate: (ms: number) => Promise<number>;
}

/** Starts so many event loops, each a process, as `node:cluster` does; ready when each has signed its calls. */
export async function startEventLoops(count: number): Promise<EventLoops> {
  const children = Array.from({ length: count }, () =>
    fork(fileURLToPath(new URL('event-loops-process.ts', import.meta.url))),
  );
  const closed = children.map((child) => once(child, 'exit'));
  const close = async (): Promise<void> => {
    for (const child of children) if (child.connected) child.disconnect();
    await Promise.all(closed);
  };
  await Promise.all(children.map(message));
  return {
    rate: async (ms) => {
      const results = children.map(message);
      for (const child of children) child.send({ ms } satisfies Turn);
      const done = (await Promise.all(results)) as TurnResult[];
      return done.reduce((sum, { verdicts, elapsedMs }) => sum + (verdicts * 1000) / elapsedMs, 0);
    },
    [Symbol.asyncDispose]: close,
  };
}

async function message(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal }), failed(child, signal)])) as [unknown];
    return answer;
  } finally {
    ended.abort();
  }
}

async function failed(child: ChildProcess, signal: AbortSignal): Promise<never> {
  const [code] = (await once(child, 'exit', { signal })) as [number | null];
  throw new Error(`an event loop ended: ${String(code)}`);
}
