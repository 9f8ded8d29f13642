import type { SeededRandom } from '../../harness/src/faults/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import { endingOf } from './itg-ordinary.js';
import { CARRIERS, line, someNumber, TRAFFIC_START_MS, type PlannedCall } from './itg-planned-call.js';

/** Ways in which campaigns call. */
export type PlantedWay = 'neighbour' | 'snowshoe' | 'one-number' | 'sequential' | 'invalid' | 'hidden';

/** A campaign that is hidden in traffic. */
export interface PlantedCampaign {
  readonly name: string;
  readonly way: PlantedWay;
  readonly startSecond: number;
  readonly perSecond: number;
  /** Share of its calls that applications report, and what they hear. */
  readonly reported?: number;
  readonly script?: 'ssa' | 'amazon';
  readonly fingerprint?: string;
  readonly reason?: AppReport['reason'];
}

const ENDING = { answered: 0.3, short: 0.6, mean: 14, least: 6 };

const SCRIPTS = {
  ssa: (random: SeededRandom): string =>
    `This call is from the Social Security Administration. Your social security number has been suspended because of suspicious activity ${random.pick(['in the state of Texas', 'on the border', 'found in your name'])}. To speak to an officer press one now or a warrant for your arrest will be issued.`,
  amazon: (random: SeededRandom): string =>
    `Hello this is Amazon customer support. We are calling to confirm an order of an iPhone for ${String(700 + random.int(600))} dollars on your account. If you did not authorize this order press one to speak to our fraud department ${random.pick(['immediately', 'right now', 'today'])}.`,
};

/** Plans the calls of each second of a campaign. */
export function planCampaign(random: SeededRandom, campaign: PlantedCampaign): (second: number) => PlannedCall[] {
  const own = someNumber(random);
  const start = Number(someNumber(random).slice(1));
  let made = 0;
  return (second) => {
    const calls: PlannedCall[] = [];
    // Slow ones make their first call at once, and whole calls afterwards.
    const until =
      second < campaign.startSecond ? 0 : Math.floor((second - campaign.startSecond) * campaign.perSecond) + 1;
    for (; made < until; made += 1) {
      const atMs = TRAFFIC_START_MS + second * 1_000 + Math.floor(random.next() * 1_000);
      calls.push(planned(random, campaign, { atMs, own, sequence: start + made }));
    }
    return calls;
  };
}

function planned(
  random: SeededRandom,
  campaign: PlantedCampaign,
  { atMs, own, sequence }: { readonly atMs: number; readonly own: string; readonly sequence: number },
): PlannedCall {
  const { way, name, reported = 0, script, fingerprint } = campaign;
  const called = way === 'sequential' ? `1${String(sequence)}` : someNumber(random);
  const isHeard = random.chance(reported);
  const transcript = script === undefined ? undefined : SCRIPTS[script](random);
  return {
    atMs,
    called,
    calling: callingOf(random, way, { called, own }),
    carrier: Number(called.slice(1, 7)) % (way === 'sequential' ? 1 : CARRIERS),
    ...wayOf(way),
    ...endingOf(random, ENDING),
    campaign: name,
    ...(isHeard && {
      heard: {
        reason: campaign.reason ?? 'content',
        ...(transcript !== undefined && { transcript }),
        ...(fingerprint !== undefined && { fingerprint }),
      },
    }),
  };
}

function callingOf(random: SeededRandom, way: PlantedWay, of: { readonly called: string; readonly own: string }) {
  switch (way) {
    case 'neighbour':
      return of.called.slice(0, 7) + line(random);
    case 'invalid':
      // No exchange begins with 0 or 1.
      return `1${String(200 + random.int(700))}0${String(random.int(1_000_000)).padStart(6, '0')}`;
    case 'one-number':
      return of.own;
    case 'snowshoe':
    case 'sequential':
    case 'hidden':
      return someNumber(random);
  }
}

function wayOf(way: PlantedWay): Pick<PlannedCall, 'trunk' | 'upstream' | 'spc' | 'attestation'> {
  switch (way) {
    // Signed in full by a small provider that knows better.
    case 'snowshoe':
      return { trunk: 'voip-9', upstream: 'Nine VoIP', spc: '909N', attestation: 'A' };
    case 'neighbour':
    case 'invalid':
      return { trunk: 'wholesale', upstream: 'Wholesale B' };
    case 'one-number':
      return { trunk: 'gateway', upstream: 'Gateway G', spc: '900G', attestation: 'C' };
    case 'sequential':
      return { trunk: 'wholesale-2', upstream: 'Tandem 0' };
    // Through a large carrier, with numbers that are like those of others: nothing but what is said tells it.
    case 'hidden':
      return { trunk: 'peer-1', upstream: 'Large 1', spc: '101A', attestation: 'A' };
  }
}
