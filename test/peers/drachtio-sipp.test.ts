import { createHash, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import {
  connectApp,
  onEnded,
  type AppDialog,
  type AppRequest,
  type AppResponse,
  type AppSrf,
} from '../support/drachtio-app.js';
import type { DrachtioLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { createLiveLab } from './sipp/live-lab.js';
import { flawless, sippCalls, startSippCallees, type SippTransport } from './sipp/run-sipp.js';

const TRANSPORTS: readonly SippTransport[] = ['udp', 'tcp'];
const CALLS = 100;
const FEW = 20;

/** What became of the calls of an application. */
interface Log {
  readonly ended: string[];
  readonly failures: unknown[];
}

function newLog(): Log {
  return { ended: [], failures: [] };
}

/** Notes the end of a call, and hangs up the other leg where there is one. */
function follow(log: Log, dialog: AppDialog, other?: AppDialog): void {
  onEnded(dialog, (method) => {
    log.ended.push(method);
    other?.destroy().catch((error: unknown) => log.failures.push(error));
  });
}

/** Connects an application that takes INVITEs. */
function inviteApp(
  lab: DrachtioLab,
  log: Log,
  onInvite: (srf: AppSrf, req: AppRequest, res: AppResponse) => Promise<unknown>,
): ReturnType<typeof connectApp> {
  return connectApp(lab.server, {
    setUp: (srf) =>
      srf.invite((req, res) => void onInvite(srf, req, res).catch((error: unknown) => log.failures.push(error))),
  });
}

/** Rings, answers, and lets the other side hang up. */
function answering(lab: DrachtioLab, log: Log): ReturnType<typeof connectApp> {
  return inviteApp(lab, log, async (srf, req, res) => {
    res.send(180);
    follow(log, await srf.createUAS(req, res, { localSdp: sdp('2') }));
  });
}

function portOf(lab: DrachtioLab, transport: SippTransport): number {
  return lab.server.listening.find((one) => one.transport === transport)?.port ?? 0;
}

function times<T>(count: number, item: T): readonly T[] {
  return Array.from({ length: count }, () => item);
}

/** What the server has counted as wrong. */
function mishaps(lab: DrachtioLab): object {
  const { retransmissions, faults, overloaded } = lab.server.counters();
  return { retransmissions, faults, overloaded };
}
const NONE = { retransmissions: 0, faults: {}, overloaded: 0 };

/** Starts calls at an even pace, which is that of the SIPp runs too, and waits for all: what each brought, or why it failed. */
async function paced(count: number, begin: (index: number) => Promise<unknown>): Promise<readonly unknown[]> {
  const begun: Promise<unknown>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      begun.push(begin(begun.length).catch((reason: unknown) => `call ${begun.length}: ${String(reason)}`));
      if (begun.length < count) return;
      clearInterval(timer);
      resolve();
    }, 20);
  });
  return Promise.all(begun);
}

describePeer('sipp', 'SIPp', () => {
  test.each(TRANSPORTS)('calls an application a hundred times over %s and hangs up', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    await using _ = await answering(lab, log);
    const result = await sippCalls({ scenario: 'caller', transport, calls: CALLS, port: portOf(lab, transport) });
    expect(result).toEqual(flawless(CALLS));
    expect(mishaps(lab)).toEqual(NONE);
    expect(lab.server.inUse()).toMatchObject({ dialogs: 0, pendingRequests: 0, pendingInvites: 0, unacknowledged: 0 });
    await lab.nothingLeft();
    expect(log).toEqual({ ended: times(CALLS, 'BYE'), failures: [] });
  });

  test.each(TRANSPORTS)('calls over %s from a socket for each call, and none is left', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    await using _ = await answering(lab, log);
    const run = { scenario: 'caller', transport, calls: CALLS, port: portOf(lab, transport), ownSockets: true };
    expect(await sippCalls(run)).toEqual(flawless(CALLS));
    expect(mishaps(lab)).toEqual(NONE);
    await lab.nothingLeft();
    expect(log).toEqual({ ended: times(CALLS, 'BYE'), failures: [] });
  });

  test.each(TRANSPORTS)('is hung up on by the application that it has called over %s', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    const byes: string[] = [];
    await using _ = await inviteApp(lab, log, async (srf, req, res) => {
      const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
      dialog.on('ack', () => void dialog.destroy().then((bye) => byes.push(bye.method)));
    });
    const run = { scenario: 'caller-is-hung-up-on', transport, calls: FEW, port: portOf(lab, transport) };
    expect(await sippCalls(run)).toEqual(flawless(FEW));
    await lab.nothingLeft();
    expect([byes, log.failures]).toEqual([times(FEW, 'BYE'), []]);
  });

  test.each(TRANSPORTS)('is called by an application a hundred times over %s', async (transport) => {
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    await using callees = await startSippCallees({ scenario: 'callee', transport, calls: CALLS });
    const byes = await paced(CALLS, async () => {
      const dialog = await app.srf.createUAC(callees.uri, { localSdp: sdp('1') });
      return (await dialog.destroy()).method;
    });
    expect([byes, mishaps(lab)]).toEqual([times(CALLS, 'BYE'), NONE]);
    expect(await callees.finished).toEqual(flawless(CALLS));
    await lab.nothingLeft();
  });

  test.each(TRANSPORTS)('hangs up on the application that has called it over %s', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    await using app = await connectApp(lab.server);
    await using callees = await startSippCallees({ scenario: 'callee-hangs-up', transport, calls: FEW });
    const failures = await paced(FEW, async () =>
      follow(log, await app.srf.createUAC(callees.uri, { localSdp: sdp('1') })),
    );
    expect([failures, mishaps(lab)]).toEqual([times(FEW, undefined), NONE]);
    expect(await callees.finished).toEqual(flawless(FEW));
    await lab.nothingLeft();
    expect(log).toEqual({ ended: times(FEW, 'BYE'), failures: [] });
  });

  test.each(TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const)))(
    'calls through a B2BUA, from %s to %s, fifty times',
    async (from, to) => {
      const calls = CALLS / 2;
      await using lab = await createLiveLab();
      await using callees = await startSippCallees({ scenario: 'callee', transport: to, calls });
      const log = newLog();
      await using _ = await inviteApp(lab, log, async (srf, req, res) => {
        const { uas, uac } = await srf.createB2BUA(req, res, callees.uri, {});
        follow(log, uas, uac);
        follow(log, uac, uas);
      });
      const result = await sippCalls({ scenario: 'caller', transport: from, calls, port: portOf(lab, from) });
      expect([result, await callees.finished]).toEqual([flawless(calls), flawless(calls)]);
      expect(mishaps(lab)).toEqual(NONE);
      await lab.nothingLeft();
      expect(log).toEqual({ ended: times(calls, 'BYE'), failures: [] });
    },
  );

  test.each(TRANSPORTS)('gives up while the application rings over %s', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    const cancelled: string[] = [];
    await using _ = await inviteApp(lab, log, async (...[, req, res]) => {
      req.on('cancel', (cancel: AppRequest) => cancelled.push(cancel.get('Reason') ?? ''));
      res.send(180);
    });
    const run = { scenario: 'caller-cancels', transport, calls: FEW, port: portOf(lab, transport) };
    expect(await sippCalls(run)).toEqual(flawless(FEW));
    expect(mishaps(lab)).toEqual(NONE);
    await lab.nothingLeft();
    expect([cancelled, log.failures]).toEqual([times(FEW, 'SIP;cause=487;text="gave up"'), []]);
  });

  test.each(TRANSPORTS)('is rung by an application that gives up over %s', async (transport) => {
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    await using callees = await startSippCallees({ scenario: 'callee-is-cancelled', transport, calls: FEW });
    const statuses = await paced(FEW, async () => {
      let invite: AppRequest | undefined;
      const callbacks = {
        cbRequest: (_error: unknown, request: AppRequest) => void (invite = request),
        cbProvisional: () => invite?.cancel(),
      };
      const error: unknown = await app.srf
        .createUAC(callees.uri, { localSdp: sdp('1') }, callbacks)
        .catch((reason: unknown) => reason);
      return (error as { readonly status?: number }).status;
    });
    expect([statuses, mishaps(lab)]).toEqual([times(FEW, 487), NONE]);
    expect(await callees.finished).toEqual(flawless(FEW));
    await lab.nothingLeft();
  });

  test.each(TRANSPORTS)(
    'gives up on a call through a B2BUA, and the callee hears of it, over %s',
    async (transport) => {
      await using lab = await createLiveLab();
      await using callees = await startSippCallees({ scenario: 'callee-is-cancelled', transport, calls: FEW });
      const log = newLog();
      await using _ = await inviteApp(lab, log, (srf, req, res) => srf.createB2BUA(req, res, callees.uri, {}));
      const run = { scenario: 'caller-cancels', transport, calls: FEW, port: portOf(lab, transport) };
      expect([await sippCalls(run), await callees.finished]).toEqual([flawless(FEW), flawless(FEW)]);
      await lab.nothingLeft();
      expect(log.failures.map((failure) => (failure as { readonly status?: number }).status)).toEqual(times(FEW, 487));
    },
  );

  test.each(TRANSPORTS)('demands a reliable 183 of the application and acknowledges it over %s', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    const acknowledged: (string | undefined)[] = [];
    await using _ = await inviteApp(lab, log, async (srf, req, res) => {
      const prack = await new Promise<AppRequest>((resolve) => {
        res.send(183, { headers: { Require: '100rel' }, body: sdp('2') }, null, resolve);
      });
      acknowledged.push(prack.get('RAck')?.replace(/^\d+ /, ''));
      follow(log, await srf.createUAS(req, res, { localSdp: sdp('2') }));
    });
    const run = { scenario: 'caller-pracks', transport, calls: FEW, port: portOf(lab, transport) };
    expect(await sippCalls(run)).toEqual(flawless(FEW));
    expect(mishaps(lab)).toEqual(NONE);
    await lab.nothingLeft();
    expect([acknowledged, log]).toEqual([times(FEW, '1 INVITE'), { ended: times(FEW, 'BYE'), failures: [] }]);
  });

  test.each(TRANSPORTS)('answers an application reliably and gets its PRACK over %s', async (transport) => {
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    await using callees = await startSippCallees({ scenario: 'callee-is-pracked', transport, calls: FEW });
    const heard: number[] = [];
    const byes = await paced(FEW, async () => {
      const options = { localSdp: sdp('1'), headers: { Supported: '100rel' } };
      const cbProvisional = (response: AppResponse): void => void heard.push(response.status);
      const dialog = await app.srf.createUAC(callees.uri, options, { cbProvisional });
      return (await dialog.destroy()).method;
    });
    expect([byes, heard, mishaps(lab)]).toEqual([times(FEW, 'BYE'), times(FEW, 183), NONE]);
    expect(await callees.finished).toEqual(flawless(FEW));
    await lab.nothingLeft();
  });

  test.each(TRANSPORTS)('registers with a password at an application over %s', async (transport) => {
    await using lab = await createLiveLab();
    const bound = new Map<string, number>();
    await using _ = await connectApp(lab.server, { setUp: (srf) => srf.register(registrar(bound)) });
    const port = portOf(lab, transport);
    const run = { scenario: 'registers', transport, calls: FEW, port, uri: `sip:127.0.0.1:${port}` };
    expect(await sippCalls(run)).toEqual(flawless(FEW));
    expect([...bound.values()]).toEqual([FEW]);
    expect(lab.server.counters()).toMatchObject({
      ...{ ...NONE, received: { requests: { REGISTER: 2 * FEW } } },
      sent: { responses: { 401: FEW, 200: FEW } },
    });
    await lab.nothingLeft();
  });

  test.each(TRANSPORTS)('changes a call by a re-INVITE, which the application answers, over %s', async (transport) => {
    await using lab = await createLiveLab();
    const log = newLog();
    const holds: boolean[] = [];
    await using _ = await inviteApp(lab, log, async (srf, req, res) => {
      const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
      dialog.on('modify', (_request: AppRequest, response: AppResponse) => {
        holds.push(dialog.remote.sdp.includes('a=sendonly'));
        response.send(200, { body: sdp('3') });
      });
      follow(log, dialog);
    });
    const run = { scenario: 'caller-reinvites', transport, calls: FEW, port: portOf(lab, transport) };
    expect(await sippCalls(run)).toEqual(flawless(FEW));
    expect(mishaps(lab)).toEqual(NONE);
    await lab.nothingLeft();
    expect([holds, log]).toEqual([times(FEW, true), { ended: times(FEW, 'BYE'), failures: [] }]);
  });

  test.each(TRANSPORTS)('sends an application on to another SIPp over %s', async (transport) => {
    await using lab = await createLiveLab();
    await using app = await connectApp(lab.server);
    await using callees = await startSippCallees({ scenario: 'callee', transport, calls: FEW });
    const words = { moved_to: callees.uri };
    await using redirect = await startSippCallees({ scenario: 'callee-redirects', transport, calls: FEW, words });
    const byes = await paced(FEW, async () => {
      const dialog = await app.srf.createUAC(redirect.uri, { localSdp: sdp('1'), followRedirects: true });
      return (await dialog.destroy()).method;
    });
    expect([byes, mishaps(lab)]).toEqual([times(FEW, 'BYE'), NONE]);
    expect([await redirect.finished, await callees.finished]).toEqual([flawless(FEW), flawless(FEW)]);
    await lab.nothingLeft();
  });
});

/** A registrar that knows alice, and challenges whoever does not show that they know her password. */
function registrar(bound: Map<string, number>): (req: AppRequest, res: AppResponse) => void {
  const nonces = new Set<string>();
  return (req, res) => {
    const credentials = digestParameters(req.get('Authorization') ?? '');
    const nonce = credentials.get('nonce') ?? '';
    const ha1 = md5('alice:example.com:secret');
    const ha2 = md5(`REGISTER:${credentials.get('uri') ?? ''}`);
    if (!nonces.delete(nonce) || credentials.get('response') !== md5(`${ha1}:${nonce}:${ha2}`)) {
      const fresh = randomUUID();
      nonces.add(fresh);
      res.send(401, {
        headers: { 'WWW-Authenticate': `Digest realm="example.com", nonce="${fresh}", algorithm=MD5` },
      });
      return;
    }
    const contact = /<[^>]*>/.exec(req.get('Contact') ?? '')?.[0] ?? '';
    bound.set('alice', (bound.get('alice') ?? 0) + 1);
    res.send(200, { headers: { Contact: `${contact};expires=${req.get('Expires') ?? ''}` } });
  };
}

function digestParameters(value: string): ReadonlyMap<string, string> {
  return new Map(
    value
      .replace(/^Digest\s+/i, '')
      .split(',')
      .map((parameter) => {
        const at = parameter.indexOf('=');
        return [
          parameter.slice(0, at).trim(),
          parameter
            .slice(at + 1)
            .replaceAll('"', '')
            .trim(),
        ] as const;
      }),
  );
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
