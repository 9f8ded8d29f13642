import { expect, test } from 'vitest';
import { heard, type AppResponse, type UacOptions } from '../support/drachtio-app.js';
import { later, peerCalls, peerHangsUp } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab } from '../support/drachtio-lab.js';
import { octetsOf } from '../support/drachtio-raw-app.js';
import { sdp, tagIn, type SipText } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerTransport } from '../support/sip-peer.js';

/** Our address on a transport, as it stands in URIs. */
function here(lab: DrachtioLab, transport: PeerTransport = 'udp'): string {
  return lab.server.uri(transport).replace('sip:', '').split(';')[0] ?? '';
}

/** What goes out where an application calls with these options; the peer refuses. */
async function invited(lab: DrachtioLab, options: UacOptions, transport: PeerTransport = 'udp'): Promise<SipText> {
  const { srf } = await lab.app();
  const peer = await lab.peer(transport);
  const answered = later(srf.createUAC(peer.uri, { localSdp: sdp('1'), ...options }));
  const invite = await peer.next('INVITE');
  peer.reply(invite, 404);
  await answered.catch(() => undefined);
  return invite;
}

/** What goes out where an application writes the SIP part of the frame itself. */
async function written(lab: DrachtioLab, lines: readonly string[], body = ''): Promise<SipText> {
  const app = await lab.rawApp();
  const peer = await lab.peer();
  await app.ask('sip||', [`OPTIONS ${peer.uri} SIP/2.0`, ...lines, '', body].join('\r\n'));
  const options = await peer.next('OPTIONS');
  peer.reply(options, 200);
  return options;
}

test('what routes a message is written by the server alone', async () => {
  await using lab = await createLab();
  const invite = await invited(lab, {
    headers: {
      Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKmine',
      Route: '<sip:192.0.2.1;lr>',
      'Record-Route': '<sip:192.0.2.1;lr>',
      RSeq: '7',
      'Content-Length': '1',
    },
  });
  for (const name of ['Route', 'Record-Route', 'RSeq']) expect(invite.values(name)).toEqual([]);
  expect(invite.values('Via').length).toBe(1);
  expect(invite.value('Via')).not.toContain('192.0.2.1');
  expect(invite.value('Content-Length')).toBe(String(sdp('1').length));
  await lab.nothingLeft();
});

test('what names a call is taken from the application where it says so', async () => {
  await using lab = await createLab();
  const invite = await invited(lab, {
    headers: {
      From: '"Me" <sip:me@a.example>;tag=mine;x=1',
      To: '<sip:you@b.example>',
      'Call-ID': 'my-own@call',
      CSeq: '5 INVITE',
      'Max-Forwards': '12',
      Contact: '<sip:me@192.0.2.9:5999>;expires=3',
    },
  });
  expect(invite.value('From')).toBe('"Me" <sip:me@a.example>;tag=mine;x=1');
  expect(invite.value('To')).toBe('<sip:you@b.example>');
  expect(invite.value('Call-ID')).toBe('my-own@call');
  expect(invite.value('CSeq')).toBe('5 INVITE');
  expect(invite.value('Max-Forwards')).toBe('12');
  expect(invite.value('Contact')).toBe('<sip:me@192.0.2.9:5999>;expires=3');
  await lab.nothingLeft();
});

test('a From without a tag gets one', async () => {
  await using lab = await createLab();
  const { value } = await invited(lab, { headers: { From: '"A, B; C" <sip:me@a.example;user=phone>' } });
  expect(value('From')).toMatch(/^"A, B; C" <sip:me@a.example;user=phone>;tag=\w+$/);
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('a calling number stands with our address in From and Contact over %s', async (transport) => {
  await using lab = await createLab();
  const invite = await invited(lab, { callingNumber: '15551234' }, transport);
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  expect(invite.value('From')).toMatch(new RegExp(`^<sip:15551234@${here(lab, transport)}>;tag=\\w+$`));
  expect(invite.value('Contact')).toBe(`<sip:15551234@${here(lab, transport)}${parameter}>`);
  const named = await invited(lab, { callingNumber: '15551234', callingName: 'Acme; Inc' }, transport);
  expect(named.value('From')).toMatch(new RegExp(`^"Acme; Inc" <sip:15551234@${here(lab, transport)}>;tag=\\w+$`));
  await lab.nothingLeft();
});

test('localhost stands for our address in From, To, Contact and P-Asserted-Identity, and nowhere else', async () => {
  await using lab = await createLab();
  const invite = await invited(lab, {
    headers: {
      From: 'sip:a@localhost',
      To: '<sip:b@localhost:7;user=phone>',
      Contact: '<sip:c@localhost>;q=1',
      'P-Asserted-Identity': '"D" <sip:d@localhost>',
      'X-Note': 'sip:e@localhost',
    },
  });
  expect(invite.value('From')).toMatch(new RegExp(`^<sip:a@${here(lab)}>;tag=`));
  expect(invite.value('To')).toBe(`<sip:b@${here(lab)};user=phone>`);
  expect(invite.value('Contact')).toBe(`<sip:c@${here(lab)}>;q=1`);
  expect(invite.value('P-Asserted-Identity')).toBe(`"D" <sip:d@${here(lab)}>`);
  expect(invite.value('X-Note')).toBe('sip:e@localhost');
  await lab.nothingLeft();
});

test('localhost stands for our address in responses too', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const call = (await lab.peer('tcp')).call('INVITE');
  (await app.next('INVITE')).res.send(302, { headers: { Contact: '<sip:c@localhost>' } });
  const moved = await call.response(302);
  expect(moved.value('Contact')).toBe(`<sip:c@${here(lab, 'tcp')};transport=tcp>`);
  call.ackFailure(moved);
  await lab.nothingLeft();
});

test('a host that only looks like localhost is left alone', async () => {
  await using lab = await createLab();
  const invite = await invited(lab, {
    headers: { From: '<sip:a@localhost.example>', To: '<sip:localhost@b.example>' },
  });
  expect(invite.value('From')).toMatch(/^<sip:a@localhost.example>;tag=/);
  expect(invite.value('To')).toBe('<sip:localhost@b.example>');
  await lab.nothingLeft();
});

test('an advertised host is what Via, Contact, From and localhost say', async () => {
  await using lab = await createLab({ advertisedHost: 'sip.example.com' });
  const invite = await invited(lab, { headers: { From: '<sip:a@localhost>' } });
  const port = lab.server.listening[0]?.port;
  expect(invite.value('Via')).toContain(`SIP/2.0/UDP sip.example.com:${port};`);
  expect(invite.value('Contact')).toBe(`<sip:sip.example.com:${port}>`);
  expect(invite.value('From')).toMatch(new RegExp(`^<sip:a@sip.example.com:${port}>;tag=`));
  await lab.nothingLeft();
});

test('names are written as SIP writes them, those of applications with each word capitalised, and X- as it came', async () => {
  await using lab = await createLab();
  const options = await written(lab, [
    'identity: one',
    'x-lower: two',
    'X-Mixed-case: three',
    'my-own-name: four',
    'p-charge-info: five',
    'user-agent: six',
    'y: seven',
    'subject: eight',
  ]);
  const names = options.lines.map((line) => line.slice(0, line.indexOf(':')));
  expect(names.slice(-9)).toEqual([
    ...['Identity', 'x-lower', 'X-Mixed-case', 'My-Own-Name', 'P-Charge-Info', 'User-Agent', 'y', 'Subject'],
    'Content-Length',
  ]);
  await lab.nothingLeft();
});

test('fields that come several times go out as often, in their order', async () => {
  await using lab = await createLab();
  const options = await written(lab, ['Identity: one', 'X-Between: it', 'Identity: two', 'Identity: three']);
  expect(options.values('Identity')).toEqual(['one', 'two', 'three']);
  await lab.nothingLeft();
});

test('a folded field stays one field, and a line that is none is left out', async () => {
  await using lab = await createLab();
  const options = await written(lab, [
    'Identity: eyJ.x.y;\r\n info=<https://a.example/c>',
    'no colon here',
    'X-Next: 1',
  ]);
  expect(options.values('Identity')).toEqual(['eyJ.x.y;\r\n info=<https://a.example/c>']);
  expect(options.value('X-Next')).toBe('1');
  expect(options.raw).not.toContain('no colon here');
  await lab.nothingLeft();
});

test('names and texts may hold what is not ASCII', async () => {
  await using lab = await createLab();
  const invite = await invited(lab, { headers: { Subject: 'naïve ☎', From: '"Zoë" <sip:z@a.example>' } });
  expect(invite.value('Subject')).toBe(octetsOf('naïve ☎'));
  expect(invite.value('From')).toContain(octetsOf('"Zoë" <sip:z@a.example>'));
  await lab.nothingLeft();
});

test('long header sections and bodies are not cut', async () => {
  await using lab = await createLab();
  const body = `${sdp('1')}a=x:${'y'.repeat(20_000)}\r\n`;
  const headers = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`X-Long-${at}`, 'z'.repeat(1_500)]));
  const invite = await invited(lab, { localSdp: body, headers });
  expect(invite.body).toBe(body);
  for (const [name, value] of Object.entries(headers)) expect(invite.value(name)).toBe(value);
  await lab.nothingLeft();
});

test('the length of a body is counted by the server', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer('tcp');
  const request = await srf.request(peer.uri, {
    method: 'MESSAGE',
    headers: { 'Content-Type': 'text/plain' },
    body: 'naïve ☎',
  });
  const message = await peer.next('MESSAGE');
  expect([message.body, message.value('Content-Length')]).toEqual([octetsOf('naïve ☎'), '10']);
  const response = heard<[AppResponse]>(request, 'response');
  peer.reply(message, 200);
  await lab.pass(10);
  await response;
  await lab.nothingLeft();
});

test('header fields in a Request-URI become fields of the request, but for those that make a call', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  const uri = `${peer.uri};method=INVITE;user=phone?Subject=a%20b&X-From=c&Via=evil&From=%3Csip%3Ad%40e%3E&Call-ID=f`;
  const told = await app.ask('sip||', `INVITE ${uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  expect(told.sip).toBe(invite.raw);
  expect([invite.uri, invite.value('To')]).toEqual([`${peer.uri};user=phone`, `<${peer.uri};user=phone>`]);
  expect([invite.value('Subject'), invite.value('X-From')]).toEqual(['a b', 'c']);
  expect(invite.values('Via').length).toBe(1);
  expect([invite.value('From').includes('sip:d@e'), invite.value('Call-ID') === 'f']).toEqual([false, false]);
  peer.reply(invite, 404);
  await lab.nothingLeft();
});

test('a header field in a Request-URI cannot smuggle in another line', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  await app.ask('sip||', `OPTIONS ${peer.uri}?Subject=a%0d%0aX-Evil:%20b SIP/2.0\r\n\r\n`);
  const options = await peer.next('OPTIONS');
  expect(options.values('X-Evil')).toEqual([]);
  peer.reply(options, 200);
  await lab.nothingLeft();
});

test('a request in a call has the parties of the call, whatever the application writes', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const up = await peerCalls(app, await lab.peer());
  const answered = up.dialog.request({
    method: 'INFO',
    headers: {
      From: '<sip:x@y>;tag=z',
      To: '<sip:x@y>;tag=z',
      'Call-ID': 'other',
      CSeq: '1 INFO',
      Route: '<sip:z>',
      'X-A': 'b',
    },
  });
  const info = await up.call.next('INFO');
  expect([tagIn(info.value('From')), tagIn(info.value('To'))]).toEqual([up.dialog.sip.localTag, up.call.localTag]);
  expect([info.value('X-A'), info.values('Route')]).toEqual(['b', []]);
  up.peer.reply(info, 200);
  await answered;
  await peerHangsUp(lab, up);
});

test('an application sees compact names as they came, several fields joined, and all of it in raw', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const lines = [
    'y: eyJ.compact.x;info=<https://a.example/c>;alg=ES256;ppt=shaken',
    'Identity: eyJ.one.x;info=<https://a.example/c>',
    'Identity: eyJ.two.x;\r\n\tinfo=<https://b.example/c>',
  ];
  const call = (await lab.peer()).call('INVITE', { lines });
  const { req, res } = await app.next('INVITE');
  expect(req.get('y')).toBe('eyJ.compact.x;info=<https://a.example/c>;alg=ES256;ppt=shaken');
  expect(req.get('Identity')).toBe('eyJ.one.x;info=<https://a.example/c>,eyJ.two.x;\r\n\tinfo=<https://b.example/c>');
  for (const line of lines) expect(req.raw).toContain(`\r\n${line}\r\n`);
  res.send(404);
  call.ackFailure(await call.response(404));
  await lab.nothingLeft();
});

test('the top Via says where a request really came from', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const peer = await lab.peer();
  for (const [via, seen] of [
    [
      'SIP/2.0/UDP 192.0.2.1:9;rport;branch=z9hG4bKa1',
      `192.0.2.1:9;rport=${peer.port};branch=z9hG4bKa1;received=127.0.0.1`,
    ],
    [
      'SIP/2.0/UDP 192.0.2.1:9;branch=z9hG4bKa2;rport',
      `192.0.2.1:9;branch=z9hG4bKa2;rport=${peer.port};received=127.0.0.1`,
    ],
    [`SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKa3`, `127.0.0.1:${peer.port};branch=z9hG4bKa3`],
  ] as const) {
    const call = peer.call('OPTIONS', { vias: [via, 'SIP/2.0/TCP behind.example;branch=z9hG4bKb'] });
    const { req, res } = await app.next('OPTIONS');
    expect(req.get('Via')).toBe(`SIP/2.0/UDP ${seen},SIP/2.0/TCP behind.example;branch=z9hG4bKb`);
    res.send(200);
    const vias = (await call.response(200)).values('Via');
    expect(vias).toEqual([`SIP/2.0/UDP ${seen}`, 'SIP/2.0/TCP behind.example;branch=z9hG4bKb']);
  }
  await lab.nothingLeft();
});

test('an answer goes to the port of the Via where the request asks for nothing else', async () => {
  await using lab = await createLab();
  const [sender, listener] = [await lab.peer(), await lab.peer()];
  const call = sender.call('OPTIONS', { vias: [`SIP/2.0/UDP 127.0.0.1:${listener.port};branch=z9hG4bKport`] });
  await listener.next(503, call.callId);
  await lab.quiet();
  expect(sender.untaken()).toEqual([]);
  await lab.nothingLeft();
});
