import { forkProcess } from './forked-process.js';
import type { HostEvents, NodeHost } from './node-host.js';

/** An event of {@link HostEvents} by its name, with what it is told. */
export type HostTold = {
  [Name in keyof HostEvents]: { readonly name: Name; readonly parts: Parameters<HostEvents[Name]> };
}[keyof HostEvents];

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
    unanswered: () => ask('unanswered'),
    close,
  };
}

function tell(events: HostEvents, told: HostTold): void {
  if (told.name === 'onHop') events.onHop(...told.parts);
  else if (told.name === 'onTrouble') events.onTrouble(...told.parts);
  else events.onMessage(...told.parts);
}
