import { expect, test } from 'vitest';
import { decided, type DeskBooks } from '../../harness/src/network/node/node-answers.js';
import type { FindingArm, ReviewView, TracebackRequest } from '../../sdk/src/traceback/index.js';
import { rowOf, smallPlan } from '../support/planned-network.js';

const AT = '2026-11-02T15:00:00.000';

const plan = smallPlan({
  providers: [...rowOf('a b c d'), { id: 'x', role: 'foreign', country: 'DE' }, { id: 'g', role: 'gateway' }],
  calls: [
    { way: 'a b c d', calling: '12025550100', called: '13125550100' },
    { way: 'a b d', calling: '12025550100', called: '13125550100' },
    { way: 'a b c d', calling: '12025550107', called: '13125550107' },
    { way: 'x g d', calling: '442079460123', called: '13125550108' },
  ],
});

const providerIdOf = (id: string): string => plan.providers.find((one) => one.id === id)?.providerId ?? '';

/** The books of a provider, whose records are called as the calls: `r0`. */
function booksOf(id: string): DeskBooks {
  const provider = plan.providers.find((one) => one.id === id);
  if (provider === undefined) throw new Error(`no provider is called ${id}`);
  return { provider, providers: plan.providers, calls: plan.calls, indexOf: (recordId) => Number(recordId.slice(1)) };
}

function candidate(index: number, afterMs = 0): ReviewView['candidates'][number] {
  return {
    ...{ candidate: `r${String(index)}`, rank: 1, scorePercent: 80, upstream: 'somebody', downstream: 'somebody' },
    ...{ startedAt: new Date(Date.parse(`${AT}Z`) + afterMs).toISOString(), facts: [], warnings: [], legs: 1 },
  };
}

function viewOf(
  candidates: readonly ReviewView['candidates'][number][],
  arms: readonly FindingArm[] = ['not-found', 'refused'],
): ReviewView {
  return {
    ...{ format: 'hopback.review.1', requestId: 'r-1', tracebackId: 't-1', state: 'review', request: [], reasons: [] },
    ...{ deadline: { dueAt: `${AT}Z`, remainingSeconds: 60, state: 'open', text: 'due in a minute' }, candidates },
    ...{ callsFound: candidates.length, comparison: [], searched: [], given: [], warnings: [], isMasked: false },
    actions: [{ action: 'answer', arms: arms.map((arm) => ({ arm, needsCandidate: false, needs: [], warnings: [] })) }],
  };
}

function requestOf(provider: string, of: number, downstream?: string, zone = 'UTC'): TracebackRequest {
  const { calling, called } = plan.calls[of] ?? { calling: '', called: '' };
  return {
    ...{ format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 1 },
    ...{ requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: `${AT}Z` },
    provider: { name: provider, providerId: providerIdOf(provider) },
    call: {
      ...{ calling: `+${calling}`, called: `+${called}` },
      at: { asWritten: AT, local: AT, zone, precision: 'millisecond' },
    },
    ...(downstream !== undefined && { downstream: { name: downstream, providerId: providerIdOf(downstream) } }),
  };
}

test('of calls that were found the desk takes the one with the numbers that were asked for', () => {
  const view = viewOf([candidate(2), candidate(0, 60_000)]);
  expect(decided(view, requestOf('b', 0, 'c'), booksOf('b'))).toEqual({
    ...{ arm: 'received-from', candidate: 'r0' },
    provider: { name: 'Example a', providerId: providerIdOf('a') },
  });
});

test('of two calls with the same numbers it takes the nearer one, unless they are as near', () => {
  const far = viewOf([candidate(1, 30_000), candidate(0, 500)]);
  expect(decided(far, requestOf('b', 0, 'c'), booksOf('b'))).toMatchObject({ candidate: 'r0' });
  const near = viewOf([candidate(1, 1_400), candidate(0, 500)]);
  expect(decided(near, requestOf('b', 0, 'c'), booksOf('b'))).toEqual({ arm: 'ambiguous' });
  const offset = viewOf([candidate(1, 18_000_000), candidate(0, 500)]);
  expect(decided(offset, requestOf('b', 0, 'c', '-05:00'), booksOf('b'))).toMatchObject({ candidate: 'r1' });
});

test('a call that went another way was not sent to whoever says so', () => {
  const view = viewOf([candidate(1)]);
  expect(decided(view, requestOf('b', 1, 'c'), booksOf('b'))).toEqual({
    ...{ arm: 'not-sent-to-downstream', candidate: 'r1' },
  });
});

test('it says where a call began, and where it came into the country', () => {
  expect(decided(viewOf([candidate(0)]), requestOf('a', 0, 'b'), booksOf('a'))).toEqual({
    ...{ arm: 'origin', candidate: 'r0' },
  });
  expect(decided(viewOf([candidate(3)]), requestOf('g', 3, 'd'), booksOf('g'))).toMatchObject({
    ...{ arm: 'point-of-entry', candidate: 'r3', contact: { name: 'Example x', country: 'DE' } },
  });
});

test('without a call it says that there was none only where that may be said', () => {
  const other = [candidate(2)];
  expect(decided(viewOf(other), requestOf('b', 0, 'c'), booksOf('b'))).toEqual({ arm: 'not-found' });
  expect(decided(viewOf(other, ['not-retained', 'not-found']), requestOf('b', 0, 'c'), booksOf('b'))).toEqual({
    arm: 'not-retained',
  });
  expect(decided(viewOf([], ['refused']), requestOf('b', 0, 'c'), booksOf('b'))).toMatchObject({ arm: 'refused' });
});
