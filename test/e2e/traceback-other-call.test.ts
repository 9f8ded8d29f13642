import type { PlatformClient, Traceback, TracebackOpening } from '@hopback/sdk/platform';
import { startTestPlatform } from '@hopback/sdk/testing';
import type { AnsweredCall, RequestedCall, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { signAnswer, startReferenceLab } from '../support/itg-reference.js';
import { clientOf } from '../support/platform-bindings.js';
import type { ReferenceLab, TestCarrier } from '../support/itg-reference.js';

const CALL: RequestedCall = {
  ...{ called: '+12025550143', calling: '+13035550199' },
  at: { asWritten: '2/2/2026 9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
};
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

interface Course {
  readonly lab: ReferenceLab;
  readonly tracebackId: string;
  readonly requestsTo: (providerId: string) => Promise<readonly TracebackRequest[]>;
  readonly answer: (
    providerId: string,
    said: { readonly finding: TracebackFinding; readonly call: AnsweredCall; readonly revision?: number },
  ) => Promise<unknown>;
  readonly shown: () => Promise<Traceback>;
  readonly waiting: () => Promise<readonly { readonly kind: string }[]>;
}

/** A traceback at the reference platform, by its HTTP API alone: alder delivered the call, birch is the liar, cedar has done nothing. */
async function startCourse(lab: ReferenceLab, call: RequestedCall = CALL): Promise<Course> {
  const carriers = new Map<string, { readonly carrier: TestCarrier; readonly client: PlatformClient }>();
  for (const id of ['alder', 'birch', 'cedar', 'dune']) {
    const carrier = await lab.joinCarrier(id);
    carriers.set(id, { carrier, client: await lab.clientOf(carrier) });
  }
  const opening: TracebackOpening = {
    ...{ direction: 'back', call, firstProvider: { providerId: 'alder', name: 'alder Telecom' } },
    requester: { kind: 'itg', name: 'Test traceback group' },
    campaign: { campaignId: 'c-1', name: 'SSA-Suspended-P2' },
  };
  const staff = await lab.clientOf(lab.operator);
  const { tracebackId } = await staff.tracebacks.create(opening);
  const known = (id: string): NonNullable<ReturnType<typeof carriers.get>> => {
    const found = carriers.get(id);
    if (found === undefined) throw new Error(id);
    return found;
  };
  const answered = new Map<string, TracebackRequest>();
  const requestsTo: Course['requestsTo'] = async (id) =>
    (await known(id).client.tracebackRequests.list()).items.map(({ request }) => request);
  return {
    ...{ lab, tracebackId, requestsTo },
    answer: async (id, { revision = 1, ...said }) => {
      const request = (await requestsTo(id)).at(-1) ?? answered.get(id);
      if (request === undefined) throw new Error(`nothing is asked of ${id}`);
      const { requestId } = request;
      answered.set(id, request);
      const amends = { answerId: `${requestId}.${revision - 1}`, reason: 'The wrong record was looked up.' };
      const more = { ...said, revision, answerId: `${requestId}.${revision}`, ...(revision > 1 && { amends }) };
      const answer = await signAnswer(known(id).carrier, request, more);
      return known(id).client.tracebackRequests.answer({ requestId, answer });
    },
    shown: async () => (await lab.asOperator('GET', `/v1/tracebacks/${tracebackId}`)) as Traceback,
    waiting: async () => {
      const page = (await lab.asOperator('GET', '/v1/waiting-tracebacks')) as {
        readonly items: readonly {
          readonly tracebackId: string;
          readonly items: readonly { readonly kind: string }[];
        }[];
      };
      return page.items.find((one) => one.tracebackId === tracebackId)?.items ?? [];
    },
  };
}

test('a liar that discloses another call is in dispute, and the provider that it names is not asked', async () => {
  await using lab = await startReferenceLab();
  const { requestsTo, answer, shown, waiting } = await startCourse(lab);
  await answer('alder', { finding: from('birch'), call: OWN });
  await answer('birch', { finding: from('cedar'), call: OTHER });
  expect(await requestsTo('cedar')).toEqual([]);
  const traceback = await shown();
  expect(traceback).toMatchObject({ state: 'open', outcome: 'disputed' });
  expect(JSON.stringify(traceback)).not.toContain('cedar');
  expect(await waiting()).toMatchObject([
    { kind: 'dispute', parties: [{ providerId: 'birch' }], differsIn: ['called', 'time'] },
    { kind: 'stalled', outcome: 'disputed' },
  ]);
  // The liar takes it back: the traceback goes on, about the call that it is about.
  await answer('birch', { finding: from('dune'), call: OWN, revision: 2 });
  expect((await requestsTo('dune')).map(({ call }) => call.called)).toEqual(['+12025550143']);
  expect(await waiting()).toEqual([]);
}, 120_000);

test('the same at the test platform', async () => {
  await using platform = await startTestPlatform();
  const tracebackId = platform.openTraceback({ direction: 'back', call: CALL });
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  await platform.answerAs(requestId, from('prv-cedar'), { call: OTHER });
  await platform.until(() => platform.traceback(tracebackId).outcome);
  const traceback = platform.traceback(tracebackId);
  expect(traceback).toMatchObject({ state: 'open', outcome: 'disputed' });
  expect(JSON.stringify(traceback)).not.toContain('prv-cedar');
  expect((await clientOf(platform, 'prv-cedar').tracebackRequests.list()).items).toEqual([]);
});
