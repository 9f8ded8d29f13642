import type { CallRecord } from '../../core/call-record.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { MatchCandidate, MatchReason } from '../match-outcome.js';
import type { TrunkDirectory } from '../trunk-directory.js';
import { crossingsOf, groupsThatCameIn } from './call-legs.js';
import { groupName } from './crossing.js';
import type { Crossing } from './crossing.js';
import { hasParty, hopParties } from './hop-parties.js';
import type { HopParties } from './hop-parties.js';
import type { MatchLimits } from './match-options.js';
import { reasonOf, scoreOf } from './match-weights.js';
import type { SearchPlan } from './plan-search.js';
import { weighFields } from './weigh-fields.js';
import { weighHop } from './weigh-hop.js';
import { weighTime } from './weigh-time.js';

/**
 * How a call stands to what was stated:
 * - `consistent`: with everything, and everything that would tell it apart is known of it;
 * - `possible`: nothing contradicts that would make it another call, but something is unknown: it could be meant;
 * - `near`: one thing contradicts, or more of a call that an identifier names: a person may see why;
 * - `other`: another call.
 */
export type Standing = 'consistent' | 'possible' | 'near' | 'other';

/** A candidate and what it lacks. */
export interface WeighedCandidate {
  readonly candidate: MatchCandidate;
  readonly standing: Standing;
  /** Fields that contradict, and make it another call. */
  readonly contradicted: readonly string[];
  /** Whether an identifier that was stated is on its records: then no other call is meant, on record or not. */
  readonly isIdentified: boolean;
  /** What of it is not known and would have to be. */
  readonly lacks: readonly CandidateLack[];
}

/** What can be unknown of a candidate. */
export type CandidateLack =
  | 'called'
  | 'called-in-full'
  | 'calling'
  | 'calling-in-full'
  | 'call-id'
  | 'origid'
  | 'attestation'
  | 'spc'
  | 'downstream'
  | 'ingress'
  | 'own-upstream';

/** What candidates are weighed by. */
export interface WeighingContext {
  readonly request: TracebackRequest;
  readonly plan: Extract<SearchPlan, { status: 'planned' }>;
  readonly directory: TrunkDirectory;
  readonly limits: MatchLimits;
}

/**
 * Weighs every call that records tell of against a request. Never throws.
 * @returns best first: by standing, score, distance in time, time and id
 */
export function weighCandidates(records: readonly CallRecord[], context: WeighingContext): readonly WeighedCandidate[] {
  const parties = hopParties(context.directory, context.request.provider);
  const crossings = crossingsOf(records, parties);
  const weighing = { ...context, cameIn: groupsThatCameIn(crossings) };
  const weighed = crossings.map((legs) => weighOne(legs, parties, weighing));
  const naming = new Set(weighed.flatMap(({ candidate }) => equalFields(candidate)).filter(isIdentifier));
  const settled = naming.size > 0 ? weighed.map((one) => withoutIdentifiers(one, naming)) : weighed;
  return settled.toSorted(bestFirst);
}

const STANDINGS: Readonly<Record<Standing, number>> = { consistent: 0, possible: 1, near: 2, other: 3 };
/** What names one call and no other. An origid need not: signers use one for a customer, a trunk or a switch. RFC 8588 section 5 */
const IDENTIFIERS: ReadonlySet<string> = new Set(['record-id', 'call-id']);
/** What is on the records of a call that is meant, whatever else is. */
const NAMES: ReadonlySet<string> = new Set([...IDENTIFIERS, 'origid']);
/** Fields without which a call cannot be told from others. */
const NEEDED = ['called', 'calling', 'origid', 'downstream'] as const;
/** Fields of which more than a part has to be known. */
const IN_FULL = [
  ['called', 'called-in-full'],
  ['calling', 'calling-in-full'],
] as const;
/** A later hop may have signed anew: these make a call doubtful, and never another one. RFC 8224 section 4.1 */
const DOUBTFUL = ['attestation', 'spc'] as const;
const IS_DOUBTFUL: ReadonlySet<string> = new Set(DOUBTFUL);

interface Weighing extends WeighingContext {
  readonly cameIn: ReadonlySet<string>;
}

function weighOne(legs: Crossing, parties: HopParties, weighing: Weighing): WeighedCandidate {
  const { request, plan, limits, cameIn } = weighing;
  const hop = weighHop(legs, request, parties);
  const time = weighTime(legs, plan.time, limits);
  const fields = weighFields(legs, { call: request.call, called: plan.called, calling: plan.calling });
  const reasons = [...fields, time.reason, hop.reason];
  const { ingressLeg, egressLeg, upstream, downstream } = hop;
  const candidate: MatchCandidate = {
    callGroupId: ingressLeg.callGroupId,
    legs,
    ingressLeg,
    ...(egressLeg === undefined ? {} : { egressLeg }),
    ...(upstream === undefined ? {} : { upstream }),
    downstream,
    score: scoreOf(reasons),
    reasons,
    timeOffsetUs: time.offsetUs,
  };
  return judged(candidate, {
    isIdentified: equalFields(candidate).some(isIdentifier),
    lacks: lacksOf(candidate, { parties, cameIn }),
  });
}

function judged(
  candidate: MatchCandidate,
  facts: { readonly isIdentified: boolean; readonly lacks: readonly CandidateLack[] },
): WeighedCandidate {
  const contradicted = candidate.reasons
    .filter(({ field, verdict }) => verdict === 'contradicts' && !IS_DOUBTFUL.has(field))
    .map(({ field }) => field);
  return {
    candidate,
    standing: standingOf(candidate, contradicted.length, facts.lacks.length),
    contradicted,
    ...facts,
  };
}

function standingOf(candidate: MatchCandidate, contradictions: number, lacks: number): Standing {
  if (contradictions === 0) return lacks === 0 ? 'consistent' : 'possible';
  return contradictions === 1 || equalFields(candidate).some((field) => NAMES.has(field)) ? 'near' : 'other';
}

function equalFields({ reasons }: MatchCandidate): readonly string[] {
  return reasons.filter(({ verdict }) => verdict === 'equal').map(({ field }) => field);
}

function isIdentifier(field: string): boolean {
  return IDENTIFIERS.has(field);
}

function lacksOf(
  { reasons, ingressLeg, upstream }: MatchCandidate,
  { parties, cameIn }: { readonly parties: HopParties; readonly cameIn: ReadonlySet<string> },
): readonly CandidateLack[] {
  const verdictOn = (field: string): MatchReason['verdict'] | undefined =>
    reasons.find((reason) => reason.field === field)?.verdict;
  const callId = verdictOn('call-id');
  // A Call-ID that is on no record may be that of another hop, and may be that of a call that never came: then the caller has to be known.
  const isOtherCallId = callId !== undefined && callId !== 'equal' && verdictOn('calling') !== 'equal';
  // Whoever is billed for a leg of a call that came in by another one need not be who sent it.
  const beganHere = ingressLeg.customerId !== undefined && !cameIn.has(groupName(ingressLeg));
  return [
    ...NEEDED.filter((field) => verdictOn(field) === 'absent'),
    ...IN_FULL.filter(([field]) => verdictOn(field) === 'compatible').map(([, lack]) => lack),
    ...DOUBTFUL.filter((field) => verdictOn(field) === 'contradicts'),
    ...(isOtherCallId ? (['call-id'] as const) : []),
    ...(hasParty(ingressLeg.ingress) || beganHere ? [] : (['ingress'] as const)),
    ...(parties.isOwn(upstream) ? (['own-upstream'] as const) : []),
  ];
}

/** Where one call has an identifier that was stated, those that have it not are other calls: none of them is silent about it any more. */
function withoutIdentifiers(weighed: WeighedCandidate, naming: ReadonlySet<string>): WeighedCandidate {
  const reasons = weighed.candidate.reasons.map((reason) =>
    naming.has(reason.field) && reason.verdict !== 'equal' ? contradicting(reason) : reason,
  );
  const { isIdentified, lacks } = weighed;
  return judged({ ...weighed.candidate, reasons, score: scoreOf(reasons) }, { isIdentified, lacks });
}

function contradicting({ field, stated, recorded }: MatchReason): MatchReason {
  return reasonOf(field as 'call-id', 'contradicts', { stated, recorded });
}

function bestFirst(one: WeighedCandidate, other: WeighedCandidate): number {
  const [first, second] = [one.candidate, other.candidate];
  return (
    STANDINGS[one.standing] - STANDINGS[other.standing] ||
    second.score - first.score ||
    Math.abs(first.timeOffsetUs) - Math.abs(second.timeOffsetUs) ||
    first.ingressLeg.inviteAtUs - second.ingressLeg.inviteAtUs ||
    (first.ingressLeg.recordId < second.ingressLeg.recordId ? -1 : 1)
  );
}
