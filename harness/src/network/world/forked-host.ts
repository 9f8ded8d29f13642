import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HopbackError } from '@hopback/sdk/errors';
import type { HostEvents, NodeHost } from './node-host.js';

/** A question to a host of another process. */
export interface HostQuestion {
  readonly id: number;
  readonly method: keyof NodeHost;
  readonly argument?: unknown;
}

/** What a host of another process says: an answer, or something that it tells by itself, several at once. */
export type HostWord =
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'told'; readonly told: readonly HostTold[] };

/** An event of {@link HostEvents} by its name, with what it is told. */
export type HostTold = {
  [Name in keyof HostEvents]: { readonly name: Name; readonly parts: Parameters<HostEvents[Name]> };
}[keyof HostEvents];

/** As it is compiled, where both the sources and what is compiled of them find it. */
const CHILD = '../../../dist/network/world/host-process.js';
/** How long a host may take to close before it is ended, milliseconds. */
const CLOSING_MS = 10_000;

/**
 * Starts a process, and a host in it.
 * @returns the host; its methods reject with `unavailable` once the process is gone
 */
export async function forkNodeHost(events: HostEvents): Promise<NodeHost> {
  const child = fork(fileURLToPath(new URL(CHILD, import.meta.url)), [], {
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
  child.on('message', (word: HostWord) => {
    if (word.kind === 'told') {
      for (const told of word.told) tell(events, told);
      return;
    }
    const question = asked.get(word.id);
    asked.delete(word.id);
    if (word.kind === 'answer') question?.resolve(word.value);
    else question?.reject(new HopbackError('internal', word.message));
  });
  let ids = 0;
  const ask = <Value>(method: keyof NodeHost, argument?: unknown): Promise<Value> => {
    if (isGone) return Promise.reject(lost());
    ids += 1;
    const id = ids;
    return new Promise<Value>((resolve, reject) => {
      asked.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, method, argument } satisfies HostQuestion);
    });
  };
  await once(child, 'spawn');
  return {
    open: (order) => ask('open', order),
    connect: (peers) => ask('connect', peers),
    begin: (startMs) => ask('begin', startMs),
    advance: (ms) => ask('advance', ms),
    drain: () => ask('drain'),
    answering: () => ask('answering'),
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

function tell(events: HostEvents, told: HostTold): void {
  if (told.name === 'onHop') events.onHop(...told.parts);
  else if (told.name === 'onTrouble') events.onTrouble(...told.parts);
  else events.onMessage(...told.parts);
}
