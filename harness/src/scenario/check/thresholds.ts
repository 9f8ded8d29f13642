import type { Scenario } from '../scenario.js';
import { METRIC_KINDS, PLATFORM_METRICS } from '../thresholds/metrics.js';
import type { MetricName } from '../thresholds/metrics.js';
import { contradiction } from '../thresholds/contradictions.js';
import { misfit, parseThreshold } from '../thresholds/parse-threshold.js';
import type { Threshold } from '../thresholds/parse-threshold.js';
import type { Complaint } from './complaint.js';
import { suggestion } from './near-words.js';

/** Thresholds that cannot be parsed, name no metric, ask of it what it has not, or can never hold. */
export function checkThresholdTexts({ thresholds = {}, platform }: Scenario): readonly Complaint[] {
  return Object.entries(thresholds).flatMap(([name, held]): readonly Complaint[] => {
    if (!Object.hasOwn(METRIC_KINDS, name)) {
      const message = `there is no metric ${name}${suggestion(name, Object.keys(METRIC_KINDS))}`;
      return [{ path: ['thresholds', name], message }];
    }
    const metric = name as MetricName;
    if (platform === undefined && PLATFORM_METRICS.has(metric))
      return [{ path: ['thresholds', name], message: 'is of a platform: the scenario has none' }];
    const kind = METRIC_KINDS[metric];
    const before: Threshold[] = [];
    return held.flatMap((entry, at) => {
      const parsed = parseThreshold(typeof entry === 'string' ? entry : entry.threshold);
      const message =
        parsed.status === 'faulty'
          ? parsed.reason
          : (misfit(parsed.threshold.aggregate, kind) ?? contradiction(parsed.threshold, kind, before));
      if (message !== undefined) return [{ path: ['thresholds', name, at], message }];
      if (parsed.status === 'parsed') before.push(parsed.threshold);
      return [];
    });
  });
}
