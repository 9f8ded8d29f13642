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
  | 'tracebacks'
  /** Rate of those that came to their end. */
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

/** Something that is not as it is true. */
export interface Finding {
  readonly kind:
    | 'call-outcome'
    | 'verdict'
    | 'record'
    | 'stream'
    | 'answer'
    | 'traceback'
    | 'accusation'
    | 'campaign'
    | 'alert'
    | 'trouble';
  readonly callIndex?: number;
  readonly provider?: string;
  readonly tracebackId?: string;
  /** What is true, and what was seen, in words. */
  readonly expected: string;
  readonly seen: string;
}

/** What the oracle says of a run. */
export interface OracleReport {
  readonly metrics: Readonly<Record<MetricName, Metric>>;
  /** Gravest first: accusations, verdicts, answers, the rest; at most 1,000, the others counted. */
  readonly findings: readonly Finding[];
  readonly findingsInAll: number;
}
