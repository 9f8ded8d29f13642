import { expect, test } from 'vitest';
import { heard, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appHangsUp, place } from '../support/drachtio-calls.js';
import { createLab } from '../support/drachtio-lab.js';
import { branchOf, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

test.each(TRANSPORTS)('an application calls, is answered and hangs up over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer(transport);
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  const request = await placed.request;
  expect(request.raw).toBe(invite.raw);
  peer.reply(invite, 100);
  peer.reply(invite, 180);
  // 100 is between the server and the peer.
  expect((await placed.provisional.next('180', () => true)).status).toBe(180);
  const answer = peer.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  expect(dialog.res.raw).toBe(answer);
  expect(dialog.remote).toEqual({ uri: uriIn(peer.contact), sdp: sdp('2') });
  expect(dialog.id).toBe(`${invite.value('Call-ID')};from-tag=${tagIn(invite.value('From'))}`);
  const ack = await peer.next('ACK');
  expect(ack.uri).toBe(uriIn(peer.contact));
  expect(ack.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'ACK'));
  expect(tagIn(ack.value('To'))).toBe('peer');
  expect(branchOf(ack)).not.toBe(branchOf(invite));
  await appHangsUp(lab, { dialog, peer: peer });
});

test('a Contact with the name of a host: the BYE right behind the ACK stays behind it', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const contact = `<${peer.uri.replace(peer.host, 'localhost')}>`;
  for (let calls = 0; calls < 50; calls += 1) {
    const placed = place(app, peer.uri);
    const invite = await peer.next('INVITE');
    peer.reply(invite, 200, { body: sdp('2'), contact });
    const dialog = await placed.dialog;
    void dialog.destroy();
    const callId = invite.value('Call-ID');
    peer.reply(await peer.next('BYE', callId), 200);
    const requests = peer.all.filter((came) => came.method !== '' && came.value('Call-ID') === callId);
    expect(requests.map(({ method }) => method)).toEqual(['INVITE', 'ACK', 'BYE']);
    await peer.next('ACK', callId);
  }
  await lab.nothingLeft();
});

test('a second branch of a fork that repeats its 200 before its host is found gets one BYE', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const contact = `<${peer.uri.replace(peer.host, 'localhost')}>`;
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200, { body: sdp('2'), tag: 'a' });
  const dialog = await placed.dialog;
  await peer.next('ACK');
  for (let copies = 0; copies < 3; copies += 1) peer.reply(invite, 200, { body: sdp('2'), tag: 'b', contact });
  peer.reply(await peer.next('BYE'), 200);
  await lab.quiet();
  const toBranch = peer.all.filter((came) => came.method !== '' && tagIn(came.value('To')) === 'b');
  expect(toBranch.map(({ method }) => method)).toEqual(['ACK', 'BYE']);
  await peer.next('ACK');
  await appHangsUp(lab, { dialog, peer });
});

test('an application that goes between the 200 and its ACK leaves no call: ACK, BYE, and the ACK again for the 200 again', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  app.send('sip||', `INVITE ${peer.uri} SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200, { body: sdp('2') });
  expect((await app.next('sip')).sip).toMatch(/^SIP\/2.0 200 /);
  await app.close();
  const ack = await peer.next('ACK');
  const bye = await peer.next('BYE');
  expect(bye.value('Reason')).toContain('application is gone');
  peer.reply(invite, 200, { body: sdp('2') });
  expect((await peer.next('ACK')).raw).toBe(ack.raw);
  peer.reply(bye, 200);
  await lab.nothingLeft();
  expect(peer.untaken()).toEqual([]);
});

test.each(TRANSPORTS)('the called side hangs up over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer(transport);
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  await peer.next('ACK');
  const destroyed = heard<[AppRequest, string]>(dialog, 'destroy');
  const back = peer.dialog(invite);
  back.request('BYE', { lines: ['Reason: Q.850;cause=16'] });
  await back.response('200 BYE');
  const [bye, reason] = await destroyed;
  expect([bye.get('Reason'), reason]).toEqual(['Q.850;cause=16', 'normal release']);
  await lab.nothingLeft();
});

test('an INVITE carries everything that the application left out', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  for (const transport of TRANSPORTS) {
    const peer = await lab.peer(transport);
    const placed = place(app, peer.uri);
    const invite = await peer.next('INVITE');
    const own = lab.server.uri(transport);
    expect(invite.uri).toBe(peer.uri);
    const sentBy = own.replace('sip:', '').split(';')[0];
    expect(invite.value('Via')).toMatch(
      new RegExp(`^SIP/2.0/${transport.toUpperCase()} ${sentBy};rport;branch=z9hG4bK`),
    );
    expect(invite.value('Max-Forwards')).toBe('70');
    expect(invite.value('From')).toMatch(new RegExp(`^<${own}>;tag=\\w+$`));
    expect(invite.value('To')).toBe(`<${peer.uri}>`);
    expect(invite.value('Call-ID')).toMatch(/^[\da-f-]{36}$/);
    expect(invite.value('CSeq')).toMatch(/^\d+ INVITE$/);
    expect(invite.value('Contact')).toBe(`<${own}>`);
    expect(invite.value('Content-Type')).toBe('application/sdp');
    expect(invite.value('Content-Length')).toBe(String(sdp('1').length));
    for (const name of ['User-Agent', 'Allow', 'Supported', 'Date', 'Route']) expect(invite.values(name)).toEqual([]);
    peer.reply(invite, 486);
    await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  }
  await lab.nothingLeft();
});

test.each(TRANSPORTS)(
  'a refusal reaches the application and is acknowledged by the server over %s',
  async (transport) => {
    await using lab = await createLab();
    const app = await lab.app();
    const peer = await lab.peer(transport);
    const placed = place(app, peer.uri);
    const invite = await peer.next('INVITE');
    peer.reply(invite, 486, { reason: 'Very Busy', lines: ['X-Note: come later'] });
    const refusal = await placed.dialog.catch(
      (error: unknown) => error as { status: number; reason: string; res: AppResponse },
    );
    expect(refusal).toMatchObject({ status: 486, reason: 'Very Busy' });
    const ack = await peer.next('ACK');
    expect(branchOf(ack)).toBe(branchOf(invite));
    expect([ack.uri, ack.value('To')]).toEqual([invite.uri, `${invite.value('To')};tag=peer`]);
    await lab.quiet();
    expect(peer.untaken()).toEqual([]);
    await lab.nothingLeft();
  },
);

test('a refusal that comes again is acknowledged again and not told again', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 486);
  const ack = await peer.next('ACK');
  peer.reply(invite, 486);
  expect((await peer.next('ACK')).raw).toBe(ack.raw);
  await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  await lab.nothingLeft();
});

test('a 200 that comes again is acknowledged again with the same ACK, and not told again', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  const ack = await peer.next('ACK');
  peer.reply(invite, 200, { body: sdp('2') });
  expect((await peer.next('ACK')).raw).toBe(ack.raw);
  // What comes behind it is late.
  peer.reply(invite, 180);
  await lab.quiet();
  expect([peer.untaken(), placed.provisional.untaken()]).toEqual([[], []]);
  await appHangsUp(lab, { dialog, peer: peer });
});

test('a 200 that comes again before the application has sent its ACK waits for it', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const answered = app.srf.createUAC(peer.uri, { noAck: true });
  const invite = await peer.next('INVITE');
  expect([invite.body, invite.values('Content-Type')]).toEqual(['', []]);
  peer.reply(invite, 200, { body: sdp('2') });
  const { ack, sdp: offer } = await answered;
  expect(offer).toBe(sdp('2'));
  peer.reply(invite, 200, { body: sdp('2') });
  await lab.quiet();
  expect(peer.untaken()).toEqual([]);
  const dialog = await ack(sdp('3'));
  const sentAck = await peer.next('ACK');
  expect([sentAck.body, sentAck.value('Content-Type')]).toEqual([sdp('3'), 'application/sdp']);
  await appHangsUp(lab, { dialog, peer: peer });
});

test('an INVITE without an offer is answered with one, and the ACK of drachtio-srf carries the answer', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const answered = srf.createUAC(peer.uri, {});
  peer.reply(await peer.next('INVITE'), 200, { body: sdp('2') });
  const ack = await peer.next('ACK');
  expect(ack.body).toContain('a=recvonly');
  expect(ack.value('Content-Type')).toBe('application/sdp');
  await appHangsUp(lab, { dialog: await answered, peer: peer });
});

test('an INVITE is repeated over udp after 500 ms, doubling, until something comes', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  for (const waitMs of [500, 1_000, 2_000, 4_000, 8_000]) {
    await lab.pass(waitMs - 1);
    expect(peer.untaken()).toEqual([]);
    await lab.pass(1);
    expect((await peer.next('INVITE')).raw).toBe(invite.raw);
  }
  peer.reply(invite, 100);
  await lab.pass(100_000);
  expect(peer.untaken()).toEqual([]);
  peer.reply(invite, 486);
  await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  await lab.nothingLeft();
});

test('another request is repeated over udp, at most every 4 s', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const request = await srf.request(peer.uri, { method: 'OPTIONS' });
  const options = await peer.next('OPTIONS');
  for (const waitMs of [500, 1_000, 2_000, 4_000, 4_000]) {
    await lab.pass(waitMs);
    expect((await peer.next('OPTIONS')).raw).toBe(options.raw);
  }
  const response = heard<[AppResponse]>(request, 'response');
  peer.reply(options, 200);
  await lab.pass(10);
  expect((await response)[0].status).toBe(200);
  await lab.nothingLeft();
});

test.each(['tcp', 'ws'] as const)('nothing is repeated over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer(transport);
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  await lab.pass(30_000);
  expect(peer.untaken()).toEqual([]);
  peer.reply(invite, 486);
  await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('nobody answers for 32 s: the application gets a 408 over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer(transport);
  const placed = place(app, peer.uri);
  const request = await placed.request;
  await lab.pass(32_000);
  const failure = await placed.dialog.catch(
    (error: unknown) => error as { status: number; reason: string; res: AppResponse },
  );
  expect(failure).toMatchObject({ status: 408, reason: 'Request Timeout' });
  const { res } = failure as { res: AppResponse };
  expect([res.get('Call-ID'), res.get('CSeq')]).toEqual([request.get('Call-ID'), request.get('CSeq')]);
  expect(tagIn(res.get('To') ?? '')).not.toBe('');
  await lab.nothingLeft();
});

test('nobody answers an OPTIONS for 32 s: the application gets a 408', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const request = await srf.request(peer.uri, { method: 'OPTIONS' });
  const response = heard<[AppResponse]>(request, 'response');
  await lab.pass(32_000);
  expect((await response)[0]).toMatchObject({ status: 408, reason: 'Request Timeout' });
  await lab.nothingLeft();
});

test('nobody listens at a tcp port: the application gets a 503', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer('tcp');
  await peer.close();
  await expect(place(app, peer.uri).dialog).rejects.toMatchObject({ status: 503, reason: 'Service Unavailable' });
  const request = await app.srf.request(peer.uri, {
    method: 'MESSAGE',
    body: 'x',
    headers: { 'Content-Type': 'text/plain' },
  });
  const response = heard<[AppResponse]>(request, 'response');
  await lab.pass(10);
  expect((await response)[0].status).toBe(503);
  await lab.nothingLeft();
});

test('a connection that breaks before the answer: the application gets a 503', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer('tcp');
  const placed = place(app, peer.uri);
  await peer.next('INVITE');
  await peer.close();
  await expect(placed.dialog).rejects.toMatchObject({ status: 503 });
  await lab.nothingLeft();
});

test('a browser that is gone cannot be called: the application gets a 503', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer('ws');
  await peer.close();
  await lab.quiet();
  await expect(place(app, peer.uri).dialog).rejects.toMatchObject({ status: 503 });
  await lab.nothingLeft();
});

test('a host that nobody knows: the application gets a 503 DNS Error', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  await expect(place(app, 'sip:a@nowhere.invalid').dialog).rejects.toMatchObject({ status: 503, reason: 'DNS Error' });
  await lab.nothingLeft();
});

test('a host name is looked up', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, `sip:a@localhost:${peer.port}`);
  const invite = await peer.next('INVITE');
  expect(invite.uri).toBe(`sip:a@localhost:${peer.port}`);
  peer.reply(invite, 404);
  await expect(placed.dialog).rejects.toMatchObject({ status: 404 });
  await lab.nothingLeft();
});

test.each([401, 407])('a call that gets %i is sent again with credentials in the same call', async (status) => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri, { auth: { username: 'me', password: 'secret' }, headers: { 'X-Kept': 'yes' } });
  const first = await peer.next('INVITE');
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
  await appHangsUp(lab, { dialog, peer: peer });
});

test('a call through a proxy of the application goes there, with its target as it is and without a Route', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer('tcp');
  const placed = place(app, 'sip:555@far.example', { proxy: peer.uri });
  const invite = await peer.next('INVITE');
  expect([invite.uri, invite.values('Route')]).toEqual(['sip:555@far.example', []]);
  expect(invite.value('Via')).toMatch(/^SIP\/2.0\/TCP /);
  peer.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  await peer.next('ACK');
  await appHangsUp(lab, { dialog, peer: peer });
});

test('a telephone number can be called through a proxy', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  app.srf.request('tel:+15551234', { method: 'INVITE', proxy: peer.uri }, () => undefined);
  const invite = await peer.next('INVITE');
  expect([invite.uri, invite.value('To')]).toEqual(['tel:+15551234', '<tel:+15551234>']);
  peer.reply(invite, 404);
  await lab.nothingLeft();
});

test('an application that follows redirects calls where a 302 points', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const [first, second] = [await lab.peer(), await lab.peer('tcp')];
  const placed = place(app, first.uri, { followRedirects: true });
  first.reply(await first.next('INVITE'), 302, { lines: [`Contact: <${second.uri}>`] });
  await first.next('ACK');
  const invite = await second.next('INVITE');
  second.reply(invite, 200, { body: sdp('2') });
  const dialog = await placed.dialog;
  await second.next('ACK');
  await appHangsUp(lab, { dialog, peer: second });
});

test('a 202 to an INVITE is no call for drachtio-srf: it is acknowledged and hung up', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  peer.reply(await peer.next('INVITE'), 202);
  await expect(placed.dialog).rejects.toMatchObject({ status: 202 });
  await peer.next('ACK');
  peer.reply(await peer.next('BYE'), 200);
  await lab.nothingLeft();
});

test('a 200 without a Contact is no call that could be acknowledged: nothing is kept of it', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  for (const transport of TRANSPORTS) {
    const peer = await lab.peer(transport);
    const placed = place(app, peer.uri);
    peer.reply(await peer.next('INVITE'), 200, { contact: null, body: sdp('2') });
    await expect(placed.dialog).rejects.toMatchObject({ status: 500 });
  }
  await lab.nothingLeft();
});

test('a request larger than the MTU leaves by tcp, and by udp after all where nobody listens', async () => {
  await using lab = await createLab({ mtuBytes: 1_300 });
  const app = await lab.app();
  const [udp, tcp] = [await lab.peer(), await lab.peer('tcp')];
  const headers = { 'X-Long': 'x'.repeat(1_300) };
  const large = place(app, `sip:a@127.0.0.1:${tcp.port}`, { headers: { ...headers } });
  const invite = await tcp.next('INVITE');
  expect(invite.value('Via')).toMatch(/^SIP\/2.0\/TCP /);
  tcp.reply(invite, 486);
  await expect(large.dialog).rejects.toMatchObject({ status: 486 });
  const alone = place(app, udp.uri, { headers: { ...headers } });
  const datagram = await udp.next('INVITE');
  expect(datagram.value('Via')).toMatch(/^SIP\/2.0\/UDP /);
  udp.reply(datagram, 200, { body: sdp('2') });
  const dialog = await alone.dialog;
  await udp.next('ACK');
  await appHangsUp(lab, { dialog, peer: udp });
});
