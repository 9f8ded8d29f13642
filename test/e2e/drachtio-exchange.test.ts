import { Server } from 'node:net';
import Srf from 'drachtio-srf';
import { Exchange, DrachtioServer, valuesByName } from '@hopback/harness/drachtio';
import type { ArrivedInvite, ExchangeCall, SipMessage } from '@hopback/harness/drachtio';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectSrf } from '../../harness/src/network/node/srf-face.js';
import { createInbox } from '../support/drachtio-inbox.js';
import { createLab, lab, peer, useLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';

// Applications of the same process, which the server connects to by itself: one of drachtio-srf, and the exchange that floods are made with.

useLab({ limits: { maxHeaderBytes: 30_000 } });

let exchange: Exchange;
let arrived: () => Promise<ArrivedInvite>;
beforeEach(() => {
  const invites = createInbox<ArrivedInvite>(({ request }) => request.requestUri);
  exchange = new Exchange(lab.server, invites.push);
  arrived = () => invites.next('INVITE', () => true);
});
afterEach(() => exchange.close());

const place = (headers: Record<string, string> = {}) =>
  exchange.place({ uri: peer.uri, headers, sdp: sdp('1'), onProvisional: () => undefined });

const over = (call: ExchangeCall | undefined): Promise<void> => new Promise((resolve) => call?.onOver(resolve));

test('an application of drachtio-srf is connected to without a network, and carries a call', async () => {
  exchange.close();
  await lab.quiet();
  const application = new Server();
  const srf = new Srf() as unknown as {
    readonly listen: (options: object) => void;
    readonly disconnect: () => void;
    readonly on: (event: string, told: () => void) => void;
    readonly invite: (handler: (request: never, response: { readonly send: (status: number) => void }) => void) => void;
  };
  srf.invite((_request, response) => response.send(486));
  srf.listen({ server: application, secret: lab.server.control.secret });
  const connected = new Promise<void>((resolve) => srf.on('connect', resolve));
  lab.server.connectTo(application);
  await connected;
  const call = peer.call('INVITE', { body: sdp('1') });
  await call.response(486);
  call.ack();
  expect(lab.server.inUse().applications).toBe(1);
  srf.disconnect();
  await lab.nothingLeft();
  expect(lab.server.inUse().applications).toBe(0);
});

test('an application of the same process gets requests of all methods over one connection, and sends its own over it', async () => {
  exchange.close();
  await lab.quiet();
  const wanted = ['OPTIONS', 'MESSAGE', 'PUBLISH'];
  const methods: string[] = [];
  const { srf, close } = await connectSrf(lab.server, (app) => {
    for (const method of wanted) {
      app.use(method.toLowerCase(), (_req, res) => {
        methods.push(method);
        res.send(200);
      });
    }
  });
  for (const method of wanted) await peer.call(method).response(`200 ${method}`);
  expect([methods, lab.server.inUse().applications]).toEqual([wanted, 1]);
  const refused = srf.createUAC(peer.uri, { localSdp: sdp('1') }).catch((error: unknown) => error);
  peer.reply(await peer.next('INVITE'), 486);
  expect(await refused).toMatchObject({ status: 486 });
  await close();
});

test('the exchange takes calls with a header field as long as the server does', async () => {
  const call = (await lab.peer('tcp')).call('INVITE', { lines: [`X-Long: ${'x'.repeat(20_000)}`] });
  (await arrived()).respond(486);
  call.ackFailure(await call.response(486));
});

test('a call that the exchange places is answered, acknowledged and hung up by it', async () => {
  const heard: number[] = [];
  const placed = exchange.place({
    uri: peer.uri,
    headers: { From: '<sip:+12025550101@pbx.example>', 'X-Trial': '17 0' },
    sdp: sdp('1'),
    onProvisional: ({ status }) => heard.push(status),
  });
  const invite = await peer.next('INVITE');
  expect(invite.value('X-Trial')).toBe('17 0');
  expect(invite.body).toBe(sdp('1'));
  peer.reply(invite, 183);
  peer.reply(invite, 200, { lines: ['Reason: SIP;cause=436'], body: sdp('2') });
  const { response, call } = await placed.outcome;
  expect(heard).toEqual([183]);
  expect(valuesByName(response as SipMessage, 'Reason')).toEqual(['SIP;cause=436']);
  await peer.next('ACK');
  const isOver = over(call);
  const goodbye = call?.hangUp();
  peer.reply(await peer.next('BYE'), 200);
  await Promise.all([goodbye, isOver]);
  expect(call?.isOver).toBe(true);
});

test('the exchange cancels a ringing call, and gets the response of a refused one', async () => {
  const given = place();
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await lab.quiet();
  given.cancel();
  peer.reply(await peer.next('CANCEL'), 200);
  peer.reply(invite, 487);
  expect((await given.outcome).response?.status).toBe(487);
  await peer.next('ACK');
  const refused = place();
  peer.reply(await peer.next('INVITE'), 607, { lines: ['Reason: x'] });
  expect(await refused.outcome).toMatchObject({ response: { status: 607 } });
  const nowhere = exchange.place({
    uri: 'sip:a@b;transport=sctp',
    headers: {},
    sdp: '',
    onProvisional: () => undefined,
  });
  expect(await nowhere.outcome).toEqual({});
  await peer.next('ACK');
});

test('what is not ASCII goes as UTF-8, line ends not at all, and what no frame holds stays here alone', async () => {
  expect(() => place({ Subject: 'x\r\nX-Injected: 1' })).toThrow('line end');
  expect(await place({ Subject: 'x'.repeat(100_000) }).outcome).toEqual({});
  const { outcome } = place({ Subject: 'Žofie \u010d\u010aX: 1' });
  const invite = await peer.next('INVITE');
  expect(Buffer.from(invite.value('Subject'), 'latin1').toString('utf8')).toBe('Žofie \u010d\u010aX: 1');
  peer.reply(invite, 486);
  await outcome;
  await peer.next('ACK');
});

test('a call that the exchange takes is rung, answered, asked again and ended by the other side', async () => {
  const call = peer.call('INVITE', { body: sdp('1') });
  const { respond, answer } = await arrived();
  respond(180);
  expect((await call.response(180)).reason).toBe('Ringing');
  const up = answer(sdp('2'));
  expect((await call.response(200)).body).toBe(sdp('2'));
  call.ack();
  expect((await call.exchange('200 INVITE', { body: sdp('3') })).body).toBe(sdp('2'));
  call.ack();
  await call.exchange('200 OPTIONS');
  const isOver = over(up);
  await call.exchange('200 BYE');
  await isOver;
  await up.hangUp();
});

test('what is hung up in the turn in which it was answered is hung up all the same', async () => {
  const call = peer.call('INVITE', { body: sdp('1') });
  const up = (await arrived()).answer(sdp('2'));
  const goodbye = up.hangUp();
  expect(up.isOver).toBe(true);
  let isSaid = false;
  void goodbye.then(() => (isSaid = true));
  await call.answered();
  const bye = await peer.next('BYE');
  expect(isSaid).toBe(false);
  peer.reply(bye, 200);
  await goodbye;
});

test('an exchange that is closed knows of no call any more, and what it had asked for is over', async () => {
  await using server = await DrachtioServer.open();
  await using nobody = await DrachtioServer.open();
  const closed = new Exchange(server);
  const placed = closed.place({ uri: nobody.uri(), headers: {}, sdp: sdp('1'), onProvisional: () => undefined });
  closed.close();
  expect(await placed.outcome).toEqual({});
  const late = closed.place({ uri: nobody.uri(), headers: {}, sdp: sdp('1'), onProvisional: () => undefined });
  expect(await late.outcome).toEqual({});
  expect(() => new Exchange({ control: server.control, connectTo: () => undefined })).toThrow('did not connect');
});

test('100 Trying is held back, and what is answered within the time goes without', async () => {
  await expect(DrachtioServer.open({ tryingHoldMs: 201 })).rejects.toThrow('tryingHoldMs must be 0 to 200');
  await using held = await createLab({ tryingHoldMs: 200 });
  const { next } = await held.app('invite');
  const caller = await held.peer();
  const slow = caller.call('INVITE', { body: sdp('1') });
  const { res } = await next('INVITE');
  await held.pass(199);
  expect(caller.all).toEqual([]);
  await held.pass(1);
  await slow.response(100);
  res.send(486);
  await slow.response(486);
  slow.ack();
  const fast = caller.call('INVITE', { body: sdp('1') });
  const { res: ringing } = await next('INVITE');
  ringing.send(180);
  await fast.response(180);
  await held.pass(1_000);
  expect(caller.all.filter(({ status }) => status === 100)).toHaveLength(1);
  ringing.send(480);
  await fast.response(480);
  fast.ack();
  await held.nothingLeft();
});
