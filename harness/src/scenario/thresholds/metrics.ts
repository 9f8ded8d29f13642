/** What was measured over all calls or tracebacks of a run. */
export type Metric =
  | { readonly kind: 'count'; readonly count: number }
  /** `value` is `good / of`; 1 where there was nothing to be right or wrong about. */
  | { readonly kind: 'rate'; readonly good: number; readonly of: number; readonly value: number }
  /** Of a time; the unit is in the name of the metric. */
  | {
      readonly kind: 'distribution';
      readonly count: number;
      readonly min: number;
      readonly mean: number;
      readonly max: number;
      readonly percentiles: Readonly<Record<'50' | '90' | '95' | '99' | '99.9', number>>;
    };

/** Metrics of a run, which thresholds may name. */
export type MetricName =
  | 'calls_placed'
  | 'calls_unplaced'
  /** Ended with 200 at the caller. */
  | 'calls_answered'
  /** Ended with 503: somebody on the way was down, or had too many. RFC 3261 section 21.5.4 */
  | 'calls_unavailable'
  /** Ended in another way than is true of them. */
  | 'calls_wrong'
  | 'call_setup_ms'
  /** How long a hop held an INVITE that it verified. */
  | 'verify_latency_ms'
  | 'verdict_accuracy'
  | 'records_complete'
  /** Of the records that a provider shares, those that reached the platform, once. */
  | 'records_streamed'
  | 'answers_correct'
  /** Of the answers that were given, those that no person had to decide. */
  | 'answers_automatic'
  | 'tracebacks'
  | 'tracebacks_concluded'
  /** Came to one of their fair outcomes. */
  | 'traceback_fair'
  /** Named the true origin, or the true point of entry. */
  | 'traceback_origin_correct'
  /** Named somebody as origin or point of entry who is neither. */
  | 'wrong_accusations'
  | 'disputed'
  | 'time_to_origin_ms'
  | 'campaign_precision'
  | 'campaign_recall'
  | 'time_to_campaign_ms'
  | 'time_to_alert_ms'
  | 'troubles';

/** What is measured of each. */
export const METRIC_KINDS: Readonly<Record<MetricName, Metric['kind']>> = {
  calls_placed: 'count',
  calls_unplaced: 'count',
  calls_answered: 'count',
  calls_unavailable: 'count',
  calls_wrong: 'count',
  call_setup_ms: 'distribution',
  verify_latency_ms: 'distribution',
  verdict_accuracy: 'rate',
  records_complete: 'rate',
  records_streamed: 'rate',
  answers_correct: 'rate',
  answers_automatic: 'rate',
  tracebacks: 'count',
  tracebacks_concluded: 'rate',
  traceback_fair: 'rate',
  traceback_origin_correct: 'rate',
  wrong_accusations: 'count',
  disputed: 'count',
  time_to_origin_ms: 'distribution',
  campaign_precision: 'rate',
  campaign_recall: 'rate',
  time_to_campaign_ms: 'distribution',
  time_to_alert_ms: 'distribution',
  troubles: 'count',
};

/** Metrics that are of a platform: without one nothing can be said of them. */
export const PLATFORM_METRICS: ReadonlySet<MetricName> = new Set<MetricName>([
  ...(['records_streamed', 'answers_correct', 'answers_automatic', 'tracebacks'] as const),
  ...(['tracebacks_concluded', 'traceback_fair'] as const),
  ...(['traceback_origin_correct', 'wrong_accusations', 'disputed', 'time_to_origin_ms'] as const),
  ...(['campaign_precision', 'campaign_recall', 'time_to_campaign_ms', 'time_to_alert_ms'] as const),
]);
