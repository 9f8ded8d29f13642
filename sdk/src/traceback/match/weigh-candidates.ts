import { defined } from '../../core/text.js';
import type { CalledNumber, CallRecord } from '../../contract/call-record.js';
import type { ProviderReference } from '../../contract/common.js';
import type { RequestedCall, TracebackRequest } from '../../contract/traceback-exchange.js';
import type { TimeWindow } from '../../records/store/record-store.js';
import type { MatchCandidate } from '../match-outcome.js';
import type { TrunkParty } from '../directory/provider-identity.js';
import type { TrunkParties } from '../directory/trunk-directory.js';
import { crossingsOf, groupName, groupsThatCameIn, hasParty, hopParties } from './call-legs.js';
import type { Crossing, HopParties } from './call-legs.js';
import { LONGEST_LAG_US, MATCH_WEIGHTS, reasonOf, scoreOf } from './match-options.js';
import { comparableOrigId, mayBeOneNumber } from './plan-search.js';
import type { SearchPlan, StatedNumber, StatedTimeReading } from './plan-search.js';

/** What was stated beside the time and the downstream provider. */
interface StatedFields {
  readonly call: RequestedCall;
  readonly called: StatedNumber;
  readonly calling: StatedNumber;
}

/**
 * Compares the legs of a call with what was stated, field by field. What was not stated gives no reason. Never throws.
 */
function weighFields(legs: readonly CallRecord[], stated: StatedFields): MatchCandidate['reasons'] {
  const { call } = stated;
  return [
    calledReason(legs, stated),
    callingReason(legs, stated),
    identifierReason(
      'record-id',
      call.recordId?.toLowerCase(),
      legs.map(({ recordId }) => recordId),
    ),
    identifierReason(
      'call-id',
      call.callId,
      legs.flatMap(({ ingress, egress }) => [ingress.callId, egress.callId]),
    ),
    identifierReason(
      'origid',
      comparableOrigId(call.origId),
      legs.flatMap(({ received, signed }) => [received?.origId, signed?.origId]).map(comparableOrigId),
    ),
    valueReason(
      'attestation',
      call.attestation,
      legs.flatMap(({ received, signed }) => [received?.attestation, signed?.attestation]),
    ),
    // What the carrier signed itself carries its own code, which its records do not.
    valueReason(
      'spc',
      call.spc?.toUpperCase(),
      legs.some(({ signed }) => signed !== undefined) ? [] : legs.map(({ received }) => received?.spc?.toUpperCase()),
    ),
    durationReason(legs, call.durationSeconds),
  ].filter((reason) => reason !== undefined);
}

/** Seconds and part by which a stated duration may differ: bills round up to six seconds, and count from the ringing or the answer. */
const DURATION_SECONDS = 6;
const DURATION_PART = 0.05;
/** Bills in minutes. */
const DURATION_MINUTE_SECONDS = 60;

function calledReason(
  legs: readonly CallRecord[],
  { call, called }: StatedFields,
): MatchCandidate['reasons'][number] | undefined {
  if (called.kind === 'not-stated') return undefined;
  const parties = legs.map((leg) => leg.called).filter((party) => party !== undefined);
  const recorded = parties[0]?.asWritten;
  const said = { stated: call.called, recorded };
  if (called.kind === 'unreadable') {
    return reasonOf('called', parties.some(({ asWritten }) => asWritten === call.called) ? 'equal' : 'absent', said);
  }
  const equal = parties.find(({ tn, translatedTn }) => tn === called.tn || translatedTn === called.tn);
  if (equal !== undefined) return reasonOf('called', 'equal', { stated: call.called, recorded: equal.asWritten });
  const isKnown = parties.some(({ tn, translatedTn }) => tn !== undefined || translatedTn !== undefined);
  const inPart = parties.find((party) => isCalledInPart(party, called, isKnown));
  if (inPart !== undefined)
    return reasonOf('called', 'compatible', { stated: call.called, recorded: inPart.asWritten });
  return reasonOf('called', isKnown ? 'contradicts' : 'absent', said);
}

/**
 * Whether nothing but part of a stated number is on record: its routing number, or the number in another form.
 * @param isKnown - whether any number called is on record
 */
function isCalledInPart(
  { tn, translatedTn, lrn }: CalledNumber,
  called: Extract<StatedNumber, { kind: 'number' }>,
  isKnown: boolean,
): boolean {
  const isPart = (one: string | undefined): boolean =>
    one !== undefined && (one === called.lrn || mayBeOneNumber(one, called.tn));
  if (isPart(tn) || isPart(translatedTn)) return true;
  if (lrn === undefined) return false;
  // A routing number is that of a whole switch: where one was stated too, it says nothing beside a number that is another.
  return called.lrn === undefined ? lrn === called.tn : !isKnown && (lrn === called.lrn || lrn === called.tn);
}

function callingReason(
  legs: readonly CallRecord[],
  { call, calling }: StatedFields,
): MatchCandidate['reasons'][number] | undefined {
  if (calling.kind === 'not-stated') return undefined;
  const parties = legs.flatMap((leg) => [leg.calling, leg.asserted]).filter((party) => party !== undefined);
  const isEqual = ({ tn, asWritten }: (typeof parties)[number]): boolean =>
    calling.kind === 'number' ? tn === calling.tn : asWritten === call.calling;
  const equal = parties.find(isEqual);
  if (equal !== undefined) return reasonOf('calling', 'equal', { stated: call.calling, recorded: equal.asWritten });
  const known = calling.kind === 'number' ? parties.filter(({ tn }) => tn !== undefined) : [];
  const inPart = known.find(({ tn = '' }) => calling.kind === 'number' && mayBeOneNumber(tn, calling.tn));
  if (inPart !== undefined)
    return reasonOf('calling', 'compatible', { stated: call.calling, recorded: inPart.asWritten });
  return reasonOf('calling', known.length > 0 ? 'contradicts' : 'absent', {
    stated: call.calling,
    recorded: parties[0]?.asWritten,
  });
}

/** Another Call-ID is what a back-to-back user agent makes of a call; origids go through to the end, and another record is another record. */
function identifierReason(
  field: 'record-id' | 'call-id' | 'origid',
  stated: string | undefined,
  recorded: readonly (string | undefined)[],
): MatchCandidate['reasons'][number] | undefined {
  if (stated === undefined || stated === '') return undefined;
  if (recorded.includes(stated)) return reasonOf(field, 'equal', { stated, recorded: stated });
  const known = recorded.find((value) => value !== undefined);
  if (known === undefined) return reasonOf(field, 'absent', { stated });
  return reasonOf(field, field === 'call-id' ? 'compatible' : 'contradicts', { stated, recorded: known });
}

function valueReason(
  field: 'attestation' | 'spc',
  stated: string | undefined,
  recorded: readonly (string | undefined)[],
): MatchCandidate['reasons'][number] | undefined {
  if (stated === undefined) return undefined;
  if (recorded.includes(stated)) return reasonOf(field, 'equal', { stated, recorded: stated });
  const known = recorded.find((value) => value !== undefined);
  return reasonOf(field, known === undefined ? 'absent' : 'contradicts', { stated, recorded: known });
}

function durationReason(
  legs: readonly CallRecord[],
  stated: number | undefined,
): MatchCandidate['reasons'][number] | undefined {
  if (stated === undefined) return undefined;
  const seconds = legs.flatMap(({ inviteAtUs, answeredAtUs, endedAtUs }) =>
    endedAtUs === undefined
      ? []
      : [(endedAtUs - (answeredAtUs ?? endedAtUs)) / 1_000_000, (endedAtUs - inviteAtUs) / 1_000_000],
  );
  if (seconds.length === 0) return reasonOf('duration', 'absent', { stated: String(stated) });
  const offset = Math.min(...seconds.map((value) => Math.abs(value - stated)));
  const recorded = seconds
    .map((value) => value.toFixed(1))
    .slice(0, 2)
    .join(' or ');
  const said = { stated: String(stated), recorded };
  if (offset <= Math.max(DURATION_SECONDS, stated * DURATION_PART)) return reasonOf('duration', 'equal', said);
  return reasonOf('duration', offset <= DURATION_MINUTE_SECONDS ? 'compatible' : 'contradicts', said);
}

/** By which legs a call came in and went on, and whether it went to whoever named us. */
interface HopWeighed {
  readonly ingressLeg: CallRecord;
  readonly egressLeg?: CallRecord;
  readonly upstream?: TrunkParty;
  readonly downstream: MatchCandidate['downstream'];
  readonly reason: MatchCandidate['reasons'][number];
}

/**
 * Finds by which legs a call came in and went on, and holds whom it was sent to against whom the request names. Never throws.
 * @param legs - by time
 * @param request - with the downstream hop that named the asked provider; at the first hop there is none
 */
function weighHop(
  legs: Crossing,
  { hop: place, downstream: named }: Pick<TracebackRequest, 'hop' | 'downstream'>,
  parties: HopParties,
): HopWeighed {
  const isNamed = (leg: CallRecord): boolean =>
    named !== undefined && parties.isProvider(parties.downstreamOf(leg), named);
  const onwards = legs.filter((leg) => hasParty(leg.egress) && !parties.isOwn(parties.downstreamOf(leg)));
  const egressLeg = bestOf(onwards, isNamed);
  const fromOutside = legs.filter((leg) => hasParty(leg.ingress) && !parties.isOwn(parties.upstreamOf(leg)));
  // Of what several sources wrote down one may not say who sent it.
  const told = fromOutside.filter((leg) => parties.upstreamOf(leg) !== undefined);
  const cameIn = told.length > 0 ? told : fromOutside;
  const ingressLeg = bestOf(cameIn, (leg) => leg === egressLeg) ?? legs.find((leg) => hasParty(leg.ingress)) ?? legs[0];
  const upstream = parties.upstreamOf(ingressLeg);
  const hop: Sending = { onwards, parties };
  const isFirst = named === undefined && place <= 1;
  const downstream =
    named !== undefined ? sendingOf(legs, named, hop) : isFirst ? deliveryOf(legs, hop) : 'unknown-egress';
  const recorded =
    egressLeg === undefined
      ? undefined
      : (egressLeg.egress.provider ?? egressLeg.egress.trunk ?? egressLeg.egress.address);
  return {
    ingressLeg,
    ...defined({ egressLeg, upstream }),
    downstream,
    reason: reasonOf('downstream', VERDICTS[downstream], {
      stated: named?.name ?? (isFirst ? 'the first hop' : undefined),
      recorded,
    }),
  };
}

const VERDICTS: Readonly<Record<MatchCandidate['downstream'], MatchCandidate['reasons'][number]['verdict']>> = {
  'sent-to-downstream': 'equal',
  'delivered-here': 'equal',
  'unknown-egress': 'absent',
  'sent-elsewhere': 'contradicts',
  'not-delivered-here': 'contradicts',
};

/** The leg that is preferred, else the one that was answered, else the last: what was tried before came to nothing. */
function bestOf(legs: readonly CallRecord[], isPreferred: (leg: CallRecord) => boolean): CallRecord | undefined {
  return (
    legs.findLast((leg) => isPreferred(leg) && leg.answeredAtUs !== undefined) ??
    legs.findLast(isPreferred) ??
    legs.findLast(({ answeredAtUs }) => answeredAtUs !== undefined) ??
    legs.at(-1)
  );
}

/** Of a call that some other provider says it had from us. What was refused here went to nobody. */
function sendingOf(legs: readonly CallRecord[], named: ProviderReference, hop: Sending): MatchCandidate['downstream'] {
  const { onwards, parties } = hop;
  const isAnother = (leg: CallRecord): boolean => parties.isAnother(parties.downstreamOf(leg), named);
  if (onwards.some((leg) => parties.isProvider(parties.downstreamOf(leg), named))) return 'sent-to-downstream';
  if (onwards.length === 0) return legs.every(isRefused) ? 'sent-elsewhere' : 'unknown-egress';
  return onwards.every(isAnother) && isTold(legs, parties) ? 'sent-elsewhere' : 'unknown-egress';
}

/** Of a call at whose end the asked provider stands itself. What was refused here came no further either. */
function deliveryOf(legs: readonly CallRecord[], { onwards, parties }: Sending): MatchCandidate['downstream'] {
  if (onwards.some((leg) => parties.downstreamOf(leg)?.kind === 'customer')) return 'delivered-here';
  if (onwards.length === 0) return legs.every(isRefused) ? 'delivered-here' : 'unknown-egress';
  const isKnown = onwards.every((leg) => parties.downstreamOf(leg) !== undefined);
  return isKnown && isTold(legs, parties) ? 'not-delivered-here' : 'unknown-egress';
}

interface Sending {
  /** Legs that went on, to somebody else or to nobody knows whom. */
  readonly onwards: readonly CallRecord[];
  readonly parties: HopParties;
}

/** Whether it is on record where each leg went: what was handed to another own switch went on from there. */
function isTold(legs: readonly CallRecord[], parties: HopParties): boolean {
  const takenOver = legs.filter((leg) => parties.isOwn(parties.upstreamOf(leg)));
  return legs.every((leg) => {
    if (!hasParty(leg.egress)) return hasParty(leg.ingress) || leg.customerId !== undefined || isRefused(leg);
    if (!parties.isOwn(parties.downstreamOf(leg))) return true;
    return takenOver.some(({ ingress }) => isOneCallId(leg.egress.callId, ingress.callId));
  });
}

/** Not every switch writes down the Call-IDs of both sides. */
function isOneCallId(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function isRefused({ disposition, blockedBy }: CallRecord): boolean {
  return disposition === 'blocked' || blockedBy !== undefined;
}

/** What the time of a call says. */
interface TimeWeighed {
  readonly reason: MatchCandidate['reasons'][number];
  /** From the nearest stated instant to the set-up of the call, microseconds; positive where the call is later, 0 where they meet. */
  readonly offsetUs: number;
}

/** A call rings no longer than this, microseconds: RFC 3261 section 13.3.1.1 has a proxy wait three minutes. */
const LONGEST_SET_UP_US = 180_000_000;

/** A time within the clock's allowance, and not within what was stated, counts this much less. */
const ALLOWANCE_WEIGHT = -5;
/** As far away as this a time counts as much against a call as it can. */
const FAR_US = 3_600_000_000;

/**
 * Weighs when a call was against when it was stated to have been. `equal`: it was being set up then, from the INVITE to the answer;
 * `compatible`: it was up then, or it was set up then only if a local time that comes twice is the other one; else it contradicts.
 * Never throws.
 */
function weighTime(
  legs: readonly CallRecord[],
  time: Extract<StatedTimeReading, { status: 'read' }>,
  allowanceUs: number,
): TimeWeighed {
  const spans = spansOf(legs);
  const [own] = spans;
  const said = { stated: time.text, recorded: new Date(Math.floor((own?.beginUs ?? 0) / 1_000)).toISOString() };
  const offsetUs = spans
    .flatMap((span) => time.instants.map((instant) => offsetOf(instant, span.beginUs, span.setUpUs)))
    .reduce((least, offset) => (Math.abs(offset) < Math.abs(least) ? offset : least), Number.MAX_SAFE_INTEGER);
  const meets = (pick: (span: Span) => readonly [number, number]): boolean =>
    spans.some((span) => time.instants.some((instant) => Math.abs(offsetOf(instant, ...pick(span))) <= allowanceUs));
  const isSetUpThen = meets(({ beginUs, setUpUs }) => [beginUs, setUpUs]);
  const isSure = spans.length === 1 && time.instants.length === 1;
  if (isSetUpThen && isSure) {
    const weight = MATCH_WEIGHTS.time.equal + (offsetUs === 0 ? 0 : ALLOWANCE_WEIGHT);
    return { reason: reasonOf('time', 'equal', { ...said, weight }), offsetUs };
  }
  if (isSetUpThen || meets(({ beginUs, endUs }) => [beginUs, endUs])) {
    return { reason: reasonOf('time', 'compatible', said), offsetUs };
  }
  const full = MATCH_WEIGHTS.time.contradicts;
  const weight = Math.round(full / 2 + (full / 2) * Math.min(1, Math.abs(offsetUs) / FAR_US));
  return { reason: reasonOf('time', 'contradicts', { ...said, weight }), offsetUs };
}

/** When a call was set up, and until when it was up. */
interface Span {
  readonly beginUs: number;
  readonly setUpUs: number;
  readonly endUs: number;
}

/** One, or two where the source wrote a local time that comes twice. */
function spansOf(legs: readonly CallRecord[]): readonly Span[] {
  const beginUs = Math.min(...legs.map(({ inviteAtUs }) => inviteAtUs));
  const answers = legs.map(({ answeredAtUs }) => answeredAtUs).filter((us) => us !== undefined);
  const ends = legs.map(({ endedAtUs }) => endedAtUs).filter((us) => us !== undefined);
  const lastUs = ends.length === 0 ? beginUs : Math.max(...ends);
  const setUpUs = within(answers.length === 0 ? lastUs : Math.min(...answers), beginUs, beginUs + LONGEST_SET_UP_US);
  const span = { beginUs, setUpUs, endUs: within(lastUs, setUpUs, beginUs + LONGEST_LAG_US) };
  const [first] = legs;
  if (first?.time.otherInviteAtUs === undefined) return [span];
  const shiftUs = first.time.otherInviteAtUs - first.inviteAtUs;
  return [span, { beginUs: span.beginUs + shiftUs, setUpUs: span.setUpUs + shiftUs, endUs: span.endUs + shiftUs }];
}

function within(us: number, fromUs: number, toUs: number): number {
  return Math.min(Math.max(us, fromUs), Math.max(fromUs, toUs));
}

/** How far a stretch lies behind an instant; negative where it lies before, 0 where they meet. */
function offsetOf({ fromUs, toUs }: TimeWindow, beginUs: number, endUs: number): number {
  if (beginUs > toUs) return beginUs - toUs;
  return endUs < fromUs ? endUs - fromUs : 0;
}

/**
 * How a call stands to what was stated:
 * - `consistent`: with everything, and everything that would tell it apart is known of it;
 * - `possible`: nothing contradicts that would make it another call, but something is unknown: it could be meant;
 * - `near`: one thing contradicts, or more of a call that an identifier names: a person may see why;
 * - `other`: another call.
 */
type Standing = 'consistent' | 'possible' | 'near' | 'other';

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

/** What it means that something is not known of a call. */
export const LACKS = {
  called: 'The number called is not on record.',
  'called-in-full': 'Of the number called only the routing number is on record, or another form of it.',
  calling: 'The calling number that was stated is not on record.',
  'calling-in-full': 'The calling number on record may be another form of the one that was stated.',
  'call-id': 'The Call-ID that was stated is not on record, and who called is not known.',
  origid: 'The origid that was stated is not on record.',
  attestation: 'The attestation on record is not the one that was stated.',
  spc: 'The code on record is not that of the signer that was stated.',
  downstream: 'The provider the call was sent to, or the one that named us, is unknown.',
  ingress: 'The leg by which the call came in is not on record.',
  'own-upstream': 'The call came from another switch of the asked provider, whose record was not found.',
} as const;

/** What can be unknown of a candidate. */
type CandidateLack = keyof typeof LACKS;

/** What candidates are weighed by. */
interface WeighingContext {
  readonly request: TracebackRequest;
  readonly plan: Extract<SearchPlan, { status: 'planned' }>;
  readonly directory: TrunkParties;
  readonly allowanceUs: number;
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
  return weighed.map((one) => withoutIdentifiers(one, naming)).toSorted(bestFirst);
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
  const { request, plan, allowanceUs, cameIn } = weighing;
  const hop = weighHop(legs, request, parties);
  const time = weighTime(legs, plan.time, allowanceUs);
  const fields = weighFields(legs, { call: request.call, called: plan.called, calling: plan.calling });
  const reasons = [...fields, time.reason, hop.reason];
  const { ingressLeg, egressLeg, upstream, downstream } = hop;
  const candidate: MatchCandidate = {
    callGroupId: ingressLeg.callGroupId,
    legs,
    ingressLeg,
    ...defined({ egressLeg, upstream }),
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
  const verdictOn = (field: string): MatchCandidate['reasons'][number]['verdict'] | undefined =>
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

function contradicting({
  field,
  stated,
  recorded,
}: MatchCandidate['reasons'][number]): MatchCandidate['reasons'][number] {
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
