import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import {
  createReceiptVerifier,
  DEFAULT_TRACEBACK_POLICY,
  readTracebackPolicy,
  readTrunkDirectory,
} from '../../sdk/src/traceback/index.js';
import { decideTraceback } from '../../sdk/src/traceback/policy/decide-traceback.js';
import { answerOfDecision } from '../../sdk/src/traceback/review/answer-of-decision.js';
import { readReviewDecision } from '../../sdk/src/traceback/review/review-decision.js';
import { reviewOf } from '../../sdk/src/traceback/review/review-of.js';
import type { MatchCandidate, MatchOutcome, TracebackPolicyData } from '../../sdk/src/traceback/index.js';
import { readEntry } from '../../sdk/src/traceback/responder/entry-journal.js';
import {
  aCandidate,
  aRequest,
  aSearch,
  CALL_US,
  DIRECTORY,
  DOWNSTREAM,
  FIRST_ID,
  HOUR_US,
  policyInput,
  US,
} from '../support/traceback-cases.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const policy: fc.Arbitrary<TracebackPolicyData> = fc
  .record({
    arms: fc.subarray([
      ...(['received-from', 'received-from-unlisted', 'origin', 'point-of-entry'] as const),
      ...(['not-found', 'not-retained', 'not-sent-to-downstream'] as const),
    ]),
    leastScore: fc.constantFrom(0, 0.7, 1),
    leastLead: fc.constantFrom(0, 0.2),
    completeAroundSeconds: fc.constantFrom(0, 900),
    zoneRequired: fc.boolean(),
    commentsToPerson: fc.boolean(),
    firstHopNotFoundToPerson: fc.boolean(),
    notFoundWithoutCallerToPerson: fc.boolean(),
  })
  .map((automatic) =>
    readTracebackPolicy({ policyId: 'p', automatic, customers: { basisRequired: false, details: 'none' } }),
  );

const checks: readonly MatchCandidate['downstream'][] = [
  ...(['sent-to-downstream', 'sent-elsewhere', 'unknown-egress', 'delivered-here', 'not-delivered-here'] as const),
];
const candidate: fc.Arbitrary<MatchCandidate> = fc
  .record({
    trunk: fc.constantFrom('in-1', 'out-1', 'own-1', 'pbx-9', 'small-1', 'abroad-1', 'unknown-1'),
    downstream: fc.constantFrom(...checks),
    score: fc.constantFrom(0.3, 0.75, 1),
    contradicts: fc.boolean(),
    isTwice: fc.boolean(),
  })
  .map(({ trunk, downstream, score, contradicts, isTwice }) =>
    aCandidate({
      leg: {
        ingress: { trunk },
        time: { written: 'local', resolutionUs: 1_000_000, ...(isTwice ? { otherInviteAtUs: CALL_US - HOUR_US } : {}) },
      },
      downstream,
      score,
      reasons: [{ field: 'calling', verdict: contradicts ? 'contradicts' : 'equal', weight: 0 }],
    }),
  );
const search = fc.boolean().map((isCovered) => aSearch(isCovered ? {} : { coverage: [] }));
const outcome: fc.Arbitrary<MatchOutcome> = fc.oneof(
  fc.record({
    status: fc.constant('unique' as const),
    candidate,
    others: fc.array(candidate, { maxLength: 2 }),
    search,
  }),
  fc.record({
    status: fc.constant('several' as const),
    candidates: fc.array(candidate, { minLength: 1, maxLength: 3 }),
    because: fc.constant(['x']),
    search,
  }),
  fc.record({ status: fc.constant('none-but-covered' as const), search }),
  fc.record({ status: fc.constant('not-retained' as const), retainedFromUs: fc.constant(CALL_US), search }),
  fc.record({ status: fc.constant('gap' as const), gaps: fc.constant([]), search }),
  fc.constant({ status: 'unreadable' as const, because: ['x'] }),
);

test('under any policy an automatic answer names only a party of the directory, for a call that was sent to the provider that named us', () => {
  forAll(
    [policy, outcome, fc.boolean(), fc.constantFrom('none', 'held', 'unknown')],
    2_000,
    (data, found, isNamed, hold) => {
      const { downstream, ...rest } = aRequest();
      const request = isNamed && downstream !== undefined ? { ...rest, downstream } : rest;
      const decision = decideTraceback(policyInput({ policy: data, outcome: found, request, hold }));
      if (decision.kind === 'review') {
        expect(decision.reasons.length).toBeGreaterThan(0);
        return;
      }
      const { finding } = decision.draft;
      expect(data.automatic.arms).toContain(finding.arm);
      if (finding.arm === 'not-found')
        expect(found).toMatchObject({ status: 'none-but-covered', search: { coverage: [{ sourceId: 'sbc-1' }] } });
      if (found.status !== 'unique') return;
      expect(hold).toBe('none');
      expect(found.candidate.reasons.some(({ verdict }) => verdict === 'contradicts')).toBe(false);
      expect(found.candidate.ingressLeg.time.otherInviteAtUs).toBeUndefined();
      if (finding.arm === 'not-sent-to-downstream') {
        expect(found.candidate.downstream).toBe('sent-elsewhere');
        return;
      }
      expect(found.candidate.downstream).toBe(isNamed ? 'sent-to-downstream' : 'delivered-here');
      const party = DIRECTORY.partyOf(found.candidate.ingressLeg.ingress, CALL_US);
      expect(party).toBeDefined();
      if (finding.arm !== 'received-from') return;
      expect(party).toEqual({ kind: 'provider', provider: finding.upstream });
      // Neither we nor the provider that named us.
      expect(isNamed ? [US, DOWNSTREAM] : [US]).not.toContainEqual(finding.upstream);
    },
  );
});

test('the view of any request is plain JSON, and no decision makes answerOfDecision throw', () => {
  const decision = fc.record({
    arm: fc.constantFrom(
      'received-from',
      'origin',
      'not-found',
      'not-retained',
      'ambiguous',
      'refused',
      'serves-number' as const,
    ),
    candidate: fc.option(fc.constantFrom(FIRST_ID, 'g-9'), { nil: undefined }),
    reason: fc.option(fc.string({ maxLength: 10 }), { nil: undefined }),
  });
  forAll([outcome, decision], 500, (found, { arm, candidate: chosen, reason }) => {
    const request = aRequest();
    const subject = {
      request,
      state: 'review',
      dueAtMs: 0,
      outcome: found,
      decision: decideTraceback(policyInput({ outcome: found })),
      answers: [],
    };
    const view = reviewOf(subject, { nowMs: 1, policy: DEFAULT_TRACEBACK_POLICY });
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
    const made = answerOfDecision(
      {
        ...{
          format: 'hopback.review-decision.1',
          decisionId: 'd',
          requestId: 'r-1',
          by: 'x',
          decidedAt: '2026-11-02T18:00:00Z',
          arm,
        },
        ...(chosen === undefined ? {} : { candidate: chosen }),
        ...(reason === undefined ? {} : { reason }),
      },
      subject,
      { policy: DEFAULT_TRACEBACK_POLICY, directory: DIRECTORY, provider: US },
    );
    if (made.status === 'accepted' && made.draft.finding.arm === 'not-found')
      expect(found.status).toBe('none-but-covered');
  });
});

test('what reads decisions and entries returns for any value, and what reads configuration throws our error alone', () => {
  forAll([fc.oneof(fc.jsonValue(), fc.object())], 100, (value) => {
    readReviewDecision(value);
    readEntry(JSON.stringify(value));
    for (const read of [readTracebackPolicy, readTrunkDirectory]) {
      try {
        read(value);
      } catch (error) {
        expect(isHopbackError(error) && error.code).toBe('invalid-configuration');
      }
    }
  });
});

test('a receipt of any text is rejected, and none throws', async () => {
  const verify = createReceiptVerifier({ keys: [] });
  await forAllAsync([fc.oneof(fc.string(), fc.constantFrom('a.b.c', 'e30.e30.', '..'))], 100, async (text) => {
    expect((await verify(text)).status).toBe('rejected');
  });
});
