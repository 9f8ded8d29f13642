import type { Metric, MetricName } from '../scenario/index.js';

export type { Metric, MetricName };

/** Something that is not as it is true. */
export interface Finding {
  /** `incomplete` is what of the plan was not carried out. */
  readonly kind:
    | 'incomplete'
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
  /** Gravest first: what was not carried out, accusations, verdicts, answers, the rest; at most 1,000, the others counted. */
  readonly findings: readonly Finding[];
  readonly findingsInAll: number;
}
