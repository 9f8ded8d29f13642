import { TestPki } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { heard, type AppMessage, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { later } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabOptions } from '../support/drachtio-lab.js';
import { readSip, sdp } from '../support/drachtio-sip-text.js';
import type { PeerTransport } from '../support/sip-peer.js';

/** Something as long as the three parts of a PASSporT, different for each `seed`. */
function identity(seed: number, bytes: number, ppt: 'shaken' | 'div' = 'shaken'): string {
  const rest = `;info=<https://certs.example/${seed}.pem>;alg=ES256;ppt="${ppt}"`;
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let token = 'eyJhbGciOiJFUzI1NiJ9.';
  for (let at = 0; token.length + rest.length < bytes; at += 1) {
    token += at === bytes >> 1 ? '.' : letters.charAt((at * 7 + seed * 13 + (at >> 5)) % 64);
  }
  return token + rest;
}

const FULL = identity(1, 820);
const LARGE = identity(2, 7_168);
const DIVERTED = [0, 1, 2, 3, 4].map((seed) => identity(seed + 10, 900, seed === 0 ? 'shaken' : 'div'));
const CASES: readonly (readonly [what: string, lines: readonly string[]])[] = [
  ['a full Identity', [`Identity: ${FULL}`]],
  ['an Identity of 7 KiB', [`Identity: ${LARGE}`]],
  ['five Identity fields', DIVERTED.map((value) => `Identity: ${value}`)],
  ['a compact Identity', [`y: ${FULL}`]],
  ['a folded Identity', [`Identity: ${FULL.replace(';info', ';\r\n info').replace(';alg', '\r\n\t;alg')}`]],
  [
    'compact, folded and plain ones',
    [`y: ${DIVERTED[0]}`, `Identity: ${FULL.replace(';info', ';\r\n info')}`, `Identity: ${LARGE}`],
  ],
];

/** Headers of drachtio-srf that write exactly these lines: it puts out what it is given. */
function headersOf(lines: readonly string[]): Record<string, string> {
  const [first = '', ...others] = lines;
  const colon = first.indexOf(':');
  return { [first.slice(0, colon)]: [first.slice(colon + 2), ...others].join('\r\n') };
}

/** The lines of a message that carry an Identity, as they stand in it. */
function identityLines({ raw }: { readonly raw: string }): readonly string[] {
  return readSip(raw).lines.filter((line) => /^(identity|y)[ \t]*:/i.test(line));
}

/** Two servers, which must hold nothing any more when the test has ended. */
async function pair(options: LabOptions = {}) {
  const [near, far] = [await createLab(options), await createLab(options)];
  return {
    ...{ near, far, caller: await near.app('invite'), called: await far.app('invite') },
    [Symbol.asyncDispose]: async () => {
      try {
        await expectNothingLeft([near, far]);
      } finally {
        for (const lab of [near, far]) await lab[Symbol.asyncDispose]();
      }
    },
  };
}

async function expectNothingLeft(labs: readonly DrachtioLab[]): Promise<void> {
  for (const lab of labs) await lab.callsOver();
  // Connections between servers are kept for the next call, and closed after ten minutes without one.
  for (const lab of labs) await lab.pass(602_000);
  for (const { server } of labs) expect(server.inUse()).toMatchObject({ connections: 0, timers: 0 });
}

function uri({ server }: DrachtioLab, transport: PeerTransport | 'tls'): string {
  return server.uri(transport).replace('sip:', 'sip:555@');
}

const HOPS = ['udp', 'tcp'] as const;

test.each(CASES.flatMap(([what, lines]) => HOPS.map((transport) => [what, transport, lines] as const)))(
  '%s arrives at the next hop, and comes back with a 302, octet for octet over %s',
  async (_what, transport, lines) => {
    await using hops = await pair();
    let wentOut = '';
    const answered = later(
      hops.caller.srf.createUAC(
        uri(hops.far, transport),
        { localSdp: sdp('1'), headers: headersOf(lines) },
        { cbRequest: (_error, request) => (wentOut = request.raw) },
      ),
    );
    const { req, res } = await hops.called.next('INVITE');
    expect(identityLines(req)).toEqual(lines);
    expect(identityLines({ raw: wentOut })).toEqual(lines);
    const headers = { Contact: '<sip:signed@192.0.2.1>', ...headersOf(lines) };
    const sent = new Promise<AppMessage>((resolve) => {
      res.send(302, { headers }, (_error, message) => resolve(message as AppMessage));
    });
    const redirected = await answered.catch((error: unknown) => error as { status: number; res: AppResponse });
    expect(redirected).toMatchObject({ status: 302 });
    const came = (redirected as { res: AppResponse }).res;
    expect(identityLines(came)).toEqual(lines);
    expect(came.get('Contact')).toBe('<sip:signed@192.0.2.1>');
    // What the one server shows as sent is what the other shows as received.
    expect((await sent).raw).toBe(came.raw);
  },
);

test.each(HOPS.flatMap((first) => HOPS.map((second) => [first, second] as const)))(
  'a call passes a proxy that leaves the path, by %s and %s, and is hung up past it from either side',
  async (first, second) => {
    for (const who of ['caller', 'called']) {
      await using hops = await pair();
      await using middle = await createLab();
      const proxy = await middle.app('invite');
      const answered = hops.caller.srf.createUAC(uri(middle, first), { localSdp: sdp('1') });
      const { req: passing } = await proxy.next('INVITE');
      const result = proxy.srf.proxyRequest(passing, uri(hops.far, second));
      const { req, res } = await hops.called.next('INVITE');
      const uas = await hops.called.srf.createUAS(req, res, { localSdp: sdp('2') });
      const acknowledged = heard(uas, 'ack');
      const uac = await answered;
      await acknowledged;
      expect((await result).connected).toBe(true);
      const over = heard<[AppRequest, string]>(who === 'caller' ? uas : uac, 'destroy');
      await (who === 'caller' ? uac : uas).destroy();
      expect((await over)[1]).toBe('normal release');
      await expectNothingLeft([middle]);
    }
  },
);

/** Settings of servers that speak TLS, with a certificate of one authority and trust in another, or in the same. */
function tlsOptions(pki: TestPki, trusted: TestPki): LabOptions {
  const { privateKeyPem, chainPem } = pki.issueTls({ addresses: ['127.0.0.1'] });
  const tls = { keyPem: privateKeyPem, certificatePem: chainPem, caPem: trusted.tlsRoot.certificatePem };
  return { tls, listen: [{ transport: 'tls', host: '127.0.0.1', port: 0 }] };
}

test('two servers speak TLS with certificates that both trust', async () => {
  const pki = new TestPki();
  await using hops = await pair(tlsOptions(pki, pki));
  const answered = hops.caller.srf.createUAC(uri(hops.far, 'tls'), { localSdp: sdp('1') });
  const { req, res } = await hops.called.next('INVITE');
  expect([req.protocol, req.get('Via')?.startsWith('SIP/2.0/TLS 127.0.0.1:')]).toEqual(['tls', true]);
  const uas = await hops.called.srf.createUAS(req, res, { localSdp: sdp('2') });
  const uac = await answered;
  expect(uac.remote.uri).toBe(hops.far.server.uri('tls'));
  expect((await uas.request({ method: 'INFO' })).status).toBe(200);
  const over = heard(uac, 'destroy');
  await uas.destroy();
  await over;
});

test('a peer with an untrusted certificate is not called over TLS: 503', async () => {
  await using hops = await pair(tlsOptions(new TestPki(), new TestPki()));
  const refused = hops.caller.srf.createUAC(uri(hops.far, 'tls'), { localSdp: sdp('1') });
  await expect(refused).rejects.toMatchObject({ status: 503 });
});

test('a call that leaves a server and comes back to it has two ends there, each with its own application', async () => {
  await using hops = await pair();
  const caller = await hops.far.app();
  const answered = caller.srf.createUAC(uri(hops.near, 'udp'), { localSdp: sdp('1') });
  const { req: passing } = await hops.caller.next('INVITE');
  void hops.caller.srf.proxyRequest(passing, uri(hops.far, 'udp'));
  const { req, res } = await hops.called.next('INVITE');
  const uas = await hops.called.srf.createUAS(req, res, { localSdp: sdp('2') });
  const uac = await answered;
  expect(uas.id).toBe(uac.id);
  for (const [from, to] of [
    [uac, uas],
    [uas, uac],
  ] as const) {
    const asked = heard<[AppRequest, AppResponse]>(to, 'info');
    const told = from.request({ method: 'INFO' });
    (await asked)[1].send(200);
    expect((await told).status).toBe(200);
  }
  const over = heard(uac, 'destroy');
  await uas.destroy();
  await over;
});
