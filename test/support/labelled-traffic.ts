import { SeededRandom } from '../../harness/src/faults/index.js';
import type { CallRecord, Disposition, ReceivedVerification } from '../../sdk/src/contract/call-record.js';
import { sparseRecord } from './stored-records.js';

// A day of one carrier's calls of which it is known who made them and why. All numbers are in area codes that the North American plan
// keeps for its growth (N9X), so that none is anybody's; LABELLED_AREAS is the list of those that are "in use" here.

/** Kinds of ordinary callers. */
export const ORDINARY_KINDS = [
  'household',
  'business',
  'call-centre',
  'school',
  'reminder',
  'one-time-code',
  'poll',
  'foreign',
  'anonymous',
  'extension',
] as const;

/** Kinds of campaigns. */
export const CAMPAIGN_KINDS = [
  'blast',
  'neighbour',
  'snowshoe',
  'snowshoe-in-wholesale',
  'sequential',
  'invalid',
  'do-not-originate',
  'replay',
  'hidden-in-a-large-carrier',
  'soundboard',
] as const;

export type TrafficKind = (typeof ORDINARY_KINDS)[number] | (typeof CAMPAIGN_KINDS)[number];

export interface LabelledCall {
  readonly record: CallRecord;
  readonly kind: TrafficKind;
}

/** Forty area codes of this little world, four of them the carrier's own. */
const AREAS = ['2', '3', '4', '5'].flatMap((first) => Array.from({ length: 10 }, (_, last) => `${first}9${last}`));
const HOME_AREAS = AREAS.slice(0, 4);
/** Area codes that nobody was given. */
const EMPTY_AREAS = ['690', '691', '793', '897'];
export const LABELLED_AREAS: ReadonlySet<string> = new Set(AREAS);
/** Numbers of a bank and an agency from which nobody calls. */
export const LABELLED_DO_NOT_ORIGINATE: ReadonlySet<string> = new Set(
  Array.from({ length: 12 }, (_, at) => `12902345${String(100 + at)}`),
);

const DAY_START_US = Date.UTC(2026, 8, 14, 12) * 1_000;
const DAY_SECONDS = 12 * 3_600;

interface Way {
  readonly trunk: string;
  readonly spc?: string;
  readonly attestation?: 'A' | 'B' | 'C';
}

interface Outcome {
  /** Share of calls that are answered. */
  readonly answered: number;
  /** Of those, share that is hung up within seconds, and how long the others last, seconds. */
  readonly short: number;
  readonly mean: number;
  readonly least?: number;
}

/** What is written for one call. */
interface Sketch {
  readonly kind: TrafficKind;
  readonly atSeconds: number;
  readonly calling: string;
  readonly called: string;
  readonly way: Way;
  readonly outcome: Outcome;
  readonly verstat?: 'TN-Validation-Failed';
  readonly seenCount?: number;
}

const PEOPLE: Outcome = { answered: 0.62, short: 0.06, mean: 110 };
const ROBOCALL: Outcome = { answered: 0.3, short: 0.6, mean: 14, least: 6 };

/**
 * Makes a day of calls in the order of their time.
 * @param seed - which day
 */
export function labelledTraffic(seed: number): readonly LabelledCall[] {
  const random = new SeededRandom(seed, 'labelled-traffic');
  const world = createWorld(random.fork('world'));
  const sketches = [...ordinarySketches(world, random), ...campaignSketches(world, random)];
  sketches.sort((a, b) => a.atSeconds - b.atSeconds);
  const outcomes = random.fork('outcomes');
  return sketches.map((sketch, index) => ({ record: recordOf(sketch, index, outcomes), kind: sketch.kind }));
}

interface World {
  /** Subscribers of the carrier, and everybody else. */
  readonly subscribers: readonly string[];
  readonly others: readonly string[];
  readonly wayOf: (tn: string) => Way;
}

function someNumber(random: SeededRandom, areas: readonly string[]): string {
  return `1${random.pick(areas)}${someExchange(random)}${String(random.int(10_000)).padStart(4, '0')}`;
}

function someExchange(random: SeededRandom): string {
  let nxx = 200 + random.int(800);
  while (nxx % 100 === 11 || nxx === 555 || nxx === 950 || nxx === 958 || nxx === 959) nxx = 200 + random.int(800);
  return String(nxx);
}

function createWorld(random: SeededRandom): World {
  // A carrier has few exchanges of its own, densely filled.
  const exchanges = HOME_AREAS.flatMap((area) => Array.from({ length: 4 }, () => `1${area}${someExchange(random)}`));
  const subscribers = Array.from(
    { length: 4_000 },
    () => random.pick(exchanges) + String(random.int(10_000)).padStart(4, '0'),
  );
  const others = Array.from({ length: 12_000 }, () => someNumber(random, random.chance(0.3) ? HOME_AREAS : AREAS));
  const carriers: readonly Way[] = [
    { trunk: 'peer-large-1', spc: '101A', attestation: 'A' },
    { trunk: 'peer-large-2', spc: '102A', attestation: 'A' },
    { trunk: 'wholesale-3', spc: '310B', attestation: 'B' },
    { trunk: 'wholesale-3' },
    { trunk: 'small-provider-7', spc: '707S', attestation: 'A' },
  ];
  const weights = [0.45, 0.85, 0.92, 0.985, 1];
  const home = new Set(subscribers);
  return {
    subscribers,
    others,
    wayOf: (tn) => {
      if (home.has(tn)) return OWN;
      // A number is with one carrier, whatever the day.
      const place = (Number(tn) % 9_973) / 9_973;
      return carriers[weights.findIndex((limit) => place < limit)] as Way;
    },
  };
}

function* ordinarySketches(world: World, random: SeededRandom): Generator<Sketch> {
  const times = random.fork('times');
  const anyTime = (): number => times.next() * DAY_SECONDS;
  yield* households(world, random.fork('household'), anyTime);
  const places = random.fork('places');
  const tollFree = (): string => `1888${someExchange(places)}${String(1_000 + places.int(9_000))}`;
  const abroad = (): string => `442079460${String(places.int(1_000)).padStart(3, '0')}`;
  const anyNumber = (): string => someNumber(places, AREAS);
  const callCentre: Way = { trunk: 'call-centre', spc: '220C', attestation: 'A' };
  /** Kind, number of callers, calls of each, their number, their way where it is another than that of the number, and how calls end. */
  const callers: readonly (readonly [TrafficKind, number, number, () => string, Way | undefined, Outcome])[] = [
    ['business', 40, 95, () => places.pick(world.others), undefined, { answered: 0.65, short: 0.07, mean: 140 }],
    ['call-centre', 10, 450, anyNumber, callCentre, { answered: 0.42, short: 0.15, mean: 100 }],
    ['school', 3, 900, () => places.pick(world.subscribers), OWN, { answered: 0.8, short: 0.12, mean: 8, least: 26 }],
    ['reminder', 2, 700, tollFree, LARGE, { answered: 0.55, short: 0.15, mean: 10, least: 18 }],
    ['one-time-code', 2, 700, anyNumber, LARGE, { answered: 0.75, short: 0.04, mean: 4, least: 11 }],
    ['poll', 2, 700, anyNumber, undefined, { answered: 0.28, short: 0.35, mean: 90 }],
    ['foreign', 900, 1, abroad, GATEWAY, PEOPLE],
    ['anonymous', 1, 500, () => 'Anonymous', LARGE, PEOPLE],
    ['extension', 1, 80, () => '4102', WHOLESALE, PEOPLE],
  ];
  for (const [kind, count, calls, number, way, outcome] of callers) {
    for (let caller = 0; caller < count; caller += 1) {
      const calling = number();
      const startSeconds = anyTime();
      for (let call = 0; call < calls; call += 1) {
        // A school calls all parents within ten minutes.
        const atSeconds = kind === 'school' ? startSeconds + times.next() * 600 : anyTime();
        const called = places.pick(world.subscribers);
        yield { kind, atSeconds, calling, called, way: way ?? world.wayOf(calling), outcome };
      }
    }
  }
}

function* households(world: World, random: SeededRandom, anyTime: () => number): Generator<Sketch> {
  for (let person = 0; person < 6_000; person += 1) {
    const isHome = random.chance(0.35);
    const calling = random.pick(isHome ? world.subscribers : world.others);
    const circle = Array.from({ length: 1 + random.int(4) }, () => random.pick(world.subscribers));
    if (isHome && random.chance(0.2)) circle.push(calling.slice(0, 7) + String(random.int(10_000)).padStart(4, '0'));
    const calls = 1 + random.int(5);
    for (let call = 0; call < calls; call += 1) {
      const way = world.wayOf(calling);
      const isBroken = way.spc !== undefined && random.chance(0.015);
      yield {
        kind: 'household',
        atSeconds: anyTime(),
        calling,
        called: random.pick(circle),
        way,
        outcome: PEOPLE,
        ...(isBroken ? { verstat: 'TN-Validation-Failed' as const } : {}),
        seenCount: random.chance(0.01) ? 2 : 1,
      };
    }
  }
}

const OWN: Way = { trunk: 'own-subscribers' };
const GATEWAY: Way = { trunk: 'gateway-abroad', spc: '900G', attestation: 'C' };
const WHOLESALE: Way = { trunk: 'wholesale-3' };
const SMALL: Way = { trunk: 'small-provider-7', spc: '707S', attestation: 'A' };
const LARGE: Way = { trunk: 'peer-large-2', spc: '102A', attestation: 'A' };

/** Calls of one campaign: kind, hours of work, number of calls, and what is particular to each. */
type Campaign = readonly [
  kind: TrafficKind,
  hours: number,
  calls: number,
  sketch: (called: string, index: number) => Pick<Sketch, 'calling' | 'way'> & Partial<Sketch>,
];

function* campaignSketches(world: World, all: SeededRandom): Generator<Sketch> {
  const random = all.fork('campaigns');
  const numbers = (count: number) => Array.from({ length: count }, () => someNumber(random, AREAS));
  const lastFour = (): string => String(random.int(10_000)).padStart(4, '0');
  const nobody = (): string =>
    random.pick([
      () => `1${random.pick(EMPTY_AREAS)}${someExchange(random)}${lastFour()}`,
      () => `1${random.pick(AREAS)}1${String(random.int(100)).padStart(2, '0')}${String(1_000 + random.int(9_000))}`,
      () => `1${random.pick(AREAS)}911${String(1_000 + random.int(9_000))}`,
      () => '15550100000',
      () => '0000000000',
    ])();
  const [blast, stolen] = [someNumber(random, AREAS), random.pick(world.others)];
  const [bought, board] = [numbers(500), numbers(60)];
  const banks = [...LABELLED_DO_NOT_ORIGINATE];
  const hidden = { answered: 0.42, short: 0.3, mean: 20, least: 6 };
  const talked = { answered: 0.5, short: 0.2, mean: 80 };
  const campaigns: readonly Campaign[] = [
    ['blast', 4, 1_200, () => ({ calling: blast, way: GATEWAY })],
    [
      'neighbour',
      6,
      1_400,
      (called) => ({ calling: called.slice(0, 7) + lastFour(), way: random.pick([GATEWAY, WHOLESALE]) }),
    ],
    ['snowshoe', 6, 1_400, () => ({ calling: random.pick(bought), way: SMALL })],
    ['snowshoe-in-wholesale', 6, 700, () => ({ calling: someNumber(random, AREAS), way: WHOLESALE })],
    ['invalid', 5, 500, () => ({ calling: nobody(), way: WHOLESALE })],
    ['do-not-originate', 3, 300, () => ({ calling: random.pick(banks), way: GATEWAY })],
    ['replay', 2, 300, (_called, index) => ({ calling: stolen, way: LARGE, seenCount: 1 + (index % 9) })],
    ['hidden-in-a-large-carrier', 8, 700, () => ({ calling: someNumber(random, AREAS), way: LARGE, outcome: hidden })],
    ['soundboard', 8, 500, () => ({ calling: random.pick(board), way: SMALL, outcome: talked })],
  ];
  for (const [kind, hours, calls, sketch] of campaigns) {
    const start = random.next() * (DAY_SECONDS - hours * 3_600);
    for (let index = 0; index < calls; index += 1) {
      const called = random.pick(world.subscribers);
      const atSeconds = start + random.next() * hours * 3_600;
      yield { kind, called, atSeconds, outcome: ROBOCALL, ...sketch(called, index) };
    }
  }
  yield* rows(world, random);
}

/** Four blocks, each walked through by five lines at once. */
function* rows(world: World, random: SeededRandom): Generator<Sketch> {
  for (let block = 0; block < 4; block += 1) {
    const first = Number(random.pick(world.subscribers).slice(7)) % 9_000;
    const exchange = random.pick(world.subscribers).slice(0, 7);
    const startSeconds = random.next() * (DAY_SECONDS - 3_600);
    const numbers = Array.from({ length: 10 }, () => someNumber(random, AREAS));
    for (let step = 0; step < 200; step += 1) {
      yield {
        kind: 'sequential',
        calling: random.pick(numbers),
        called: exchange + String(first + step).padStart(4, '0'),
        way: WHOLESALE,
        atSeconds: startSeconds + Math.floor(step / 5) * 30 + random.next() * 20,
        outcome: ROBOCALL,
      };
    }
  }
}

const UNANSWERED: readonly Disposition[] = ['no-answer', 'no-answer', 'busy', 'cancelled', 'rejected', 'failed'];

function recordOf(sketch: Sketch, index: number, random: SeededRandom): CallRecord {
  const { calling, called, way, outcome } = sketch;
  const inviteAtUs = DAY_START_US + Math.floor(sketch.atSeconds * 1_000_000);
  const isAnswered = random.chance(outcome.answered);
  const ringUs = 2_000_000 + random.int(18_000_000);
  const isShort = random.chance(outcome.short);
  const seconds = isShort ? random.exponential(2.2) : (outcome.least ?? 6) + random.exponential(outcome.mean);
  const answeredAtUs = inviteAtUs + ringUs;
  const unanswered = random.pick(UNANSWERED);
  return sparseRecord(`leg-${String(index)}`, inviteAtUs, {
    callGroupId: `call-${String(index)}`,
    ...(isAnswered && { answeredAtUs }),
    endedAtUs: isAnswered ? answeredAtUs + Math.round(seconds * 1_000_000) : answeredAtUs,
    calling: /^\d+$/.test(calling) ? { asWritten: calling, tn: calling } : { asWritten: calling },
    called: { asWritten: called, tn: called },
    ingress: { trunk: way.trunk },
    egress: { trunk: 'own-subscribers' },
    disposition: isAnswered ? 'answered' : unanswered,
    ...receivedOf(sketch, inviteAtUs),
  });
}

function receivedOf({ way, verstat, seenCount }: Sketch, inviteAtUs: number): { received?: ReceivedVerification } {
  if (way.spc === undefined) return { received: { verstat: 'No-TN-Validation' } };
  const given = verstat ?? 'TN-Validation-Passed';
  return {
    received: {
      verstat: given,
      spc: way.spc,
      iatSeconds: Math.floor(inviteAtUs / 1_000_000),
      ...(way.attestation === undefined ? {} : { attestation: way.attestation }),
      evidence: {
        format: 'hopback.verdict-evidence.1',
        checkedAtMs: Math.floor(inviteAtUs / 1_000),
        profile: 'shaken',
        freshnessSeconds: 60,
        verstat: given,
        request: {},
        passports: [],
        seenCount: seenCount ?? 1,
      },
    },
  };
}
