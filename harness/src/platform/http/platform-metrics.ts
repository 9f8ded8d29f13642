/** Labels of a count, by their names. */
export type Labels = Readonly<Record<string, string>>;

const COUNTERS: Readonly<Record<MetricName, string>> = {
  hopback_http_requests_total: 'Requests by operation and status.',
  hopback_http_rate_limited_total: 'Requests that were refused for their number.',
  hopback_http_answer_faults_total: 'Answers that are not in the form of the contract.',
  hopback_webhook_attempts_total: 'Attempts to post an event, by what became of them.',
};
const HISTOGRAMS: Readonly<Record<HistogramName, string>> = { hopback_http_request_seconds: 'Time to an answer.' };
const GAUGES: Readonly<Record<GaugeName, string>> = {
  hopback_http_requests_open: 'Requests that are worked on.',
  hopback_event_streams_open: 'Event streams that are open.',
  hopback_rate_buckets: 'Buckets that rates are counted in.',
};

/** Names of counts. */
export type MetricName =
  | 'hopback_http_requests_total'
  | 'hopback_http_rate_limited_total'
  | 'hopback_http_answer_faults_total'
  | 'hopback_webhook_attempts_total';
/** Names of what takes time. */
export type HistogramName = 'hopback_http_request_seconds';
/** Names of what is read when somebody asks. */
export type GaugeName = 'hopback_http_requests_open' | 'hopback_event_streams_open' | 'hopback_rate_buckets';

/** Bounds of buckets, seconds: a look-up to a report. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** Series of one name: operations times statuses fit; what is beyond is a mistake, and counted under none. */
const MAX_SERIES = 2_000;

interface Histogram {
  readonly counts: number[];
  sum: number;
  total: number;
}

/** Counts for operators, in the text format of Prometheus. Labels are words of the platform: never ids, addresses or numbers. */
export class PlatformMetrics {
  readonly #counters = new Map<MetricName, Map<string, number>>();
  readonly #histograms = new Map<HistogramName, Map<string, Histogram>>();
  readonly #gauges = new Map<GaugeName, () => number>();

  count(name: MetricName, labels: Labels = {}, by: number = 1): void {
    const series = seriesOf(this.#counters, name);
    const key = labelText(labels);
    if (series.has(key) || series.size < MAX_SERIES) series.set(key, (series.get(key) ?? 0) + by);
  }

  /** Something that took so many seconds. */
  observe(name: HistogramName, seconds: number, labels: Labels = {}): void {
    const series = seriesOf(this.#histograms, name);
    const key = labelText(labels);
    if (!series.has(key) && series.size >= MAX_SERIES) return;
    const histogram = series.get(key) ?? { counts: BOUNDS.map(() => 0), sum: 0, total: 0 };
    series.set(key, histogram);
    histogram.sum += seconds;
    histogram.total += 1;
    for (const [index, bound] of BOUNDS.entries())
      if (seconds <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
  }

  /** What is read when somebody asks. @returns how to take it away */
  gauge(name: GaugeName, read: () => number): () => void {
    this.#gauges.set(name, read);
    return () => {
      if (this.#gauges.get(name) === read) this.#gauges.delete(name);
    };
  }

  /** The text. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): string {
    return [
      ...[...this.#counters].flatMap(([name, series]) => counterLines(name, series)),
      ...[...this.#histograms].flatMap(([name, series]) => histogramLines(name, series)),
      ...[...this.#gauges].flatMap(([name, read]) => [...heading(name, GAUGES[name], 'gauge'), `${name} ${read()}`]),
      '',
    ].join('\n');
  }
}

function seriesOf<Name, Value>(all: Map<Name, Map<string, Value>>, name: Name): Map<string, Value> {
  const series = all.get(name) ?? new Map<string, Value>();
  all.set(name, series);
  return series;
}

const heading = (name: string, help: string, type: string): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

function counterLines(name: MetricName, series: ReadonlyMap<string, number>): readonly string[] {
  return [
    ...heading(name, COUNTERS[name], 'counter'),
    ...[...series].map(([key, value]) => `${name}${braced(key)} ${value}`),
  ];
}

function histogramLines(name: HistogramName, series: ReadonlyMap<string, Histogram>): readonly string[] {
  const lines = [...series].flatMap(([key, { counts, sum, total }]) => {
    const labelled = (bound: string): string => braced([key, `le="${bound}"`].filter((part) => part !== '').join(','));
    return [
      ...BOUNDS.map((bound, index) => `${name}_bucket${labelled(String(bound))} ${counts[index] ?? 0}`),
      `${name}_bucket${labelled('+Inf')} ${total}`,
      `${name}_sum${braced(key)} ${sum}`,
      `${name}_count${braced(key)} ${total}`,
    ];
  });
  return [...heading(name, HISTOGRAMS[name], 'histogram'), ...lines];
}

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/[^\x20-\x7e]|["\\]/g, '_').slice(0, 64)}"`)
    .join(',');
