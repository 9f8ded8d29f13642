import { defined } from '../../core/text.js';
import type { CoverageInterval } from '../../contract/call-record.js';
import type { TracebackFinding } from '../../contract/traceback-exchange.js';
import { coverageGaps } from '../../records/store/record-store.js';
import type { TimeWindow } from '../../records/store/record-store.js';
import type { MatchCandidate, MatchSearch } from '../match-outcome.js';
import type { TrunkParty } from '../directory/provider-identity.js';
import type { AnswerDraft, PolicyInput, PolicyTrace, ReviewTopic } from './traceback-policy.js';

/** What rules look at. */
export interface RuleContext extends PolicyInput {
  /** The one call that fits, where there is one. */
  readonly candidate?: MatchCandidate;
  readonly search?: MatchSearch;
  /** What would be answered. */
  readonly draft?: AnswerDraft;
}

/** What a rule found. */
type RuleFinding = Pick<PolicyTrace['rules'][number], 'result' | 'inputs' | 'text'> & {
  /** Where the topic is another than that of the rule. */
  readonly topic?: ReviewTopic;
};

/** One rule: a step of the decision. */
interface PolicyRule {
  readonly rule: string;
  readonly topic: ReviewTopic;
  /** Whether it holds whatever a policy says. */
  readonly isFixed: boolean;
  readonly apply: (context: RuleContext) => RuleFinding;
}

type Inputs = PolicyTrace['rules'][number]['inputs'];

/** It holds. */
const passed = (text: string, inputs: Inputs = {}): RuleFinding => ({ result: 'passed', inputs, text });
/** A person decides. */
const review = (text: string, inputs: Inputs = {}): RuleFinding => ({ result: 'review', inputs, text });
/** It is not asked. */
const SAYS_NOTHING: RuleFinding = { result: 'not-applicable', inputs: {}, text: 'says nothing of this request' };

/** A rule that is asked only where one call was found. */
const ofCandidate =
  (apply: (candidate: MatchCandidate, context: RuleContext) => RuleFinding): PolicyRule['apply'] =>
  (context) =>
    context.candidate === undefined ? SAYS_NOTHING : apply(context.candidate, context);

/** A rule that is asked only where "not found" would be answered. */
const ofNotFound =
  (apply: (search: MatchSearch, context: RuleContext) => RuleFinding): PolicyRule['apply'] =>
  (context) =>
    context.outcome?.status === 'none-but-covered' ? apply(context.outcome.search, context) : SAYS_NOTHING;

const rule =
  (isFixed: boolean) =>
  (name: string, topic: ReviewTopic, apply: PolicyRule['apply']): PolicyRule => ({ rule: name, topic, isFixed, apply });
/** A rule that holds whatever a policy says. */
const fixed = rule(true);
/** A rule that a policy may loosen. */
const bySetting = rule(false);

/** All rules, in the order of the trace. Every one is applied to every request, so that a person sees all that speaks against it. */
export const POLICY_RULES: readonly PolicyRule[] = [
  fixed('direction', 'policy', ({ request: { direction } }) =>
    direction === 'back'
      ? passed('asks who sent a call', { direction })
      : review('asks who serves a number, which no call record says', { direction }),
  ),
  fixed('asked-provider', 'policy', ({ request, provider, directory }) =>
    directory.isSame(request.provider, provider)
      ? passed('we are asked', { asked: request.provider.name })
      : review('another provider is asked, by its name or codes', { asked: request.provider.name, we: provider.name }),
  ),
  bySetting('requester', 'legal', ({ request: { requester }, policy }) =>
    policy.automatic.requesters.includes(requester.kind)
      ? passed('such requesters are answered without a person', { requester: requester.kind })
      : review('such requesters are answered by a person', { requester: requester.kind }),
  ),
  bySetting('comment', 'policy', ({ request: { comment }, policy }) =>
    comment === undefined || comment.trim() === '' || !policy.automatic.commentsToPerson
      ? passed('nothing was asked beside the call')
      : review('something was asked beside the call, for people', { characters: comment.length }),
  ),
  bySetting('stated-zone', 'match', statedZone),
  fixed('one-call', 'match', ({ request, outcome }) => {
    if (outcome === undefined)
      return request.direction === 'forward' ? SAYS_NOTHING : review('nothing was looked for', { status: 'none' });
    const { status } = outcome;
    switch (status) {
      case 'unique':
        return passed('one call is consistent with everything that was stated', { status });
      case 'none-but-covered':
        return passed('no call is consistent, and all records of that time are available', { status });
      case 'not-retained':
        return passed('records of that time have been removed', { status });
      case 'several':
        if (outcome.disputed !== undefined)
          return passed('one call is consistent, except for the provider it was sent to', { status, disputed: true });
        return review(`it is not certain which call is meant: ${outcome.because.join('; ')}`, { status });
      case 'gap':
        return {
          ...review('records of that time are missing', { status, gaps: outcome.gaps.length }),
          topic: 'records',
        };
      default:
        return review(`the stated details cannot be searched for: ${outcome.because.join('; ')}`, { status });
    }
  }),
  fixed(
    'nothing-contradicts',
    'match',
    ofCandidate(({ reasons }) => {
      const against = reasons.filter(({ field, verdict }) => verdict === 'contradicts' && field !== 'downstream');
      return against.length === 0
        ? passed('nothing that was stated speaks against the call')
        : review(`what was stated speaks against the call: ${against.map(({ field }) => field).join(', ')}`);
    }),
  ),
  bySetting(
    'score',
    'match',
    ofCandidate(({ score, downstream: check }, { policy: { automatic } }) => {
      // Of a call that was sent elsewhere the score says only that.
      if (check === 'sent-elsewhere') return SAYS_NOTHING;
      const inputs = { score, leastScore: automatic.leastScore };
      return score >= automatic.leastScore
        ? passed('the call fits well enough', inputs)
        : review('the call does not fit well enough', inputs);
    }),
  ),
  bySetting(
    'lead',
    'match',
    ofCandidate((candidate, { outcome, policy: { automatic } }) => {
      const { score } = candidate;
      const others =
        outcome?.status === 'unique' ? outcome.others.filter((other) => !isToldApart(candidate, other)) : [];
      const second = Math.max(0, ...others.map((other) => other.score));
      const inputs = { score, second, leastLead: automatic.leastLead };
      return others.length === 0 || thousandths(score - second) >= thousandths(automatic.leastLead)
        ? passed('no other call comes near', inputs)
        : review('another call fits nearly as well', inputs);
    }),
  ),
  bySetting(
    'time-offset',
    'match',
    ofCandidate(({ timeOffsetUs }, { policy: { automatic } }) => {
      const inputs = {
        offsetSeconds: timeOffsetUs / 1_000_000,
        mostTimeOffsetSeconds: automatic.mostTimeOffsetSeconds,
      };
      return Math.abs(timeOffsetUs) <= automatic.mostTimeOffsetSeconds * 1_000_000
        ? passed('the call began when it was said to', inputs)
        : review('the call began at another time than was stated', inputs);
    }),
  ),
  bySetting(
    'time-step',
    'records',
    ofCandidate(({ ingressLeg }, { policy: { automatic } }) => {
      const inputs = {
        stepSeconds: ingressLeg.time.resolutionUs / 1_000_000,
        mostTimeStepSeconds: automatic.mostTimeStepSeconds,
      };
      return ingressLeg.time.resolutionUs <= automatic.mostTimeStepSeconds * 1_000_000
        ? passed('the source writes times finely enough', inputs)
        : review('the source writes times too coarsely', inputs);
    }),
  ),
  fixed(
    'one-instant',
    'records',
    ofCandidate(({ legs, ingressLeg }) =>
      [ingressLeg, ...legs].some(({ time }) => time.otherInviteAtUs !== undefined)
        ? review('the record was written in the hour that comes twice, and may mean another call')
        : passed('the time of the record means one instant'),
    ),
  ),
  fixed('call-before-request', 'match', ofCandidate(callBeforeRequest)),
  fixed('downstream', 'match', ofCandidate(downstream)),
  fixed('upstream-known', 'directory', ofCandidate(upstreamKnown)),
  fixed('upstream-is-another', 'match', ofCandidate(upstreamIsAnother)),
  bySetting('contact', 'directory', ({ draft }) => contact(draft)),
  bySetting('customer', 'customer', customer),
  bySetting('complete-around', 'records', ofCandidate(completeAround)),
  fixed(
    'complete-searched',
    'records',
    ofNotFound((search, context) => complete(search.windows, search.coverage, context)),
  ),
  bySetting('searched-enough', 'records', ofNotFound(searchedEnough)),
  bySetting(
    'first-hop',
    'policy',
    ofNotFound((_search, { request, policy }) =>
      request.downstream === undefined && policy.automatic.firstHopNotFoundToPerson
        ? review('at the first hop it may be that the number is not ours', { hop: request.hop })
        : passed('a provider says that the call came from us', { hop: request.hop }),
    ),
  ),
  bySetting(
    'caller-looked-for',
    'match',
    ofNotFound(({ keys }, { policy }) => {
      const isByCaller = keys.includes('calling') || keys.includes('record-id');
      return isByCaller || !policy.automatic.notFoundWithoutCallerToPerson
        ? passed('a number that was rewritten or ported would not have hidden the call', { isByCaller })
        : review('only the number called was looked for: the call may be on record under another', { isByCaller });
    }),
  ),
  fixed('legal-hold', 'legal', legalHold),
  bySetting('arm', 'policy', arm),
];

/** Whether an identifier that was stated names the one call, and is not that of the other: scores end at 1, and say nothing of it. */
function isToldApart(one: MatchCandidate, other: MatchCandidate): boolean {
  const verdictOn = ({ reasons }: MatchCandidate, field: string): string | undefined =>
    reasons.find((reason) => reason.field === field)?.verdict;
  return ['record-id', 'call-id'].some(
    (field) => verdictOn(one, field) === 'equal' && verdictOn(other, field) === 'contradicts',
  );
}

/** Scores are in thousandths, and their differences as numbers are not. */
function thousandths(score: number): number {
  return Math.round(score * 1_000);
}

/** A record that was stated and is that of the call names it at any time; one that is not says nothing of the time. */
function statedZone({ request: { direction, call }, candidate, policy }: RuleContext): RuleFinding {
  const isByRecord = candidate?.reasons.some(({ field, verdict }) => field === 'record-id' && verdict === 'equal');
  if (direction === 'forward' || isByRecord === true) return SAYS_NOTHING;
  if (call.at.zone !== undefined) return passed('the time was stated with its zone', { zone: call.at.zone });
  return policy.automatic.zoneRequired
    ? review('the time was stated without a zone')
    : passed('the time was stated without a zone, which the policy allows');
}

/** Of every call that may be meant, also where none was chosen. */
function legalHold({ hold, candidate }: RuleContext): RuleFinding {
  if (hold === 'held') return review('a record of a call that may be meant is under a legal hold', { hold });
  if (hold === 'unknown') return review('whether there is a hold is unknown', { hold });
  return candidate === undefined ? SAYS_NOTHING : passed('no record of the call is under a hold', { hold });
}

function callBeforeRequest({ ingressLeg }: MatchCandidate, { request, nowUs }: RuleContext): RuleFinding {
  const issuedUs = Date.parse(request.issuedAt) * 1_000;
  // A minute for two clocks that are not quite one.
  const latestUs = Math.min(nowUs, Number.isFinite(issuedUs) ? issuedUs : nowUs) + 60_000_000;
  const inputs = { secondsBefore: Math.round((latestUs - ingressLeg.inviteAtUs) / 1_000_000) };
  return ingressLeg.inviteAtUs <= latestUs
    ? passed('the call was there before the request', inputs)
    : review('the call came after the request about it', inputs);
}

function downstream({ downstream: check }: MatchCandidate, { request, draft }: RuleContext): RuleFinding {
  const inputs = { check, named: request.downstream !== undefined };
  if (request.downstream === undefined && request.hop > 1)
    return review('somebody named us, and the request does not say who', { ...inputs, hop: request.hop });
  if (check === 'sent-to-downstream' && request.downstream !== undefined)
    return passed('the call was sent to the provider that named us', inputs);
  if (check === 'delivered-here' && request.downstream === undefined)
    return passed('nobody named us, and the call was delivered here', inputs);
  if (check === 'sent-elsewhere' && draft?.finding.arm === 'not-sent-to-downstream')
    return passed('the call was not sent to the provider that named us, and that is what would be answered', inputs);
  const texts: Readonly<Record<MatchCandidate['downstream'], string>> = {
    'sent-to-downstream': 'the call was sent on, and no provider says that it came from us',
    'sent-elsewhere': 'the call was sent to another provider than the one that named us',
    'unknown-egress': 'the provider it was sent to, or the one that named us, is unknown',
    'delivered-here': 'the call was delivered here, and another provider says that it came from us',
    'not-delivered-here': 'nobody named us, and the call was not delivered here',
  };
  return review(texts[check], inputs);
}

function upstreamKnown({ upstream, ingressLeg }: MatchCandidate, { directory }: RuleContext): RuleFinding {
  const { ingress, inviteAtUs } = ingressLeg;
  const found = directory.lookUp?.(ingress, inviteAtUs);
  const party = directory.partyOf(ingress, inviteAtUs);
  const by = found?.status === 'known' ? found.by.join(', ') : undefined;
  const reason = found?.status === 'unknown' ? found.reason : undefined;
  const inputs = defined({ trunk: ingress.trunk, party: party?.kind, by, reason });
  if (party === undefined) return review('who was at the other end of the trunk is not known', inputs);
  if (upstream === undefined || !isSameParty(upstream, party, directory))
    return review('match and directory name different parties', inputs);
  return passed('the directory says who was at the other end of the trunk then', inputs);
}

function isSameParty(one: TrunkParty, other: TrunkParty, directory: RuleContext['directory']): boolean {
  if (one.kind === 'provider' && other.kind === 'provider') return directory.isSame(one.provider, other.provider);
  if (one.kind === 'customer' && other.kind === 'customer') return one.customerId === other.customerId;
  return (
    one.kind === other.kind &&
    (one.kind === 'unlisted-provider' || one.kind === 'foreign-provider') &&
    (other.kind === 'unlisted-provider' || other.kind === 'foreign-provider') &&
    one.contact.name === other.contact.name
  );
}

function upstreamIsAnother({ upstream }: MatchCandidate, { request, provider, directory }: RuleContext): RuleFinding {
  if (upstream?.kind !== 'provider') return SAYS_NOTHING;
  if (directory.isSame(upstream.provider, provider)) return review('the call came from ourselves: an inner leg');
  if (request.downstream !== undefined && directory.isSame(upstream.provider, request.downstream))
    return review(
      'the call came from the provider that says to have had it from us, or one of its group: it may have crossed us twice',
    );
  return passed('the call came from a third provider');
}

function contact(draft: AnswerDraft | undefined): RuleFinding {
  if (draft?.finding.arm !== 'received-from-unlisted' && draft?.finding.arm !== 'point-of-entry') return SAYS_NOTHING;
  const { email, telephone, country } = draft.finding.upstream;
  const isReachable = email !== undefined || telephone !== undefined;
  const inputs = { isReachable, hasCountry: country !== undefined };
  return isReachable
    ? passed('whom the answer names can be reached', inputs)
    : review('whom the answer names has neither e-mail nor telephone number in the directory', inputs);
}

function customer({ draft, candidate, policy: { customers } }: RuleContext): RuleFinding {
  if (draft?.finding.arm !== 'origin') return SAYS_NOTHING;
  const statement = draft.finding.customer;
  const fromRecord = candidate?.ingressLeg.customerId;
  const ofTrunk = candidate?.upstream?.kind === 'customer' ? candidate.upstream.customerId : undefined;
  const inputs = {
    details: customers.details,
    hasCustomerId: ofTrunk !== undefined,
    hasBasis: statement.knowYourCustomer !== undefined,
  };
  // Even where the policy says nothing of the customer: that the call began here is said of somebody who is known.
  if (ofTrunk === undefined && (customers.details !== 'none' || fromRecord === undefined))
    return review('which customer it was is not known', inputs);
  if (fromRecord !== undefined && ofTrunk !== undefined && fromRecord !== ofTrunk)
    return review('record and directory name different customers', inputs);
  if (customers.basisRequired && statement.knowYourCustomer === undefined)
    return review('on what basis the customer is known is not on file', inputs);
  return passed('what may be said of the customer is on file', inputs);
}

function completeAround({ ingressLeg }: MatchCandidate, context: RuleContext): RuleFinding {
  const { search, policy, request, nowUs } = context;
  const aroundUs = policy.automatic.completeAroundSeconds * 1_000_000;
  if (aroundUs === 0 || search === undefined) return SAYS_NOTHING;
  const at = ingressLeg.inviteAtUs;
  const issuedUs = Date.parse(request.issuedAt) * 1_000;
  // What came after the request is not the call that it asks about.
  const latestUs = Math.min(nowUs, Number.isFinite(issuedUs) ? issuedUs : nowUs);
  const toUs = Math.max(at, Math.min(at + aroundUs, latestUs));
  // Beyond what was looked through nothing is consistent with what was stated, and nothing is known of it.
  const windows = search.windows
    .map((window) => ({ fromUs: Math.max(window.fromUs, at - aroundUs), toUs: Math.min(window.toUs, toUs) }))
    .filter((window) => window.fromUs <= window.toUs);
  return complete(windows, search.coverage, context);
}

function complete(
  windows: readonly TimeWindow[],
  coverage: readonly CoverageInterval[],
  { sources }: RuleContext,
): RuleFinding {
  const wanted = new Set([...sources, ...coverage.map(({ sourceId }) => sourceId)]);
  let incomplete = 0;
  for (const source of wanted) {
    const intervals = coverage.filter(({ sourceId }) => sourceId === source).toSorted((a, b) => a.fromUs - b.fromUs);
    if (windows.some((window) => coverageGaps(intervals, window).length > 0)) incomplete += 1;
  }
  const inputs = { sources: wanted.size, incomplete };
  if (wanted.size === 0 || windows.length === 0)
    return review('for which times records are complete is not known', inputs);
  return incomplete === 0
    ? passed('all records of that time are at hand', inputs)
    : review('records of that time are missing from some source', inputs);
}

function searchedEnough({ windows, keys }: MatchSearch, { policy: { automatic } }: RuleContext): RuleFinding {
  const seconds = windows.reduce((sum, { fromUs, toUs }) => sum + Math.max(0, toUs - fromUs + 1), 0) / 1_000_000;
  const isByCalled = keys.includes('called') || keys.includes('record-id');
  const inputs = { searchedSeconds: Math.round(seconds), least: automatic.leastSearchedSeconds, isByCalled };
  return isByCalled && seconds >= automatic.leastSearchedSeconds
    ? passed('the called number was searched for over a long enough time', inputs)
    : review('too little was searched to say that there was no such call', inputs);
}

function arm({ draft, policy }: RuleContext): RuleFinding {
  if (draft === undefined) return review('there is nothing that could be answered');
  const { arm: name } = draft.finding;
  const inputs = { arm: name };
  // "ambiguous" and refusals are in no policy: the schema has no place for them.
  if ((policy.automatic.arms as readonly TracebackFinding['arm'][]).includes(name))
    return passed('such answers are given without a person', inputs);
  const topic: ReviewTopic = name === 'not-sent-to-downstream' ? 'legal' : name === 'origin' ? 'customer' : 'policy';
  return { ...review(`a person gives such answers: ${name}`, inputs), topic };
}
