import { HopbackError } from '@hopback/sdk/errors';
import { SeededRandom } from '../../faults/index.js';
import { ROBOCALL_SCRIPTS } from '../../scenario/index.js';
import type {
  Behaviour,
  CallingNumbers,
  Scenario,
  ScenarioCalled,
  ScenarioCaller,
  ScenarioProvider,
  ScenarioTrunk,
} from '../../scenario/index.js';

/** Settings of {@link generateNetwork}. */
export interface GenerateOptions {
  /** How many, 20 to 20,000; about 7,000 file with the Robocall Mitigation Database. */
  readonly carriers: number;
  /** Whole number of 0 or more. */
  readonly seed: number;
  /** Calls of the whole run, about. Default 100,000. */
  readonly calls?: number;
  /** How long it lasts. Default 3,600. */
  readonly seconds?: number;
  /** How many campaigns there are. Default 20. */
  readonly campaigns?: number;
  /** Part of the calls that belong to them, 0 to 1. Default 0.3. */
  readonly campaignShare?: number;
  /** Part of the carriers that take part in STIR/SHAKEN. Default 0.64: those that say so, completely or in part. */
  readonly stir?: number;
  /** Part of the carriers that do not answer tracebacks. Default 0.108, as in 2024. */
  readonly silent?: number;
  /** Part of the wholesale carriers that name somebody else. Default 0.02. */
  readonly lying?: number;
  /** Part of the wholesale carriers with a link that is not IP, of which half of the calls take it. Default 0.3. */
  readonly tdm?: number;
}

/** How the carriers are made up: fractions of all of them. The rest have subscribers. */
const WHOLESALE = 0.08;
const GATEWAYS = 0.02;
const FOREIGN = 0.03;
/** Carriers whom everybody reaches, which hand calls to each other directly. */
const TIER_1 = 6;
const COUNTRIES = ['CA', 'MX', 'IN', 'PH', 'GB', 'DO', 'CO', 'NL', 'SG', 'PK'];

/**
 * Makes a network like that of the United States: a handful of carriers in the middle, wholesale ones of which few have many links and many have few,
 * gateways to carriers abroad, and all the others behind one or two of them; campaigns that come in abroad or at small providers, and ordinary calls.
 * For simulations: nobody could carry it over SIP on one machine.
 * @param options - size, seed, and how good its carriers are
 * @returns a scenario, which can be planned; the same options make the same
 * @throws {@link HopbackError} `invalid-argument` for a number out of bounds
 * @see Barabási and Albert, Emergence of scaling in random networks, https://doi.org/10.1126/science.286.5439.509
 * @example
 * ```ts
 * const scenario = generateNetwork({ carriers: 100, seed: 1, calls: 1_000 });
 * console.log(scenario.providers.length); // 100
 * ```
 */
export function generateNetwork(options: GenerateOptions): Scenario {
  const { carriers, seed, seconds = 3_600, calls = 100_000 } = options;
  checkOptions(options);
  const random = new SeededRandom(seed, 'generate-network');
  const ids = idsOf(carriers);
  const trunks = linksOf(ids, random.fork('links'));
  const providers = providersOf(ids, options, random.fork('providers'));
  const parties = generatedParties(ids, options, random.fork('parties'));
  return {
    format: 'hopback.scenario.1',
    name: `generated-${String(carriers)}`,
    why: `A network of ${String(carriers)} carriers such as that of the United States, made of the seed ${String(seed)}, to simulate campaigns that no machine carries.`,
    seed,
    providers,
    trunks,
    ...parties,
    phases: [{ name: 'run', seconds, rate: { shape: 'poisson', perSecond: calls / seconds } }],
    platform: {},
  };
}

/** Carriers by what they are. */
interface GeneratedIds {
  readonly tier1: readonly string[];
  readonly wholesale: readonly string[];
  readonly gateways: readonly string[];
  readonly foreign: readonly string[];
  /** They have subscribers. */
  readonly access: readonly string[];
}

function checkOptions(options: GenerateOptions): void {
  const { carriers, calls = 1, seconds = 1, campaigns = 0 } = options;
  const { campaignShare = 0, stir = 0, silent = 0, lying = 0, tdm = 0 } = options;
  const isBounded =
    Number.isSafeInteger(carriers) &&
    carriers >= 20 &&
    carriers <= 20_000 &&
    calls >= 1 &&
    seconds > 0 &&
    campaigns >= 0;
  const parts = {
    campaignShare,
    stir,
    silent,
    lying,
    tdm,
  };
  const faulty = Object.entries(parts).find(([, part]) => !(part >= 0 && part <= 1));
  if (isBounded && faulty === undefined && calls / seconds <= 100_000 && Number.isSafeInteger(campaigns)) return;
  const what = faulty === undefined ? 'a size' : `${faulty[0]}, which is 0 to 1,`;
  throw new HopbackError('invalid-argument', `${what} of the network is out of bounds`);
}

function idsOf(carriers: number): GeneratedIds {
  const named = (kind: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, at) => `${kind}-${String(at + 1)}`);
  const counts = [WHOLESALE, GATEWAYS, FOREIGN].map((part) => Math.max(2, Math.round(part * carriers)));
  const [wholesale = 0, gateways = 0, foreign = 0] = counts;
  return {
    tier1: named('tier', TIER_1),
    wholesale: named('wholesale', wholesale),
    gateways: named('gateway', gateways),
    foreign: named('foreign', foreign),
    access: named('access', carriers - TIER_1 - wholesale - gateways - foreign),
  };
}

/** Links to whoever has many already: every carrier stands in the list once for each of its links. */
function linksOf(ids: GeneratedIds, random: SeededRandom): readonly ScenarioTrunk[] {
  const trunks: ScenarioTrunk[] = [];
  const ends: string[] = [];
  const link = (from: string, to: string, cost: number): void => {
    trunks.push({ from, to, cost }, { from: to, to: from, cost });
    ends.push(to);
  };
  for (const [at, from] of ids.tier1.entries()) {
    ends.push(from, from);
    for (const to of ids.tier1.slice(at + 1)) link(from, to, 1);
  }
  const attach = (id: string, count: number, choices: readonly string[]): void => {
    const chosen = new Set<string>();
    for (let tried = 0; chosen.size < count && tried < 20; tried += 1) chosen.add(random.pick(choices));
    // Prices differ by little, so that most ways are the only cheapest and some are one of several.
    for (const to of chosen) if (to !== id) link(id, to, 1 + random.int(3) / 2);
  };
  for (const id of ids.wholesale) {
    attach(id, 2 + random.int(2), [...ends]);
    ends.push(id);
  }
  for (const id of ids.gateways) attach(id, 1 + random.int(2), ends.slice());
  const carried = ends.filter((id) => !id.startsWith('gateway'));
  for (const id of ids.access) attach(id, 1 + random.int(2), carried);
  for (const id of ids.foreign)
    for (const to of new Set([random.pick(ids.gateways), random.pick(ids.gateways)])) trunks.push({ from: id, to });
  return trunks;
}

function providersOf(ids: GeneratedIds, options: GenerateOptions, random: SeededRandom): readonly ScenarioProvider[] {
  const { stir = 0.64, silent = 0.108, lying = 0.02, tdm = 0.3 } = options;
  const behave = (isWholesale: boolean): readonly Behaviour[] => {
    const behaviours: Behaviour[] = [];
    const [draws, lies, isSilent] = [random.next(), random.next(), random.next() < silent];
    if (isWholesale && draws < tdm) behaviours.push({ kind: 'strips-identity', share: 0.5 });
    if (isSilent) behaviours.push({ kind: 'silent' });
    else if (isWholesale && lies < lying) behaviours.push({ kind: 'names-another', provider: random.pick(ids.access) });
    return behaviours;
  };
  const access = (id: string): ScenarioProvider => {
    const role = random.next() < 0.4 ? 'ipes' : random.next() < 0.5 ? 'originating' : 'terminating';
    return { id, role, stir: random.next() < stir, behaviours: behave(false) };
  };
  return [
    ...ids.tier1.map((id): ScenarioProvider => ({ id, role: 'transit' })),
    ...ids.wholesale.map((id): ScenarioProvider => ({
      id,
      role: 'transit',
      stir: random.next() < stir,
      behaviours: behave(true),
    })),
    ...ids.gateways.map((id): ScenarioProvider => ({ id, role: 'gateway', behaviours: behave(false) })),
    ...ids.foreign.map((id): ScenarioProvider => ({ id, role: 'foreign', country: random.pick(COUNTRIES) })),
    ...ids.access.map(access),
  ];
}

/** Entries of called numbers, at most: the cheapest ways are computed once for each of their carriers. */
const CALLED = 60;
/** Numbers of each: a block as carriers are given them. */
const BLOCK = 10_000;
/** Carriers with ordinary callers, at most. */
const ORDINARY = 300;

/** Who calls and who is called in a generated network. */
function generatedParties(
  ids: GeneratedIds,
  { campaigns = 20, campaignShare = 0.3 }: GenerateOptions,
  random: SeededRandom,
): { readonly callers: readonly ScenarioCaller[]; readonly called: readonly ScenarioCalled[] } {
  const homes = spread(ids.access, CALLED);
  const called = homes.map((at, place): ScenarioCalled => ({
    id: `homes-${String(place + 1)}`,
    at,
    count: BLOCK,
    answers: 0.6,
    app: { reports: 0.02 },
    first: `1${String(201 + 7 * place)}${String(210 + 3 * place)}0000`,
  }));
  const calls = called.map(({ id }) => id);
  const share = campaigns === 0 ? 0 : campaignShare;
  const robocallers = Array.from({ length: campaigns }, (_, place): ScenarioCaller => {
    const isForeign = random.next() < 0.5;
    return {
      id: `campaign-${String(place + 1)}`,
      kind: 'robocaller',
      calls,
      at: random.pick(isForeign ? ids.foreign : ids.access),
      numbers: numbersOf(random),
      script: random.pick(Object.keys(ROBOCALL_SCRIPTS)),
      // Few campaigns are large, many are small.
      share: Math.max(1e-6, (1_000 * share * random.exponential(1)) / campaigns),
    };
  });
  const callers = spread(ids.access.toReversed(), ORDINARY);
  const ordinary = callers.map((at, place): ScenarioCaller => {
    const first = `1${String(201 + (place % 700))}${String(640 + Math.floor(place / 700))}0000`;
    return {
      id: `people-${String(place + 1)}`,
      kind: 'ordinary',
      at,
      calls,
      numbers: { kind: 'own', numbers: [`${first}-${String(Number(first) + 999)}`] },
      share: Math.max(1e-6, (1_000 * (1 - share)) / callers.length),
    };
  });
  return { callers: [...robocallers, ...ordinary], called };
}

/** So many of them, evenly. */
function spread(ids: readonly string[], count: number): readonly string[] {
  const taken = Math.min(count, ids.length);
  return Array.from({ length: taken }, (_, at) => ids[Math.floor((at * ids.length) / taken)] ?? '');
}

function numbersOf(random: SeededRandom): CallingNumbers {
  const drawn = random.next();
  if (drawn < 0.4) return { kind: 'neighbour' };
  if (drawn < 0.8) {
    const prefixes = Array.from({ length: 5 }, () => `1${String(201 + random.int(700))}`);
    return { kind: 'snowshoe', prefixes: [...new Set(prefixes)], count: 1_000 + random.int(50_000) };
  }
  if (drawn < 0.9) return { kind: 'invalid' };
  return { kind: 'victim', numbers: [`1${String(201 + random.int(700))}5550100`] };
}
