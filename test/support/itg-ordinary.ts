import type { SeededRandom } from '../../harness/src/faults/index.js';
import { AREAS, CARRIERS, line, someNumber, TRAFFIC_START_MS, type PlannedCall } from './itg-planned-call.js';

// Ordinary traffic: people who call each other, and those who call very many with every right, which are a third of it and more.

/** How calls come to a carrier. */
export interface Way {
  readonly trunk: string;
  readonly upstream?: string;
  readonly spc?: string;
  readonly attestation?: 'A' | 'B' | 'C';
}

/** How calls of a kind end: share that is answered, share of these that is short, mean and least seconds of the others. */
export interface Ending {
  readonly answered: number;
  readonly short: number;
  readonly mean: number;
  readonly least: number;
}

export const PEOPLE: Ending = { answered: 0.62, short: 0.06, mean: 110, least: 6 };

/** Somebody who calls very many: numbers of its own, and what an application makes of it. */
export interface Burst {
  readonly share: number;
  readonly numbers: number;
  readonly callers: number;
  readonly ending: Ending;
  readonly way: (at: number) => Way;
  readonly area?: string;
  /** Whether numbers and subscribers are of one exchange, as those of a school. */
  readonly isLocal?: boolean;
  readonly transcript?: string | ((random: SeededRandom) => string);
  readonly reported: number;
  /** Share of its calls to its own exchange, and whether it shows a number of the area that it calls. */
  readonly neighbours?: number;
  readonly hasPresence?: boolean;
  /** Whether it calls number by number, one exchange after the other. */
  readonly isRow?: boolean;
  /** Whether its numbers are none that can be, as of an exchange that was set up wrongly. */
  readonly isInvalid?: boolean;
  /** Whether its signatures are broken on the way. */
  readonly isBroken?: boolean;
  /** Seconds of each minute in which it calls. */
  readonly during?: readonly [number, number];
}

/** Through a large provider. */
export const large = (at: number): Way => ({
  trunk: `peer-${String(at % 3)}`,
  upstream: `Large ${String(at % 3)}`,
  spc: `10${String(at % 3)}A`,
  attestation: 'A',
});
/** Through a provider of call centres. */
export const dialler = (at: number): Way => ({
  trunk: `dialler-${String(at % 4)}`,
  upstream: `Dialler ${String(at % 4)}`,
  spc: `22${String(at % 4)}C`,
  attestation: at % 3 === 0 ? 'B' : 'A',
});

const BURSTS: readonly Burst[] = [
  {
    ...{ share: 0.08, numbers: 1, callers: 60, ending: { answered: 0.8, short: 0.12, mean: 8, least: 26 } },
    ...{ way: () => ({ trunk: 'own-subscribers' }), isLocal: true, reported: 0.0005 },
    transcript:
      'Hello, this is an important message from your school district. Due to the weather all schools will be closed tomorrow. Please check our website for updates. Thank you.',
  },
  {
    ...{ share: 0.07, numbers: 1, callers: 20, ending: { answered: 0.55, short: 0.15, mean: 10, least: 18 } },
    ...{ way: large, area: '888', reported: 0.001 },
    transcript:
      'Hello, this is your pharmacy calling. A prescription for a member of your household is ready for pick up. To hear our opening hours press one. To stop these reminders press nine.',
  },
  {
    ...{ share: 0.07, numbers: 30, callers: 20, ending: { answered: 0.3, short: 0.25, mean: 60, least: 6 } },
    ...{ way: dialler, reported: 0.004 },
    transcript:
      'This is a call from an office of debt collection. This is an attempt to collect a debt and any information obtained will be used for that purpose. Please return our call.',
  },
  {
    ...{ share: 0.08, numbers: 10, callers: 12, ending: { answered: 0.28, short: 0.35, mean: 60, least: 6 } },
    ...{ way: large, reported: 0.004 },
    transcript:
      'Hi, I am calling to remind you that the election is this Tuesday. I ask for your vote. Paid for by the committee to elect a better council.',
  },
  {
    ...{ share: 0.08, numbers: 6, callers: 40, ending: { answered: 0.4, short: 0.15, mean: 100, least: 6 } },
    ...{ way: dialler, reported: 0.001 },
  },
];

/**
 * Plans ordinary calls of each second.
 * @param kinds - callers beside those of every day, whose shares are taken from households
 */
export function planOrdinary(
  random: SeededRandom,
  perSecond: number,
  kinds: readonly Burst[] = [],
): (second: number) => PlannedCall[] {
  const people = Array.from({ length: 120_000 }, () => someNumber(random));
  const bursts = [...BURSTS, ...kinds].map((burst) => ({ burst, callers: burstCallers(random, burst) }));
  const broken = random.fork('broken');
  return (second) =>
    Array.from({ length: perSecond }, () => {
      const atMs = TRAFFIC_START_MS + second * 1_000 + Math.floor(random.next() * 1_000);
      let share = random.next();
      for (const { burst, callers } of bursts) {
        if (share < burst.share && isCalling(burst, second)) return burstCall(random, { burst, callers, atMs });
        share -= burst.share;
        if (share < 0) break;
      }
      const call = householdCall(random, people, atMs);
      // Rewriting on the way breaks honest signatures every day.
      return call.spc !== undefined && broken.chance(0.015)
        ? { ...call, verstat: 'TN-Validation-Failed' as const }
        : call;
    });
}

function isCalling({ during }: Burst, second: number): boolean {
  return during === undefined || (second % 60 >= during[0] && second % 60 < during[1]);
}

function householdCall(random: SeededRandom, people: readonly string[], atMs: number): PlannedCall {
  const calling = random.pick(people);
  const isNextDoor = random.chance(0.01);
  const called = isNextDoor ? calling.slice(0, 7) + line(random) : random.pick(people);
  const place = Number(calling.slice(1)) % 1_000;
  const carrier = Number(called.slice(1, 7)) % CARRIERS;
  return { atMs, carrier, calling, called, ...householdWay(place, carrier), ...endingOf(random, PEOPLE) };
}

/** A number is with one carrier, whatever the second. */
function householdWay(place: number, carrier: number): Way {
  if (place < 120) return { trunk: 'own-subscribers' };
  if (place < 800) return large(place);
  if (place < 870) return { trunk: 'wholesale', upstream: 'Wholesale B', spc: '310B', attestation: 'B' };
  if (place < 930) return { trunk: 'wholesale', upstream: 'Wholesale B' };
  if (place < 970) return { trunk: 'wholesale-2', upstream: `Tandem ${String(carrier % 4)}` };
  return { trunk: 'small', upstream: 'Small S', spc: `70${String(place % 5)}S`, attestation: 'A' };
}

interface BurstCaller {
  readonly numbers: readonly string[];
  readonly byArea: ReadonlyMap<string, readonly string[]>;
  readonly way: Way;
  readonly carrier: number | undefined;
  /** The next number of a row. */
  next: number;
}

function burstCallers(random: SeededRandom, burst: Burst): readonly BurstCaller[] {
  return Array.from({ length: burst.callers }, (_, at): BurstCaller => {
    const area = burst.area ?? random.pick(AREAS);
    const numbers = Array.from({ length: burst.numbers }, (_number, index) =>
      burst.isInvalid === true
        ? `1${area}0${String(random.int(1_000_000)).padStart(6, '0')}`
        : someNumber(random, burst.hasPresence === true ? AREAS[index % AREAS.length] : area),
    );
    const byArea = new Map<string, string[]>();
    for (const number of numbers) {
      const own = byArea.get(number.slice(1, 4)) ?? [];
      own.push(number);
      byArea.set(number.slice(1, 4), own);
    }
    const next = Number(someNumber(random).slice(1));
    return { numbers, byArea, way: burst.way(at), carrier: burst.isLocal === true ? at % CARRIERS : undefined, next };
  });
}

function burstCall(
  random: SeededRandom,
  { burst, callers, atMs }: { readonly burst: Burst; readonly callers: readonly BurstCaller[]; readonly atMs: number },
): PlannedCall {
  const caller = random.pick(callers);
  const [calling, called] = partiesOf(random, burst, caller);
  const carrier = caller.carrier ?? Number(called.slice(1, 7)) % CARRIERS;
  const isReported = random.chance(burst.reported);
  const { transcript } = burst;
  const text = typeof transcript === 'function' && isReported ? transcript(random) : transcript;
  return {
    ...{ atMs, carrier, calling, called },
    ...caller.way,
    ...(burst.isBroken === true && { verstat: 'TN-Validation-Failed' as const }),
    ...endingOf(random, burst.ending),
    ...(isReported
      ? { heard: { reason: 'calling-pattern', ...(typeof text === 'string' ? { transcript: text } : {}) } }
      : {}),
  };
}

function partiesOf(
  random: SeededRandom,
  burst: Burst,
  caller: BurstCaller,
): readonly [calling: string, called: string] {
  if (burst.hasPresence === true) {
    const called = someNumber(random);
    return [random.pick(caller.byArea.get(called.slice(1, 4)) ?? caller.numbers), called];
  }
  const calling = random.pick(caller.numbers);
  if (burst.isRow === true) {
    caller.next += 1;
    return [calling, `1${String(caller.next)}`];
  }
  const isNextDoor = burst.isLocal === true || (burst.neighbours !== undefined && random.chance(burst.neighbours));
  return [calling, isNextDoor ? calling.slice(0, 7) + line(random) : someNumber(random)];
}

/** How a call ends. */
export function endingOf(random: SeededRandom, ending: Ending): { readonly seconds?: number } {
  if (!random.chance(ending.answered)) return {};
  return {
    seconds: random.chance(ending.short) ? random.exponential(2.2) : ending.least + random.exponential(ending.mean),
  };
}
