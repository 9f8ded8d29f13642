import type { SeededRandom } from '../../faults/index.js';
import { ROBOCALL_SCRIPTS } from '../../scenario/index.js';
import type { CallingNumbers, ScenarioCalled, ScenarioCaller } from '../../scenario/index.js';
import type { GeneratedIds, GenerateOptions } from './generate-network.js';

/** Entries of called numbers, at most: the cheapest ways are computed once for each of their carriers. */
const CALLED = 60;
/** Numbers of each: a block as carriers are given them. */
const BLOCK = 10_000;
/** Carriers with ordinary callers, at most. */
const ORDINARY = 300;

/** Who calls and who is called in a generated network. */
export function generatedParties(
  ids: GeneratedIds,
  { campaigns = 20, campaignShare = 0.3 }: GenerateOptions,
  random: SeededRandom,
): { readonly callers: readonly ScenarioCaller[]; readonly called: readonly ScenarioCalled[] } {
  const homes = spread(ids.access, CALLED);
  const called = homes.map((at, place): ScenarioCalled => ({
    ...{ id: `homes-${String(place + 1)}`, at, count: BLOCK, answers: 0.6, app: { reports: 0.02 } },
    first: `1${String(201 + 7 * place)}${String(210 + 3 * place)}0000`,
  }));
  const calls = called.map(({ id }) => id);
  const share = campaigns === 0 ? 0 : campaignShare;
  const robocallers = Array.from({ length: campaigns }, (_, place): ScenarioCaller => {
    const isForeign = random.next() < 0.5;
    return {
      ...{ id: `campaign-${String(place + 1)}`, kind: 'robocaller', calls },
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
      ...{ id: `people-${String(place + 1)}`, kind: 'ordinary', at, calls },
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
