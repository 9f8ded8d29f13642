import type { SeededRandom } from '../../harness/src/faults/index.js';
import type {
  RequestedCall,
  StatedTime,
  TimePrecision,
  TracebackRequest,
} from '../../sdk/src/contract/traceback-exchange.js';
import { TrunkDirectory } from '../../sdk/dist/traceback/index.js';
import type { TrunkEntry, TrunkParty } from '../../sdk/src/traceback/index.js';
import {
  callerNumber,
  calledNumber,
  downstreamName,
  drawPassages,
  HOUR_US,
  MINUTE_US,
  OWN,
  SECOND_US,
  sourceOfTrunk,
  TRAFFIC,
  upstreamOf,
} from './traceback-traffic.js';
import type { Ground, Passage } from './traceback-traffic.js';

// Requests about calls of which it is known who sent them, as a traceback group sends them. What is true of a request is decided here, by the
// rule of the figures and by nothing of the matcher: the truth is the only call that is consistent with every stated field at its stated
// uncertainty.

/** What the requests are made of. Parts are of all requests. */
export const REQUESTS = {
  outsideCoverage: 0.1,
  neverCame: 0.03,
  crowded: 0.25,
  crowd:
    '2 to 50 calls to the number within an hour, as many of 2 to 10 as of 10 to 50; three in ten by the same caller',
  pairAgain: 0.05,
  withoutCalling: 0.5,
  rewrittenHere: 0.035,
  rewrittenFurtherOn: 0.015,
  skewed: 0.02,
  skewSeconds: '5 to 180, as many below 30 as above',
  otherClocksSeconds: 'normal, 1.5',
  namedByLiar: 0.01,
  precision: { minute: 0.88, second: 0.1, hour: 0.02 },
  minuteRounded: 0.2,
  statedMoment: { invite: 0.6, answer: 0.3, end: 0.1 },
  withoutZone: 0.05,
  inRepeatedHour: 0.005,
  withAttestation: 0.1,
  withCallId: 0.05,
  withOrigId: 0.05,
} as const;

/** By how much a clock may be off for a time to count as consistent, microseconds: part of what "stated uncertainty" means. */
export const CLOCKS_US: number = MINUTE_US;

/** Zone in which times without a zone are stated. */
export const UNSTATED_ZONE = 'America/New_York';

/** A request, and what whoever made it knows. */
export interface AskedCall {
  readonly request: TracebackRequest;
  readonly kind: 'in-store' | 'in-gap' | 'removed' | 'never-came';
  readonly isCrowded: boolean;
  readonly isSkewed: boolean;
  readonly isRewrittenFurtherOn: boolean;
  /** The call that is meant; undefined where there was none. */
  readonly meant?: Passage;
  /** The stated instants: two where the local time came twice. */
  readonly instants: readonly { readonly fromUs: number; readonly toUs: number }[];
  readonly calledTn: string;
  readonly callingTn?: string;
  /** Who is named as downstream; undefined at the first hop. */
  readonly downstream?: number;
}

/** What is true of a request. */
export type Truth =
  /** One call, and no other, is consistent with everything that was stated. */
  | { readonly answer: 'one'; readonly passage: Passage; readonly upstream: string }
  | { readonly answer: 'none-or-several' };

/** Draws requests and the calls that they are about. */
export function drawRequests(random: SeededRandom, count: number, ground: Ground) {
  const asked: AskedCall[] = [];
  const passages: Passage[] = [];
  for (let index = 0; index < count; index += 1) {
    const drawn = drawRequest(random.fork(String(index)), index, ground);
    asked.push(drawn.asked);
    passages.push(...drawn.passages);
  }
  return { asked, passages };
}

/** Decides what is true of a request, by all calls to its number that were ever there. */
export function truthOf(one: AskedCall, calls: readonly Passage[], ground: Ground): Truth {
  const known = calls.filter((call) => isKept(call, ground));
  const candidates = known.filter((call) => isConsistent(one, call) !== 'no');
  const [only] = candidates;
  const isCovered = one.instants.every(({ fromUs, toUs }) =>
    ground.gaps.every((gap) => gap.toUs < fromUs - CLOCKS_US || gap.fromUs > toUs + CLOCKS_US),
  );
  const hasRemoved = one.instants.some(({ fromUs }) => fromUs - CLOCKS_US < ground.retainedFromUs);
  if (only === undefined || candidates.length > 1 || !isCovered || hasRemoved) return { answer: 'none-or-several' };
  const upstream = upstreamOf(only.upstreamTrunk, only.atUs, ground);
  if (isConsistent(one, only) === 'unknown' || upstream === undefined) return { answer: 'none-or-several' };
  return { answer: 'one', passage: only, upstream };
}

/** Whether all records of a call are in the store. */
export function isKept({ records }: Passage, { retainedFromUs, gaps }: Ground): boolean {
  return records.every(
    ({ inviteAtUs, source }) =>
      inviteAtUs >= retainedFromUs &&
      gaps.every((gap) => gap.sourceId !== source.id || inviteAtUs < gap.fromUs || inviteAtUs > gap.toUs),
  );
}

function isConsistent(one: AskedCall, call: Passage): 'yes' | 'unknown' | 'no' {
  const { callingTn, downstream, instants, request } = one;
  const isThen = instants.some(
    ({ fromUs, toUs }) => call.atUs - startedBefore(call) <= toUs + CLOCKS_US && call.endUs >= fromUs - CLOCKS_US,
  );
  if (!isThen || !call.calleds.includes(one.calledTn)) return 'no';
  const isSent =
    downstream === undefined
      ? call.downstream === undefined || call.isBlocked
      : call.records.some(({ egress }) => egress.trunk === `TG-OUT-${downstream}`);
  if (!isSent) return 'no';
  const { attestation, callId, origId } = request.call;
  if (callId !== undefined && !callId.includes('elsewhere') && callId !== call.egressCallId) return 'no';
  if (origId !== undefined && origId !== call.origId) return 'no';
  if (attestation !== undefined && call.attestation !== undefined && attestation !== call.attestation) return 'no';
  if (callingTn === undefined) return 'yes';
  if (call.callings.length === 0) return 'unknown';
  return call.callings.includes(callingTn) ? 'yes' : 'no';
}

/** A first try of the upstream is part of the call. */
function startedBefore({ atUs, records }: Passage): number {
  return Math.max(0, ...records.map(({ inviteAtUs }) => atUs - inviteAtUs));
}

function drawRequest(random: SeededRandom, index: number, ground: Ground) {
  const id = 1_000_000_000 + index * 1_000;
  const draw = random.next();
  const kind =
    draw < 0.05
      ? 'in-gap'
      : draw < REQUESTS.outsideCoverage
        ? 'removed'
        : draw < REQUESTS.outsideCoverage + REQUESTS.neverCame
          ? 'never-came'
          : 'in-store';
  const isCrowded = random.chance(REQUESTS.crowded);
  const called = calledNumber(random);
  const calling = callerNumber(random);
  const rewriting = random.next();
  const mustRewrite = kind === 'in-store' && rewriting < REQUESTS.rewrittenHere;
  const { atUs, trunk } = whenOf(random, kind, ground);
  const wish = {
    atUs,
    called,
    calling,
    mustRewrite,
    ...(trunk === undefined || mustRewrite ? {} : { upstreamTrunk: trunk }),
  };
  const target = drawPassages(random, wish, id);
  const meant = random.pick(target);
  const others = othersOf(random, { called, calling, atUs, isCrowded, id });
  const passages = kind === 'never-came' ? others : [...target, ...others];
  const isRewrittenFurtherOn = kind === 'in-store' && !mustRewrite && rewriting > 1 - REQUESTS.rewrittenFurtherOn;
  const asked = askedAbout(random, { meant, called, calling, isRewrittenFurtherOn, kind, isCrowded, id: index });
  return { asked: kind === 'never-came' ? withoutMeant(asked) : asked, passages };
}

function withoutMeant({ meant: _meant, ...asked }: AskedCall): AskedCall {
  return asked;
}

/** When the call was, and by which trunk it came where that matters. */
function whenOf(random: SeededRandom, kind: AskedCall['kind'], ground: Ground) {
  if (kind === 'removed')
    return {
      atUs: ground.startUs + random.int(Math.floor((ground.retainedFromUs - ground.startUs - HOUR_US) / 1_000)) * 1_000,
    };
  if (kind === 'in-gap') {
    const gap = random.pick(ground.gaps);
    const trunks = Array.from({ length: TRAFFIC.upstreamTrunks }, (_, trunk) => trunk).filter(
      (trunk) => sourceOfTrunk(trunk) === gap.sourceId,
    );
    return { atUs: gap.fromUs + Math.floor(random.next() * (gap.toUs - gap.fromUs)), trunk: random.pick(trunks) };
  }
  for (;;) {
    const isRepeated = random.chance(REQUESTS.inRepeatedHour);
    const fromUs = isRepeated ? REPEATED_HOUR_US : ground.retainedFromUs + 2 * HOUR_US;
    const lengthUs = isRepeated ? 2 * HOUR_US : ground.endUs - HOUR_US - fromUs;
    const atUs = fromUs + Math.floor(random.next() * lengthUs);
    if (ground.gaps.every((gap) => atUs < gap.fromUs - 5 * MINUTE_US || atUs > gap.toUs + 5 * MINUTE_US))
      return { atUs };
  }
}

/** 1:00 on 1 November 2026 in New York, the first time. */
const REPEATED_HOUR_US = Date.UTC(2026, 10, 1, 5) * 1_000;

/** Other calls to the number around that time. */
function othersOf(
  random: SeededRandom,
  around: {
    readonly called: string;
    readonly calling: string;
    readonly atUs: number;
    readonly isCrowded: boolean;
    readonly id: number;
  },
): readonly Passage[] {
  const { called, calling, atUs, isCrowded, id } = around;
  const isAgain = random.chance(REQUESTS.pairAgain);
  const crowd = random.chance(0.5) ? 2 + random.int(9) : 10 + random.int(41);
  const count = isCrowded ? crowd - 1 : isAgain ? 1 : 0;
  return Array.from({ length: count }, (_, at) => {
    const isSame = !isCrowded || random.chance(0.3);
    const otherUs = atUs - HOUR_US + Math.floor(random.next() * 2 * HOUR_US);
    return drawPassages(random, { atUs: otherUs, called, ...(isSame ? { calling } : {}) }, id + 1 + at);
  }).flat();
}

interface Sketched {
  readonly meant: Passage;
  readonly called: string;
  readonly calling: string;
  readonly isRewrittenFurtherOn: boolean;
  readonly kind: AskedCall['kind'];
  readonly isCrowded: boolean;
  readonly id: number;
}

function askedAbout(random: SeededRandom, sketch: Sketched): AskedCall {
  const { meant, kind, isCrowded, isRewrittenFurtherOn, id } = sketch;
  const isSkewed = random.chance(REQUESTS.skewed);
  const skewSeconds = isSkewed ? 5 * 36 ** random.next() * (random.chance(0.5) ? 1 : -1) : normal(random) * 1.5;
  const momentUs = Math.round(momentOf(random, meant) + skewSeconds * SECOND_US);
  const { at, instants } = stated(random, momentUs);
  const calledTn = isRewrittenFurtherOn ? callerNumber(random) : sketch.called;
  // What was blocked here went to nobody: the traceback starts here.
  const sentTo = meant.isBlocked ? undefined : meant.downstream;
  const isLiar = sentTo !== undefined && random.chance(REQUESTS.namedByLiar);
  const downstream = isLiar ? (sentTo + 1) % TRAFFIC.downstreamProviders : sentTo;
  const callingTn = random.chance(REQUESTS.withoutCalling) ? undefined : sketch.calling;
  const call: RequestedCall = {
    called: spelled(random, calledTn),
    ...(callingTn === undefined ? {} : { calling: spelled(random, callingTn) }),
    at,
    ...identifiersOf(random, meant),
  };
  const request: TracebackRequest = {
    format: 'hopback.traceback-request.1',
    requestId: `request-${id}`,
    tracebackId: `traceback-${id}`,
    direction: 'back',
    hop: downstream === undefined ? 1 : 2,
    requester: { kind: 'itg', name: 'Industry Traceback Group' },
    issuedAt: '2026-11-20T15:00:00Z',
    provider: OWN,
    ...(downstream === undefined ? {} : { downstream: { name: downstreamName(downstream) } }),
    call,
  };
  return {
    ...{ request, kind, isCrowded, isSkewed, isRewrittenFurtherOn, meant, instants, calledTn },
    ...(callingTn === undefined ? {} : { callingTn }),
    ...(downstream === undefined ? {} : { downstream }),
  };
}

function identifiersOf(random: SeededRandom, { attestation, origId, egressCallId, isBlocked }: Passage) {
  const isElsewhere = random.chance(0.5);
  const callId = isElsewhere ? `elsewhere-${egressCallId}` : egressCallId;
  return {
    ...(attestation !== undefined && random.chance(REQUESTS.withAttestation) ? { attestation } : {}),
    ...(origId !== undefined && random.chance(REQUESTS.withOrigId) ? { origId } : {}),
    ...(!isBlocked && random.chance(REQUESTS.withCallId) ? { callId } : {}),
  };
}

/** What somebody noted: when it rang, when it was answered, when it ended. Half a second to three pass on the way. */
function momentOf(random: SeededRandom, { atUs, answeredUs, endUs }: Passage): number {
  const draw = random.next();
  const { invite, answer } = REQUESTS.statedMoment;
  if (draw < invite) return atUs + 500_000 + random.int(2_500_000);
  return draw < invite + answer ? (answeredUs ?? atUs) : endUs;
}

const ZONES = [
  'UTC',
  'America/New_York',
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'America/Phoenix',
  '-05:00',
  '-04:00',
];

function stated(random: SeededRandom, momentUs: number): Pick<AskedCall, 'instants'> & { readonly at: StatedTime } {
  const isUnstated = random.chance(REQUESTS.withoutZone);
  const zone = isUnstated ? UNSTATED_ZONE : random.pick(ZONES);
  const draw = random.next();
  const precision: TimePrecision = draw < REQUESTS.precision.minute ? 'minute' : draw < 0.98 ? 'second' : 'hour';
  const stepUs = precision === 'minute' ? MINUTE_US : precision === 'second' ? SECOND_US : HOUR_US;
  const isRounded = precision === 'minute' && random.chance(REQUESTS.minuteRounded);
  // Offsets are whole hours here: a step begins in every zone when it begins in UTC.
  const fromUs = Math.floor((momentUs + (isRounded ? stepUs / 2 : 0)) / stepUs) * stepUs;
  const local = wallText(fromUs, zone);
  const starts = [fromUs - HOUR_US, fromUs, fromUs + HOUR_US].filter((us) => wallText(us, zone) === local);
  const cut = precision === 'minute' ? local.slice(0, 16) : precision === 'hour' ? local.slice(0, 13) : local;
  return {
    at: {
      asWritten: `${cut} ${isUnstated ? '' : zone}`.trim(),
      local: cut,
      precision,
      ...(isUnstated ? {} : { zone }),
    },
    instants: starts.map((us) => ({ fromUs: us, toUs: us + stepUs - 1 })),
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-11-01T01:30:00` in a zone. */
function wallText(us: number, zone: string): string {
  if (zone === 'UTC') return new Date(us / 1_000).toISOString().slice(0, 19);
  if (/^[+-]/.test(zone)) return wallText(us + Number(zone.slice(0, 3)) * HOUR_US, 'UTC');
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(zone, format);
  }
  return format.format(us / 1_000).replace(' ', 'T');
}

function spelled(random: SeededRandom, tn: string): string {
  const [area, exchange, line] = [tn.slice(1, 4), tn.slice(4, 7), tn.slice(7)];
  return random.pick([
    `+${tn}`,
    tn,
    tn.slice(1),
    `(${area}) ${exchange}-${line}`,
    `${area}-${exchange}-${line}`,
    `1.${area}.${exchange}.${line}`,
    `${tn}.0`,
    `1234#${tn}`,
    `sip:+${tn}@192.0.2.5;user=phone`,
    `011${tn}`,
  ]);
}

/** Two sums of uniform numbers would do as well; this is the usual one. */
function normal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Who has which trunk, as the carrier has declared it; the one that nobody knows is not in it. */
export function trunksOf(ground: Ground): TrunkDirectory {
  const middleUs = (ground.startUs + ground.endUs) / 2;
  const coming = Array.from({ length: TRAFFIC.upstreamTrunks }, (_, place) => {
    const trunk = `TG-IN-${place}`;
    const [before, after] = [upstreamOf(place, middleUs - 1, ground), upstreamOf(place, middleUs, ground)];
    if (before === undefined || after === undefined) return [];
    if (before === after) return [{ trunk, party: partyNamed(before) }];
    return [
      { trunk, untilUs: middleUs, party: partyNamed(before) },
      { trunk, fromUs: middleUs, party: partyNamed(after) },
    ];
  }).flat();
  const going = Array.from({ length: TRAFFIC.downstreamProviders }, (_, place) => ({
    trunk: `TG-OUT-${place}`,
    party: partyNamed(downstreamName(place)),
  }));
  const entries: readonly TrunkEntry[] = [
    ...coming,
    ...going,
    { trunk: 'SUBSCRIBERS', party: { kind: 'customer' } },
    { trunk: 'CORE', party: { kind: 'provider', provider: OWN } },
  ];
  return new TrunkDirectory({ directoryId: 'bench', providers: [], entries });
}

function partyNamed(name: string): TrunkParty {
  if (name.startsWith('customer')) return { kind: 'customer', customerId: name };
  return name.startsWith('foreign')
    ? { kind: 'foreign-provider', contact: { name, email: 'noc@example.com' } }
    : { kind: 'provider', provider: { name } };
}
