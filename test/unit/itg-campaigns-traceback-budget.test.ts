import { expect, test } from 'vitest';
import type { CampaignCall } from '../../harness/src/platform/core/index.js';
import {
  MAX_CAMPAIGN_TRACEBACKS,
  MAX_OPEN_TRACEBACKS,
  tracebackBudget,
} from '../../harness/src/platform/domain/campaigns/campaign-policy.js';
import type { PastTraceback } from '../../harness/src/platform/domain/campaigns/campaign-policy.js';

const call = (at: number, rest: Partial<CampaignCall> = {}): CampaignCall => ({
  ...{ callId: `record:prv-1:${String(at)}`, placedCallId: `record:prv-1:${String(at)}`, atMs: at * 1_000 },
  ...{ reporterId: 'prv-1', recordId: String(at), signer: '333C' },
  ...rest,
});
const past = (of: CampaignCall, rest: Partial<PastTraceback> = {}): PastTraceback => ({
  ...{ tracebackId: `t-${of.callId}`, callId: of.callId, isOpen: false },
  ...rest,
});

test('a thousand calls of one signer are worth one traceback at first', () => {
  const calls = Array.from({ length: 1_000 }, (_, at) => call(at));
  expect(tracebackBudget(calls, [])).toEqual({ calls: [call(0)], because: 'new-ways-in' });
});

test('calls of several signers, and of none by reporter and time, are ways in of their own', () => {
  const { signer: _, ...unsigned } = call(3);
  const elsewhere = { ...unsigned, callId: 'record:prv-2:4', reporterId: 'prv-2' };
  const calls = [call(1), call(2, { signer: '444D' }), unsigned, elsewhere];
  expect(tracebackBudget(calls, []).calls).toHaveLength(4);
});

test('while a traceback of the only way in is open nothing more is opened', () => {
  const calls = [call(1), call(2)];
  expect(tracebackBudget(calls, [past(call(1), { isOpen: true })])).toEqual({ calls: [], because: 'waiting' });
});

test('an origin that stands alone is asked about once more, and two that agree are enough', () => {
  const calls = [call(1), call(2), call(3)];
  const first = past(call(1), { origin: 'prv-9' });
  expect(tracebackBudget(calls, [first])).toEqual({ calls: [call(2)], because: 'to-be-sure' });
  expect(tracebackBudget(calls, [first, past(call(2), { origin: 'prv-9' })])).toEqual({ calls: [], because: 'agreed' });
});

test('where two tracebacks name different origins a third one decides, and then it ends', () => {
  const calls = [call(1), call(2), call(3), call(4)];
  const two = [past(call(1), { origin: 'prv-8' }), past(call(2), { origin: 'prv-9' })];
  expect(tracebackBudget(calls, two).calls).toEqual([call(3)]);
  expect(tracebackBudget(calls, [...two, past(call(3), { origin: 'prv-7' })]).calls).toEqual([]);
});

test('a way in of which three tracebacks came to nothing is given up', () => {
  const calls = [call(1), call(2), call(3), call(4)];
  expect(tracebackBudget(calls, [past(call(1)), past(call(2))]).calls).toEqual([call(3)]);
  expect(tracebackBudget(calls, [past(call(1)), past(call(2)), past(call(3))]).calls).toEqual([]);
});

test('a new signer is traced although others agreed already', () => {
  const calls = [call(9, { signer: '555E' }), call(1), call(2)];
  const agreed = [past(call(1), { origin: 'prv-9' }), past(call(2), { origin: 'prv-9' })];
  expect(tracebackBudget(calls, agreed)).toEqual({ calls: [calls[0]], because: 'new-ways-in' });
});

test('never more are open, nor opened in all, than the limits say', () => {
  const calls = Array.from({ length: 100 }, (_, at) => call(at, { signer: `${String(100 + at)}X` }));
  expect(tracebackBudget(calls, []).calls).toHaveLength(MAX_OPEN_TRACEBACKS);
  const many = calls.slice(0, MAX_CAMPAIGN_TRACEBACKS).map((one) => past(one));
  expect(tracebackBudget(calls, many)).toEqual({ calls: [], because: 'nothing-left' });
});
