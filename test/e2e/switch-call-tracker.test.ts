import {
  createCallTracker,
  everyStatus,
  outboundHeaders,
  relayedHeaders,
  trunkPolicy,
  verifyIdentity,
} from '@hopback/sdk/switch';
import type { BranchOptions, CallIdentity, CallTracker, TrackedCall } from '@hopback/sdk/switch';
import { createPassport } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { connectApp } from '../support/drachtio-app.js';
import type { AppDialog, AppRequest, AppResponse, AppSrf, B2buaOptions, Handler } from '../support/drachtio-app.js';
import { createLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import type { CallParts, SipPeer } from '../support/sip-peer.js';
import { keepingSink } from '../support/tracked-calls.js';
import { createVerificationLab } from '../support/verification-lab.js';

// drachtio-srf as it is published, behind the embedded server: what happens to its requests, responses and dialogs is what the tracker lives on.

type TrackedRequest = AppRequest & {
  readonly locals: { readonly call: TrackedCall; readonly identity?: CallIdentity };
};

interface At {
  readonly srf: AppSrf;
  readonly req: TrackedRequest;
  readonly res: AppResponse;
  readonly call: TrackedCall;
  readonly callees: readonly SipPeer[];
}

/** A caller, an application whose calls are tracked, and two callees. */
async function world(handle: (at: At) => unknown, { use = [], parts = {}, clock }: WorldOptions = {}) {
  const lab = await createLab(clock === undefined ? {} : { clock });
  const sink = keepingSink();
  const troubles: unknown[] = [];
  const tracker: CallTracker = createCallTracker({
    ...{ source: { id: 'app-1', keepRaw: true }, sink, clock: lab.clock, trunkOf: () => 'upstream-1' },
    onTrouble: (error) => troubles.push(error),
  });
  const callees = [await lab.peer(), await lab.peer()];
  const app = await connectApp(lab.server, {
    setUp: (srf) => {
      for (const handler of [tracker.middleware, everyStatus, ...use]) srf.use('invite', handler as Handler);
      srf.use('invite', (request, res) => {
        const req = request as TrackedRequest;
        void handle({ srf, req, res, call: req.locals.call, callees });
      });
    },
  });
  await lab.quiet();
  const caller = await lab.peer();
  const call = caller.call('INVITE', {
    ...{ uri: 'sip:+12025550199@terminating.example', from: '<sip:+12025550101@originating.example>', body: sdp('1') },
    ...parts,
  });
  return {
    ...{ lab, caller, call, tracker, srf: app.srf, records: sink.records, callee: callees[0]!, second: callees[1]! },
    [Symbol.asyncDispose]: async () => {
      await tracker.close();
      await app[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
      expect(troubles).toEqual([]);
      expect(tracker.statistics()).toMatchObject({ open: 0, lost: 0 });
    },
  };
}

interface WorldOptions {
  readonly use?: readonly unknown[];
  readonly parts?: CallParts;
  readonly clock?: Awaited<ReturnType<typeof createVerificationLab>>['clock'];
}

/** Joins a call with the first callee, as an application does that hangs up one side after the other. */
async function join({ srf, req, res, call, callees }: At, options: B2buaOptions = {}, branch: BranchOptions = {}) {
  const uri = callees[0]!.uri;
  const settings = { responseHeaders: relayedHeaders as never, ...options };
  try {
    const { uas, uac } = call.connected(
      await srf.createB2BUA(req, res, uri, settings, call.branch({ trunk: 'downstream-1', ...branch })),
    );
    uas.on('destroy', () => void uac.destroy());
    uac.on('destroy', () => void uas.destroy());
  } catch {
    // The record says why.
  }
}

const port = (peer: SipPeer): string => `${peer.host}:${peer.port}`;

test.each(['calling', 'called'] as const)('a joined call that the %s party hangs up', async (party) => {
  await using at = await world(join);
  const invite = await at.callee.next('INVITE');
  at.callee.reply(invite, 180);
  at.lab.clock.advance(3_000);
  at.callee.reply(invite, 200, { body: sdp('2') });
  await at.call.response(200);
  at.call.ack();
  await at.callee.next('ACK');
  await at.lab.quiet();
  at.lab.clock.advance(60_000);
  if (party === 'calling') {
    at.call.request('BYE');
    await at.call.response('200 BYE');
    at.callee.reply(await at.callee.next('BYE'), 200);
  } else {
    const back = at.callee.dialog(invite);
    back.request('BYE', { lines: ['Reason: Q.850;cause=16'] });
    await back.response('200 BYE');
    at.caller.reply(await at.caller.next('BYE'), 200);
  }
  await at.lab.nothingLeft();
  const [record, ...others] = at.records;
  expect(others).toEqual([]);
  expect(record).toMatchObject({
    ...{ disposition: 'answered', release: { party } },
    ...{ calling: { tn: '12025550101' }, called: { tn: '12025550199' } },
    ingress: { trunk: 'upstream-1', address: port(at.caller), callId: at.call.callId },
    egress: { trunk: 'downstream-1', address: port(at.callee), callId: invite.value('Call-ID') },
  });
  expect([record!.answeredAtUs! - record!.inviteAtUs, record!.endedAtUs! - record!.answeredAtUs!]).toEqual([
    3_000_000, 60_000_000,
  ]);
  // Both INVITEs, the answer and the BYE.
  expect(record!.source.raw).toHaveLength(4);
});

test('a joined call that both hang up at once is one record', async () => {
  await using at = await world(async ({ srf, req, res, call, callees }) => {
    const { uas, uac } = call.connected(await srf.createB2BUA(req, res, callees[0]!.uri, {}, call.branch()));
    // There is nothing left to end.
    uas.on('destroy', () => void uac.destroy().catch(() => undefined));
    uac.on('destroy', () => void uas.destroy().catch(() => undefined));
  });
  const invite = await at.callee.next('INVITE');
  at.callee.reply(invite, 200, { body: sdp('2') });
  await at.call.response(200);
  at.call.ack();
  await at.callee.next('ACK');
  await at.lab.quiet();
  const back = at.callee.dialog(invite);
  at.call.request('BYE');
  back.request('BYE');
  await Promise.all([at.call.response('200 BYE'), back.response('200 BYE')]);
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition: 'answered', endedAtUs: expect.any(Number) as number }]);
});

test.each([
  [486, 'Busy Here', 'busy', undefined],
  [603, 'Decline', 'rejected', undefined],
  [603, 'Network Blocked', 'blocked', 'analytics engine (603 Network Blocked)'],
  [607, 'Unwanted', 'blocked', 'called party (607 Unwanted)'],
  [503, 'Service Unavailable', 'failed', undefined],
] as const)('a call that the callee ends with %i %s is on record as %s', async (status, reason, disposition, by) => {
  await using at = await world(join);
  at.callee.reply(await at.callee.next('INVITE'), status, { reason, lines: ['Reason: Q.850;cause=21'] });
  at.call.ackFailure(await at.call.response(status));
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition, release: { sipStatus: status, q850Cause: 21 } }]);
  expect(at.records[0]!.blockedBy).toBe(by);
});

test('a caller who gives up while it rings has cancelled', async () => {
  await using at = await world(join);
  const invite = await at.callee.next('INVITE');
  at.callee.reply(invite, 180);
  await at.call.response(180);
  at.call.cancel();
  at.call.ackFailure(await at.call.response('487 INVITE'));
  at.callee.reply(await at.callee.next('CANCEL'), 200);
  at.callee.reply(invite, 487);
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([
    { disposition: 'cancelled', release: { party: 'calling' }, egress: { callId: invite.value('Call-ID') } },
  ]);
});

test('nobody answers until the server gives up', async () => {
  await using at = await world(join);
  await at.callee.next('INVITE');
  await at.lab.pass(32_000);
  at.call.ackFailure(await at.call.response(408));
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition: 'no-answer', release: { sipStatus: 408 } }]);
});

test('a leg that the server does not send is on record as failed', async () => {
  await using at = await world(({ srf, req, res, call }) =>
    srf
      .createB2BUA(req, res, at.lab.server.uri('udp'), {}, call.branch({ trunk: 'downstream-1' }))
      .catch(() => undefined),
  );
  at.call.ackFailure(await at.call.response(500));
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition: 'failed', egress: { trunk: 'downstream-1' } }]);
});

test('credentials that are asked for make no second leg', async () => {
  await using at = await world((one) => join(one, { auth: { username: 'me', password: 'secret' } }));
  const lines = ['Proxy-Authenticate: Digest realm="r", nonce="n"'];
  at.callee.reply(await at.callee.next('INVITE'), 407, { lines });
  await at.callee.next('ACK');
  at.callee.reply(await at.callee.next('INVITE'), 486);
  at.call.ackFailure(await at.call.response(486));
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition: 'busy', release: { sipStatus: 486 } }]);
});

test('a redirection that is followed is a leg of its own', async () => {
  await using at = await world((one) => join(one, { followRedirects: true }));
  at.callee.reply(await at.callee.next('INVITE'), 302, {
    contact: `<${at.second.uri}>`,
    lines: [`Contact: <${at.second.uri}>`],
  });
  const invite = await at.second.next('INVITE');
  at.second.reply(invite, 486);
  at.call.ackFailure(await at.call.response(486));
  await at.lab.nothingLeft();
  expect(at.records.map(({ release, egress }) => [release?.sipStatus, egress.address])).toEqual([
    [302, port(at.callee)],
    [486, port(at.second)],
  ]);
});

/** Rings two callees at once, and calls off the one that loses. */
async function fork({ srf, req, res, call, callees }: At): Promise<void> {
  const sent: AppRequest[] = [];
  const tries = callees.map(async ({ uri }, index) => {
    const { cbRequest } = call.branch({ trunk: `downstream-${index}` });
    const one: { dialog?: AppDialog } = {};
    one.dialog = await srf.createUAC(
      uri,
      { localSdp: req.body },
      {
        cbRequest: (error, request) => {
          cbRequest(error, request);
          sent[index] = request;
        },
      },
    );
    return { index, uac: one.dialog };
  });
  const { index, uac } = await Promise.any(tries);
  sent[1 - index]!.cancel();
  const uas = await srf.createUAS(req, res, { localSdp: uac.remote.sdp });
  call.connected({ uas, uac });
  uas.on('destroy', () => void uac.destroy());
  await Promise.allSettled(tries);
}

test('of two callees who ring at once each has a record', async () => {
  await using at = await world(fork);
  const [first, second] = [await at.callee.next('INVITE'), await at.second.next('INVITE')];
  at.callee.reply(first, 180);
  at.second.reply(second, 180);
  await at.lab.quiet();
  at.second.reply(second, 200, { body: sdp('2') });
  await at.call.response(200);
  at.call.ack();
  at.callee.reply(await at.callee.next('CANCEL'), 200);
  at.callee.reply(first, 487);
  await at.lab.quiet();
  at.call.request('BYE');
  await at.call.response('200 BYE');
  at.second.reply(await at.second.next('BYE'), 200);
  await at.lab.nothingLeft();
  expect(at.records.map(({ egress, disposition, release }) => [egress.trunk, disposition, release])).toEqual([
    ['downstream-0', 'cancelled', { sipStatus: 487 }],
    ['downstream-1', 'answered', { party: 'calling' }],
  ]);
  expect(at.records.every(({ callGroupId }) => callGroupId === at.call.callId)).toBe(true);
});

test('a call that the application answers and hangs up itself', async () => {
  await using at = await world(async ({ srf, req, res, call }) => {
    const uas = await srf.createUAS(req, res, { localSdp: sdp('2') });
    call.connected({ uas });
    uas.once('ack', () => void uas.destroy());
  });
  await at.call.response(200);
  at.call.ack();
  at.caller.reply(await at.caller.next('BYE'), 200);
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition: 'answered', egress: {}, release: { party: 'network' } }]);
});

test('a call whose answer nobody acknowledges is ended by the server', async () => {
  await using at = await world(async ({ srf, req, res, call }) => {
    call.connected({ uas: await srf.createUAS(req, res, { localSdp: sdp('2') }) });
  });
  await at.call.response(200);
  await at.lab.pass(32_000);
  at.caller.reply(await at.caller.next('BYE'), 200);
  await at.lab.nothingLeft();
  expect(at.records).toMatchObject([{ disposition: 'answered', release: { party: 'network' } }]);
});

test('a call that the application places itself', async () => {
  await using at = await world(({ res }) => res.send(480));
  at.call.ackFailure(await at.call.response(480));
  const placed = at.tracker.place({ customerId: 'customer-9' });
  const joined = at.srf.createUAC(at.callee.uri, { localSdp: sdp('1'), callingNumber: '12025550101' }, placed.branch());
  const invite = await at.callee.next('INVITE');
  at.callee.reply(invite, 200, { body: sdp('2') });
  placed.connected({ uac: await joined });
  await at.callee.next('ACK');
  const back = at.callee.dialog(invite);
  back.request('BYE');
  await back.response('200 BYE');
  await at.lab.nothingLeft();
  expect(at.records.slice(1)).toMatchObject([
    {
      ...{ disposition: 'answered', customerId: 'customer-9', calling: { tn: '12025550101' }, ingress: {} },
      ...{ egress: { address: port(at.callee) }, release: { party: 'called' } },
    },
  ]);
});

test('a call that the server proxies by itself has what became of it, and no end', async () => {
  await using at = await world(async ({ srf, req, call, callees }) => {
    const destinations = callees.map(({ uri }) => uri);
    call.proxied(await srf.proxyRequest(req, destinations, { remainInDialog: true }));
  });
  at.callee.reply(await at.callee.next('INVITE'), 486);
  at.second.reply(await at.second.next('INVITE'), 200, { body: sdp('2') });
  await at.call.response(200);
  at.call.ack();
  await at.lab.quiet();
  expect(at.records.map(({ disposition, egress, endedAtUs }) => [disposition, egress.address, endedAtUs])).toEqual([
    ['busy', port(at.callee), expect.any(Number)],
    ['answered', at.second.host, undefined],
  ]);
  expect(at.records.every(({ egress }) => egress.callId === at.call.callId)).toBe(true);
});

test('a spoofed call that policy refuses is on record with its verdict, and a good one with its signer', async () => {
  const stir = await createVerificationLab();
  const iatSeconds = Math.floor(stir.clock.nowMs() / 1_000);
  const { identityHeader } = createPassport({ signer: stir.provider, x5u: stir.x5u, iatSeconds });
  const policy = trunkPolicy({ role: 'terminating', failureAction: 'reject_request' });
  const use = [verifyIdentity({ service: stir.service, policyOf: () => policy })];
  const send = async (from: string) => {
    const parts: CallParts = { from: `<sip:+${from}@originating.example>`, lines: [`Identity: ${identityHeader}`] };
    const onward = async (one: At) => {
      const { identity } = one.req.locals;
      const { headers, signing } = await outboundHeaders(one.req, identity === undefined ? {} : { identity });
      await join(one, { headers }, { signing });
    };
    return world(onward, { use, parts: { ...parts, to: '<sip:+12025550199@terminating.example>' }, clock: stir.clock });
  };
  await using spoofed = await send('12025550166');
  spoofed.call.ackFailure(await spoofed.call.response(438));
  expect(spoofed.records).toMatchObject([
    {
      ...{ disposition: 'blocked', blockedBy: 'policy of the trunk (failed)', release: { sipStatus: 438 } },
      ...{ calling: { tn: '12025550166' }, received: { verstat: 'No-TN-Validation' } },
    },
  ]);
  await using good = await send('12025550101');
  good.callee.reply(await good.callee.next('INVITE'), 486);
  good.call.ackFailure(await good.call.response(486));
  expect(good.records).toMatchObject([
    { disposition: 'busy', received: { verstat: 'TN-Validation-Passed', attestation: 'A', spc: '1234' } },
  ]);
});
