import { expect, test } from 'vitest';
import type { FindingArm } from '../../sdk/src/contract/traceback-exchange.js';
import type { MatchOutcome } from '../../sdk/src/traceback/match-outcome.js';
import { DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/policy/traceback-policy.js';
import { decideTraceback } from '../../sdk/src/traceback/policy/decide-traceback.js';
import { answerOfDecision } from '../../sdk/src/traceback/review/answer-of-decision.js';
import type { DecisionOutcome } from '../../sdk/src/traceback/review/answer-of-decision.js';
import { aCandidate, aRequest, aSearch, CALL_US, DIRECTORY, policyInput, US } from '../support/traceback-cases.js';

// What a person may say where no machine says that there was no such call.

type Several = Extract<MatchOutcome, { status: 'several' }>;

const several = (parts: Partial<Several>): Several => ({
  status: 'several',
  candidates: [],
  because: ['no machine says it'],
  search: aSearch(),
  ...parts,
});

function decided(outcome: Several, arm: FindingArm, despite: readonly string[] = []): DecisionOutcome {
  const request = aRequest();
  const subject = { request, state: 'review', dueAtMs: CALL_US / 1_000, outcome, answers: [] };
  return answerOfDecision(
    {
      format: 'hopback.review-decision.1',
      decisionId: 'd-1',
      requestId: 'r-1',
      by: 'duty engineer',
      decidedAt: '2026-11-02T18:00:00Z',
      arm,
      despite,
    },
    { ...subject, decision: decideTraceback(policyInput({ request, outcome })) },
    { policy: DEFAULT_TRACEBACK_POLICY, directory: DIRECTORY, provider: US },
  );
}

const problemsOf = (outcome: DecisionOutcome): readonly string[] =>
  outcome.status === 'refused' ? outcome.problems.map(({ about }) => about) : [];

test('where all is at hand and nothing was found a person may say "not found", once it is confirmed', () => {
  expect(problemsOf(decided(several({ isCovered: true }), 'not-found'))).toEqual(['not-sure']);
  expect(decided(several({ isCovered: true }), 'not-found', ['not-sure'])).toMatchObject({
    status: 'accepted',
    draft: { finding: { arm: 'not-found' } },
  });
});

test('where records are missing a person may not say "not found", whether calls were found or not', () => {
  const cases = [several({ isCovered: false }), several({ isCovered: false, candidates: [aCandidate()] })];
  for (const outcome of cases)
    expect(problemsOf(decided(outcome, 'not-found', ['calls-found', 'records-missing']))).toEqual(['records-missing']);
});

test('where calls were found in all that is at hand a person may say "not found", once it is confirmed', () => {
  const outcome = several({ isCovered: true, candidates: [aCandidate()] });
  expect(problemsOf(decided(outcome, 'not-found'))).toEqual(['calls-found']);
});

test('where records were removed in part a person may say so, once it is confirmed', () => {
  const outcome = several({ isCovered: false, retainedFromUs: Date.UTC(2026, 10, 2) * 1_000 });
  expect(problemsOf(decided(outcome, 'not-retained'))).toEqual(['kept-in-part']);
  expect(decided(outcome, 'not-retained', ['kept-in-part'])).toMatchObject({
    status: 'accepted',
    draft: { finding: { arm: 'not-retained', retainedFrom: '2026-11-02T00:00:00Z' } },
  });
  expect(problemsOf(decided(several({ isCovered: true }), 'not-retained'))).toContain('retention-unknown');
});
