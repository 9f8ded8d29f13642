import type { SeededRandom } from '../../harness/src/faults/index.js';
import type { CalledNumber, CallRecord, CoverageInterval, HopSide } from '../../sdk/src/contract/call-record.js';
import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { Attestation } from '../../sdk/src/core/telephone-number.js';
import { recordIdOf } from '../../sdk/src/records/record-id.js';

// Calls of one carrier, with every trap of a traceback among them, of which it is known who sent them. Nothing here knows how calls are
// matched. Numbers are in area codes that the North American plan keeps for its growth (N9X), so that none is anybody's.

export const SECOND_US = 1_000_000;
export const MINUTE_US = 60_000_000;
export const HOUR_US = 3_600_000_000;
export const DAY_US = 86_400_000_000;

/** What the traffic is made of. Parts are of all calls. */
export const TRAFFIC = {
  upstreamTrunks: 24,
  downstreamProviders: 8,
  /** Numbers that are called now and then, and numbers that are called often, with the part of the calls that go to these. */
  ordinaryNumbers: 2_000_000,
  popularNumbers: 20_000,
  partToPopular: 0.3,
  /** Numbers whose calls end here; the others are reached through a downstream provider, sometimes not the usual one. */
  ownNumbers: 0.15,
  otherRoute: 0.25,
  anonymous: 0.03,
  assertedOnly: 0.04,
  blocked: 0.01,
  answered: 0.45,
  fork: 0.03,
  routeAdvance: 0.02,
  capturedToo: 0.04,
  tollFree: 0.02,
  routingNumber: 0.1,
  techPrefix: 0.05,
  loop: 0.005,
  /** Of the calls of the switch that writes a record for each side: other numbers on the side that goes out. */
  rewritten: 0.1,
  signed: 0.6,
  answerSeconds: 'ringing 2 to 30, then 0 to 3 in half of the calls, else 120 on average, 900 in one of fifty',
} as const;

/** What was lost, removed and kept of which source. */
export interface Ground {
  readonly startUs: number;
  readonly endUs: number;
  /** What is older was removed. */
  readonly retainedFromUs: number;
  readonly gaps: readonly CoverageInterval[];
}

/** One passage of a call through the carrier. */
export interface Passage {
  readonly id: number;
  readonly atUs: number;
  readonly answeredUs?: number;
  readonly endUs: number;
  /** Undefined where the caller was anonymous. All numbers under which the caller is on record. */
  readonly callings: readonly string[];
  /** All numbers under which the called is on record; the one that the downstream saw first. */
  readonly calleds: readonly string[];
  readonly upstreamTrunk: number;
  /** Undefined where the call ended here. */
  readonly downstream?: number;
  readonly isBlocked: boolean;
  readonly attestation?: Attestation;
  readonly origId?: string;
  /** Of the side that went out. */
  readonly egressCallId: string;
  readonly records: readonly CallRecord[];
}

/** A call as it is drawn, before it is written down. */
export interface CallWish {
  readonly atUs: number;
  readonly called: string;
  readonly calling?: string;
  /** Which trunks it may come by: those of one source, for a call that is to be lost with it. */
  readonly upstreamTrunk?: number;
  readonly mustRewrite?: boolean;
}

/** Sources, by who writes for which trunk. */
export const SOURCES = ['sbc-1', 'sbc-2', 'edge', 'core', 'capture'] as const;

/** The switch that writes for a trunk first. */
export function sourceOfTrunk(trunk: number): (typeof SOURCES)[number] {
  return trunk < 14 ? 'sbc-1' : trunk < 21 ? 'sbc-2' : 'edge';
}

export const OWN: ProviderReference = { name: 'Own Carrier', ocn: '1000' };

/** Who is behind a trunk: `TG-IN-5` changes hands, `TG-IN-13` nobody knows, two providers have two trunks, some are customers or abroad. */
export function upstreamOf(trunk: number, atUs: number, ground: Ground): string | undefined {
  if (trunk === 13) return undefined;
  if (trunk === 5) return atUs < (ground.startUs + ground.endUs) / 2 ? 'provider 5' : 'provider 105';
  if (trunk === 6) return 'provider 5b';
  if (trunk === 7) return 'provider 6b';
  if (trunk === 8) return 'provider 6b';
  if (trunk === 9) return 'foreign 9';
  return trunk === 10 || trunk === 15 ? `customer ${trunk}` : `provider ${trunk}`;
}

/** The name of a downstream provider. */
export function downstreamName(downstream: number): string {
  return `downstream ${downstream}`;
}

const AREAS = ['2', '3', '4', '5', '6', '7', '8'].flatMap((first) =>
  Array.from({ length: 8 }, (_, last) => `${first}9${last}`),
);

/** The number of a place in the plan. */
export function numberAt(index: number): string {
  const area = AREAS[index % AREAS.length] ?? '290';
  // 7,919 is prime to what it is taken modulo of, so that no two places share a number.
  const line = 2_000_000 + ((index * 7_919) % 7_999_993);
  return `1${area}${line}`;
}

/** A number that is called: a popular one or an ordinary one. */
export function calledNumber(random: SeededRandom): string {
  return random.chance(TRAFFIC.partToPopular)
    ? numberAt(random.int(TRAFFIC.popularNumbers))
    : numberAt(TRAFFIC.popularNumbers + random.int(TRAFFIC.ordinaryNumbers));
}

/** Some caller. */
export function callerNumber(random: SeededRandom): string {
  return numberAt(3_000_000 + random.int(4_000_000));
}

/** The usual way of a number's calls: a downstream provider, or undefined where they end here. */
export function homeOf(called: string): number | undefined {
  const place = Number(called.slice(-6)) % 1_000;
  return place < TRAFFIC.ownNumbers * 1_000 ? undefined : place % TRAFFIC.downstreamProviders;
}

/** Draws the passages of one call: one, or two where it comes round again. */
export function drawPassages(random: SeededRandom, wish: CallWish, id: number): readonly Passage[] {
  const first = drawPassage(random, wish, id);
  if (first.downstream === undefined || first.isBlocked || !random.chance(TRAFFIC.loop)) return [first];
  // Whoever had it from us sends it back, and we send it on another way.
  const atUs = first.atUs + 500_000 + random.int(2_000_000);
  const trunk = random.int(13);
  const onwards = (first.downstream + 1 + random.int(TRAFFIC.downstreamProviders - 1)) % TRAFFIC.downstreamProviders;
  const again: Sketch = { ...sketchOf(first), id: id + 0.5, atUs, trunk, downstream: onwards, groupOf: id };
  return [first, { ...passageOf(again), records: plainRecords(again) }];
}

interface Sketch {
  readonly id: number;
  /** Whose name the legs share. */
  readonly groupOf: number;
  readonly atUs: number;
  readonly answeredUs?: number;
  readonly endUs: number;
  readonly calling?: string;
  readonly asserted?: string;
  readonly called: string;
  readonly trunk: number;
  readonly downstream?: number;
  readonly isBlocked: boolean;
  readonly attestation?: Attestation;
  readonly origId?: string;
}

function drawPassage(random: SeededRandom, wish: CallWish, id: number): Passage {
  const { atUs, called, mustRewrite = false } = wish;
  const trunk = wish.upstreamTrunk ?? (mustRewrite ? 14 + random.int(7) : random.int(TRAFFIC.upstreamTrunks));
  const home = homeOf(called);
  const isOther = random.chance(TRAFFIC.otherRoute);
  const downstream =
    home === undefined ? undefined : isOther ? (home + 1 + random.int(7)) % TRAFFIC.downstreamProviders : home;
  const isBlocked = !mustRewrite && random.chance(TRAFFIC.blocked);
  const isAnswered = !isBlocked && random.chance(TRAFFIC.answered);
  const ringUs = 2_000_000 + random.int(28_000_000);
  const talk = random.next();
  const talkUs = SECOND_US * (talk < 0.5 ? random.next() * 3 : random.exponential(talk > 0.98 ? 900 : 120));
  const isSigned = random.chance(TRAFFIC.signed);
  const caller = wish.calling ?? callerNumber(random);
  const isHidden = wish.calling === undefined && random.chance(TRAFFIC.anonymous);
  const sketch: Sketch = {
    ...{ id, groupOf: id, atUs, called, trunk, isBlocked },
    ...(downstream === undefined ? {} : { downstream }),
    ...(isAnswered ? { answeredUs: atUs + ringUs } : {}),
    endUs: isBlocked ? atUs + 20_000 : Math.round(atUs + ringUs + (isAnswered ? talkUs : 0)),
    ...(isHidden ? {} : { calling: caller }),
    ...(!isHidden && random.chance(TRAFFIC.assertedOnly) ? { asserted: callerNumber(random) } : {}),
    ...(isSigned ? { attestation: random.pick(['A', 'A', 'B', 'C'] as const), origId: uuidOf(id) } : {}),
  };
  return writtenDown(sketch, random, mustRewrite);
}

function sketchOf(passage: Passage): Omit<Sketch, 'trunk' | 'groupOf'> {
  const { callings, calleds, upstreamTrunk: _trunk, egressCallId: _callId, records: _records, ...kept } = passage;
  const [calling] = callings;
  return { ...kept, called: calleds[0] ?? '', ...(calling === undefined ? {} : { calling }) };
}

/** What the switch of a trunk makes of a call. */
function writtenDown(sketch: Sketch, random: SeededRandom, mustRewrite: boolean): Passage {
  const source = sourceOfTrunk(sketch.trunk);
  if (source === 'sbc-2' && !sketch.isBlocked)
    return twoSides(sketch, random, mustRewrite || random.chance(TRAFFIC.rewritten));
  if (source === 'edge' && !sketch.isBlocked) return { ...passageOf(sketch), records: handedOver(sketch) };
  if (sketch.downstream !== undefined && !sketch.isBlocked && random.chance(TRAFFIC.fork)) {
    return { ...passageOf(sketch), records: forked(sketch) };
  }
  if (sketch.answeredUs !== undefined && random.chance(TRAFFIC.routeAdvance)) {
    return { ...passageOf(sketch), records: [failedBefore(sketch), ...plainRecords(sketch)] };
  }
  const [plain] = plainRecords(sketch);
  const numbers = otherNumbers(sketch, random);
  const record = { ...plain!, called: { ...plain!.called!, ...numbers } };
  const extra = [numbers.translatedTn, numbers.tn].filter(
    (tn) => tn !== undefined && tn !== sketch.called,
  ) as readonly string[];
  const records = random.chance(TRAFFIC.capturedToo) ? [record, captured(record)] : [record];
  return { ...passageOf(sketch), calleds: [sketch.called, ...extra], records };
}

function passageOf({ groupOf: _group, trunk, called, calling, asserted, ...kept }: Sketch): Passage {
  return {
    ...{ ...kept, upstreamTrunk: trunk, egressCallId: egressCallId(kept.id), records: [] },
    calleds: [called],
    callings: [calling, asserted].filter((tn) => tn !== undefined),
  };
}

function egressCallId(id: number): string {
  return `out-${id}@192.0.2.10`;
}

/** Toll-free numbers that the network translated, routing numbers, prefixes. The stated number stays one of those on record. */
function otherNumbers({ called }: Sketch, random: SeededRandom): Partial<CalledNumber> {
  if (random.chance(TRAFFIC.tollFree))
    return { asWritten: `1899${called.slice(4)}`, tn: `1899${called.slice(4)}`, translatedTn: called };
  if (random.chance(TRAFFIC.routingNumber)) return { lrn: `${called.slice(0, 7)}0000` };
  return random.chance(TRAFFIC.techPrefix) ? { asWritten: `1234#${called}`, techPrefix: '1234#' } : {};
}

/** A record of a leg, with what `parts` says in place of what it has. */
function legRecord(
  sketch: Sketch,
  name: string,
  parts: Partial<CallRecord> & { readonly sourceId?: string } = {},
): CallRecord {
  const { sourceId = sourceOfTrunk(sketch.trunk), ...others } = parts;
  const legId = `${name}-${sketch.id}`;
  const inviteAtUs = others.inviteAtUs ?? sketch.atUs;
  const { attestation, origId, answeredUs } = sketch;
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId, legId, inviteAtUs }),
    source: { id: sourceId, format: sourceId === 'capture' ? 'hep' : 'hopback', readerVersion: 1, sha256: SHA256 },
    legId,
    callGroupId: `call-${sketch.groupOf}`,
    inviteAtUs,
    ...(answeredUs === undefined ? {} : { answeredAtUs: answeredUs }),
    endedAtUs: sketch.endUs,
    time: { written: 'utc', resolutionUs: 1 },
    ...(sketch.calling === undefined
      ? { calling: { asWritten: 'anonymous' } }
      : { calling: { asWritten: `+${sketch.calling}`, tn: sketch.calling } }),
    ...(sketch.asserted === undefined ? {} : { asserted: { asWritten: sketch.asserted, tn: sketch.asserted } }),
    called: { asWritten: `+${sketch.called}`, tn: sketch.called },
    ingress: ingressOf(sketch),
    egress: sketch.isBlocked ? {} : egressOf(sketch),
    disposition: sketch.isBlocked ? 'blocked' : answeredUs === undefined ? 'no-answer' : 'answered',
    ...(sketch.isBlocked ? { blockedBy: 'analytics' } : {}),
    ...(attestation === undefined || origId === undefined
      ? {}
      : { received: { verstat: 'TN-Validation-Passed', attestation, origId } }),
    ...others,
  };
}

const SHA256 = 'a'.repeat(64);

function ingressOf({ trunk, groupOf }: Sketch): HopSide {
  return { trunk: `TG-IN-${trunk}`, address: `198.51.100.${trunk}:5060`, callId: `in-${groupOf}@198.51.100.${trunk}` };
}

function egressOf({ downstream, id }: Sketch): HopSide {
  if (downstream === undefined) return { trunk: 'SUBSCRIBERS', callId: egressCallId(id) };
  return { trunk: `TG-OUT-${downstream}`, address: `203.0.113.${downstream}:5060`, callId: egressCallId(id) };
}

function plainRecords(sketch: Sketch): readonly CallRecord[] {
  return [legRecord(sketch, 'leg')];
}

/** A switch that writes each side by itself, some with other numbers on the side that goes out: what the downstream saw. */
function twoSides(sketch: Sketch, random: SeededRandom, isRewritten: boolean): Passage {
  const came = isRewritten ? `1799${sketch.called.slice(4)}` : sketch.called;
  const caller =
    isRewritten && sketch.calling !== undefined && random.chance(0.5) ? callerNumber(random) : sketch.calling;
  const a = legRecord(sketch, 'a', {
    egress: {},
    called: { asWritten: `+${came}`, tn: came },
    ...(caller === undefined ? {} : { calling: { asWritten: `+${caller}`, tn: caller } }),
  });
  const b = legRecord(sketch, 'b', { ingress: {}, inviteAtUs: sketch.atUs + 30_000 + random.int(400_000) });
  const passage = passageOf(sketch);
  return {
    ...passage,
    calleds: came === sketch.called ? [came] : [sketch.called, came],
    callings: caller === undefined || caller === sketch.calling ? passage.callings : [...passage.callings, caller],
    records: [a, b],
  };
}

/** From one own switch to the next, under one Call-ID. */
function handedOver(sketch: Sketch): readonly CallRecord[] {
  const between = { trunk: 'CORE', callId: `between-${sketch.id}@192.0.2.2` };
  return [
    legRecord(sketch, 'edge', { egress: between, callGroupId: `edge-${sketch.id}` }),
    legRecord(sketch, 'core', {
      sourceId: 'core',
      ingress: between,
      callGroupId: `core-${sketch.id}`,
      inviteAtUs: sketch.atUs + 15_000,
    }),
  ];
}

/** Two routes at once; the first comes to nothing. */
function forked(sketch: Sketch): readonly CallRecord[] {
  const { answeredAtUs: _none, ...failed } = legRecord(sketch, 'fork', {
    egress: {
      trunk: `TG-OUT-${((sketch.downstream ?? 0) + 3) % TRAFFIC.downstreamProviders}`,
      callId: egressCallId(sketch.id),
    },
    disposition: 'failed',
    endedAtUs: sketch.atUs + 400_000,
    inviteAtUs: sketch.atUs + 1_000,
  });
  return [...plainRecords(sketch), failed];
}

/** The first try of an upstream, which comes to nothing: another Call-ID, the same trunk. */
function failedBefore(sketch: Sketch): CallRecord {
  const side = ingressOf(sketch);
  const { answeredAtUs: _none, ...failed } = legRecord(sketch, 'try', {
    inviteAtUs: sketch.atUs - 3_000_000,
    endedAtUs: sketch.atUs - 500_000,
    callGroupId: `try-${sketch.id}`,
    ingress: { ...side, callId: `try-${sketch.id}@198.51.100.${sketch.trunk}` },
    egress: { ...egressOf(sketch), callId: `try-out-${sketch.id}@192.0.2.10` },
    disposition: 'failed',
  });
  return failed;
}

/** The same leg as a capture saw it, under names of its own. */
function captured(record: CallRecord): CallRecord {
  const inviteAtUs = record.inviteAtUs + 2_000;
  const legId = `hep ${record.legId}`;
  const recordId = recordIdOf({ sourceId: 'capture', legId, inviteAtUs });
  return {
    ...record,
    recordId,
    legId,
    inviteAtUs,
    callGroupId: `hep ${record.callGroupId}`,
    source: { ...record.source, id: 'capture', format: 'hep' },
  };
}

function uuidOf(id: number): string {
  const digits = Math.floor(id * 2)
    .toString(16)
    .padStart(12, '0');
  return `5b0a2a4f-8d3b-4b7e-9a53-${digits.slice(-12)}`;
}
