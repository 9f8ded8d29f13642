import { expect, test } from 'vitest';
import type { UacOptions } from '../support/drachtio-app.js';
import { later, peerCalls, peerHangsUp } from '../support/drachtio-calls.js';
import { app, createLab, lab, peer, useLab } from '../support/drachtio-lab.js';
import { sdp, tagIn, type SipText } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerTransport } from '../support/sip-peer.js';

useLab({ methods: ['invite'] });

/** The INVITE of an application that calls with these options; the peer refuses it. */
async function invited(options: UacOptions, transport: PeerTransport = 'udp', own = lab): Promise<SipText> {
  const { srf } = await own.app();
  const callee = await own.peer(transport);
  const answered = later(srf.createUAC(callee.uri, { localSdp: sdp('1'), ...options }));
  const invite = await callee.next('INVITE');
  callee.reply(invite, 404);
  await answered.catch(() => undefined);
  return invite;
}

test('an application may choose what identifies a call', async () => {
  const headers = {
    From: '"Me" <sip:me@a.example>;tag=mine;x=1',
    To: '<sip:you@b.example>',
    'Call-ID': 'my-own@call',
    CSeq: '5 INVITE',
    'Max-Forwards': '12',
    Contact: '<sip:me@192.0.2.9:5999>;expires=3',
  };
  const invite = await invited({ headers });
  for (const [name, value] of Object.entries(headers)) expect(invite.value(name)).toBe(value);
});

test.each(TRANSPORTS)('a calling number stands with our address in From and Contact over %s', async (transport) => {
  const [here] = lab.server.uri(transport).replace('sip:', '').split(';');
  const invite = await invited({ callingNumber: '15551234', callingName: 'Acme; Inc' }, transport);
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  expect(invite.value('From')).toMatch(new RegExp(`^"Acme; Inc" <sip:15551234@${here}>;tag=\\w+$`));
  expect(invite.value('Contact')).toBe(`"Acme; Inc" <sip:15551234@${here}${parameter}>`);
});

test('an advertised host is what Via, Contact, From and localhost say', async () => {
  await using named = await createLab({ advertisedHost: 'sip.example.com' });
  const invite = await invited({ headers: { From: '<sip:a@localhost>' } }, 'udp', named);
  const port = named.server.listening[0]?.port;
  expect(invite.value('Via')).toContain(`SIP/2.0/UDP sip.example.com:${port};`);
  expect(invite.value('Contact')).toBe(`<sip:sip.example.com:${port}>`);
  expect(invite.value('From')).toMatch(new RegExp(`^<sip:a@sip.example.com:${port}>;tag=`));
  await named.nothingLeft();
});

test('long header sections and bodies are not cut', async () => {
  const body = `${sdp('1')}a=x:${'y'.repeat(20_000)}\r\n`;
  const headers = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`X-Long-${at}`, 'z'.repeat(1_500)]));
  const invite = await invited({ localSdp: body, headers });
  expect(invite.body).toBe(body);
  for (const [name, value] of Object.entries(headers)) expect(invite.value(name)).toBe(value);
});

test('header fields in a Request-URI become fields of the request, but for those that make a call', async () => {
  const raw = await lab.rawApp();
  const uri = `${peer.uri};method=INVITE;user=phone?Subject=a%20b&X-From=c&Via=evil&From=%3Csip%3Ad%40e%3E&Call-ID=f`;
  const told = await raw.ask('sip||', `INVITE ${uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  expect(told.sip).toBe(invite.raw);
  expect([invite.uri, invite.value('To')]).toEqual([`${peer.uri};user=phone`, `<${peer.uri};user=phone>`]);
  expect([invite.value('Subject'), invite.value('X-From')]).toEqual(['a b', 'c']);
  expect(invite.values('Via').length).toBe(1);
  expect([invite.value('From').includes('sip:d@e'), invite.value('Call-ID') === 'f']).toEqual([false, false]);
  peer.reply(invite, 404);
});

test('a header field in a Request-URI cannot smuggle in another line', async () => {
  const raw = await lab.rawApp();
  await raw.ask('sip||', `OPTIONS ${peer.uri}?Subject=a%0d%0aX-Evil:%20b SIP/2.0\r\n\r\n`);
  const options = await peer.next('OPTIONS');
  expect(options.values('X-Evil')).toEqual([]);
  peer.reply(options, 200);
});

test('a request in a call has the parties of the call, whatever the application writes', async () => {
  const up = await peerCalls(app, peer);
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
  await peerHangsUp(up);
});
