import { expect, test } from 'vitest';
import { pcapOf, type TappedMessage } from '@hopback/harness/drachtio';
import { describePeer } from '../peers.js';
import { heard, type AppMessage, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appHangsUp, later, peerCalls, peerHangsUp } from '../support/drachtio-calls.js';
import type { LabApp } from '../support/drachtio-lab.js';
import { readSip, sdp, writeSip } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerTransport, type SipPeer } from '../support/sip-peer.js';
import { createLiveLab } from './sipp/live-lab.js';
import { dissect, type DissectedPacket } from './tshark.js';

const ROUTED = ['invite', 'register', 'options', 'message', 'subscribe'];
const TEXT = { 'Content-Type': 'text/plain' };
/** As long as a chain of several PASSporTs with all their certificates' addresses gets. */
const BIG_IDENTITY = `eyJhbGciOiJFUzI1NiJ9.${'eyJhdHRlc3QiOiJBIn0'.repeat(370)}.${'s'.repeat(86)};info=<https://certificates.example.org/sp.pem>;alg=ES256;ppt="shaken"`;

/** An application, and two peers that speak one transport with its server. */
interface Scene {
  readonly app: LabApp;
  readonly peer: SipPeer;
  readonly other: SipPeer;
}

/** A request outside calls, and the status of its answer. */
async function ask({ srf }: LabApp, peer: SipPeer, options: Parameters<typeof srf.request>[1]): Promise<number> {
  const sent = srf.request(peer.uri, options);
  peer.reply(await peer.next(options.method), 200);
  const [response] = await heard<[AppMessage]>(await sent, 'response');
  return response.status;
}

/** Everything that the server does with SIP. */
const SCENES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  async peerCallsApp({ app, peer }) {
    const call = peer.call('INVITE', { body: sdp('1') });
    const { req, res } = await app.next('INVITE');
    res.send(180, { headers: { 'P-Asserted-Identity': '<sip:+12025550147@localhost>', 'X-Note': 'ringing' } });
    await call.response(180);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    await call.response(200);
    const acknowledged = heard(dialog, 'ack');
    call.ack();
    await acknowledged;
    await peerHangsUp({ call });
  },

  async appCallsPeer({ app, peer }) {
    const placed = app.srf.createUAC(peer.uri, {
      ...{ localSdp: sdp('1'), callingNumber: '12025550147', callingName: 'Alice Caller' },
      headers: { 'P-Asserted-Identity': '<sip:+12025550147@localhost>', Subject: 'caf\u00e9', 'User-Agent': 'tests' },
    });
    const invite = await peer.next('INVITE');
    peer.reply(invite, 180);
    peer.reply(invite, 200, { body: sdp('2') });
    const dialog = await placed;
    await peer.next('ACK', dialog.sip.callId);
    await appHangsUp({ dialog, peer });
  },

  async requestsWithinCall({ app, peer }) {
    const { dialog, call } = await peerCalls(app, peer);
    dialog.on('info', (_req: AppRequest, res: AppResponse) => res.send(200));
    call.request('INFO', { lines: ['Content-Type: application/dtmf-relay'], body: 'Signal=1\r\n' });
    await call.response('200 INFO');
    for (const method of ['INFO', 'UPDATE', 'OPTIONS', 'MESSAGE']) {
      const answered = dialog.request({ method, body: 'x', headers: TEXT });
      peer.reply(await call.next(method), 200);
      await answered;
    }
    const modified = dialog.modify(sdp('3'));
    peer.reply(await call.next('INVITE'), 200, { body: sdp('4') });
    await modified;
    await call.next('ACK');
    dialog.on('modify', (_req: AppRequest, res: AppResponse) => res.send(200, { body: sdp('6') }));
    const reinvite = readSip(call.request('INVITE', { body: sdp('5') }));
    await call.response('200 INVITE');
    call.ack({ cseq: Number.parseInt(reinvite.value('CSeq'), 10) });
    await appHangsUp({ dialog, peer });
  },

  async transfer({ app, peer }) {
    const { dialog, call } = await peerCalls(app, peer);
    const referred = heard<[AppRequest, AppResponse]>(dialog, 'refer');
    call.request('REFER', { lines: ['Refer-To: <sip:c@example.com>', 'Referred-By: <sip:peer@example.com>'] });
    (await referred)[1].send(202);
    await call.response('202 REFER');
    const state = { Event: 'refer', 'Subscription-State': 'active;expires=60', 'Content-Type': 'message/sipfrag' };
    const notified = dialog.request({ method: 'NOTIFY', headers: state, body: 'SIP/2.0 100 Trying\r\n' });
    peer.reply(await call.next('NOTIFY'), 200);
    await notified;
    const refer = dialog.request({ method: 'REFER', headers: { 'Refer-To': '<sip:d@example.com>' } });
    peer.reply(await call.next('REFER'), 202);
    await refer;
    const told = heard<[AppRequest, AppResponse]>(dialog, 'notify');
    const over = ['Event: refer', 'Subscription-State: terminated;reason=noresource', 'Content-Type: message/sipfrag'];
    call.request('NOTIFY', { lines: over, body: 'SIP/2.0 200 OK\r\n' });
    (await told)[1].send(200);
    await call.response('200 NOTIFY');
    await peerHangsUp({ call });
  },

  async subscription({ app, peer }) {
    const call = peer.call('SUBSCRIBE', { lines: ['Event: presence', 'Expires: 600'] });
    const { req, res } = await app.next('SUBSCRIBE');
    const dialog = await app.srf.createUAS(req, res, { headers: { Expires: '600' } });
    await call.response('202 SUBSCRIBE');
    const state = { Event: 'presence', 'Subscription-State': 'terminated;reason=noresource', ...TEXT };
    const notified = dialog.request({ method: 'NOTIFY', headers: state, body: 'away' });
    peer.reply(await call.next('NOTIFY'), 200);
    await notified;
  },

  async proxyThatStays({ app, peer, other }) {
    const call = peer.call('INVITE', { body: sdp('1') });
    const { req } = await app.next('INVITE');
    const headers = { 'X-Added': 'yes' };
    const proxied = app.srf.proxyRequest(req, other.uri, { remainInDialog: true, headers });
    const invite = await other.next('INVITE');
    other.reply(invite, 180);
    other.reply(invite, 200, { body: sdp('2') });
    await call.response(200);
    await proxied;
    call.ack();
    await other.next('ACK', call.callId);
    call.request('INFO');
    other.reply(await other.next('INFO', call.callId), 200);
    await call.response('200 INFO');
    other.dialog(invite).request('BYE');
    peer.reply(await peer.next('BYE', call.callId), 200);
    await other.next('200 BYE', call.callId);
  },

  async proxyThatForks({ app, peer, other }) {
    const call = peer.call('INVITE', { body: sdp('1') });
    const { req } = await app.next('INVITE');
    const proxied = app.srf.proxyRequest(req, [other.uri, peer.uri], { forking: 'simultaneous' });
    other.reply(await other.next('INVITE', call.callId), 486);
    peer.reply(await peer.next('INVITE', call.callId), 603);
    await other.next('ACK', call.callId);
    call.ackFailure(await call.response(603));
    await proxied;
  },

  async reliableResponses({ app, peer }) {
    const call = peer.call('INVITE', { body: sdp('1'), lines: ['Supported: 100rel'] });
    const { req, res } = await app.next('INVITE');
    const acknowledged = new Promise((resolve) => {
      res.send(183, { headers: { Require: '100rel' }, body: sdp('2') }, null, resolve);
    });
    const reliable = await call.response(183);
    call.request('PRACK', { lines: [`RAck: ${reliable.value('RSeq')} ${reliable.value('CSeq')}`] });
    await call.response('200 PRACK');
    await acknowledged;
    const uas = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    await call.response('200 INVITE');
    call.ack();
    await appHangsUp({ dialog: uas, peer });

    const placed = app.srf.createUAC(peer.uri, { localSdp: sdp('1'), headers: { Supported: '100rel' } });
    const invite = await peer.next('INVITE');
    peer.reply(invite, 183, { lines: ['Require: 100rel', 'RSeq: 17', `Contact: ${peer.contact}`], body: sdp('2') });
    peer.reply(await peer.next('PRACK', invite.value('Call-ID')), 200);
    peer.reply(invite, 200);
    const uac = await placed;
    await peer.next('ACK', uac.sip.callId);
    await appHangsUp({ dialog: uac, peer });
  },

  async givingUp({ app, peer }) {
    const call = peer.call('INVITE', { body: sdp('1') });
    const { req, res } = await app.next('INVITE');
    const cancelled = heard(req, 'cancel');
    res.send(180);
    await call.response(180);
    call.cancel(['Reason: SIP;cause=487;text="gave up"']);
    await call.response('200 CANCEL');
    call.ackFailure(await call.response('487 INVITE'));
    await cancelled;

    let sent: AppRequest | undefined;
    const placed = later(
      app.srf.createUAC(
        peer.uri,
        { localSdp: sdp('1') },
        {
          cbRequest: (_error, request) => void (sent = request),
          cbProvisional: () => sent?.cancel({ headers: { Reason: 'SIP;cause=200;text="elsewhere"' } }),
        },
      ),
    );
    const invite = await peer.next('INVITE');
    peer.reply(invite, 180);
    peer.reply(await peer.next('CANCEL'), 200);
    peer.reply(invite, 487);
    await peer.next('ACK', invite.value('Call-ID'));
    await expect(placed).rejects.toMatchObject({ status: 487 });
  },

  async refusals({ app, peer }) {
    for (const status of [302, 404, 486, 603]) {
      const call = peer.call('INVITE', { body: sdp('1') });
      const { res } = await app.next('INVITE');
      res.send(status, { headers: { Contact: '<sip:other@192.0.2.9>', Reason: 'Q.850;cause=21' } });
      call.ackFailure(await call.response(status));
    }
    // What the server answers by itself: no application, no dialog, too many hops, a method that it does not know of.
    await peer.call('PUBLISH', { lines: ['Event: presence'] }).response(503);
    await peer.call('BYE', { toTag: 'nobody' }).response(481);
    const call = peer.call('INVITE', { maxForwards: 0 });
    const { req } = await app.next('INVITE');
    const proxied = later(app.srf.proxyRequest(req, 'sip:far@192.0.2.9'));
    call.ackFailure(await call.response(483));
    await proxied.catch(() => undefined);
  },

  async registration({ app, peer }) {
    for (const attempt of [1, 2]) {
      const credentials =
        'Authorization: Digest username="alice", realm="example.com", nonce="n1", uri="sip:example.com", response="0123456789abcdef0123456789abcdef", algorithm=MD5';
      const call = peer.call('REGISTER', {
        ...{ cseq: attempt, from: '<sip:alice@example.com>', to: '<sip:alice@example.com>' },
        lines: attempt === 1 ? [] : [credentials],
      });
      const { req, res } = await app.next('REGISTER');
      const challenge = { 'WWW-Authenticate': 'Digest realm="example.com", nonce="n1", algorithm=MD5, qop="auth"' };
      if (attempt === 1) res.send(401, { headers: challenge });
      else res.send(200, { headers: { Contact: `${req.get('Contact')};expires=300`, Expires: '300' } });
      await call.response(attempt === 1 ? 401 : 200);
    }
    const auth = { username: 'alice', password: 'secret' };
    const registered = app.srf.request(peer.uri, {
      method: 'REGISTER',
      headers: { Contact: '<sip:alice@localhost>' },
      auth,
    });
    const lines = ['WWW-Authenticate: Digest realm="example.com", nonce="n2", algorithm=MD5, qop="auth"'];
    peer.reply(await peer.next('REGISTER'), 401, { lines });
    const second = await peer.next('REGISTER');
    expect(second.value('Authorization')).toContain('n2');
    peer.reply(second, 200, { lines: ['Contact: <sip:alice@example.com>;expires=300'] });
    await registered;
  },

  async requestsOutsideCalls({ app, peer }) {
    for (const method of ['OPTIONS', 'MESSAGE']) {
      const call = peer.call(method, { lines: ['Content-Type: text/plain;charset=utf-8'], body: 'h\u00c3\u00a4' });
      const { res } = await app.next(method);
      res.send(200, { headers: { Allow: 'INVITE, ACK, BYE', Accept: 'application/sdp' } });
      await call.response(200);
      expect(await ask(app, peer, { method, headers: TEXT, body: 'x'.repeat(2_000) })).toBe(200);
    }
  },

  async bigIdentity({ app, peer, other }) {
    const lines = [`Identity: ${BIG_IDENTITY}`, `Identity: ${BIG_IDENTITY.replace('shaken', 'div')}`];
    const call = peer.call('INVITE', { body: sdp('1'), lines });
    const { req } = await app.next('INVITE');
    const proxied = app.srf.proxyRequest(req, other.uri, { headers: { Identity: BIG_IDENTITY } });
    other.reply(await other.next('INVITE'), 404);
    call.ackFailure(await call.response(404));
    await proxied;
    const placed = later(app.srf.createUAC(peer.uri, { localSdp: sdp('1'), headers: { Identity: BIG_IDENTITY } }));
    const invite = await peer.next('INVITE');
    peer.reply(invite, 486);
    await peer.next('ACK', invite.value('Call-ID'));
    await expect(placed).rejects.toMatchObject({ status: 486 });
  },
};

/** All messages of a server while all scenes are played, and the ports that it listens on. */
async function play(
  transport: PeerTransport,
): Promise<{ readonly messages: readonly TappedMessage[]; readonly ports: readonly number[] }> {
  const messages: TappedMessage[] = [];
  await using lab = await createLiveLab({
    listen: [{ transport, host: '127.0.0.1', port: 0 }],
    onMessage: (message) => void messages.push(message),
  });
  const app = await lab.app(...ROUTED);
  for (const [name, scene] of Object.entries(SCENES)) {
    await using peer = await lab.peer(transport);
    await using other = await lab.peer(transport);
    await scene({ app, peer, other }).catch((cause: unknown) => {
      throw new Error(`the scene ${name} over ${transport} went wrong`, { cause });
    });
    await lab.quiet();
  }
  await lab.nothingLeft();
  return { messages, ports: lab.server.listening.map(({ port }) => port) };
}

/** What a message is, as our own reader sees it. */
function summary({ text }: TappedMessage): object {
  const { method, status, value, values } = readSip(text);
  return {
    ...{ method, status: status === 0 ? '' : String(status), callId: value('Call-ID'), cseq: value('CSeq') },
    identities: values('Identity'),
  };
}

/** The same between two addresses of IPv6. */
function overIpv6(message: TappedMessage): TappedMessage {
  const { local, remote } = message;
  return { ...message, local: { ...local, address: '2001:db8::1' }, remote: { ...remote, address: '2001:db8::2' } };
}

/** What a packet is that holds a part of a message, to the dissectors. */
const PARTS: ReadonlySet<string> = new Set(['ip', 'ipv6', 'ipv6.fraghdr', 'udp', 'tcp', 'data']);

/** What tshark finds fault with, in whose message. */
function faults(packets: readonly DissectedPacket[], messages: readonly TappedMessage[]): readonly string[] {
  return packets.flatMap(({ remarks }, index) => {
    const { direction, text = '' } = messages[index] ?? {};
    return remarks
      .filter(({ severity }) => severity === 'error' || severity === 'malformed' || severity === 'warning')
      .map(({ severity, message }) => `${severity}, ${direction}: ${message}\n${text}`);
  });
}

describePeer('tshark', 'tshark', () => {
  test('finds fault with messages and packets that are not right', async () => {
    const here = { local: { address: '127.0.0.1', port: 5060 }, remote: { address: '127.0.0.1', port: 40_000 } };
    const text = writeSip('OPTIONS sip:a@example.com SIP/2.0', ['Call-ID: 1', 'CSeq: 1 OPTIONS', 'no colon here']);
    const message: TappedMessage = { direction: 'out', transport: 'udp', ...here, atMs: 0, text };
    const capture = pcapOf([message]);
    const [packet] = await dissect(capture, { ports: [5060] });
    expect(packet?.remarks).toContainEqual({ severity: 'warning', message: 'Header has no colon after the name' });
    expect(packet?.remarks.map(({ severity }) => severity)).toContain('malformed');
    expect(packet?.checksums).toEqual(['1', '1']);
    const changed = Uint8Array.from(capture);
    changed[capture.length - 1] = 0x20;
    expect((await dissect(changed, { ports: [5060] }))[0]?.checksums).toEqual(['1', '0']);
  });

  test.each(TRANSPORTS)('finds no fault with any message of ours over %s, however it is cut up', async (over) => {
    const { messages, ports } = await play(over);
    expect(messages.filter(({ direction }) => direction === 'out').length).toBeGreaterThan(60);
    for (const [version, mtuBytes] of [
      [4, 65_535],
      [4, 1_500],
      [6, 1_500],
    ] as const) {
      const capture = pcapOf(version === 4 ? messages : messages.map(overIpv6), { mtuBytes });
      const packets = await dissect(capture, { ports });
      expect(packets.map(({ sip }) => sip)).toEqual(messages.map(summary));
      expect(packets.map(({ payload }) => payload)).toEqual(
        messages.map(({ text }) => Buffer.from(text, 'latin1').toString('hex')),
      );
      expect(new Set(packets.flatMap(({ checksums }) => checksums))).toEqual(new Set(['1']));
      expect(faults(packets, messages)).toEqual([]);
      // Nothing is in the capture but SIP and the parts of it.
      const others = await dissect(capture, { ports, filter: '!sip' });
      expect(others.filter(({ protocols }) => !PARTS.has(protocols.at(-1) ?? ''))).toEqual([]);
      expect(others.flatMap(({ remarks }) => remarks)).toEqual([]);
      expect(others.length > 0).toBe(mtuBytes === 1_500);
    }
  });
});
