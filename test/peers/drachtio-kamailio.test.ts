import { expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import {
  connectApp,
  heard,
  onEnded,
  type AppDialog,
  type AppRequest,
  type AppResponse,
  type AppSrf,
  type UacOptions,
} from '../support/drachtio-app.js';
import type { DrachtioLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { freePorts } from '../support/recipe.js';
import { startKamailioProcess } from './kamailio/process.js';
import { createLiveLab } from './sipp/live-lab.js';
import { flawless, sippCalls, sipUri, startSippCallees, type SippTransport } from './sipp/run-sipp.js';

const TRANSPORTS: readonly SippTransport[] = ['udp', 'tcp'];
/** Both ways through a proxy that changes the transport, and those that do not. */
const PAIRS = TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const));
const CALLS = 20;

type KamailioProxy = Awaited<ReturnType<typeof startProxy>>;

/** Starts a Kamailio that forwards. */
async function startProxy() {
  const [tcp = 0] = await freePorts(1);
  const running = await startKamailioProcess({
    configuration: 'proxy.cfg',
    definitions: { TCP_LISTEN: `tcp:127.0.0.1:${tcp}` },
  });
  const ports: Readonly<Record<SippTransport, number>> = { udp: running.port, tcp };
  return {
    ...{ ports, close: running.stop, [Symbol.asyncDispose]: running.stop },
    uri: (transport: SippTransport) => sipUri('', ports[transport], transport).replace('sip:@', 'sip:'),
  };
}

type OnInvite = (app: {
  readonly srf: AppSrf;
  readonly req: AppRequest;
  readonly res: AppResponse;
  readonly follow: (dialog: AppDialog) => void;
  readonly log: string[];
}) => Promise<unknown>;

const rings: OnInvite = async ({ srf, req, res, follow }) => {
  res.send(180);
  follow(await srf.createUAS(req, res, { localSdp: sdp('2') }));
};

/** Starts a server with an application that takes INVITEs and notes how its calls ended. */
async function startCallee(onInvite: OnInvite = rings) {
  const lab = await createLiveLab();
  const [log, invites]: [string[], AppRequest[]] = [[], []];
  const follow = (dialog: AppDialog): void => onEnded(dialog, (method) => log.push(method));
  const app = await connectApp(lab.server, {
    setUp: (srf) =>
      srf.invite((req, res) => {
        invites.push(req);
        onInvite({ srf, req, res, follow, log }).catch((error: unknown) => log.push(String(error)));
      }),
  });
  return {
    ...{ lab, log, invites },
    uri: (transport: SippTransport) => sipUri('app', portOf(lab, transport), transport),
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

/** What an application does with the calls of a SIPp scenario; each call that goes as it should adds a method to its log. */
const ANSWERS: Readonly<Record<string, OnInvite>> = {
  caller: rings,
  'caller-is-hung-up-on': async ({ srf, req, res, log }) => {
    const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
    dialog.on('ack', () => void dialog.destroy().then((bye) => log.push(bye.method)));
  },
  'caller-pracks': async ({ srf, req, res, follow }) => {
    await new Promise((resolve) => {
      res.send(183, { headers: { Require: '100rel' }, body: sdp('2') }, null, resolve);
    });
    follow(await srf.createUAS(req, res, { localSdp: sdp('2') }));
  },
  'caller-cancels': ({ req, res, log }) => {
    req.on('cancel', (cancel: AppRequest) => log.push(cancel.method));
    res.send(180);
    return Promise.resolve();
  },
};

/** Kamailio answers a CANCEL itself, in another process than the one that forwards the 487. */
const mayReorder = (scenario: string): boolean => scenario === 'caller-cancels';

/** The scenario of a SIPp that is called, for that of the SIPp that calls. */
const CALLEES: Readonly<Record<string, string>> = {
  ...{ caller: 'callee', 'caller-is-hung-up-on': 'callee-hangs-up', 'caller-cancels': 'callee-is-cancelled' },
};

/** Places a call through Kamailio to SIPp, in the scenario of a callee. */
const CALLS_TO: Readonly<Record<string, (srf: AppSrf, uri: string, options: UacOptions) => Promise<unknown>>> = {
  callee: async (srf, uri, options) => (await srf.createUAC(uri, options)).destroy(),
  'callee-hangs-up': async (srf, uri, options) => heard(await srf.createUAC(uri, options), 'destroy'),
  'callee-is-cancelled': (srf, uri, options) => {
    let invite: AppRequest | undefined;
    const placed = srf.createUAC(uri, options, {
      cbRequest: (_error, request) => void (invite = request),
      cbProvisional: () => invite?.cancel(),
    });
    return expect(placed).rejects.toMatchObject({ status: 487 });
  },
};

function withPairs(scenarios: Readonly<Record<string, unknown>>) {
  return Object.keys(scenarios).flatMap((scenario) => PAIRS.map((pair) => [scenario, ...pair] as const));
}

describePeer(['kamailio', 'sipp'], 'Kamailio as a proxy', () => {
  test.each(withPairs(ANSWERS))(
    'in front of an application: SIPp, %s, by %s, Kamailio by %s',
    async (scenario, from, to) => {
      await using kamailio = await startProxy();
      await using callee = await startCallee(ANSWERS[scenario]);
      const passesOver = mayReorder(scenario);
      const run = {
        scenario,
        passesOver,
        transport: from,
        calls: CALLS,
        port: kamailio.ports[from],
        uri: callee.uri(to),
      };
      expect(await sippCalls(run)).toEqual(flawless(CALLS));
      // One Record-Route, or two where the proxy changes the transport.
      const recorded = callee.invites[0]?.get('Record-Route') ?? '';
      expect(recorded.match(/<sip:/g)).toHaveLength(from === to ? 1 : 2);
      await expect.poll(() => callee.log).toEqual(times(CALLS, scenario === 'caller-cancels' ? 'CANCEL' : 'BYE'));
      await nothingLeft(kamailio, callee.lab);
    },
  );

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
      const headers = { 'Content-Type': 'text/plain' };
      expect((await one.request({ method: 'INFO', body: 'tone', headers })).status).toBe(200);
    }
    const destroyed = heard(uac, 'destroy');
    await uas.destroy();
    await destroyed;
    await nothingLeft(kamailio, lab, callee.lab);
  });

  test.each(withPairs(CALLS_TO))(
    'behind an application: SIPp, %s, called by %s, Kamailio by %s',
    async (scenario, from, to) => {
      await using kamailio = await startProxy();
      await using callees = await startSippCallees({ scenario, transport: to, calls: CALLS });
      await using lab = await createLiveLab();
      await using app = await connectApp(lab.server);
      const options = { localSdp: sdp('1'), proxy: kamailio.uri(from) };
      for (let call = 0; call < CALLS; call += 1) await CALLS_TO[scenario]?.(app.srf, callees.uri, options);
      expect(await callees.finished).toEqual(flawless(CALLS));
      await nothingLeft(kamailio, lab);
    },
  );

  test.each(withPairs(CALLEES))(
    'in front of a proxying application, scenario %s by %s, which stays in the path to SIPp by %s',
    async (scenario, from, to) => {
      await using kamailio = await startProxy();
      await using callees = await startSippCallees({ scenario: CALLEES[scenario]!, transport: to, calls: CALLS });
      await using proxy = await startCallee(({ srf, req }) =>
        srf.proxyRequest(req, callees.uri, { remainInDialog: true }),
      );
      const passesOver = mayReorder(scenario);
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
      if (passesOver) return;
      expect(proxy.log).toEqual([]);
      const { received, sent } = proxy.lab.server.counters();
      const requests = { INVITE: CALLS, ACK: CALLS, BYE: CALLS };
      expect([received.requests, sent.requests]).toEqual([requests, requests]);
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
});
