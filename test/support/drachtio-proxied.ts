import type { ProxyOptions, ProxyResult } from './drachtio-app.js';
import { later } from './drachtio-calls.js';
import type { DrachtioLab, LabApp } from './drachtio-lab.js';
import { sdp } from './drachtio-sip-text.js';
import type { CallParts, PeerCall, SipPeer } from './sip-peer.js';

/** A request that the application proxies. */
export interface Proxied {
  readonly call: PeerCall;
  readonly result: Promise<ProxyResult>;
}

/** The caller sends a request, and the application proxies it. */
export async function proxied(
  app: LabApp,
  caller: SipPeer,
  options: ProxyOptions & { readonly to: string | readonly string[] },
  { method = 'INVITE', ...parts }: CallParts & { readonly method?: string } = {},
): Promise<Proxied> {
  const call = caller.call(method, { ...(method === 'INVITE' ? { body: sdp('1') } : {}), ...parts });
  const { req } = await app.next(method);
  const { to, ...others } = options;
  return { call, result: later(app.srf.proxyRequest(req, to, others)) };
}

/** Statuses that the application was told, in their order. drachtio-srf groups them by address, and by the port the wrong way round. */
export function told({ responses }: ProxyResult): readonly number[] {
  return responses.flatMap(({ msgs }) => msgs.map(({ status }) => status));
}

/** Refuses a proxied INVITE and takes the ACK of the proxy. */
export async function refuse(peer: SipPeer, status: number, lines: readonly string[] = []): Promise<void> {
  peer.reply(await peer.next('INVITE'), status, { lines });
  await peer.next('ACK');
}

/** One who calls and two who are called, over UDP. */
export async function threePeers(lab: DrachtioLab): Promise<readonly [SipPeer, SipPeer, SipPeer]> {
  return [await lab.peer(), await lab.peer(), await lab.peer()];
}
