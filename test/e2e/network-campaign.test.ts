import { expect, test } from 'vitest';
import { ssaScript } from '../support/itg-story-steps.js';
import { carriedOut, worldPlan } from '../support/network-plan.js';
import { rowOf, type SmallCall } from '../support/planned-network.js';

const PATIENCE_MS = 120_000;
const CALLS = 16;
const PHONES = 8;

/** A dialer with a number for each call, and people whose phones and apps hear it. */
const robocall = (index: number): SmallCall => ({
  ...{ way: 'alder birch cedar', campaign: 'dialer', atMs: index * 60 },
  calling: `1202555${String(1_000 + index * 37)}`,
  called: String(12145550100 + (index % PHONES)),
  ...{ isReported: true, isRejected: index % 4 === 0, isAnswered: index % 4 !== 0 },
  transcript: ssaScript('800 555 0147'),
});

test(
  'phones answer and reject, their apps report, a campaign is found, agencies are alerted, and tracebacks begin by themselves and lead to the origin',
  { timeout: PATIENCE_MS },
  async () => {
    const small = {
      providers: rowOf('alder birch cedar'),
      calls: Array.from({ length: CALLS }, (_, index) => robocall(index)),
      platform: { agencies: ['US', 'US-TX'] },
    };
    const app = { reports: 1, rejects: true };
    const plan = worldPlan(small, { by: 'phones', first: '12145550100', count: PHONES, app });
    const facts = await carriedOut({ plan });
    expect(facts.troubles).toEqual([]);
    expect(facts.calls.map(({ finalStatus }) => finalStatus)).toEqual(
      plan.calls.map(({ isRejected }) => (isRejected ? 607 : 200)),
    );
    expect(new Set(facts.calls.map(({ shownVerstat }) => shownVerstat))).toEqual(new Set(['TN-Validation-Passed']));
    expect(facts.campaigns).toHaveLength(1);
    expect(facts.campaigns[0]?.calls).toEqual(plan.calls.map(({ index }) => index));
    const [campaign] = facts.campaigns;
    expect(facts.alerts.map(({ agency }) => agency)).toContain('ag-us');
    expect(new Set(facts.alerts.map(({ campaignId }) => campaignId))).toEqual(new Set([campaign?.campaignId]));
    expect(facts.tracebacks.length).toBeGreaterThan(0);
    for (const { state, outcome, callIndex } of facts.tracebacks) {
      expect([state, outcome]).toEqual(['closed', { kind: 'origin', provider: 'alder' }]);
      expect(plan.calls.map(({ index }) => index)).toContain(callIndex);
    }
  },
);
