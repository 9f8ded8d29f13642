import { createCampaignEngine } from '../../harness/src/platform/domain/campaigns/index.js';
import type { CampaignEngine } from '../../harness/src/platform/domain/campaigns/index.js';
import { ALLOCATED } from '../support/itg-planned-call.js';
import { itgTraffic } from '../support/itg-traffic.js';
import type { TrafficItem } from '../support/itg-traffic.js';
import type { PlantedCampaign } from '../support/itg-planted.js';
import type { Bench, Figure } from './bench.js';

/** Ordinary records a second, and for how long the platform listens before campaigns begin. */
const PER_SECOND = 2_000;
const WARM_SECONDS = 185;
/** Items that are made before the engine is given them, so that making them is not measured. */
const BATCH = 4_000;

const PLANTED: readonly PlantedCampaign[] = [
  { name: 'neighbour', way: 'neighbour', startSecond: WARM_SECONDS, perSecond: 5 },
  { name: 'snowshoe', way: 'snowshoe', startSecond: WARM_SECONDS, perSecond: 5 },
  { name: 'invalid', way: 'invalid', startSecond: WARM_SECONDS, perSecond: 5 },
  { name: 'sequential', way: 'sequential', startSecond: WARM_SECONDS, perSecond: 5 },
  {
    ...{ name: 'one-number', way: 'one-number', startSecond: WARM_SECONDS, perSecond: 10 },
    ...{ reported: 0.2, script: 'amazon' },
  },
  {
    ...{ name: 'hidden', way: 'hidden', startSecond: WARM_SECONDS, perSecond: 10 },
    ...{ reported: 0.3, script: 'ssa', fingerprint: 'AQIDBAUGBwg=' },
  },
];

/** How fast campaigns are found in ordinary traffic, what that costs, and what is found that is none. */
export const bench: Bench = {
  name: 'campaigns',
  description: 'campaigns planted in 2,000 ordinary calls a second, a third and more of them bursts of honest callers',
  figures: [
    'found after the 20th call, slowest of 6 kinds',
    'planted campaigns found',
    'false campaigns per million ordinary calls',
    'CPU per record',
    'suspected calls alone: found after the 20th report or record, slowest of those found',
    'suspected calls alone: false campaigns per million ordinary calls',
  ],
  run: async function* run(context) {
    const seconds = context.full ? 700 : WARM_SECONDS + 30;
    const all = trial({ share: 'all-pseudonymous', seconds, seed: 7, progress: context.progress });
    yield {
      figure: 'found after the 20th call, slowest of 6 kinds',
      ...{ value: Math.max(...PLANTED.map(({ name }) => all.found.get(name) ?? Infinity)), unit: 's' },
      bar: { valueAtMost: 10 },
      note: noteOf(all),
    };
    yield { figure: 'planted campaigns found', value: all.found.size, unit: 'campaigns', bar: { valueAtLeast: 6 } };
    yield falseFigure('false campaigns per million ordinary calls', all);
    yield {
      figure: 'CPU per record',
      ...{ value: all.cpuMicroseconds / all.records, unit: 'µs', bar: { valueAtMost: 15 } },
      note: `the judgement of the single call included; ${String(all.records)} records`,
    };
    const selected = trial({ share: 'suspicious', seconds: WARM_SECONDS + 40, seed: 8, progress: context.progress });
    yield {
      figure: 'suspected calls alone: found after the 20th report or record, slowest of those found',
      ...{ value: Math.max(0, ...selected.found.values()), unit: 's' },
      note: `${noteOf(selected)}; what no carrier suspects the platform never sees`,
    };
    yield falseFigure('suspected calls alone: false campaigns per million ordinary calls', selected);
  },
};

function falseFigure(figure: string, of: Trial): Figure {
  const note = `${String(of.false)} in ${String(of.ordinary)} calls`;
  return { figure, value: (of.false * 1e6) / of.ordinary, unit: 'campaigns', bar: { valueAtMost: 1 }, note };
}

const noteOf = ({ found }: Trial): string =>
  [...found].map(([name, after]) => `${name} ${after.toFixed(1)} s`).join(', ');

interface Trial {
  /** Seconds of the stream after the 20th call of which the platform knows, by planted campaign. */
  readonly found: Map<string, number>;
  false: number;
  ordinary: number;
  records: number;
  cpuMicroseconds: number;
}

interface TrialOptions {
  readonly share: 'all-pseudonymous' | 'suspicious';
  readonly seconds: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

function trial({ share, seconds, seed, progress }: TrialOptions): Trial {
  let ids = 0;
  const engine = createCampaignEngine({
    allocated: ALLOCATED,
    newId: () => {
      ids += 1;
      return `c-${String(ids)}`;
    },
  });
  const result: Trial = { found: new Map(), false: 0, ordinary: 0, records: 0, cpuMicroseconds: 0 };
  const watcher = createWatcher(engine, result);
  let batch: TrafficItem[] = [];
  const work = (): void => {
    const before = process.cpuUsage();
    for (const item of batch) {
      if (item.kind === 'record') engine.record(item.live);
      else if (item.kind === 'report') engine.report('app-1', item.report, item.atMs);
      watcher.look(item);
    }
    const used = process.cpuUsage(before);
    result.cpuMicroseconds += used.user + used.system;
    batch = [];
  };
  for (const item of itgTraffic({ seed, seconds, perSecond: PER_SECOND, share, campaigns: PLANTED })) {
    batch.push(item);
    if (item.kind === 'call' && item.campaign === undefined) result.ordinary += 1;
    if (item.kind === 'record') result.records += 1;
    if (batch.length >= BATCH) work();
    if (item.kind === 'call' && result.ordinary % 100_000 === 0 && item.campaign === undefined) {
      progress(`${share}: ${String(result.ordinary)} ordinary calls, ${String(ids)} campaigns`);
    }
  }
  work();
  return result;
}

/** Looks at what is found, and whose calls those are. */
function createWatcher(engine: CampaignEngine, result: Trial): { readonly look: (item: TrafficItem) => void } {
  const truth = new Map<string, string>();
  const known = new Map<string, number>();
  const twentieth = new Map<string, number>();
  let looks = 0;
  const look = (item: TrafficItem): void => {
    if (item.kind === 'call') return;
    const { campaign } = item;
    const atMs = item.kind === 'record' ? item.live.record.inviteAtUs / 1_000 : item.atMs;
    if (campaign !== undefined) {
      const callId =
        item.kind === 'record'
          ? `record:${item.live.providerId}:${item.live.record.recordId}`
          : `report:app-1:${item.report.reportId}`;
      truth.set(callId, campaign);
      const count = (known.get(campaign) ?? 0) + 1;
      known.set(campaign, count);
      if (count === 20) twentieth.set(campaign, atMs);
    }
    // News are taken every hundredth of a second or so of the stream.
    looks += 1;
    if (looks % 32 !== 0) return;
    for (const { changes, calls } of engine.take()) {
      if (!changes.includes('found')) continue;
      const counts = new Map<string, number>();
      for (const { callId } of calls) {
        const name = truth.get(callId) ?? '';
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const [name = ''] = [...counts].toSorted(([, a], [, b]) => b - a)[0] ?? [];
      if (name === '') result.false += 1;
      // Found before the 20th call is found in no time.
      else if (!result.found.has(name)) {
        result.found.set(name, Math.max(0, (atMs - (twentieth.get(name) ?? atMs)) / 1_000));
      }
    }
  };
  return { look };
}
