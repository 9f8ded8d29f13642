import { createCampaignEngine } from '../../harness/dist/platform/domain/campaigns/campaign-engine.js';
import type { CampaignEngine } from '../../harness/dist/platform/domain/campaigns/campaign-engine.js';
import { ORDINARY_KINDS } from '../support/itg-ordinary-kinds.js';
import { ALLOCATED } from '../support/itg-planned-call.js';
import type { PlantedCampaign } from '../support/itg-planted.js';
import { itgTraffic } from '../support/itg-traffic.js';
import type { TrafficItem } from '../support/itg-traffic.js';

/** Ordinary records a second. */
const PER_SECOND = 2_000;
/** Items that are made before the engine is given them, so that making them is not measured. */
const BATCH = 4_000;

/** What came of traffic with campaigns in it. */
export interface Trial {
  /** Seconds of the stream after the 20th call of which the platform knows, by planted campaign. */
  readonly found: Map<string, number>;
  false: number;
  readonly falseNames: string[];
  ordinary: number;
  records: number;
  cpuMicroseconds: number;
}

/** What traffic is made of. */
export interface TrialOptions {
  readonly share: 'all-pseudonymous' | 'suspicious';
  readonly campaigns: readonly PlantedCampaign[];
  readonly seconds: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

/** Runs traffic through an engine of its own, by the time of the calls. */
export function trial({ share, seconds, seed, campaigns, progress }: TrialOptions): Trial {
  let ids = 0;
  const engine = createCampaignEngine({
    allocated: ALLOCATED,
    newId: () => {
      ids += 1;
      return `c-${String(ids)}`;
    },
  });
  const result: Trial = { found: new Map(), false: 0, falseNames: [], ordinary: 0, records: 0, cpuMicroseconds: 0 };
  const watcher = createWatcher(engine, result);
  const kinds = Object.values(ORDINARY_KINDS);
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
  for (const item of itgTraffic({ seed, seconds, perSecond: PER_SECOND, share, campaigns, kinds })) {
    batch.push(item);
    if (item.kind === 'call' && item.campaign === undefined) result.ordinary += 1;
    if (item.kind === 'record') result.records += 1;
    if (batch.length >= BATCH) work();
    if (item.kind === 'call' && result.ordinary % 100_000 === 0 && item.campaign === undefined) {
      progress(`seed ${String(seed)}, ${share}: ${String(result.ordinary)} ordinary calls, ${String(ids)} campaigns`);
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
    for (const { file, changes, calls } of engine.take()) {
      if (!changes.includes('found')) continue;
      const counts = new Map<string, number>();
      for (const { callId } of calls) {
        const name = truth.get(callId) ?? '';
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const [name = ''] = [...counts].toSorted(([, a], [, b]) => b - a)[0] ?? [];
      if (name === '') {
        result.false += 1;
        result.falseNames.push(file.name);
      }
      // Found before the 20th call is found in no time.
      else if (!result.found.has(name)) {
        result.found.set(name, Math.max(0, (atMs - (twentieth.get(name) ?? atMs)) / 1_000));
      }
    }
  };
  return { look };
}
