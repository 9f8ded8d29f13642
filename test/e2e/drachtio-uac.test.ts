import { expect, test } from 'vitest';
import { heard, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appCalls, appHangsUp, place, placedAt } from '../support/drachtio-calls.js';
import { app, createLab, lab, peer, useLab } from '../support/drachtio-lab.js';
import { branchOf, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

useLab({ methods: [] });

test.each(TRANSPORTS)('an application calls, is answered and hangs up over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const { invite, ...placed } = await placedAt(app, phone);
  const request = await placed.request;
  expect(request.raw).toBe(invite.raw);
  phone.reply(invite, 100);
  phone.reply(invite, 180);
  // 100 is between the server and the peer.
  expect((await placed.provisional.next('180', () => true)).status).toBe(180);
  const answer = phone.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  expect(dialog.res.raw).toBe(answer);
  expect(dialog.remote).toEqual({ uri: uriIn(phone.contact), sdp: sdp('2') });
  expect(dialog.id).toBe(`${invite.value('Call-ID')};from-tag=${tagIn(invite.value('From'))}`);
  const ack = await phone.next('ACK');
  expect(ack.uri).toBe(uriIn(phone.contact));
  expect(ack.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'ACK'));
  expect(tagIn(ack.value('To'))).toBe('peer');
  expect(branchOf(ack)).not.toBe(branchOf(invite));
  await appHangsUp({ dialog, peer: phone });
});

test('a Contact with the name of a host: the BYE right behind the ACK stays behind it', async () => {
  const contact = `<${peer.uri.replace(peer.host, 'localhost')}>`;
  for (let calls = 0; calls < 50; calls += 1) {
    const { invite, ...placed } = await placedAt(app, peer);
    peer.reply(invite, 200, { body: sdp('2'), contact });
    const dialog = await placed.dialog;
    void dialog.destroy();
    const callId = invite.value('Call-ID');
    peer.reply(await peer.next('BYE', callId), 200);
    const requests = peer.all.filter((came) => came.method !== '' && came.value('Call-ID') === callId);
    expect(requests.map(({ method }) => method)).toEqual(['INVITE', 'ACK', 'BYE']);
    await peer.next('ACK', callId);
  }
});

test('a second branch of a fork that repeats its 200 before its host is found gets one BYE', async () => {
  const contact = `<${peer.uri.replace(peer.host, 'localhost')}>`;
  const { invite, ...placed } = await placedAt(app, peer);
  peer.reply(invite, 200, { body: sdp('2'), tag: 'a' });
  const dialog = await placed.dialog;
  await peer.next('ACK');
  for (let copies = 0; copies < 3; copies += 1) peer.reply(invite, 200, { body: sdp('2'), tag: 'b', contact });
  peer.reply(await peer.next('BYE'), 200);
  await lab.quiet();
  const toBranch = peer.all.filter((came) => came.method !== '' && tagIn(came.value('To')) === 'b');
  expect(toBranch.map(({ method }) => method)).toEqual(['ACK', 'BYE']);
  await peer.next('ACK');
  await appHangsUp({ dialog, peer });
});

test('an application that disconnects between the 200 and its ACK leaves no call: the server sends ACK and BYE', async () => {
  const raw = await lab.rawApp();
  raw.send('sip||', `INVITE ${peer.uri} SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200, { body: sdp('2') });
  expect((await raw.next('sip')).sip).toMatch(/^SIP\/2.0 200 /);
  await raw.close();
  const ack = await peer.next('ACK');
  const bye = await peer.next('BYE');
  expect(bye.value('Reason')).toContain('application is gone');
  peer.reply(invite, 200, { body: sdp('2') });
  expect((await peer.next('ACK')).raw).toBe(ack.raw);
  peer.reply(bye, 200);
  await lab.nothingMore(peer);
});

test.each(TRANSPORTS)('the called side hangs up over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const { dialog, call } = await appCalls(app, phone);
  const destroyed = heard<[AppRequest, string]>(dialog, 'destroy');
  await call.exchange('200 BYE', { lines: ['Reason: Q.850;cause=16'] });
  const [bye, reason] = await destroyed;
  expect([bye.get('Reason'), reason]).toEqual(['Q.850;cause=16', 'normal release']);
});

test('an INVITE carries everything that the application left out', async () => {
  for (const transport of TRANSPORTS) {
    const phone = await lab.peer(transport);
    const { invite, ...placed } = await placedAt(app, phone);
    const own = lab.server.uri(transport);
    expect(invite.uri).toBe(phone.uri);
    const sentBy = own.replace('sip:', '').split(';')[0];
    expect(invite.value('Via')).toMatch(
      new RegExp(`^SIP/2.0/${transport.toUpperCase()} ${sentBy};rport;branch=z9hG4bK`),
    );
    expect(invite.value('Max-Forwards')).toBe('70');
    expect(invite.value('From')).toMatch(new RegExp(`^<${own}>;tag=\\w+$`));
    expect(invite.value('To')).toBe(`<${phone.uri}>`);
    expect(invite.value('Call-ID')).toMatch(/^[\da-f-]{36}$/);
    expect(invite.value('CSeq')).toMatch(/^\d+ INVITE$/);
    expect(invite.value('Contact')).toBe(`<${own}>`);
    expect(invite.value('Content-Type')).toBe('application/sdp');
    expect(invite.value('Content-Length')).toBe(String(sdp('1').length));
    for (const name of ['User-Agent', 'Allow', 'Supported', 'Date', 'Route']) expect(invite.values(name)).toEqual([]);
    phone.reply(invite, 486);
    await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  }
});

test.each(TRANSPORTS)(
  'a refusal reaches the application and is acknowledged by the server over %s',
  async (transport) => {
    const phone = await lab.peer(transport);
    const { invite, ...placed } = await placedAt(app, phone);
    phone.reply(invite, 486, { reason: 'Very Busy', lines: ['X-Note: come later'] });
    const refusal = await placed.dialog.catch(
      (error: unknown) => error as { status: number; reason: string; res: AppResponse },
    );
    expect(refusal).toMatchObject({ status: 486, reason: 'Very Busy' });
    const ack = await phone.next('ACK');
    expect(branchOf(ack)).toBe(branchOf(invite));
    expect([ack.uri, ack.value('To')]).toEqual([invite.uri, `${invite.value('To')};tag=peer`]);
    await lab.nothingMore(phone);
  },
);

test('a repeated 200 is acknowledged with the same ACK, and not delivered again', async () => {
  const { invite, ...placed } = await placedAt(app, peer);
  peer.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  const ack = await peer.next('ACK');
  peer.reply(invite, 200, { body: sdp('2') });
  expect((await peer.next('ACK')).raw).toBe(ack.raw);
  // What comes behind it is late.
  peer.reply(invite, 180);
  await lab.quiet();
  expect([peer.untaken(), placed.provisional.untaken()]).toEqual([[], []]);
  await appHangsUp({ dialog, peer });
});

test('a repeated 200 waits for the ACK of the application', async () => {
  const answered = app.srf.createUAC(peer.uri, { noAck: true });
  const invite = await peer.next('INVITE');
  expect([invite.body, invite.values('Content-Type')]).toEqual(['', []]);
  peer.reply(invite, 200, { body: sdp('2') });
  const { ack, sdp: offer } = await answered;
  expect(offer).toBe(sdp('2'));
  peer.reply(invite, 200, { body: sdp('2') });
  await lab.nothingMore(peer);
  const dialog = await ack(sdp('3'));
  const sentAck = await peer.next('ACK');
  expect([sentAck.body, sentAck.value('Content-Type')]).toEqual([sdp('3'), 'application/sdp']);
  await appHangsUp({ dialog, peer });
});

test.each(TRANSPORTS)('after 32 s without a response the application gets a 408 over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const placed = place(app, phone.uri);
  const request = await placed.request;
  await lab.pass(32_000);
  expect(phone.all.map(({ method }) => method)).toEqual(Array(transport === 'udp' ? 7 : 1).fill('INVITE'));
  const failure = await placed.dialog.catch(
    (error: unknown) => error as { status: number; reason: string; res: AppResponse },
  );
  expect(failure).toMatchObject({ status: 408, reason: 'Request Timeout' });
  const { res } = failure as { res: AppResponse };
  expect([res.get('Call-ID'), res.get('CSeq')]).toEqual([request.get('Call-ID'), request.get('CSeq')]);
  expect(tagIn(res.get('To') ?? '')).not.toBe('');
});

test('after 32 s without a response to OPTIONS the application gets a 408', async () => {
  const request = await app.srf.request(peer.uri, { method: 'OPTIONS' });
  const response = heard<[AppResponse]>(request, 'response');
  await lab.pass(32_000);
  expect((await response)[0]).toMatchObject({ status: 408, reason: 'Request Timeout' });
});

test('without a listener at a TCP port the application gets a 503', async () => {
  const phone = await lab.peer('tcp');
  await phone.close();
  await expect(place(app, phone.uri).dialog).rejects.toMatchObject({ status: 503, reason: 'Service Unavailable' });
  const request = await app.srf.request(phone.uri, {
    method: 'MESSAGE',
    body: 'x',
    headers: { 'Content-Type': 'text/plain' },
  });
  const response = heard<[AppResponse]>(request, 'response');
  await lab.pass(10);
  expect((await response)[0].status).toBe(503);
});

test('a connection that breaks before the answer: the application gets a 503', async () => {
  const phone = await lab.peer('tcp');
  const placed = place(app, phone.uri);
  await phone.next('INVITE');
  await phone.close();
  await expect(placed.dialog).rejects.toMatchObject({ status: 503 });
});

test('a browser that is gone cannot be called: the application gets a 503', async () => {
  const phone = await lab.peer('ws');
  await phone.close();
  await lab.quiet();
  await expect(place(app, phone.uri).dialog).rejects.toMatchObject({ status: 503 });
});

test('for an unknown host the application gets a 503 DNS Error', async () => {
  await expect(place(app, 'sip:a@nowhere.invalid').dialog).rejects.toMatchObject({ status: 503, reason: 'DNS Error' });
});

test.each([401, 407])('a call that gets %i is sent again with credentials in the same call', async (status) => {
  const { invite: first, ...placed } = await placedAt(app, peer, {
    auth: { username: 'me', password: 'secret' },
    headers: { 'X-Kept': 'yes' },
  });
  const [challenge, answer] =
    status === 401 ? ['WWW-Authenticate', 'Authorization'] : ['Proxy-Authenticate', 'Proxy-Authorization'];
  peer.reply(first, status, { lines: [`${challenge}: Digest realm="r", nonce="n1", qop="auth"`] });
  await peer.next('ACK');
  const second = await peer.next('INVITE');
  for (const name of ['Call-ID', 'From', 'To', 'Contact', 'X-Kept']) expect(second.value(name)).toBe(first.value(name));
  expect(Number.parseInt(second.value('CSeq'), 10)).toBe(Number.parseInt(first.value('CSeq'), 10) + 1);
  expect(branchOf(second)).not.toBe(branchOf(first));
  expect(second.value(answer)).toMatch(/^Digest username="me",realm="r",nonce="n1"/);
  expect(second.body).toBe(first.body);
  peer.reply(second, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  await peer.next('ACK');
  await appHangsUp({ dialog, peer });
});

test('a call through a proxy of the application goes there, with its target as it is and without a Route', async () => {
  const phone = await lab.peer('tcp');
  const placed = place(app, 'sip:555@far.example', { proxy: phone.uri });
  const invite = await phone.next('INVITE');
  expect([invite.uri, invite.values('Route')]).toEqual(['sip:555@far.example', []]);
  expect(invite.value('Via')).toMatch(/^SIP\/2.0\/TCP /);
  phone.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  await phone.next('ACK');
  await appHangsUp({ dialog, peer: phone });
});

test('a telephone number can be called through a proxy', async () => {
  app.srf.request('tel:+15551234', { method: 'INVITE', proxy: peer.uri }, () => undefined);
  const invite = await peer.next('INVITE');
  expect([invite.uri, invite.value('To')]).toEqual(['tel:+15551234', '<tel:+15551234>']);
  peer.reply(invite, 404);
});

test('a 202 to an INVITE is no call for drachtio-srf: it is acknowledged and hung up', async () => {
  const placed = place(app, peer.uri);
  peer.reply(await peer.next('INVITE'), 202);
  await expect(placed.dialog).rejects.toMatchObject({ status: 202 });
  await peer.next('ACK');
  peer.reply(await peer.next('BYE'), 200);
});

test('a 200 without a Contact is no call that could be acknowledged: nothing is kept of it', async () => {
  for (const transport of TRANSPORTS) {
    const phone = await lab.peer(transport);
    const placed = place(app, phone.uri);
    phone.reply(await phone.next('INVITE'), 200, { contact: null, body: sdp('2') });
    await expect(placed.dialog).rejects.toMatchObject({ status: 500 });
  }
});

test('a request larger than the MTU leaves by TCP, and by UDP if nothing listens there', async () => {
  await using limited = await createLab({ mtuBytes: 1_300 });
  const caller = await limited.app();
  const [udp, tcp] = [await limited.peer(), await limited.peer('tcp')];
  const headers = { 'X-Long': 'x'.repeat(1_300) };
  const large = place(caller, `sip:a@127.0.0.1:${tcp.port}`, { headers: { ...headers } });
  const invite = await tcp.next('INVITE');
  expect(invite.value('Via')).toMatch(/^SIP\/2.0\/TCP /);
  tcp.reply(invite, 486);
  await expect(large.dialog).rejects.toMatchObject({ status: 486 });
  const { invite: datagram, ...alone } = await placedAt(caller, udp, { headers: { ...headers } });
  expect(datagram.value('Via')).toMatch(/^SIP\/2.0\/UDP /);
  udp.reply(datagram, 200, { body: sdp('2') });
  const dialog = await alone.dialog;
  await udp.next('ACK');
  await appHangsUp({ dialog, peer: udp });
  await limited.nothingLeft();
});
