import type { SeenMessage } from './world.js';

/**
 * A message as one process tells it to another: its members in a row. There are some sixty of a call, and what goes between processes with a name for each
 * member takes more than twice as long.
 */
export type ToldMessage = readonly [
  provider: string,
  atMs: number,
  direction: 'in' | 'out',
  transport: string,
  localAddress: string,
  localPort: number,
  remoteAddress: string,
  remotePort: number,
  text: string,
];

/** Puts a message in a row. */
export function toldMessage({ provider, atMs, direction, transport, local, remote, text }: SeenMessage): ToldMessage {
  return [provider, atMs, direction, transport, local.address, local.port, remote.address, remote.port, text];
}

/** The message again. */
export function seenMessage(told: ToldMessage): SeenMessage {
  const [provider, atMs, direction, transport, localAddress, localPort, remoteAddress, remotePort, text] = told;
  const local = { address: localAddress, port: localPort };
  const remote = { address: remoteAddress, port: remotePort };
  return { provider, atMs, direction, transport, local, remote, text };
}
