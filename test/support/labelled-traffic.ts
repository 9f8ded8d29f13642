import { createSeededRandom } from '../../harness/src/faults/index.js';
import type { SeededRandom } from '../../harness/src/faults/index.js';
import type { CallRecord, Disposition, ReceivedVerification } from '../../sdk/src/contract/call-record.js';
import { recordIdOf } from '../../sdk/src/records/record-id.js';

// A day of one carrier's calls of which it is known who made them and why. All numbers are in area codes that the North American plan
// keeps for its growth (N9X), so that none is anybody's; LABELLED_AREAS is the list of those that are "in use" here.

/** What ordinary callers are. */
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

/** What campaigns are. */
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
  readonly isCampaign: boolean;
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
 * @param scale - 1 for about 40,000 calls
 */
export function labelledTraffic(seed: number, scale: number = 1): readonly LabelledCall[] {
  const random = createSeededRandom(seed, 'labelled-traffic');
  const world = createWorld(random.fork('world'), scale);
  const sketches = [...ordinarySketches(world, random, scale), ...campaignSketches(world, random, scale)];
  sketches.sort((a, b) => a.atSeconds - b.atSeconds);
  const outcomes = random.fork('outcomes');
  return sketches.map((sketch, index) => {
    const isCampaign = (CAMPAIGN_KINDS as readonly string[]).includes(sketch.kind);
    return { record: recordOf(sketch, index, outcomes), kind: sketch.kind, isCampaign };
  });
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

function createWorld(random: SeededRandom, scale: number): World {
  // A carrier has few exchanges of its own, densely filled.
  const exchanges = HOME_AREAS.flatMap((area) => Array.from({ length: 4 }, () => `1${area}${someExchange(random)}`));
  const subscribers = Array.from(
    { length: Math.ceil(4_000 * scale) },
    () => random.pick(exchanges) + String(random.int(10_000)).padStart(4, '0'),
  );
  const others = Array.from({ length: Math.ceil(12_000 * scale) }, () =>
    someNumber(random, random.chance(0.3) ? HOME_AREAS : AREAS),
  );
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
      if (home.has(tn)) return { trunk: 'own-subscribers' };
      // A number is with one carrier, whatever the day.
      const place = (Number(tn) % 9_973) / 9_973;
      return carriers[weights.findIndex((limit) => place < limit)] as Way;
    },
  };
}

function* ordinarySketches(world: World, random: SeededRandom, scale: number): Generator<Sketch> {
  const times = random.fork('times');
  const anyTime = (): number => times.next() * DAY_SECONDS;
  yield* households(world, random.fork('household'), { scale, anyTime });
  const places = random.fork('places');
  const list = (count: number) => Array.from({ length: Math.ceil(count) }, () => places.pick(world.subscribers));
  const caller = (kind: TrafficKind, count: number, of: Partial<Sketch> & Pick<Sketch, 'outcome' | 'calling'>) =>
    list(count).map((called) => ({
      kind,
      atSeconds: anyTime(),
      called,
      way: world.wayOf(of.calling),
      ...of,
    }));
  for (let business = 0; business < 40 * scale; business += 1) {
    const calling = places.pick(world.others);
    yield* caller('business', 40 + places.int(110), { calling, outcome: { answered: 0.65, short: 0.07, mean: 140 } });
  }
  for (let centre = 0; centre < 10 * scale; centre += 1) {
    const way: Way = { trunk: `call-centre-${String(centre % 4)}`, spc: '220C', attestation: 'A' };
    const calling = someNumber(places, AREAS);
    yield* caller('call-centre', 450, { calling, way, outcome: { answered: 0.42, short: 0.15, mean: 100 } });
  }
  for (let school = 0; school < 3 * scale; school += 1) {
    const startSeconds = anyTime();
    const calling = places.pick(world.subscribers);
    const outcome = { answered: 0.8, short: 0.12, mean: 8, least: 26 };
    for (const sketch of caller('school', 900, { calling, outcome, way: { trunk: 'own-subscribers' } })) {
      yield { ...sketch, atSeconds: startSeconds + times.next() * 600 };
    }
  }
  const reminder = { answered: 0.55, short: 0.15, mean: 10, least: 18 };
  const code = { answered: 0.75, short: 0.04, mean: 4, least: 11 };
  const poll = { answered: 0.28, short: 0.35, mean: 90 };
  const large: Way = { trunk: 'peer-large-1', spc: '101A', attestation: 'A' };
  for (let of = 0; of < 2 * scale; of += 1) {
    // Pharmacies show toll-free numbers.
    const calling = `1888${someExchange(places)}${String(1_000 + places.int(9_000))}`;
    yield* caller('reminder', 700, { calling, way: large, outcome: reminder });
    yield* caller('one-time-code', 700, { calling: someNumber(places, AREAS), way: large, outcome: code });
    yield* caller('poll', 700, { calling: someNumber(places, AREAS), outcome: poll });
  }
  const gateway: Way = { trunk: 'gateway-abroad', spc: '900G', attestation: 'C' };
  for (let of = 0; of < 900 * scale; of += 1) {
    const calling = `442079460${String(places.int(1_000)).padStart(3, '0')}`;
    yield* caller('foreign', 1, { calling, way: gateway, outcome: PEOPLE });
  }
  yield* caller('anonymous', 500 * scale, { calling: 'Anonymous', way: large, outcome: PEOPLE });
  yield* caller('extension', 80 * scale, { calling: '4102', way: { trunk: 'wholesale-3' }, outcome: PEOPLE });
}

function* households(
  world: World,
  random: SeededRandom,
  { scale, anyTime }: { readonly scale: number; readonly anyTime: () => number },
): Generator<Sketch> {
  for (let person = 0; person < 6_000 * scale; person += 1) {
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

const GATEWAY: Way = { trunk: 'gateway-abroad', spc: '900G', attestation: 'C' };
const WHOLESALE: Way = { trunk: 'wholesale-3' };
const SMALL: Way = { trunk: 'small-provider-7', spc: '707S', attestation: 'A' };
const LARGE: Way = { trunk: 'peer-large-2', spc: '102A', attestation: 'A' };

function* campaignSketches(world: World, all: SeededRandom, scale: number): Generator<Sketch> {
  const random = all.fork('campaigns');
  const victims = (count: number): readonly string[] =>
    Array.from({ length: Math.ceil(count * scale) }, () => random.pick(world.subscribers));
  /** Hours of work of a campaign. */
  const shift = (hours: number): (() => number) => {
    const start = random.next() * (DAY_SECONDS - hours * 3_600);
    return () => start + random.next() * hours * 3_600;
  };
  const shared = { outcome: ROBOCALL };

  let at = shift(4);
  const blast = someNumber(random, AREAS);
  for (const called of victims(1_200))
    yield { kind: 'blast', calling: blast, called, way: GATEWAY, atSeconds: at(), ...shared };

  at = shift(6);
  for (const called of victims(1_400)) {
    const calling = called.slice(0, 7) + String(random.int(10_000)).padStart(4, '0');
    yield { kind: 'neighbour', calling, called, way: random.pick([GATEWAY, WHOLESALE]), atSeconds: at(), ...shared };
  }

  at = shift(6);
  const bought = Array.from({ length: Math.ceil(500 * scale) }, () => someNumber(random, AREAS));
  for (const called of victims(1_400)) {
    yield { kind: 'snowshoe', calling: random.pick(bought), called, way: SMALL, atSeconds: at(), ...shared };
  }
  at = shift(6);
  for (const called of victims(700)) {
    const calling = someNumber(random, AREAS);
    yield { kind: 'snowshoe-in-wholesale', calling, called, way: WHOLESALE, atSeconds: at(), ...shared };
  }
  yield* rows(world, random, scale);

  at = shift(5);
  const nobody = (): string =>
    random.pick([
      () => `1${random.pick(EMPTY_AREAS)}${someExchange(random)}${String(random.int(10_000)).padStart(4, '0')}`,
      () => `1${random.pick(AREAS)}1${String(random.int(100)).padStart(2, '0')}${String(1_000 + random.int(9_000))}`,
      () => `1${random.pick(AREAS)}911${String(1_000 + random.int(9_000))}`,
      () => '15550100000',
      () => '0000000000',
    ])();
  for (const called of victims(500))
    yield { kind: 'invalid', calling: nobody(), called, way: WHOLESALE, atSeconds: at(), ...shared };
  at = shift(3);
  const banks = [...LABELLED_DO_NOT_ORIGINATE];
  for (const called of victims(300)) {
    yield { kind: 'do-not-originate', calling: random.pick(banks), called, way: GATEWAY, atSeconds: at(), ...shared };
  }
  at = shift(2);
  const stolen = random.pick(world.others);
  for (const [index, called] of victims(300).entries()) {
    yield {
      kind: 'replay',
      calling: stolen,
      called,
      way: LARGE,
      atSeconds: at(),
      seenCount: 1 + (index % 9),
      ...shared,
    };
  }
  at = shift(8);
  for (const called of victims(700)) {
    const calling = someNumber(random, AREAS);
    const outcome = { answered: 0.42, short: 0.3, mean: 20, least: 6 };
    yield { kind: 'hidden-in-a-large-carrier', calling, called, way: LARGE, atSeconds: at(), outcome };
  }
  at = shift(8);
  const board = Array.from({ length: 60 }, () => someNumber(random, AREAS));
  for (const called of victims(500)) {
    const outcome = { answered: 0.5, short: 0.2, mean: 80 };
    yield { kind: 'soundboard', calling: random.pick(board), called, way: SMALL, atSeconds: at(), outcome };
  }
}

/** Four blocks, each walked through by five lines at once. */
function* rows(world: World, random: SeededRandom, scale: number): Generator<Sketch> {
  for (let block = 0; block < 4 * scale; block += 1) {
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
  const legId = `leg-${String(index)}`;
  const unanswered = random.pick(UNANSWERED);
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: 'switch-1', legId, inviteAtUs }),
    source: { id: 'switch-1', format: 'hopback', readerVersion: 1, sha256: 'a'.repeat(64) },
    legId,
    callGroupId: `call-${String(index)}`,
    inviteAtUs,
    ...(isAnswered ? { answeredAtUs } : {}),
    endedAtUs: isAnswered ? answeredAtUs + Math.round(seconds * 1_000_000) : answeredAtUs,
    time: { written: 'utc', resolutionUs: 1 },
    calling: /^\d+$/.test(calling) ? { asWritten: calling, tn: calling } : { asWritten: calling },
    called: { asWritten: called, tn: called },
    ingress: { trunk: way.trunk },
    egress: { trunk: 'own-subscribers' },
    disposition: isAnswered ? 'answered' : unanswered,
    ...receivedOf(sketch, inviteAtUs),
  };
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
