import { createTestPki } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { heard, type AppMessage, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { later } from '../support/drachtio-calls.js';
import { createLab, untilQuiet, type DrachtioLab, type LabApp, type LabOptions } from '../support/drachtio-lab.js';
import { readSip, sdp } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerTransport } from '../support/sip-peer.js';

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

async function hops(count: number, options: LabOptions): Promise<readonly DrachtioLab[]> {
  return Promise.all(Array.from({ length: count }, () => createLab(options)));
}

/** Closes hops however the test ends. */
async function withHops(
  count: number,
  run: (labs: readonly DrachtioLab[]) => Promise<void>,
  options: LabOptions = {},
): Promise<void> {
  const labs = await hops(count, options);
  try {
    await run(labs);
    for (const lab of labs) await lab.callsOver();
    // Connections among servers are kept for the next call, and closed after ten minutes without one.
    for (const lab of labs) await lab.pass(602_000);
    for (const { server } of labs) expect(server.inUse()).toMatchObject({ connections: 0, timers: 0 });
  } finally {
    for (const lab of labs) await lab[Symbol.asyncDispose]();
  }
}

function uri(lab: DrachtioLab | undefined, transport: PeerTransport | 'tls'): string {
  return lab?.server.uri(transport).replace('sip:', 'sip:555@') ?? '';
}

async function apps(labs: readonly DrachtioLab[]): Promise<readonly [LabApp, LabApp, LabApp]> {
  const made: LabApp[] = [];
  for (const lab of labs) made.push(await lab.app('invite'));
  return made as unknown as readonly [LabApp, LabApp, LabApp];
}

test.each(
  CASES.flatMap(([what, lines]) => (['udp', 'tcp'] as const).map((transport) => [what, transport, lines] as const)),
)('%s arrives at the next hop, and comes back with a 302, octet for octet over %s', async (_what, transport, lines) => {
  await withHops(2, async ([near, far]) => {
    const [caller, called] = await apps([near as DrachtioLab, far as DrachtioLab]);
    let wentOut = '';
    const answered = later(
      caller.srf.createUAC(
        uri(far, transport),
        { localSdp: sdp('1'), headers: headersOf(lines) },
        { cbRequest: (_error, request) => (wentOut = request.raw) },
      ),
    );
    const { req, res } = await called.next('INVITE');
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
  });
});

test.each(CASES)(
  '%s passes an application that joins two calls and copies it from the raw message',
  async (_what, lines) => {
    await withHops(3, async (labs) => {
      const [caller, middle, called] = await apps(labs);
      const answered = caller.srf.createUAC(uri(labs[1], 'udp'), { localSdp: sdp('1'), headers: headersOf(lines) });
      const inbound = await middle.next('INVITE');
      const joined = middle.srf.createB2BUA(inbound.req, inbound.res, uri(labs[2], 'tcp'), {
        headers: headersOf(identityLines(inbound.req)),
      });
      const { req, res } = await called.next('INVITE');
      expect(identityLines(req)).toEqual(lines);
      const uas = await called.srf.createUAS(req, res, { localSdp: sdp('2') });
      const dialog = await answered;
      const legs = await joined;
      legs.uas.on('destroy', () => void legs.uac.destroy());
      const over = heard(uas, 'destroy');
      await dialog.destroy();
      await over;
      await untilQuiet(labs.map(({ server }) => server));
    });
  },
);

test.each(CASES)('%s passes a proxy, and so does the 302 that comes back', async (_what, lines) => {
  await withHops(3, async (labs) => {
    const [caller, middle, called] = await apps(labs);
    const answered = later(
      caller.srf.createUAC(uri(labs[1], 'tcp'), { localSdp: sdp('1'), headers: headersOf(lines) }),
    );
    const { req: passing } = await middle.next('INVITE');
    const result = middle.srf.proxyRequest(passing, uri(labs[2], 'udp'));
    const { req, res } = await called.next('INVITE');
    expect(identityLines(req)).toEqual(lines);
    res.send(302, { headers: { Contact: '<sip:signed@192.0.2.1>', ...headersOf(lines) } });
    const redirected = await answered.catch((error: unknown) => error as { res: AppResponse });
    expect(identityLines((redirected as { res: AppResponse }).res)).toEqual(lines);
    expect((await result).finalStatus).toBe(302);
  });
});

test.each(TRANSPORTS.slice(0, 2).flatMap((first) => TRANSPORTS.slice(0, 2).map((second) => [first, second] as const)))(
  'a call passes a proxy that leaves the path, by %s and %s, and is hung up past it from either side',
  async (first, second) => {
    for (const who of ['caller', 'called']) {
      await withHops(3, async (labs) => {
        const [caller, middle, called] = await apps(labs);
        const answered = caller.srf.createUAC(uri(labs[1], first), { localSdp: sdp('1') });
        const { req: passing } = await middle.next('INVITE');
        const result = middle.srf.proxyRequest(passing, uri(labs[2], second));
        const { req, res } = await called.next('INVITE');
        const uas = await called.srf.createUAS(req, res, { localSdp: sdp('2') });
        const acknowledged = heard(uas, 'ack');
        const uac = await answered;
        await acknowledged;
        expect((await result).connected).toBe(true);
        const over = heard<[AppRequest, string]>(who === 'caller' ? uas : uac, 'destroy');
        await (who === 'caller' ? uac : uas).destroy();
        expect((await over)[1]).toBe('normal release');
        await untilQuiet(labs.map(({ server }) => server));
      });
    }
  },
);

test.each(TRANSPORTS.slice(0, 2).flatMap((first) => TRANSPORTS.slice(0, 2).map((second) => [first, second] as const)))(
  'a call passes a proxy that stays in the path, by %s and %s, with what follows from either side',
  async (first, second) => {
    await withHops(3, async (labs) => {
      const [caller, middle, called] = await apps(labs);
      const answered = caller.srf.createUAC(uri(labs[1], first), { localSdp: sdp('1') });
      const { req: passing } = await middle.next('INVITE');
      void middle.srf.proxyRequest(passing, uri(labs[2], second), { recordRoute: true });
      const { req, res } = await called.next('INVITE');
      const uas = await called.srf.createUAS(req, res, { localSdp: sdp('2') });
      const uac = await answered;
      expect((await uac.request({ method: 'INFO' })).status).toBe(200);
      expect((await uas.request({ method: 'INFO' })).status).toBe(200);
      expect(await uac.modify(sdp('3'))).toBe(sdp('2'));
      expect(await uas.modify(sdp('4'))).toBe(sdp('3'));
      const over = heard(uac, 'destroy');
      await uas.destroy();
      await over;
      const { received } = (labs[1] as DrachtioLab).server.counters();
      expect(received.requests).toMatchObject({ INVITE: 3, ACK: 3, INFO: 2, BYE: 1 });
      await untilQuiet(labs.map(({ server }) => server));
    });
  },
);

test('five hops pass a call on, each with a server and an application of its own', async () => {
  await withHops(5, async (labs) => {
    const made: LabApp[] = [];
    for (const lab of labs) made.push(await lab.app('invite'));
    const answered = made[0]?.srf.createUAC(uri(labs[1], 'udp'), {
      localSdp: sdp('1'),
      headers: headersOf([`Identity: ${FULL}`]),
    });
    for (let at = 1; at < 4; at += 1) {
      const { req, res } = (await made[at]?.next('INVITE')) ?? {};
      if (req === undefined || res === undefined) throw new Error('no call');
      const headers = { ...headersOf(identityLines(req)), 'X-Hop': String(at) };
      void made[at]?.srf
        .createB2BUA(req, res, uri(labs[at + 1], at % 2 === 0 ? 'udp' : 'tcp'), { headers })
        .then(({ uas, uac }) => uas.on('destroy', () => void uac.destroy()));
    }
    const last = await made[4]?.next('INVITE');
    if (last === undefined) throw new Error('no call');
    expect([last.req.get('X-Hop'), ...identityLines(last.req)]).toEqual(['3', `Identity: ${FULL}`]);
    const uas = await made[4]?.srf.createUAS(last.req, last.res, { localSdp: sdp('2') });
    const dialog = await answered;
    await untilQuiet(labs.map(({ server }) => server));
    if (uas === undefined) throw new Error('no call');
    const over = heard(uas, 'destroy');
    await dialog?.destroy();
    await over;
    await untilQuiet(labs.map(({ server }) => server));
  });
});

test('two hops speak TLS, each with a certificate that the other believes', async () => {
  const pki = await createTestPki();
  const { privateKeyPem, chainPem } = pki.issueTls({ addresses: ['127.0.0.1'] });
  const tls = { keyPem: privateKeyPem, certificatePem: chainPem, caPem: pki.tlsRoot.certificatePem };
  const listen = [{ transport: 'tls' as const, host: '127.0.0.1', port: 0 }];
  await withHops(
    2,
    async (labs) => {
      const [caller, called] = await apps(labs);
      const answered = caller.srf.createUAC(uri(labs[1], 'tls'), { localSdp: sdp('1') });
      const { req, res } = await called.next('INVITE');
      expect([req.protocol, req.get('Via')?.startsWith('SIP/2.0/TLS 127.0.0.1:')]).toEqual(['tls', true]);
      const uas = await called.srf.createUAS(req, res, { localSdp: sdp('2') });
      const uac = await answered;
      expect(uac.remote.uri).toBe(labs[1]?.server.uri('tls'));
      expect((await uas.request({ method: 'INFO' })).status).toBe(200);
      const over = heard(uac, 'destroy');
      await uas.destroy();
      await over;
      await untilQuiet(labs.map(({ server }) => server));
    },
    { listen, tls },
  );
});

test('a peer whose certificate nobody vouches for is not called over TLS: 503', async () => {
  const [pki, other] = [await createTestPki(), await createTestPki()];
  const { privateKeyPem, chainPem } = pki.issueTls({ addresses: ['127.0.0.1'] });
  const tls = { keyPem: privateKeyPem, certificatePem: chainPem, caPem: other.tlsRoot.certificatePem };
  const listen = [{ transport: 'tls' as const, host: '127.0.0.1', port: 0 }];
  await withHops(
    2,
    async (labs) => {
      const [caller] = await apps(labs);
      await expect(caller.srf.createUAC(uri(labs[1], 'tls'), { localSdp: sdp('1') })).rejects.toMatchObject({
        status: 503,
      });
    },
    { listen, tls },
  );
});

test('a call that leaves a server and comes back to it has two ends there, each with its own application', async () => {
  await withHops(2, async (labs) => {
    const [home, away] = [labs[0] as DrachtioLab, labs[1] as DrachtioLab];
    const [called, proxy] = [await home.app('invite'), await away.app('invite')];
    const caller = await home.app();
    const answered = caller.srf.createUAC(uri(away, 'udp'), { localSdp: sdp('1') });
    const { req: passing } = await proxy.next('INVITE');
    void proxy.srf.proxyRequest(passing, uri(home, 'udp'));
    const { req, res } = await called.next('INVITE');
    const uas = await called.srf.createUAS(req, res, { localSdp: sdp('2') });
    const uac = await answered;
    expect(uas.id).toBe(uac.id);
    const [asked, told] = [
      heard<[AppRequest, AppResponse]>(uas, 'info'),
      heard<[AppRequest, AppResponse]>(uac, 'info'),
    ];
    const toCalled = uac.request({ method: 'INFO' });
    (await asked)[1].send(200);
    expect((await toCalled).status).toBe(200);
    const toCaller = uas.request({ method: 'INFO' });
    (await told)[1].send(200);
    expect((await toCaller).status).toBe(200);
    const over = heard(uac, 'destroy');
    await uas.destroy();
    await over;
    await untilQuiet(labs.map(({ server }) => server));
  });
});
