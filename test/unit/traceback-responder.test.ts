import { createPublicKey } from 'node:crypto';
import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import { createChannel } from '../../sdk/src/platform/sources/source-state.js';
import type {
  TracebackRequestArrival,
  TracebackRequestSource,
} from '../../sdk/src/platform/traceback-request-source.js';
import { createMemoryRecordStore } from '../../sdk/src/records/index.js';
import {
  createLocalAnswerSigner,
  TrunkDirectory,
  officeDeadline,
  storeKnowledge,
} from '../../sdk/src/traceback/index.js';
import type { EvidenceMaterial, TracebackRequest } from '../../sdk/src/traceback/index.js';
import {
  ANSWER_KEY_PEM,
  answerIn,
  askedResponder,
  evidenceWriter,
  notice,
  openResponder,
  PACK,
  pass,
  receiptOf,
  requests,
  turns,
} from '../support/responder-lab.js';
import type { EvidenceKeeper } from '../support/responder-lab.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';
import {
  aCandidate,
  aDecision,
  aLeg,
  aRequest,
  CALL_US,
  FIRST_ID,
  HOUR_US,
  SECOND_ID,
  SEVERAL_CALLS,
  uniqueOf,
  UPSTREAM,
} from '../support/traceback-cases.js';

test('a request goes from received to acknowledged without a person, signed and with its receipt kept', async () => {
  await using lab = await openResponder();
  const { responder, desk } = lab;
  expect(await responder.submit(aRequest())).toMatchObject({ status: 'accepted' });
  await responder.settled();
  const entry = responder.entry('r-1');
  const [signed] = entry?.answers ?? [];
  expect(signed?.delivery).toMatchObject({ state: 'acknowledged', receivedAt: '2026-11-02T18:00:00Z' });
  const verified = await compactVerify(signed?.jws ?? '', createPublicKey(ANSWER_KEY_PEM));
  expect(verified.protectedHeader).toEqual({ alg: 'ES256', kid: 'answers-1', typ: 'traceback-answer+jws' });
  expect(JSON.parse(new TextDecoder().decode(verified.payload))).toMatchObject({
    answerId: signed?.answer.answerId,
    requestId: 'r-1',
    revision: 1,
    answeredBy: { kind: 'automatic', policyId: 'hopback-traceback-1' },
    finding: { arm: 'received-from', upstream: UPSTREAM },
  });
  expect(desk.deliveries).toHaveLength(1);
  expect(responder.statistics()).toMatchObject({
    requests: { acknowledged: 1 },
    backlog: 0,
    automatic: 1,
    automaticRate: 1,
    answersByArm: { 'received-from': 1 },
    deadlineMarginSeconds: { count: 1, sum: 86_400 },
  });
});

test('a request that comes again is answered once, during and after', async () => {
  await using lab = await openResponder();
  const { responder, desk } = lab;
  const submitted = await Promise.all([1, 2, 3].map(() => responder.submit(aRequest())));
  expect(submitted.map(({ status }) => status)).toEqual(['accepted', 'known', 'known']);
  await responder.settled();
  expect(await responder.submit(aRequest())).toEqual({ status: 'known', state: 'acknowledged' });
  await responder.settled();
  expect(desk.deliveries).toHaveLength(1);
  expect(responder.statistics()).toMatchObject({ received: 1, repeats: 3 });
});

test('what a machine should not decide waits for a person, whose decision is signed in their name', async () => {
  await using lab = await askedResponder({ findMatch: async () => SEVERAL_CALLS });
  const { responder, desk, events } = lab;
  expect(responder.list()).toMatchObject([{ requestId: 'r-1', state: 'review', queue: 'traceback' }]);
  expect(events).toMatchObject([{ kind: 'review-wanted', requestId: 'r-1', queue: 'traceback' }]);
  expect(responder.review('r-1')?.candidates).toHaveLength(2);
  expect(await responder.decide(aDecision({ candidate: 'g-9' }))).toMatchObject({ status: 'refused' });
  expect(await responder.decide(aDecision())).toMatchObject({ status: 'accepted', revision: 1 });
  expect(await responder.decide(aDecision())).toEqual({ status: 'repeated' });
  await responder.settled();
  const answer = answerIn(desk.deliveries[0]?.jws ?? '');
  expect(answer).toMatchObject({
    answeredBy: { kind: 'person', name: 'duty engineer' },
    finding: { arm: 'received-from', upstream: UPSTREAM },
  });
  expect(events.map(({ kind }) => kind)).toEqual(['review-wanted', 'answer-sent']);
  expect(responder.statistics()).toMatchObject({ byPerson: 1, automatic: 0, automaticRate: 0 });
});

test('an answer is amended by another revision that names the one before and the reason', async () => {
  await using lab = await askedResponder();
  const { responder, desk } = lab;
  expect(await responder.decide(aDecision({ arm: 'refused', reason: 'x' }))).toMatchObject({ status: 'refused' });
  const amended = aDecision({
    decisionId: 'd-2',
    provider: { name: 'Another Carrier Inc' },
    amendReason: 'the trunk was written down wrongly',
    despite: ['not-as-directory'],
  });
  expect(await responder.decide(amended)).toMatchObject({ status: 'accepted', revision: 2 });
  await responder.settled();
  const [first, second] = desk.deliveries.map(({ jws }) => answerIn(jws));
  expect(second).toMatchObject({
    revision: 2,
    amends: { answerId: first?.answerId, reason: 'the trunk was written down wrongly' },
    finding: { arm: 'received-from', upstream: { name: 'Another Carrier Inc' } },
  });
  expect(second?.answerId).not.toBe(first?.answerId);
  expect(responder.entry('r-1')?.answers.map(({ delivery }) => delivery.state)).toEqual([
    'acknowledged',
    'acknowledged',
  ]);
  expect(responder.statistics().amended).toBe(1);
});

test('a trace forward goes to a person, and is answered with its own arms', async () => {
  await using lab = await openResponder({ findMatch: () => Promise.reject(new Error('not to be asked')) });
  const { responder, desk } = lab;
  await responder.submit(aRequest({ direction: 'forward' }));
  await responder.settled();
  const { candidate: _none, ...base } = aDecision({
    arm: 'number-served-by',
    provider: { name: 'Another Carrier Inc' },
  });
  expect(await responder.decide(base)).toMatchObject({ status: 'accepted' });
  await responder.settled();
  expect(answerIn(desk.deliveries[0]?.jws ?? '').finding.arm).toBe('number-served-by');
});

test('while the platform is away answers wait, and go out in the same bytes when it is back', async () => {
  await using lab = await openResponder({ fault: () => ({ status: 'unavailable', detail: 'down' }) });
  const { responder, clock, desk } = lab;
  for (const request of requests(100)) await responder.submit(request);
  await responder.settled();
  expect(responder.statistics()).toMatchObject({ requests: { signed: 100 }, backlog: 100, breaker: 'open' });
  // After five failures no more deliveries begin, apart from those that were under way.
  expect(desk.deliveries.length).toBeLessThan(5 + 32);
  for (let round = 0; round < 20; round += 1) {
    clock.advance(600_000);
    await responder.settled();
  }
  desk.setFault(undefined);
  for (let round = 0; round < 20 && responder.statistics().backlog > 0; round += 1) {
    clock.advance(600_000);
    await responder.settled();
  }
  expect(responder.statistics()).toMatchObject({ requests: { acknowledged: 100 }, breaker: 'closed' });
  expect(desk.taken.size).toBe(100);
  expect(desk.contradictions()).toBe(0);
});

test('Retry-After is kept', async () => {
  await using lab = await askedResponder({
    fault: () => ({ status: 'unavailable', detail: 'busy', retryAfterMs: 120_000 }),
  });
  const { responder, clock, desk } = lab;
  desk.setFault(undefined);
  clock.advance(119_999);
  await responder.settled();
  expect(desk.deliveries).toHaveLength(1);
  clock.advance(1);
  await responder.settled();
  expect(desk.deliveries).toHaveLength(2);
});

test('an answer that the platform refuses goes to a person, who may give another', async () => {
  await using lab = await askedResponder({
    fault: () => ({ status: 'refused', reason: 'content', detail: 'no such provider' }),
  });
  const { responder, events, desk } = lab;
  expect(responder.list()[0]?.state).toBe('blocked');
  expect(events.at(-1)).toMatchObject({ kind: 'answer-refused' });
  desk.setFault(undefined);
  await responder.decide(aDecision({ amendReason: 'the platform refused the first' }));
  await responder.settled();
  expect(responder.list()[0]?.state).toBe('acknowledged');
  expect(desk.taken.size).toBe(1);
  // A refused answer is not amended, and its id and key are used up.
  const [refused, taken] = desk.deliveries.map(({ jws }) => answerIn(jws));
  expect(taken).toMatchObject({ revision: 1 });
  expect(taken?.amends).toBeUndefined();
  expect(taken?.answerId).not.toBe(refused?.answerId);
});

test.each([
  ['no signature', () => 'nonsense'],
  ['another answer', (jws: string) => receiptOf({ requestId: 'r-1', answerId: 'a-other', jws, idempotencyKey: 'x' })],
])(
  'a receipt with %s acknowledges nothing: the same bytes are sent until a good one is there',
  async (_claim, receipt) => {
    await using lab = await openResponder({ fault: ({ jws }) => ({ status: 'taken', receipt: receipt(jws) }) });
    const { responder, clock, desk } = lab;
    await responder.submit(aRequest());
    await responder.settled();
    expect(responder.list()[0]?.state).toBe('sent');
    expect(responder.statistics().failures.receipt).toBeGreaterThan(0);
    desk.setFault(undefined);
    clock.advance(600_000);
    await responder.settled();
    expect(responder.list()[0]?.state).toBe('acknowledged');
    expect(desk.contradictions()).toBe(0);
  },
);

test('a request that is cancelled is not answered, whether it came before or comes after', async () => {
  await using lab = await askedResponder({ findMatch: async () => SEVERAL_CALLS });
  const { responder, desk } = lab;
  await responder.cancel('r-1');
  await responder.cancel('r-2');
  await responder.submit(aRequest({ requestId: 'r-2' }));
  await responder.settled();
  expect(responder.list().map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  expect(await responder.decide(aDecision())).toMatchObject({ status: 'refused' });
  expect(desk.deliveries).toHaveLength(0);
});

test.each([
  ['waits for a person', () => Promise.resolve(SEVERAL_CALLS)],
  ['cannot be looked for', () => Promise.reject(new Error('no store'))],
])('escalation steps are taken once each while a call %s', async (_what, findMatch) => {
  await using lab = await openResponder({ findMatch });
  const { responder, events } = lab;
  await responder.submit(aRequest());
  const steps = (): readonly unknown[] =>
    events.flatMap((event) => (event.kind === 'escalation' ? [[event.step, event.to]] : []));
  await pass(lab, 19 * 3_600_000);
  expect(steps()).toEqual([]);
  await pass(lab, 3_600_000);
  expect(steps()).toEqual([[1, 'queue']]);
  await pass(lab, 6 * 3_600_000);
  expect(steps()).toEqual([
    [1, 'queue'],
    [2, 'on-call'],
    [3, 'management'],
  ]);
  expect(responder.statistics()).toMatchObject({ escalations: 3, overdue: 1 });
  await pass(lab, 48 * 3_600_000);
  expect(steps()).toHaveLength(3);
});

test('the signed answer names its evidence, and the pack gets the answer', async () => {
  const attached: unknown[] = [];
  const written: EvidenceMaterial[] = [];
  const keeper = evidenceWriter();
  const evidence: EvidenceKeeper = {
    write: (material) => {
      written.push(material);
      return keeper.write(material);
    },
    attachAnswer: (packId, signed) => {
      attached.push(signed);
      return keeper.attachAnswer(packId, signed);
    },
  };
  await using lab = await openResponder({ evidence });
  const { responder, desk } = lab;
  await responder.submit(aRequest(), {
    via: 'e-mail',
    original: { bytes: Buffer.from('From: x'), mediaType: 'message/rfc822' },
  });
  await responder.settled();
  const jws = desk.deliveries[0]?.jws ?? '';
  expect(answerIn(jws).evidence).toMatchObject({ packId: 'p-r-1', leafIndex: 7 });
  // Before the platform has it, and with the receipt.
  expect(attached).toEqual([
    { answerJws: jws },
    { answerJws: jws, receiptJws: expect.stringContaining('a-') as unknown },
  ]);
  expect(written).toMatchObject([
    {
      received: { mediaType: 'message/rfc822', channel: 'e-mail' },
      records: [{ recordId: aLeg().recordId }],
      decision: {
        outcome: 'automatic',
        steps: expect.arrayContaining([expect.objectContaining({ rule: 'downstream', result: 'passed' })]) as unknown,
      },
    },
  ]);
});

test.each([
  ['ambiguous', [FIRST_ID, SECOND_ID]],
  ['not-found', [FIRST_ID, SECOND_ID]],
  ['received-from', [FIRST_ID]],
  ['refused', []],
] as const)('the evidence of %s has the records of %j of two calls that were found', async (arm, recordIds) => {
  const written: EvidenceMaterial[] = [];
  const evidence = evidenceWriter({
    write: (material) => {
      written.push(material);
      return Promise.resolve(PACK);
    },
  });
  await using lab = await askedResponder({ evidence, findMatch: async () => SEVERAL_CALLS });
  const { responder } = lab;
  const { candidate: _first, ...decided } = aDecision({
    ...{ arm, despite: arm === 'not-found' ? ['calls-found'] : [] },
    ...(arm === 'refused' ? { reason: 'privilege' } : {}),
  });
  const taken = await responder.decide(arm === 'received-from' ? aDecision() : decided);
  expect(taken).toMatchObject({ status: 'accepted' });
  await responder.settled();
  expect(written.map(({ answer }) => answer.finding.arm)).toEqual([arm]);
  expect(written[0]?.records.map(({ recordId }) => recordId)).toEqual(recordIds);
});

test('where the journal is full new requests are refused, and closed ones make room', async () => {
  await using lab = await openResponder({
    findMatch: ({ requestId }) => Promise.resolve(requestId === 'r-1' ? uniqueOf() : SEVERAL_CALLS),
    limits: { requests: 3 },
  });
  const { responder } = lab;
  for (const request of requests(3)) await responder.submit(request);
  await responder.settled();
  expect(await responder.submit(aRequest({ requestId: 'r-4' }))).toMatchObject({ status: 'accepted' });
  expect(responder.list().map(({ requestId }) => requestId)).toEqual(['r-2', 'r-3', 'r-4']);
  expect(await responder.submit(aRequest({ requestId: 'r-5' }))).toEqual({ status: 'refused', reason: 'full' });
});

test('what a source brings is acknowledged once it is durable, and let go where it cannot be', async () => {
  const files = createSimulatedLogFiles();
  const { source, give, said } = sourceOf();
  await using lab = await openResponder({ files, requests: source });
  const { responder, clock } = lab;
  files.setFault((operation) => (operation === 'datasync' ? 'EIO' : undefined));
  give(aRequest());
  await turns();
  expect(said).toEqual(['released r-1']);
  files.setFault(undefined);
  clock.advance(60_000);
  await turns();
  give(aRequest());
  give(aRequest());
  await turns();
  await responder.settled();
  await turns();
  expect(said).toEqual(['released r-1', 'acknowledged r-1', 'acknowledged r-1']);
  await responder.settled();
  expect(responder.list()[0]?.state).toBe('acknowledged');
});

function sourceOf() {
  const channel = createChannel<TracebackRequestArrival>();
  const said: string[] = [];
  const source: TracebackRequestSource = {
    [Symbol.asyncIterator]: () => channel.values(() => undefined),
    close: () => {
      channel.end();
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const give = (request: TracebackRequest): void => {
    channel.put({
      kind: 'request',
      request,
      receivedAtMs: 1_790_000_000_000,
      via: 'poll',
      acknowledge: () => {
        said.push(`acknowledged ${request.requestId}`);
        return Promise.resolve();
      },
      release: () => void said.push(`released ${request.requestId}`),
    });
  };
  return { source, give, said };
}

test('notices of the Commission are tracked: 48 hours and 14 days, each with its reminders', async () => {
  await using lab = await openResponder();
  const { responder, clock, events } = lab;
  const receivedAtMs = clock.nowMs();
  await responder.trackNotice(notice(receivedAtMs, 49, 13 * 24));
  await responder.trackNotice(notice(receivedAtMs, 49, 13 * 24));
  const due = (): readonly string[] =>
    events.flatMap((event) => (event.kind === 'notice-due' ? [`${event.part} ${event.to}`] : []));
  expect(responder.notices()[0]?.mitigation.dueAtMs).toBe(receivedAtMs + 48 * 3_600_000);
  await pass(lab, 44 * 3_600_000);
  expect(due()).toEqual(['mitigation queue']);
  expect(await responder.noticeAnswered('n-1', 'mitigation')).toBe(true);
  await pass(lab, 10 * 3_600_000);
  expect(due()).toEqual(['mitigation queue']);
  expect(responder.statistics().openNotices).toBe(1);
  await pass(lab, 12 * 24 * 3_600_000);
  expect(due().slice(1)).toEqual(['report queue', 'report on-call', 'report management']);
  expect(await responder.noticeAnswered('n-2', 'report')).toBe(false);
});

test('a closed responder takes nothing, and may be closed again', async () => {
  const { responder } = await openResponder();
  await responder.close();
  await responder.close();
  await expect(responder.submit(aRequest())).rejects.toMatchObject({ code: 'closed' });
});

test.each([{ requests: 0 }, { concurrency: 65 }, { matchTimeoutMs: 0 }, { inboxPollMs: 1.5 }])(
  'a limit out of its bounds is refused: %j',
  async (limits) => {
    await expect(openResponder({ limits })).rejects.toMatchObject({ code: 'invalid-argument' });
  },
);

test('a key that signs calls does not sign answers', async () => {
  const callSigningKeysPem = [createPublicKey(ANSWER_KEY_PEM).export({ type: 'spki', format: 'pem' }).toString()];
  const options = { privateKeyPem: ANSWER_KEY_PEM, keyId: 'k', callSigningKeysPem };
  await expect(createLocalAnswerSigner(options)).rejects.toMatchObject({ code: 'key-unusable' });
});

test.each([
  [undefined, '2026-11-03T17:00:00Z'],
  ['2026-11-02T20:00:00Z', '2026-11-02T20:00:00Z'],
  ['2026-11-09T20:00:00Z', '2026-11-03T17:00:00Z'],
  ['2026-11-01T20:00:00Z', '2026-11-03T17:00:00Z'],
])('a request received on 2 November at 17:00 that asks for an answer by %s is due at %s', (dueAt, expected) => {
  const request = aRequest(dueAt === undefined ? {} : { dueAt });
  const { dueAtMs } = officeDeadline({ zone: 'America/New_York' })(request, Date.UTC(2026, 10, 2, 17));
  expect(dueAtMs).toBe(Date.parse(expected));
});

test('knowledge of a store: a call under a hold is held, and a store that knows no holds holds everything', async () => {
  await using store = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 + 3_600_000 } });
  await store.insert([aLeg()]);
  await store.cover({ sourceId: 'sbc-1', fromUs: CALL_US - HOUR_US, toUs: CALL_US + HOUR_US });
  const trunks = new TrunkDirectory({ directoryId: 'd', providers: [], entries: [] });
  const knowledge = storeKnowledge(store, { trunks });
  expect(await knowledge.sources()).toEqual(['sbc-1']);
  expect(await knowledge.isHeld(aCandidate())).toBe(false);
  await store.hold({ reason: 'x', query: { trunk: 'in-1', window: { fromUs: CALL_US, toUs: CALL_US } } });
  expect(await knowledge.isHeld(aCandidate())).toBe(true);
  expect(await knowledge.isHeld(aCandidate({ leg: { ingress: { trunk: 'in-2' } } }))).toBe(false);
  const { holds: _holds, ...lookup } = store;
  expect(await storeKnowledge(lookup, { trunks }).isHeld(aCandidate())).toBe(true);
});
