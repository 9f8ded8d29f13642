import {
  heard,
  type AppDialog,
  type AppMessage,
  type AppRequest,
  type AppResponse,
  type Sent,
  type UacOptions,
} from './drachtio-app.js';
import { createInbox } from './drachtio-inbox.js';
import { app as labApp, peer as labPeer, type LabApp, type Taken } from './drachtio-lab.js';
import { sdp } from './drachtio-sip-text.js';
import type { Came, CallParts, PeerCall, SipPeer } from './sip-peer.js';

/** A call that is up, from both ends. */
export interface Call {
  readonly dialog: AppDialog;
  readonly peer: SipPeer;
  /** The peer's end. */
  readonly call: PeerCall;
  /** The INVITE, where the application sent it. */
  readonly invite?: Came;
}

/** A call that waits for its answer, in files that call `useLab`. */
export async function incoming(
  parts: CallParts = {},
  peer: SipPeer = labPeer,
): Promise<Taken & { readonly call: PeerCall }> {
  const call = peer.call('INVITE', parts);
  return { call, ...(await labApp.next('INVITE')) };
}

/** Why a response of the application was not sent; otherwise its text. */
export function sent(send: (done: Sent) => void): Promise<AppMessage | string> {
  return new Promise((resolve) => send((error, message) => resolve(message ?? String(error))));
}

/** The peer calls an application that takes `invite`. */
export async function peerCalls(app: LabApp, peer: SipPeer, parts: CallParts = {}): Promise<Call> {
  const call = peer.call('INVITE', { body: sdp('1'), ...parts });
  const { req, res } = await app.next('INVITE');
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  await call.response(200);
  const acknowledged = heard(dialog, 'ack');
  call.ack();
  await acknowledged;
  return { dialog, peer, call };
}

/** The peer calls, is answered and hangs up. */
export async function callWorks(app: LabApp, peer: SipPeer): Promise<void> {
  await peerHangsUp(await peerCalls(app, peer));
}

/** An application calls the peer. */
export async function appCalls(
  app: LabApp,
  peer: SipPeer,
  parts: { readonly lines?: readonly string[]; readonly contact?: string } = {},
): Promise<Call> {
  const answered = app.srf.createUAC(peer.uri, { localSdp: sdp('1') });
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200, { body: sdp('2'), ...parts });
  const dialog = await answered;
  await peer.next('ACK', dialog.sip.callId);
  return { dialog, peer, call: peer.dialog(invite), invite };
}

/** The application hangs up. */
export async function appHangsUp({ dialog, peer }: Pick<Call, 'dialog' | 'peer'>): Promise<void> {
  const gone = dialog.destroy();
  peer.reply(await peer.next('BYE', dialog.sip.callId), 200);
  await gone;
}

/** The peer hangs up. */
export async function peerHangsUp({ call }: Pick<Call, 'call'>): Promise<void> {
  await call.exchange('200 BYE');
}

/** A promise that the test looks at later than it may fail. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** An application calls, and does not wait. */
export function place({ srf }: LabApp, uri: string, options: UacOptions = {}) {
  const provisional = createInbox<AppResponse>(({ status }) => String(status));
  let send: (request: AppRequest) => void = () => undefined;
  const request = new Promise<AppRequest>((resolve) => {
    send = resolve;
  });
  const dialog = srf.createUAC(
    uri,
    { localSdp: sdp('1'), ...options },
    { cbRequest: (_error, req) => send(req), cbProvisional: (res) => provisional.push(res) },
  );
  return { dialog: later(dialog), request, provisional };
}

/** An application calls a peer, which takes the INVITE. */
export async function placedAt(app: LabApp, peer: SipPeer, options?: UacOptions) {
  const placed = place(app, peer.uri, options);
  return { ...placed, invite: await peer.next('INVITE') };
}
