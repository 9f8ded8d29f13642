import { heard, type AppDialog, type AppRequest, type AppResponse, type UacOptions } from './drachtio-app.js';
import { createInbox, type Inbox } from './drachtio-inbox.js';
import type { DrachtioLab, LabApp } from './drachtio-lab.js';
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

/** The application hangs up, and the server forgets everything. */
export async function appHangsUp(
  lab: DrachtioLab,
  { dialog, peer }: Pick<Call, 'dialog' | 'peer'> & Partial<Call>,
): Promise<void> {
  const gone = dialog.destroy();
  peer.reply(await peer.next('BYE', dialog.sip.callId), 200);
  await gone;
  await lab.nothingLeft();
}

/** The peer hangs up, and the server forgets everything. */
export async function peerHangsUp(lab: DrachtioLab, { call }: Call): Promise<void> {
  call.request('BYE');
  await call.response('200 BYE');
  await lab.nothingLeft();
}

/** A promise that the test looks at later than it may fail. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** A call of an application, and what it hears of it. */
export interface Placed {
  readonly dialog: Promise<AppDialog>;
  readonly request: Promise<AppRequest>;
  readonly provisional: Inbox<AppResponse>;
}

/** An application calls, and does not wait. */
export function place({ srf }: LabApp, uri: string, options: UacOptions = {}): Placed {
  const provisional = createInbox<AppResponse>(({ status }) => String(status));
  let sent: (request: AppRequest) => void = () => undefined;
  const request = new Promise<AppRequest>((resolve) => {
    sent = resolve;
  });
  const dialog = srf.createUAC(
    uri,
    { localSdp: sdp('1'), ...options },
    { cbRequest: (_error, req) => sent(req), cbProvisional: (res) => provisional.push(res) },
  );
  return { dialog: later(dialog), request, provisional };
}
