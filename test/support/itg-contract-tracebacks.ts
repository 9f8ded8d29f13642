import { createPublicKey } from 'node:crypto';
import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import type { AnswerReceipt, FccNotice, TracebackOpening } from '../../sdk/src/platform/index.js';
import type { TracebackFinding } from '../../sdk/src/traceback/index.js';
import { expectPaged, refusal } from './itg-contract-world.js';
import type { ContractWorld } from './itg-contract-world.js';
import { signAnswer } from './itg-reference.js';

/** Tracebacks, the requests in them, and notices of the Commission. */
export function tracebackContractClaims(engine: string, opened: () => ContractWorld): void {
  test(`${engine}: a traceback is opened once for each key, and each sees of it what is its business`, async () => {
    const { lab, birch, cedar, texas, ohio, clerk, app, as } = opened();
    const staff = (await as(lab.operator)).tracebacks;
    const first = await staff.create(callAt(0), { idempotencyKey: 'opening-0' });
    expect(first).toMatchObject({
      state: 'open',
      hops: [{ hop: 1, provider: { providerId: 'birch' }, state: 'asked' }],
    });
    expect(await staff.create(callAt(0), { idempotencyKey: 'opening-0' })).toEqual(first);
    expect(await refusal(staff.create(callAt(1), { idempotencyKey: 'opening-0' }))).toBe('idempotency-key-reused');
    for (let call = 1; call < TRACED; call += 1) await staff.create(callAt(call));
    const own = await (await as(texas)).tracebacks.create(callAt(TRACED));
    const page = { limit: 2, keyOf: ({ tracebackId }: { readonly tracebackId: string }) => tracebackId };
    const byCampaign = (given: object) => staff.list({ ...given, campaignId: 'c-contract', state: 'open' });
    expect(await expectPaged(byCampaign, page)).toHaveLength(TRACED + 1);
    const asked = (await as(birch)).tracebacks;
    expect(await expectPaged((given) => asked.list(given), page)).toHaveLength(TRACED + 1);
    expect((await (await as(texas)).tracebacks.list()).items.map(page.keyOf)).toEqual([own.tracebackId]);
    expect((await (await as(cedar)).tracebacks.list()).items).toEqual([]);
    const { tracebackId } = first;
    for (const member of [lab.operator, birch])
      expect(await (await as(member)).tracebacks.retrieve({ tracebackId })).toMatchObject({ tracebackId });
    for (const member of [cedar, texas, ohio])
      expect(await refusal((await as(member)).tracebacks.retrieve({ tracebackId }))).toBe('not-found');
    // Whether an application reported a call is told to nobody but staff.
    for (const member of [birch, texas])
      expect(await refusal((await as(member)).tracebacks.create({ ...callAt(0), reportId: 'guard/ssa-1' }))).toBe(
        'invalid-body',
      );
    // Providers answer whoever may ask: nobody asks in the name of another.
    const requester = { kind: 'fcc', name: 'Federal Communications Commission' } as const;
    for (const member of [birch, texas])
      expect(await refusal((await as(member)).tracebacks.create({ ...callAt(0), requester }))).toBe('invalid-body');
    expect(await refusal((await as(app)).tracebacks.list())).toBe('forbidden');
    expect(await refusal((await as(clerk)).tracebacks.create(callAt(0)))).toBe('forbidden');
  });

  test(`${engine}: a request is acknowledged, answered and receipted once, and the traceback goes on to whom it names`, async () => {
    const world = opened();
    const { lab, birch, cedar, alder, as } = world;
    const { tracebackRequests } = await as(birch);
    const open = await expectPaged((page) => tracebackRequests.list({ ...page, state: 'open' }), {
      limit: 2,
      keyOf: ({ request }) => request.requestId,
    });
    expect(open).toHaveLength(TRACED + 1);
    const { request } = open[0]!;
    const { requestId, tracebackId } = request;
    expect(request).toMatchObject({ provider: { providerId: 'birch' }, hop: 1, call: callAt(0).call });
    const receivedAt = new Date().toISOString();
    const acknowledged = await tracebackRequests.acknowledge({ requestId, receivedAt });
    expect(acknowledged).toMatchObject({ state: 'acknowledged', acknowledgedAt: expect.stringMatching(/Z$/) });
    expect(await tracebackRequests.acknowledge({ requestId, receivedAt })).toEqual(acknowledged);
    expect(await tracebackRequests.retrieve({ requestId })).toEqual(acknowledged);
    const others = (await as(alder)).tracebackRequests;
    expect(await refusal(others.retrieve({ requestId }))).toBe('not-found');
    expect(await refusal(others.acknowledge({ requestId, receivedAt }))).toBe('not-found');

    const finding: TracebackFinding = {
      arm: 'received-from',
      upstream: { providerId: 'cedar', name: 'Cedar Gateway' },
    };
    const answer = await signAnswer(birch, request, { finding });
    const answerId = `${requestId}.1`;
    expect(await refusal(tracebackRequests.receipt({ requestId, answerId }))).toBe('not-found');
    expect(
      await refusal(tracebackRequests.answer({ requestId, answer: await signAnswer(cedar, request, { finding }) })),
    ).toBe('answer-signature-invalid');
    const receipt = await tracebackRequests.answer({ requestId, answer });
    expect(receipt).toMatchObject({ answerId });
    expect(await receiptOf(world, receipt.receipt)).toMatchObject({
      ...{ requestId, tracebackId, answerId, revision: 1, isLate: false },
    });
    expect(await tracebackRequests.answer({ requestId, answer })).toEqual(receipt);
    expect(await tracebackRequests.answer({ requestId, answer }, { idempotencyKey: 'another-key' })).toEqual(receipt);
    expect(await tracebackRequests.receipt({ requestId, answerId })).toEqual(receipt);
    const changed = await signAnswer(birch, request, { finding, comment: 'Looked at once more.' });
    expect(await refusal(tracebackRequests.answer({ requestId, answer: changed }))).toBe('conflict');
    expect(await refusal(others.receipt({ requestId, answerId }))).toBe('not-found');
    expect(await tracebackRequests.retrieve({ requestId })).toMatchObject({
      state: 'answered',
      answers: [{ answerId }],
    });

    const next = (await as(cedar)).tracebackRequests;
    const [asked] = (await next.list()).items;
    expect(asked).toMatchObject({
      request: { tracebackId, hop: 2, downstream: { providerId: 'birch' } },
      state: 'open',
    });
    const origin: TracebackFinding = {
      arm: 'origin',
      customer: { customerId: 'cust-1', contact: { name: 'Example Leads LLC' } },
    };
    const last = await signAnswer(cedar, asked!.request, { finding: origin });
    await next.answer({ requestId: asked!.request.requestId, answer: last });
    const traced = await (await as(lab.operator)).tracebacks.retrieve({ tracebackId });
    expect(traced).toMatchObject({ outcome: 'origin', hops: [{ arm: 'received-from' }, { arm: 'origin' }] });
    expect((await tracebackRequests.list({ state: 'answered' })).items).toHaveLength(1);
  });

  test(`${engine}: a notice of the Commission is responded to by the provider that it is for`, async () => {
    const { lab, birch, alder, texas, as } = opened();
    const issued: FccNotice[] = [];
    for (let count = 0; count < 3; count += 1)
      issued.push((await lab.asOperator('POST', '/v1/notices', noticeOf(count))) as FccNotice);
    expect(await lab.asOperator('POST', '/v1/notices', noticeOf(0))).toEqual(issued[0]);
    const { notices } = await as(birch);
    const listed = await expectPaged((page) => notices.list(page), { limit: 2, keyOf: ({ noticeId }) => noticeId });
    expect(listed.map(({ reference }) => reference)).toEqual(['EB-26-2', 'EB-26-1', 'EB-26-0']);
    const { noticeId } = issued[0]!;
    const response = {
      noticeId,
      responseId: 'first',
      kind: 'mitigation',
      finding: 'under-investigation',
      ...{ respondedAt: new Date().toISOString(), statement: 'The trunk was closed.', sources: [] },
      measures: [{ action: 'traffic-blocked', takenAt: new Date().toISOString(), detail: 'At the gateway.' }],
    } as const;
    const responded = await notices.respond(response);
    expect(responded).toMatchObject({ noticeId, state: 'mitigation-stated', responses: [{ responseId: 'first' }] });
    expect(await notices.respond(response)).toEqual(responded);
    expect(await refusal(notices.respond({ ...response, statement: 'Nothing was done.' }))).toBe('conflict');
    expect(await refusal((await as(alder)).notices.respond(response))).toBe('not-found');
    expect((await (await as(alder)).notices.list()).items).toEqual([]);
    expect((await (await as(lab.operator)).notices.list()).items).toHaveLength(3);
    expect(await refusal((await as(texas)).notices.list())).toBe('forbidden');
  });
}

/** Tracebacks that staff opens. */
const TRACED = 3;

const START_MS = Date.now() - 3_600_000;

/** Of a call to a subscriber of birch. */
function callAt(call: number): TracebackOpening {
  const written = new Date(START_MS + call * 60_000).toISOString().slice(0, 16);
  return {
    direction: 'back',
    call: {
      ...{ called: `1202555015${call}`, calling: '13035550199' },
      at: { asWritten: `${written} UTC`, local: written, zone: 'UTC', precision: 'minute' },
    },
    campaign: { campaignId: 'c-contract', name: 'SSA-Suspended-P2' },
    firstProvider: { providerId: 'birch', name: 'Birch Wholesale' },
  };
}

const noticeOf = (count: number): object => ({
  ...{ providerId: 'birch', reference: `EB-26-${count}`, description: 'Suspected illegal traffic.' },
  ...{ calls: [callAt(count).call], tracebackIds: [] },
});

/** What a receipt says, once it is known to be the platform's. */
async function receiptOf({ lab }: ContractWorld, receipt: string): Promise<AnswerReceipt> {
  const [jwk] = lab.platform.receiptKeys.keys;
  const key = createPublicKey({ key: jwk!, format: 'jwk' });
  const { payload, protectedHeader } = await compactVerify(receipt, key);
  expect(protectedHeader).toMatchObject({ typ: 'answer-receipt+jws', kid: jwk!['kid'] });
  return JSON.parse(Buffer.from(payload).toString()) as AnswerReceipt;
}
