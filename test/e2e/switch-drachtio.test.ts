import { parseSipRequest, verificationRequestOf } from '@hopback/sdk/stir';
import {
  CallTracker,
  RedirectServer,
  everyStatus,
  relayedHeaders,
  relayFailure,
  verifyIdentity,
} from '@hopback/sdk/switch';
import { REDIRECT_PROFILES } from '../../sdk/src/switch/redirect/profile.js';
import type { CallIdentity, RedirectRule, TrackedCall } from '@hopback/sdk/switch';
import { ManualClock } from '@hopback/sdk/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connectApp } from '../support/drachtio-app.js';
import type { AppRequest, AppResponse, AppSrf, B2buaOptions, Handler } from '../support/drachtio-app.js';
import { createLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { createRedirectLab, KNOWN_CUSTOMER } from '../support/redirect-lab.js';
import { newBranch, unique, type CallParts, type PeerTransport, type SipPeer } from '../support/sip-peer.js';
import { keepingSink } from '../support/tracked-calls.js';

// drachtio-srf as it is published, behind the embedded server: what only its own requests, responses and dialogs show. Signed, answered, refused,
// cancelled and forked calls are held against their truth in every run of a scenario (scenarios-*.test.ts).

const { stir, signing, identityHeader } = await createRedirectLab();

/** A server, and an application that is connected to it. */
async function application(setUp: (srf: AppSrf) => void, clock: ManualClock = new ManualClock()) {
  const lab = await createLab({ clock });
  const app = await connectApp(lab.server, { setUp });
  await lab.quiet();
  return {
    lab,
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

describe('verifyIdentity', () => {
  const asserted = (...lines: readonly string[]): CallParts => ({
    ...{ uri: 'sip:+12025550199@terminating.example', lines: ['P-Asserted-Identity: <tel:+12025550101>', ...lines] },
  });

  test.each([
    ['Identity', (value: string) => `Identity: ${value}`],
    ['the compact y', (value: string) => `y: ${value}`],
    ['a folded Identity', (value: string) => `Identity: ${value.replace(';', '\r\n ;')}`],
    ['a second Identity', (value: string) => `Identity: rubbish\r\nIdentity: ${value}`],
  ])('an application has the verdict of a call with %s', async (_what, line) => {
    await using at = await application((srf) => {
      srf.use('invite', verifyIdentity({ service: stir.service }));
      srf.use('invite', (req, res) => {
        const { verdict } = (req as AppRequest & { locals: { identity: CallIdentity } }).locals.identity;
        res.send(480, { headers: { 'X-Verstat': verdict?.verstat ?? 'none' } });
      });
    }, stir.clock);
    const call = (await at.lab.peer()).call('INVITE', asserted(line(identityHeader())));
    const answer = await call.response(480);
    expect(answer.value('X-Verstat')).toBe('TN-Validation-Passed');
    call.ackFailure(answer);
  });

  test('a call that its caller gives up while it is verified rings nobody', async () => {
    let [began, finish] = [(): void => undefined, (): void => undefined];
    const isAsked = new Promise<void>((resolve) => (began = resolve));
    const isFinished = new Promise<void>((resolve) => (finish = resolve));
    const verify: typeof stir.service.verify = async (call) => {
      began();
      await isFinished;
      return stir.service.verify(call);
    };
    const rung: unknown[] = [];
    await using at = await application((srf) => {
      srf.use('invite', verifyIdentity({ service: { verify } }));
      srf.use('invite', (req) => void rung.push(req));
    }, stir.clock);
    const call = (await at.lab.peer()).call('INVITE', asserted());
    await isAsked;
    call.cancel();
    call.ackFailure(await call.response('487 INVITE'));
    await at.lab.quiet();
    finish();
    await at.lab.nothingLeft();
    expect(rung).toEqual([]);
  });
});

describe('a redirect server', () => {
  const RULES: readonly RedirectRule[] = [
    { name: 'outbound', mode: 'sign', facts: KNOWN_CUSTOMER, when: { header: { name: 'X-Mode', value: 'sign' } } },
    { name: 'inbound', mode: 'verify', when: { sources: ['127.0.0.1'] } },
  ];
  const caller = (...lines: readonly string[]): CallParts => ({
    ...{ uri: 'sip:+12025550199@redirect.example', from: '<sip:+12025550101@sbc.example>', lines },
  });

  async function redirect(verification: Pick<typeof stir.service, 'verify'> = stir.service) {
    const server = new RedirectServer({ rules: RULES, signing, verification });
    const at = await application((srf) => srf.invite(server.invite), stir.clock);
    return { ...at, server };
  }

  test.each<[PeerTransport]>([['udp'], ['tcp'], ['ws']])(
    'answers over %s a call to be signed with 302 and an Identity that verifies, and keeps nothing',
    async (transport) => {
      await using at = await redirect();
      const call = (await at.lab.peer(transport)).call('INVITE', caller('X-Mode: sign'));
      const answer = await call.response(302);
      call.ackFailure(answer);
      const sent = parseSipRequest(call.sent);
      if (sent.status === 'malformed') throw new Error(sent.reason);
      const added = { identity: answer.values('Identity'), date: answer.value('Date') };
      expect(added.identity).toHaveLength(1);
      const verdict = await stir.service.verify({ ...verificationRequestOf(sent.request), ...added });
      expect([verdict.verstat, verdict.attestation]).toEqual(['TN-Validation-Passed', 'A']);
      expect(answer.value('Contact')).toMatch(/^<sip:\+12025550199@127\.0\.0\.1(?::\d+)?>$/);
      await at.lab.nothingLeft();
    },
  );

  test('verifies a call whose Identity is compact', async () => {
    await using at = await redirect();
    const call = (await at.lab.peer()).call('INVITE', caller(`y: ${identityHeader()}`));
    const answer = await call.response(302);
    call.ackFailure(answer);
    expect(answer.value('P-Asserted-Identity')).toContain(';verstat=TN-Validation-Passed@');
  });

  test('answers a caller who hangs up meanwhile with 487, and drops the answer that comes too late', async () => {
    let finish: () => void = () => undefined;
    const verify = async (): Promise<never> => {
      await new Promise<void>((resolve) => void (finish = resolve));
      throw new Error('at last');
    };
    await using at = await redirect({ verify });
    const call = (await at.lab.peer()).call('INVITE', caller());
    await call.response(100);
    await at.lab.quiet();
    call.cancel();
    await call.response('200 CANCEL');
    call.ackFailure(await call.response(487));
    finish();
    await at.server.close();
    await at.lab.nothingLeft();
  });
});

describe('a call tracker', () => {
  interface At {
    readonly srf: AppSrf;
    readonly req: AppRequest;
    readonly res: AppResponse;
    readonly call: TrackedCall;
    readonly callees: readonly string[];
  }

  /** A caller, an application whose calls are tracked, and two callees. */
  async function tracked(handle: (at: At) => unknown) {
    const clock = new ManualClock();
    const sink = keepingSink();
    const troubles: unknown[] = [];
    const onTrouble = (error: unknown): void => void troubles.push(error);
    const tracker = new CallTracker({ source: { id: 'app-1', keepRaw: true }, sink, clock, onTrouble });
    const callees: SipPeer[] = [];
    const at = await application((srf) => {
      for (const handler of [tracker.middleware, everyStatus]) srf.use('invite', handler as Handler);
      srf.use('invite', (req, res) => {
        const { call } = (req as AppRequest & { readonly locals: { readonly call: TrackedCall } }).locals;
        void handle({ srf, req, res, call, callees: callees.map(({ uri }) => uri) });
      });
    }, clock);
    const { lab } = at;
    const [callee, second, caller] = [await lab.peer(), await lab.peer(), await lab.peer()];
    callees.push(callee, second);
    const call = caller.call('INVITE', { uri: 'sip:+12025550199@terminating.example', body: sdp('1') });
    return {
      ...{ lab, caller, call, records: sink.records, callee, second },
      [Symbol.asyncDispose]: async () => {
        await tracker.close();
        await at[Symbol.asyncDispose]();
        expect(troubles).toEqual([]);
        expect(tracker.statistics()).toMatchObject({ open: 0, lost: 0 });
      },
    };
  }

  /** Joins a call with the first callee. */
  const joined =
    (options: B2buaOptions) =>
    async ({ srf, req, res, call, callees: [uri = ''] }: At): Promise<void> => {
      const leg = srf.createB2BUA(
        req,
        res,
        uri,
        { responseHeaders: relayedHeaders as never, ...options },
        call.branch(),
      );
      // The record says why it failed.
      await leg.then(
        (dialogs) => call.connected(dialogs),
        () => undefined,
      );
    };

  const port = (peer: SipPeer): string => `${peer.host}:${peer.port}`;

  test('makes no second leg of credentials that are asked for', async () => {
    await using at = await tracked(joined({ auth: { username: 'me', password: 'secret' } }));
    const lines = ['Proxy-Authenticate: Digest realm="r", nonce="n"'];
    at.callee.reply(await at.callee.next('INVITE'), 407, { lines });
    await at.callee.next('ACK');
    at.callee.reply(await at.callee.next('INVITE'), 486);
    at.call.ackFailure(await at.call.response(486));
    await at.lab.nothingLeft();
    expect(at.records).toMatchObject([{ disposition: 'busy', release: { sipStatus: 486 } }]);
  });

  test('makes a leg of its own of a redirection that is followed', async () => {
    await using at = await tracked(joined({ followRedirects: true }));
    const contact = `<${at.second.uri}>`;
    at.callee.reply(await at.callee.next('INVITE'), 302, { contact, lines: [`Contact: ${contact}`] });
    at.second.reply(await at.second.next('INVITE'), 486);
    at.call.ackFailure(await at.call.response(486));
    await at.lab.nothingLeft();
    expect(at.records.map(({ release, egress }) => [release?.sipStatus, egress.address])).toEqual([
      [302, port(at.callee)],
      [486, port(at.second)],
    ]);
  });

  test('ends a call that the application answers and hangs up itself', async () => {
    await using at = await tracked(async ({ srf, req, res, call }) => {
      const uas = await srf.createUAS(req, res, { localSdp: sdp('2') });
      call.connected({ uas });
      uas.once('ack', () => void uas.destroy());
    });
    await at.call.answered();
    at.caller.reply(await at.caller.next('BYE'), 200);
    await at.lab.nothingLeft();
    expect(at.records).toMatchObject([{ disposition: 'answered', egress: {}, release: { party: 'network' } }]);
  });

  test('records what became of a call that the server proxies by itself, and no end', async () => {
    await using at = await tracked(async ({ srf, req, call, callees }) => {
      call.proxied(await srf.proxyRequest(req, callees, { remainInDialog: true }));
    });
    at.callee.reply(await at.callee.next('INVITE'), 486);
    at.second.reply(await at.second.next('INVITE'), 200, { body: sdp('2') });
    await at.call.answered();
    await at.lab.quiet();
    expect(at.records.map(({ disposition, egress, endedAtUs }) => [disposition, egress.address, endedAtUs])).toEqual([
      ['busy', port(at.callee), expect.any(Number)],
      ['answered', at.second.host, undefined],
    ]);
    expect(at.records.every(({ egress }) => egress.callId === at.call.callId)).toBe(true);
  });
});

describe('a refusal of the callee', () => {
  const BLOCKED = 'SIP;cause=603;text="v=analytics1;url=https://redress.example/a,b";location=LN';
  const CARD = '<https://card.example/1>;purpose=jwscard';

  type Join = (srf: AppSrf, parts: { req: AppRequest; res: AppResponse; uri: string }) => unknown;

  /** A caller, an application that joins, and a callee; `use` are the handlers that come first. */
  async function world(join: Join, use: readonly Handler[] = []) {
    const callees: SipPeer[] = [];
    const at = await application((srf) => {
      for (const handler of use) srf.use('invite', handler);
      srf.use('invite', (req, res) => void join(srf, { req, res, uri: callees[0]?.uri ?? '' }));
    });
    const callee = await at.lab.peer();
    callees.push(callee);
    return { ...at, callee, call: (await at.lab.peer()).call('INVITE', { body: sdp('1') }) };
  }

  test.each([607, 608])('of %i leaves the caller of drachtio-srf by itself without an answer', async (status) => {
    let failed: (error: unknown) => void = () => undefined;
    const failure = new Promise<unknown>((resolve) => (failed = resolve));
    await using at = await world((srf, { req, res, uri }) => srf.createB2BUA(req, res, uri, {}).catch(failed));
    at.callee.reply(await at.callee.next('INVITE'), status);
    // What it is rejected with says nothing of the callee.
    expect(await failure).not.toHaveProperty('status');
    // The server answers a CANCEL with 487 for a caller who has no final response yet.
    at.call.cancel();
    at.call.ackFailure(await at.call.response('487 INVITE'));
  });

  test.each([
    [607, 'Unwanted', 'Reason', 'SIP;cause=607;text="Unwanted, says the callee"'],
    [608, 'Rejected', 'Call-Info', CARD],
    [603, 'Network Blocked', 'Reason', BLOCKED],
    [603, 'Decline', 'Reason', undefined],
    [499, 'Of Our Own', 'Reason', undefined],
  ] as const)('of %i %s is relayed as it came behind everyStatus', async (status, reason, name, value) => {
    const relaying = { responseHeaders: relayedHeaders as never };
    await using at = await world(
      (srf, { req, res, uri }) => srf.createB2BUA(req, res, uri, relaying).catch(() => undefined),
      [everyStatus],
    );
    const values = value === undefined ? [] : [value];
    const lines = values.map((one) => `${name}: ${one}`);
    at.callee.reply(await at.callee.next('INVITE'), status, { reason, lines });
    const answer = await at.call.response(status);
    expect([answer.startLine, ...answer.values(name)]).toEqual([`SIP/2.0 ${status} ${reason}`, ...values]);
    at.call.ackFailure(answer);
    await at.lab.nothingLeft();
  });

  test('of two Reason header fields is relayed with both, and ours behind them', async () => {
    const own = 'STIR;cause=438;text="Invalid Identity Header"';
    await using at = await world((srf, { req, res, uri }) =>
      srf
        .createUAC(uri, { localSdp: req.body })
        .catch((error: unknown) => relayFailure(res, error, { reasonHeaders: [own] })),
    );
    const lines = [`Reason: ${BLOCKED}`, 'Reason: Q.850;cause=21'];
    at.callee.reply(await at.callee.next('INVITE'), 603, { reason: 'Network Blocked', lines });
    const answer = await at.call.response(603);
    expect([answer.reason, ...answer.values('Reason')]).toEqual(['Network Blocked', BLOCKED, 'Q.850;cause=21', own]);
    at.call.ackFailure(answer);
    await at.lab.nothingLeft();
  });

  test.each<readonly [string, readonly Handler[], (res: AppResponse) => void, number, RegExp]>([
    ['607 by relayFailure', [], (res) => relayFailure(res, { status: 607 }), 607, /^Unwanted$/],
    ['an error by relayFailure', [], (res) => relayFailure(res, new Error('x')), 500, /Error/],
    ['607', [everyStatus], (res) => res.send(607), 607, /^Unwanted$/],
    ['607 with options', [everyStatus], (res) => res.send(607, { headers: { 'X-A': '1' } }), 607, /^Unwanted$/],
    ['607 with a phrase', [everyStatus], (res) => res.send(607, 'Not Again', {}), 607, /^Not Again$/],
    ['607 and a callback', [everyStatus], (res) => res.send(607, 'Not Again', {}, () => undefined), 607, /^Not Again$/],
  ])('can be of the application itself: %s', async (...[, use, send, status, phrase]) => {
    let isSent = false;
    await using at = await world((_srf, { res }) => {
      send(res);
      isSent = res.finalResponseSent;
    }, use);
    const answer = await at.call.response(status);
    expect(answer.reason).toMatch(phrase);
    expect(isSent).toBe(true);
    at.call.ackFailure(answer);
    await at.lab.nothingLeft();
  });

  test('goes nowhere for a caller who was answered already', async () => {
    let again: boolean | undefined;
    await using at = await world((_srf, { res }) => {
      res.send(486);
      again = relayFailure(res, { status: 607 });
    });
    at.call.ackFailure(await at.call.response(486));
    expect(again).toBe(false);
  });

  test('behind everyStatus lets what a listener throws reach the sender of the response', async () => {
    const failure = new Error('of the application');
    const thrown: unknown[] = [];
    await using at = await world(
      (_srf, { res }) => {
        (res as unknown as NodeJS.EventEmitter).once('end', () => {
          throw failure;
        });
        try {
          res.send(486);
        } catch (error) {
          thrown.push(error);
        }
      },
      [everyStatus],
    );
    at.call.ackFailure(await at.call.response(486));
    expect(thrown).toEqual([failure]);
  });
});

// Whatever comes through the server is answered once.
const IDENTITY = identityHeader();
const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('<', '>', '"', ';', ',', '@', '%', '\r\n ', ':', 'sip:', 'tel:+1', '2025550101', 'urn:service:sos'),
  fc.constantFrom(IDENTITY, 'verstat=', ';tag=1', 'Identity: ', '\r\ny: ', '\r\nX-Mode: 1\r\n', '911', '<sip:9'),
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
/** What is in its place most of the time, so that some of the request is understood. */
const mostly = (...usual: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: text });

const inviteParts = fc.record({
  uri: mostly('sip:+12025550199@redirect.example', 'sip:+12025550199@strict.example'),
  from: mostly('<sip:+12025550101@sbc.example>;tag=a'),
  to: mostly('<sip:+12025550199@redirect.example>'),
  contact: mostly('<sip:sbc@127.0.0.1>'),
  identity: mostly(IDENTITY, ''),
  name: fc.constantFrom('X-Mode', 'Attestation', 'Privacy'),
  more: text,
});

const ANY_RULES: readonly RedirectRule[] = [
  { name: 'sign', mode: 'sign', facts: KNOWN_CUSTOMER, when: { header: { name: 'X-Mode' } } },
  {
    ...{ name: 'strict', mode: 'verify', when: { hosts: ['strict.example'] } },
    policy: { role: 'terminating', failureAction: 'reject_request', rejects: ['failed', 'unsigned', 'indeterminate'] },
  },
  { name: 'verify', mode: 'verify' },
];

test('an INVITE of any content that the drachtio server lets through gets one final answer of a redirect server', async () => {
  const server = new RedirectServer({
    ...{ rules: ANY_RULES, signing, verification: stir.service, profile: REDIRECT_PROFILES.attestation },
  });
  const statuses = new Set<number>();
  await using at = await application((srf) => srf.invite(server.invite), stir.clock);
  const peer = await at.lab.peer();
  await fc.assert(
    fc.asyncProperty(inviteParts, async ({ uri, from, to, contact, identity, name, more }) => {
      const callId = unique('any');
      const seen = peer.all.length;
      peer.send(
        [
          `INVITE ${uri} SIP/2.0`,
          ...[`Via: ${peer.via(newBranch())}`, `Call-ID: ${callId}`, 'CSeq: 1 INVITE', 'Max-Forwards: 70'],
          ...[`From: ${from}`, `To: ${to}`, `Contact: ${contact}`, `Identity: ${identity}`, `${name}: ${more}`],
          ...['Content-Length: 0', '', ''],
        ].join('\r\n'),
      );
      await at.lab.quiet();
      // Time stands still here: what comes twice was sent twice.
      const answers = peer.all.slice(seen).filter((came) => came.value('Call-ID') === callId);
      const finals = answers.filter(({ status }) => status >= 200);
      // 100 is the answer of the server to all that it hands on.
      expect(finals).toHaveLength(answers.length === 0 ? 0 : 1);
      for (const { status } of finals) statuses.add(status);
    }),
    { numRuns: 400 },
  );
  expect([...statuses]).toEqual(expect.arrayContaining([302, 404, 603]));
  await server.close();
}, 120_000);
