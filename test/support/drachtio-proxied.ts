import { beforeEach } from 'vitest';
import type { ProxyOptions, ProxyResult } from './drachtio-app.js';
import { later } from './drachtio-calls.js';
import { lab, peer, useLab, type LabApp } from './drachtio-lab.js';
import { sdp } from './drachtio-sip-text.js';
import type { CallParts, SipPeer } from './sip-peer.js';

/** The caller sends a request, and the application proxies it. */
export async function proxied(
  app: LabApp,
  from: SipPeer,
  options: ProxyOptions & { readonly to: string | readonly string[] },
  { method = 'INVITE', ...parts }: CallParts & { readonly method?: string } = {},
) {
  const call = from.call(method, { ...(method === 'INVITE' ? { body: sdp('1') } : {}), ...parts });
  const { req } = await app.next(method);
  const { to, ...others } = options;
  return { call, result: later(app.srf.proxyRequest(req, to, others)) };
}

/** Statuses that the application was told, in their order. drachtio-srf groups them by address, and by the port the wrong way round. */
export function told({ responses }: ProxyResult): readonly number[] {
  return responses.flatMap(({ msgs }) => msgs.map(({ status }) => status));
}

/** Refuses a proxied INVITE and takes the ACK of the proxy. */
export async function refuse(at: SipPeer, status: number, lines: readonly string[] = []): Promise<void> {
  at.reply(await at.next('INVITE'), status, { lines });
  await at.next('ACK');
}

/** Of the running test, in files that call {@link useProxyLab}: a caller and two targets, all over UDP. */
export let caller: SipPeer;
export let target: SipPeer;
export let other: SipPeer;

/** Gives each test a laboratory with an application that proxies requests with these methods. */
export function useProxyLab(...methods: readonly string[]): void {
  useLab({ methods });
  beforeEach(async () => {
    caller = peer;
    [target, other] = [await lab.peer(), await lab.peer()];
  });
}
