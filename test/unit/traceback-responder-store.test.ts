import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { createMemoryRecordStore } from '../../sdk/src/records/index.js';
import { storeKnowledge } from '../../sdk/src/traceback/index.js';
import type { TracebackResponder } from '../../sdk/src/traceback/index.js';
import { answerIn, openResponder } from '../support/responder-lab.js';
import { aLeg, aRequest, CALL_US, DIRECTORY, DOWNSTREAM, HOUR_US, UPSTREAM } from '../support/traceback-cases.js';

/** What becomes of a request in a store with these records, which is complete for a day around the call. */
async function answered(
  records: readonly CallRecord[],
  check: (lab: { readonly responder: TracebackResponder; readonly jws: readonly string[] }) => void,
  request = aRequest(),
): Promise<void> {
  await using store = createMemoryRecordStore({ clock: { nowMs: () => CALL_US / 1_000 + 3 * 3_600_000 } });
  await store.insert(records);
  await store.cover({ sourceId: 'sbc-1', fromUs: CALL_US - 12 * HOUR_US, toUs: CALL_US + 12 * HOUR_US });
  const { responder, desk } = await openResponder(storeKnowledge(store, { trunks: DIRECTORY }));
  await responder.submit(request);
  await responder.settled();
  check({ responder, jws: desk.deliveries.map((delivery) => delivery.jws) });
  await responder.close();
}

const leg = (number: number, more: Partial<CallRecord> = {}): CallRecord =>
  aLeg({
    recordId: String(number).padStart(32, '0'),
    legId: `leg-${String(number)}`,
    callGroupId: `g-${String(number)}`,
    ...more,
  });

test('by the records of a store: the one call that fits is answered with its upstream, without a person', async () => {
  await answered([leg(1), leg(2, { inviteAtUs: CALL_US + HOUR_US / 2 })], ({ jws }) => {
    expect(jws).toHaveLength(1);
    expect(answerIn(jws[0] ?? '')).toMatchObject({
      finding: { arm: 'received-from', upstream: UPSTREAM },
      call: { startedAt: '2026-11-02T14:41:10Z' },
    });
  });
});

test('half of all requests have no calling number: number, minute and downstream are enough', async () => {
  const request = aRequest();
  const { calling: _none, ...call } = request.call;
  await answered([leg(1)], ({ jws }) => expect(answerIn(jws[0] ?? '').finding.arm).toBe('received-from'), {
    ...request,
    call,
  });
});

test('two calls of that minute are a matter for a person, who sees both', async () => {
  await answered(
    [leg(1), leg(2, { inviteAtUs: CALL_US + 20_000_000, ingress: { trunk: 'abroad-1' } })],
    ({ responder, jws }) => {
      expect(jws).toEqual([]);
      expect(responder.review('r-1')?.candidates).toHaveLength(2);
    },
  );
});

test('a call that was sent elsewhere is proposed as a dispute, to counsel', async () => {
  await answered([leg(1, { egress: { trunk: 'small-1' } })], ({ responder, jws }) => {
    expect(jws).toEqual([]);
    expect(responder.review('r-1')).toMatchObject({
      queue: 'legal',
      proposed: { finding: { arm: 'not-sent-to-downstream', downstream: DOWNSTREAM } },
    });
  });
});

test('no such call, and the records are complete: not found', async () => {
  await answered([], ({ jws }) => expect(answerIn(jws[0] ?? '').finding).toEqual({ arm: 'not-found' }));
});
