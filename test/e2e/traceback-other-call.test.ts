import type { Traceback, TracebackOpening } from '@hopback/sdk/platform';
import { TestPlatform } from '@hopback/sdk/testing';
import type { AnsweredCall, RequestedCall, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { signAnswer, startReferenceLab } from '../support/itg-reference.js';
import { clientOf } from '../support/platform-bindings.js';

const CALL: RequestedCall = {
  ...{ called: '+12025550143', calling: '+13035550199' },
  at: { asWritten: '2/2/2026 9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
};
type Said = Parameters<typeof signAnswer>[2];
/** A real call of the provider that is named: six hours later, with other numbers. */
const OTHER: AnsweredCall = {
  ...{ startedAt: '2026-02-02T15:30:12.250Z', called: '+14155550122', calling: '+16175550177' },
  disposition: 'answered',
};
const OWN: AnsweredCall = { ...OTHER, startedAt: '2026-02-02T09:30:12.250Z', called: '+12025550143' };

const from = (providerId: string): TracebackFinding => ({
  arm: 'received-from',
  upstream: { providerId, name: `${providerId} Telecom` },
});

test('a liar that discloses another call is in dispute, and the provider that it names is not asked', async () => {
  await using lab = await startReferenceLab();
  const [alder, birch, cedar, dune] = await Promise.all(['alder', 'birch', 'cedar', 'dune'].map(partyOf));
  async function partyOf(id: string) {
    const carrier = await lab.joinCarrier(id);
    const client = await lab.clientOf(carrier);
    const requests = async (): Promise<readonly TracebackRequest[]> =>
      (await client.tracebackRequests.list()).items.map(({ request }) => request);
    const answer = async (request: TracebackRequest, said: Said): Promise<unknown> => {
      const { requestId } = request;
      return client.tracebackRequests.answer({ requestId, answer: await signAnswer(carrier, request, said) });
    };
    return { requests, answer };
  }
  const opening: TracebackOpening = {
    ...{ direction: 'back', call: CALL, firstProvider: { providerId: 'alder', name: 'alder Telecom' } },
    requester: { kind: 'itg', name: 'Test traceback group' },
    campaign: { campaignId: 'c-1', name: 'SSA-Suspended-P2' },
  };
  const { tracebackId } = await (await lab.clientOf(lab.operator)).tracebacks.create(opening);
  const waiting = async (): Promise<unknown> => {
    const { items } = (await lab.asOperator('GET', '/v1/waiting-tracebacks')) as {
      readonly items: readonly { readonly tracebackId: string; readonly items: readonly unknown[] }[];
    };
    return items.find((one) => one.tracebackId === tracebackId)?.items ?? [];
  };
  const [first] = await alder!.requests();
  await alder!.answer(first!, { finding: from('birch'), call: OWN });
  const [second] = await birch!.requests();
  const { requestId } = second!;
  await birch!.answer(second!, { finding: from('cedar'), call: OTHER });
  expect(await cedar!.requests()).toEqual([]);
  const traceback = (await lab.asOperator('GET', `/v1/tracebacks/${tracebackId}`)) as Traceback;
  expect(traceback).toMatchObject({ state: 'open', outcome: 'disputed' });
  expect(JSON.stringify(traceback)).not.toContain('cedar');
  expect(await waiting()).toMatchObject([
    { kind: 'dispute', parties: [{ providerId: 'birch' }], differsIn: ['called', 'time'] },
    { kind: 'stalled', outcome: 'disputed' },
  ]);
  // The liar takes it back: the traceback goes on, about the call that it is about.
  const amends = { answerId: `${requestId}.1`, reason: 'The wrong record was looked up.' };
  const amended = { finding: from('dune'), call: OWN, revision: 2, answerId: `${requestId}.2`, amends };
  await birch!.answer(second!, amended);
  expect((await dune!.requests()).map(({ call }) => call.called)).toEqual(['+12025550143']);
  expect(await waiting()).toEqual([]);
}, 120_000);

test('the same at the test platform', async () => {
  await using platform = await TestPlatform.start();
  const tracebackId = platform.openTraceback({ direction: 'back', call: CALL });
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  await platform.answerAs(requestId, from('prv-cedar'), { call: OTHER });
  await platform.until(() => platform.traceback(tracebackId).outcome);
  const traceback = platform.traceback(tracebackId);
  expect(traceback).toMatchObject({ state: 'open', outcome: 'disputed' });
  expect(JSON.stringify(traceback)).not.toContain('prv-cedar');
  expect((await clientOf(platform, 'prv-cedar').tracebackRequests.list()).items).toEqual([]);
});
