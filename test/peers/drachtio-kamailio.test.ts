import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { DrachtioServer } from '@hopback/harness/drachtio';
import { describePeer } from '../peers.js';
import {
  connectApp,
  heard,
  onEnded,
  type AppDialog,
  type AppRequest,
  type AppResponse,
} from '../support/drachtio-app.js';
import type { DrachtioLab } from '../support/drachtio-lab.js';
import { readSip, sdp, uriIn } from '../support/drachtio-sip-text.js';
import { createSipPeer, type SipPeer } from '../support/sip-peer.js';
import { startKamailioProcess, type KamailioLaunch } from './kamailio/process.js';
import { openSipDatagrams } from './sip-datagrams.js';
import { createLiveLab } from './sipp/live-lab.js';
import { flawless, sippCalls, sipUri, startSippCallees, type SippTransport } from './sipp/run-sipp.js';
import { createTemporaryDirectory } from './temporary-directory.js';

const TRANSPORTS: readonly SippTransport[] = ['udp', 'tcp'];
/** Both ways through a proxy that changes the transport, and those that do not. */
const PAIRS = TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const));
const CALLS = 20;

/** A Kamailio that forwards. */
interface KamailioProxy extends AsyncDisposable {
  readonly ports: Readonly<Record<SippTransport, number>>;
  readonly uri: (transport: SippTransport, user?: string) => string;
  readonly close: () => Promise<void>;
}

/** Starts it; `movedTo` is where it sends those who call `moved`. */
async function startProxy(movedTo = 'sip:nobody@127.0.0.1'): Promise<KamailioProxy> {
  const directory = await createTemporaryDirectory();
  const datagrams = await openSipDatagrams();
  const tcp = await freeTcpPort();
  const launch: KamailioLaunch = {
    configuration: 'proxy.cfg',
    definitions: { TCP_LISTEN: `tcp:127.0.0.1:${tcp}`, MOVED_TO: movedTo },
    environment: {},
  };
  const release = async (): Promise<void> => {
    await datagrams.close();
    await directory.close();
  };
  try {
    const running = await startKamailioProcess(launch, { directory, datagrams });
    const ports = { udp: running.port, tcp };
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= running.stop().then(release));
    // A test that runs out of time disposes of nothing.
    onTestFinished(close);
    return {
      ...{ ports, close, [Symbol.asyncDispose]: close },
      uri: (transport, user = '') => sipUri(user, ports[transport], transport).replace('sip:@', 'sip:'),
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A server with an application that takes INVITEs and remembers how its calls ended. */
interface Callee extends AsyncDisposable {
  readonly lab: DrachtioLab;
  readonly uri: (transport: SippTransport) => string;
  readonly invites: AppRequest[];
  readonly log: string[];
}

type OnInvite = (app: {
  readonly srf: Awaited<ReturnType<typeof connectApp>>['srf'];
  readonly req: AppRequest;
  readonly res: AppResponse;
  readonly follow: (dialog: AppDialog, other?: AppDialog) => void;
}) => Promise<unknown>;

const rings: OnInvite = async ({ srf, req, res, follow }) => {
  res.send(180);
  follow(await srf.createUAS(req, res, { localSdp: sdp('2') }));
};

async function startCallee(onInvite: OnInvite = rings): Promise<Callee> {
  const lab = await createLiveLab();
  const [log, invites]: [string[], AppRequest[]] = [[], []];
  const follow = (dialog: AppDialog, other?: AppDialog): void => {
    onEnded(dialog, (method) => {
      log.push(method);
      other?.destroy().catch((error: unknown) => log.push(String(error)));
    });
  };
  const app = await connectApp(lab.server, {
    setUp: (srf) =>
      srf.invite((req, res) => {
        invites.push(req);
        onInvite({ srf, req, res, follow }).catch((error: unknown) => log.push(String(error)));
      }),
  });
  return {
    ...{ lab, log, invites },
    uri: (transport) => sipUri('app', portOf(lab, transport), transport),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await lab[Symbol.asyncDispose]();
    },
  };
}

function portOf(lab: DrachtioLab, transport: SippTransport): number {
  return lab.server.listening.find((one) => one.transport === transport)?.port ?? 0;
}

function times<T>(count: number, item: T): readonly T[] {
  return Array.from({ length: count }, () => item);
}

/** Ends Kamailio, which keeps its connections, and expects that nothing is left in servers that nobody calls any more. */
async function nothingLeft(kamailio: KamailioProxy, ...labs: readonly DrachtioLab[]): Promise<void> {
  await kamailio.close();
  for (const lab of labs) {
    await lab.nothingLeft();
    const { retransmissions, faults } = lab.server.counters();
    expect({ retransmissions, faults }).toEqual({ retransmissions: 0, faults: {} });
  }
}

/** A peer that sends what it sends to Kamailio. */
function peerAt(kamailio: KamailioProxy, transport: SippTransport, { server }: DrachtioLab): Promise<SipPeer> {
  const listening: DrachtioServer['listening'] = [{ transport, host: '127.0.0.1', port: kamailio.ports[transport] }];
  return createSipPeer({ ...server, listening, uri: () => kamailio.uri(transport) }, transport);
}

describePeer(['kamailio', 'sipp'], 'Kamailio as a proxy', () => {
  test.each(PAIRS)('in front of an application: SIPp calls by %s, Kamailio by %s, SIPp hangs up', async (from, to) => {
    await using kamailio = await startProxy();
    await using callee = await startCallee();
    const run = { scenario: 'caller', transport: from, calls: CALLS, port: kamailio.ports[from], uri: callee.uri(to) };
    expect(await sippCalls(run)).toEqual(flawless(CALLS));
    // One Record-Route, or two where the proxy changes the transport.
    const recorded = callee.invites[0]?.get('Record-Route') ?? '';
    expect(recorded.match(/<sip:/g)).toHaveLength(from === to ? 1 : 2);
    await nothingLeft(kamailio, callee.lab);
    expect(callee.log).toEqual(times(CALLS, 'BYE'));
  });

  test.each(PAIRS)('in front of an application that hangs up: %s to Kamailio, %s from it', async (from, to) => {
    await using kamailio = await startProxy();
    await using callee = await startCallee(async ({ srf, req, res }) => {
      const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
      dialog.on('ack', () => void dialog.destroy().then((bye) => callee.log.push(bye.method)));
    });
    const scenario = 'caller-is-hung-up-on';
    const run = { scenario, transport: from, calls: CALLS, port: kamailio.ports[from], uri: callee.uri(to) };
    expect(await sippCalls(run)).toEqual(flawless(CALLS));
    await nothingLeft(kamailio, callee.lab);
    expect(callee.log).toEqual(times(CALLS, 'BYE'));
  });

  test.each(PAIRS)('between two applications, %s and %s: re-INVITE and INFO both ways', async (from, to) => {
    await using kamailio = await startProxy();
    const answered: AppDialog[] = [];
    await using callee = await startCallee(async ({ srf, req, res, follow }) => {
      const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
      answered.push(dialog);
      follow(dialog);
    });
    await using lab = await createLiveLab();
    await using caller = await connectApp(lab.server);
    const uac = await caller.srf.createUAC(callee.uri(to), { localSdp: sdp('1'), proxy: kamailio.uri(from) });
    await expect.poll(() => answered.length).toBe(1);
    const uas = answered[0]!;
    for (const [one, other] of [
      [uac, uas],
      [uas, uac],
    ] as const) {
      other.once('modify', (_req: AppRequest, res: AppResponse) => res.send(200, { body: sdp('3') }));
      expect(await one.modify(sdp('4'))).toBe(sdp('3'));
      other.once('info', (_req: AppRequest, res: AppResponse) => res.send(200));
      expect(
        (await one.request({ method: 'INFO', body: 'tone', headers: { 'Content-Type': 'text/plain' } })).status,
      ).toBe(200);
    }
    const destroyed = heard(uac, 'destroy');
    await uas.destroy();
    await destroyed;
    await nothingLeft(kamailio, lab, callee.lab);
  });

  test.each(PAIRS)('behind an application: a UAC by %s, Kamailio to SIPp by %s', async (from, to) => {
    await using kamailio = await startProxy();
    await using callees = await startSippCallees({ scenario: 'callee', transport: to, calls: CALLS });
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    for (let call = 0; call < CALLS; call += 1) {
      const dialog = await app.srf.createUAC(callees.uri, { localSdp: sdp('1'), proxy: kamailio.uri(from) });
      expect((await dialog.destroy()).method).toBe('BYE');
    }
    expect(await callees.finished).toEqual(flawless(CALLS));
    await nothingLeft(kamailio, lab);
  });

  test.each(PAIRS)('behind an application: SIPp hangs up by %s, Kamailio passes it on by %s', async (to, from) => {
    await using kamailio = await startProxy();
    await using callees = await startSippCallees({ scenario: 'callee-hangs-up', transport: to, calls: CALLS });
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    for (let call = 0; call < CALLS; call += 1) {
      const dialog = await app.srf.createUAC(callees.uri, { localSdp: sdp('1'), proxy: kamailio.uri(from) });
      await heard(dialog, 'destroy');
    }
    expect(await callees.finished).toEqual(flawless(CALLS));
    await nothingLeft(kamailio, lab);
  });

  test.each(PAIRS)('behind a B2BUA that SIPp calls by %s, to SIPp by %s', async (from, to) => {
    await using kamailio = await startProxy();
    await using callees = await startSippCallees({ scenario: 'callee', transport: to, calls: CALLS });
    await using b2bua = await startCallee(async ({ srf, req, res, follow }) => {
      const { uas, uac } = await srf.createB2BUA(req, res, callees.uri, { proxy: kamailio.uri(from) });
      follow(uas, uac);
      follow(uac, uas);
    });
    const run = { scenario: 'caller', transport: from, calls: CALLS, port: portOf(b2bua.lab, from) };
    expect([await sippCalls(run), await callees.finished]).toEqual([flawless(CALLS), flawless(CALLS)]);
    await nothingLeft(kamailio, b2bua.lab);
    expect(b2bua.log).toEqual(times(CALLS, 'BYE'));
  });

  test.each(
    ['caller', 'caller-is-hung-up-on'].flatMap((scenario) => PAIRS.map((pair) => [scenario, ...pair] as const)),
  )(
    'in front of a proxying application, scenario %s by %s, which stays in the path to SIPp by %s',
    async (scenario, from, to) => {
      await using kamailio = await startProxy();
      const callee = scenario === 'caller' ? 'callee' : 'callee-hangs-up';
      await using callees = await startSippCallees({ scenario: callee, transport: to, calls: CALLS });
      await using proxy = await startCallee(({ srf, req }) =>
        srf.proxyRequest(req, callees.uri, { remainInDialog: true }),
      );
      const run = { scenario, transport: from, calls: CALLS, port: kamailio.ports[from], uri: proxy.uri(from) };
      expect([await sippCalls(run), await callees.finished]).toEqual([flawless(CALLS), flawless(CALLS)]);
      await nothingLeft(kamailio, proxy.lab);
      expect(proxy.log).toEqual([]);
      const { received, sent } = proxy.lab.server.counters();
      expect([received.requests, sent.requests]).toEqual([
        { INVITE: CALLS, ACK: CALLS, BYE: CALLS },
        { INVITE: CALLS, ACK: CALLS, BYE: CALLS },
      ]);
    },
  );

  test.each(PAIRS)('behind a proxying application that SIPp calls by %s, to SIPp by %s', async (from, to) => {
    await using kamailio = await startProxy();
    await using callees = await startSippCallees({ scenario: 'callee-hangs-up', transport: to, calls: CALLS });
    await using proxy = await startCallee(({ srf, req }) =>
      srf.proxyRequest(req, kamailio.uri(from), { remainInDialog: true }),
    );
    const scenario = 'caller-is-hung-up-on';
    const run = { scenario, transport: from, calls: CALLS, port: portOf(proxy.lab, from), uri: callees.uri };
    expect([await sippCalls(run), await callees.finished]).toEqual([flawless(CALLS), flawless(CALLS)]);
    await nothingLeft(kamailio, proxy.lab);
    expect(proxy.log).toEqual([]);
  });

  test.each(TRANSPORTS)('passes a reliable 183 and its PRACK between SIPp and an application over %s', async (over) => {
    await using kamailio = await startProxy();
    await using callee = await startCallee(async ({ srf, req, res, follow }) => {
      await new Promise((resolve) => {
        res.send(183, { headers: { Require: '100rel' }, body: sdp('2') }, null, resolve);
      });
      follow(await srf.createUAS(req, res, { localSdp: sdp('2') }));
    });
    const scenario = 'caller-pracks';
    const run = { scenario, transport: over, calls: CALLS, port: kamailio.ports[over], uri: callee.uri(over) };
    expect(await sippCalls(run)).toEqual(flawless(CALLS));
    await nothingLeft(kamailio, callee.lab);
    expect(callee.log).toEqual(times(CALLS, 'BYE'));
  });

  test.each(PAIRS)('passes a CANCEL of SIPp by %s on to an application by %s', async (from, to) => {
    await using kamailio = await startProxy();
    const cancelled: string[] = [];
    await using callee = await startCallee(async ({ req, res }) => {
      req.on('cancel', (cancel: AppRequest) => cancelled.push(cancel.method));
      res.send(180);
    });
    const scenario = 'caller-cancels';
    // Kamailio answers the CANCEL itself, in another process than the one that hands on the 487.
    const passesOver = true;
    const run = {
      scenario,
      passesOver,
      transport: from,
      calls: CALLS,
      port: kamailio.ports[from],
      uri: callee.uri(to),
    };
    expect(await sippCalls(run)).toEqual(flawless(CALLS));
    await expect.poll(() => cancelled).toEqual(times(CALLS, 'CANCEL'));
    await nothingLeft(kamailio, callee.lab);
  });

  test.each(PAIRS)('passes a CANCEL of an application by %s on to SIPp by %s', async (from, to) => {
    await using kamailio = await startProxy();
    await using callees = await startSippCallees({ scenario: 'callee-is-cancelled', transport: to, calls: CALLS });
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    for (let call = 0; call < CALLS; call += 1) {
      let invite: AppRequest | undefined;
      const placed = app.srf.createUAC(
        callees.uri,
        { localSdp: sdp('1'), proxy: kamailio.uri(from) },
        { cbRequest: (_error, request) => void (invite = request), cbProvisional: () => invite?.cancel() },
      );
      await expect(placed).rejects.toMatchObject({ status: 487 });
    }
    expect(await callees.finished).toEqual(flawless(CALLS));
    await nothingLeft(kamailio, lab);
  });

  test.each(PAIRS)('passes a CANCEL of SIPp through a proxying application, %s to %s', async (from, to) => {
    await using kamailio = await startProxy();
    await using callees = await startSippCallees({ scenario: 'callee-is-cancelled', transport: to, calls: CALLS });
    await using proxy = await startCallee(({ srf, req }) => srf.proxyRequest(req, callees.uri, {}));
    const scenario = 'caller-cancels';
    // Kamailio answers the CANCEL itself, in another process than the one that hands on the 487.
    const passesOver = true;
    const run = {
      scenario,
      passesOver,
      transport: from,
      calls: CALLS,
      port: kamailio.ports[from],
      uri: proxy.uri(from),
    };
    expect([await sippCalls(run), await callees.finished]).toEqual([flawless(CALLS), flawless(CALLS)]);
    await nothingLeft(kamailio, proxy.lab);
  });

  test.each(TRANSPORTS)('refuses calls of an application with 404 and 486 over %s', async (over) => {
    await using kamailio = await startProxy();
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    for (const [user, status] of [
      ['nobody', 404],
      ['busy', 486],
    ] as const) {
      const placed = app.srf.createUAC(kamailio.uri(over, user), { localSdp: sdp('1') });
      await expect(placed).rejects.toMatchObject({ status });
    }
    await nothingLeft(kamailio, lab);
  });

  test.each(TRANSPORTS)('refuses a call with 486, which a B2BUA and a proxy pass on to SIPp, over %s', async (over) => {
    for (const op of ['b2bua', 'proxy'] as const) {
      await using kamailio = await startProxy();
      await using middle = await startCallee(({ srf, req, res }) =>
        op === 'b2bua'
          ? srf.createB2BUA(req, res, kamailio.uri(over, 'busy'), {})
          : srf.proxyRequest(req, kamailio.uri(over, 'busy'), {}),
      );
      const run = { scenario: 'caller-is-refused', transport: over, calls: CALLS, port: portOf(middle.lab, over) };
      expect(await sippCalls(run)).toEqual(flawless(CALLS));
      await nothingLeft(kamailio, middle.lab);
    }
  });

  test.each(TRANSPORTS)('sends a UAC and a proxy that follow redirects on to SIPp over %s', async (over) => {
    await using callees = await startSippCallees({ scenario: 'callee', transport: over, calls: 1 + CALLS });
    await using kamailio = await startProxy(callees.uri);
    const moved = kamailio.uri(over, 'moved');
    await using proxy = await startCallee(({ srf, req }) =>
      srf.proxyRequest(req, moved, { followRedirects: true, remainInDialog: true }),
    );
    await using app = await connectApp(proxy.lab.server);
    const dialog = await app.srf.createUAC(moved, { localSdp: sdp('1'), followRedirects: true });
    await dialog.destroy();
    const run = { scenario: 'caller', transport: over, calls: CALLS, port: portOf(proxy.lab, over) };
    expect(await sippCalls(run)).toEqual(flawless(CALLS));
    expect(await callees.finished).toEqual(flawless(1 + CALLS));
    await nothingLeft(kamailio, proxy.lab);
  });

  test.each([
    ['tcp', 7_168],
    ['udp', 7_168],
    ['udp', 600],
  ] as const)('leaves Identity headers as they are over %s: two, one of %i octets', async (over, sizeBytes) => {
    await using kamailio = await startProxy();
    await using callee = await startCallee();
    await using peer = await peerAt(kamailio, over, callee.lab);
    const identities = [identityOf(sizeBytes), `${identityOf(300)};ppt="div"`];
    const lines = [
      ...identities.map((value) => `Identity: ${value}`),
      'y:  eyJ.folded\r\n ;info=<https://a.example/c>',
    ];
    const call = peer.call('INVITE', { uri: callee.uri(over), lines, body: sdp('1') });
    const ok = await call.response(200);
    expect(uriIn(ok.value('Contact'))).toBe(callee.uri(over).replace('app@', ''));
    call.ack();
    call.request('BYE');
    await call.response('200 BYE');
    const [invite] = callee.invites;
    const arrived = readSip(invite?.raw ?? '').lines.filter((line) => /^(identity|y)\s*:/i.test(line));
    expect(arrived).toEqual(lines);
    await nothingLeft(kamailio, callee.lab);
  });

  test.each([
    ['udp', 600],
    ['tcp', 7_168],
  ] as const)(
    'gets an Identity header of our proxy and our UAC as it is over %s: %i octets',
    async (over, sizeBytes) => {
      const identity = identityOf(sizeBytes);
      await using kamailio = await startProxy();
      await using callee = await startCallee();
      const headers = { Identity: identity };
      await using middle = await startCallee(({ srf, req }) =>
        srf.proxyRequest(req, kamailio.uri(over), { remainInDialog: true, headers }),
      );
      await using app = await connectApp(middle.lab.server);
      await using peer = await middle.lab.peer(over);
      const own = `Identity: ${identityOf(400)}`;
      const call = peer.call('INVITE', { uri: callee.uri(over), lines: [own], body: sdp('1') });
      await call.response(200);
      call.ack();
      call.request('BYE');
      await call.response('200 BYE');
      const placed = { localSdp: sdp('1'), proxy: kamailio.uri(over), headers };
      const dialog = await app.srf.createUAC(callee.uri(over), placed);
      await dialog.destroy();
      const arrived = callee.invites.map(({ raw }) => readSip(raw).values('Identity'));
      expect(arrived).toEqual([[own.slice('Identity: '.length), identity], [identity]]);
      await peer.close();
      await nothingLeft(kamailio, middle.lab, callee.lab);
    },
  );
});

/** An Identity header value of a length, which nobody verifies. */
function identityOf(sizeBytes: number): string {
  const parameters = ';info=<https://certificates.example.org/sp.pem>;alg=ES256;ppt="shaken"';
  const [header, signature] = ['eyJhbGciOiJFUzI1NiJ9', 's'.repeat(86)];
  const room = sizeBytes - header.length - signature.length - parameters.length - 2;
  return `${header}.${'eyJhdHRlc3QiOiJBIn0-_'.repeat(Math.ceil(room / 21)).slice(0, room)}.${signature}${parameters}`;
}
