import { forkProcess } from './forked-process.js';
import type { HostEvents, NodeHost } from './node-host.js';
import { seenMessage } from './told-message.js';
import type { ToldMessage } from './told-message.js';

/** An event of {@link HostEvents} by its name, with what it is told; a message by itself. */
export type HostTold =
  | { readonly name: 'onHop'; readonly parts: Parameters<HostEvents['onHop']> }
  | { readonly name: 'onTrouble'; readonly parts: Parameters<HostEvents['onTrouble']> }
  | { readonly name: 'onMessage'; readonly message: ToldMessage };

/**
 * Starts a process, and a host in it.
 * @returns the host; its methods reject with `unavailable` once the process is gone
 */
export async function forkNodeHost(events: HostEvents): Promise<NodeHost> {
  const { ask, close } = await forkProcess('host-process.js', (told) => tell(events, told as HostTold));
  return {
    open: (order) => ask('open', order),
    connect: (peers) => ask('connect', peers),
    begin: (startMs) => ask('begin', startMs),
    advance: (ms) => ask('advance', ms),
    drain: () => ask('drain'),
    answering: () => ask('answering'),
    close,
  };
}

function tell(events: HostEvents, told: HostTold): void {
  if (told.name === 'onHop') events.onHop(...told.parts);
  else if (told.name === 'onTrouble') events.onTrouble(...told.parts);
  else events.onMessage(seenMessage(told.message));
}
