import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { TrunkDirectory, DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/index.js';
import type {
  MatchCandidate,
  MatchOutcome,
  PolicyInput,
  ProviderReference,
  ReviewDecision,
  TracebackRequest,
} from '../../sdk/src/traceback/index.js';
import type { MatchSearch } from '../../sdk/src/traceback/match-outcome.js';

/** 2026-11-02T14:41:10Z: when the call of these cases came. */
export const CALL_US: number = Date.UTC(2026, 10, 2, 14, 41, 10) * 1_000;
export const HOUR_US = 3_600_000_000;

export const US: ProviderReference = { name: 'Example Telecom LLC', ocn: '0001' };
export const DOWNSTREAM: ProviderReference = { name: 'Example Wholesale Inc', ocn: '0002' };
export const UPSTREAM: ProviderReference = { name: 'Example Carrier Corp', ocn: '0003' };

/** One trunk of each kind of party. */
export const DIRECTORY: TrunkDirectory = new TrunkDirectory({
  directoryId: 'trunks-7',
  providers: [{ provider: US }, { provider: DOWNSTREAM }, { provider: UPSTREAM }],
  entries: [
    { trunk: 'in-1', party: { kind: 'provider', provider: UPSTREAM } },
    { trunk: 'out-1', party: { kind: 'provider', provider: DOWNSTREAM } },
    { trunk: 'own-1', party: { kind: 'provider', provider: US } },
    { trunk: 'pbx-9', party: { kind: 'customer', customerId: 'C-9' } },
    {
      trunk: 'small-1',
      party: { kind: 'unlisted-provider', contact: { name: 'Example Reseller', email: 'noc@example.com' } },
    },
    {
      trunk: 'abroad-1',
      party: {
        kind: 'foreign-provider',
        contact: { name: 'Example Foreign', country: 'CA', email: 'noc@example.com' },
      },
    },
  ],
});

export const aRequest = (more: Partial<TracebackRequest> = {}): TracebackRequest => ({
  format: 'hopback.traceback-request.1',
  requestId: 'r-1',
  tracebackId: 't-1',
  direction: 'back',
  hop: 2,
  requester: { kind: 'itg', name: 'Industry Traceback Group' },
  issuedAt: '2026-11-02T17:00:00Z',
  provider: US,
  downstream: DOWNSTREAM,
  call: {
    called: '+12025550101',
    calling: '+12025550199',
    at: { asWritten: '11/2/2026 9:41 AM EST', local: '2026-11-02T09:41', zone: '-05:00', precision: 'minute' },
  },
  ...more,
});

/** Ids of the records of two calls. */
export const FIRST_ID = '0123456789abcdef0123456789abcdef';
export const SECOND_ID = '123456789abcdef0123456789abcdef0';

export const aLeg = (more: Partial<CallRecord> = {}): CallRecord => ({
  format: 'hopback.call-record.1',
  recordId: FIRST_ID,
  source: { id: 'sbc-1', format: 'oracle-sbc', readerVersion: 1, sha256: 'a'.repeat(64) },
  legId: 'leg-1',
  callGroupId: 'g-1',
  inviteAtUs: CALL_US,
  answeredAtUs: CALL_US + 4_000_000,
  endedAtUs: CALL_US + 31_000_000,
  time: { written: 'utc', resolutionUs: 1_000_000 },
  calling: { asWritten: '2025550199', tn: '12025550199' },
  called: { asWritten: '2025550101', tn: '12025550101' },
  ingress: { trunk: 'in-1', address: '192.0.2.9:5060', callId: 'a84b4c76e66710@192.0.2.9' },
  egress: { trunk: 'out-1' },
  disposition: 'answered',
  received: { verstat: 'TN-Validation-Passed', attestation: 'A', origId: '5d1f4a3e-6b2c-4f0e-9a53-0c8f1a7d2b60' },
  ...more,
});

export const aCandidate = (
  more: Partial<MatchCandidate> & { readonly leg?: Partial<CallRecord> } = {},
): MatchCandidate => {
  const { leg, ...rest } = more;
  const ingressLeg = aLeg(leg);
  const upstream = DIRECTORY.partyOf(ingressLeg.ingress, ingressLeg.inviteAtUs);
  return {
    callGroupId: ingressLeg.callGroupId,
    legs: [ingressLeg],
    ingressLeg,
    ...(upstream === undefined ? {} : { upstream }),
    downstream: 'sent-to-downstream',
    score: 1,
    reasons: [
      { field: 'called', verdict: 'equal', weight: 0.5, stated: '+12025550101', recorded: '12025550101' },
      { field: 'time', verdict: 'compatible', weight: 0.3 },
    ],
    timeOffsetUs: 0,
    ...rest,
  };
};

export const aSearch = (more: Partial<MatchSearch> = {}): MatchSearch => ({
  windows: [{ fromUs: CALL_US - HOUR_US, toUs: CALL_US + HOUR_US }],
  keys: ['called', 'calling'],
  coverage: [{ sourceId: 'sbc-1', fromUs: CALL_US - HOUR_US, toUs: CALL_US + HOUR_US }],
  recordsConsidered: 3,
  ...more,
});

export const uniqueOf = (candidate: MatchCandidate = aCandidate()): MatchOutcome => ({
  status: 'unique',
  candidate,
  others: [],
  search: aSearch(),
});

/** The only call that was found, with what a test changes of the candidate or its leg. */
export const unique = (more?: Parameters<typeof aCandidate>[0]): MatchOutcome => uniqueOf(aCandidate(more));
/** The only call that was found, which came in over this trunk. */
export const uniqueOver = (trunk: string, leg: Partial<CallRecord> = {}): MatchOutcome =>
  unique({ leg: { ingress: { trunk }, ...leg } });
/** Calls between which a person chooses. */
export const several = (candidates: readonly MatchCandidate[], more: Partial<SeveralCalls> = {}): SeveralCalls => ({
  status: 'several',
  candidates,
  because: ['two calls of that minute'],
  search: aSearch(),
  ...more,
});
type SeveralCalls = Extract<MatchOutcome, { status: 'several' }>;

/** A request of the first hop, which no downstream names. */
export const firstHop = (hop = 1): TracebackRequest => {
  const { downstream: _named, ...request } = aRequest({ hop });
  return request;
};

/** A request that the default policy answers without a person; each change is to what it rests on. */
export const policyInput = (more: Partial<PolicyInput> = {}): PolicyInput => ({
  request: aRequest(),
  outcome: uniqueOf(),
  provider: US,
  policy: DEFAULT_TRACEBACK_POLICY,
  directory: DIRECTORY,
  hold: 'none',
  sources: ['sbc-1'],
  nowUs: CALL_US + 3 * HOUR_US,
  ...more,
});

/** Two calls that a person chooses between. */
export const SEVERAL_CALLS: MatchOutcome = several([
  aCandidate(),
  aCandidate({ leg: { recordId: SECOND_ID, callGroupId: 'g-2' }, score: 0.9 }),
]);

/** The choice of the first of them. */
export const aDecision = (more: Partial<ReviewDecision> = {}): ReviewDecision => ({
  format: 'hopback.review-decision.1',
  decisionId: 'd-1',
  requestId: 'r-1',
  by: 'duty engineer',
  decidedAt: '2026-11-02T18:00:00Z',
  arm: 'received-from',
  candidate: FIRST_ID,
  ...more,
});
