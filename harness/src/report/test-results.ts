import { escapeMarkup } from '../laboratory/index.js';
import type { Finding } from '../oracle/index.js';
import { metricText } from './run-record.js';
import type { LatencySummary, RunRecord, RunSnapshot } from './run-record.js';

/** A test as CI systems know it: one for each threshold, and one for each kind of finding. */
interface TestResult {
  readonly suite: 'thresholds' | 'findings';
  readonly name: string;
  /** Absent: it has passed. */
  readonly failure?: { readonly message: string; readonly details: string };
}

const FINDING_NAMES: Readonly<Record<Finding['kind'], string>> = {
  incomplete: 'every call of the plan is placed',
  accusation: 'nobody is accused who is innocent',
  verdict: 'every hop reaches the correct verdict',
  answer: 'every provider answers what it is expected to',
  traceback: 'every traceback comes to a fair outcome',
  'call-outcome': 'every call ends as it should',
  record: 'every call is on record where it should be',
  stream: 'every shared record reaches the platform once',
  campaign: 'campaigns are found correctly',
  alert: 'agencies are alerted',
  trouble: 'nothing goes wrong in the network itself',
};

/** Findings that one test tells; the rest are in summary.json. */
const TOLD = 20;

function resultsOf({ thresholds, oracle }: RunRecord): readonly TestResult[] {
  const held = thresholds.map(({ metric, threshold, isMet, seen }): TestResult => {
    const name = `${metric} ${threshold}`;
    const metrics: Readonly<Record<string, Parameters<typeof metricText>[0] | undefined>> = oracle.metrics;
    const whole = metrics[metric];
    const details = whole === undefined ? seen : metricText(whole);
    return {
      suite: 'thresholds',
      name,
      ...(!isMet && { failure: { message: `${name}: it was ${seen}`, details } }),
    };
  });
  // Where there are thresholds they decide, and what else was found is for the report alone.
  if (thresholds.length > 0) return held;
  return (Object.keys(FINDING_NAMES) as Finding['kind'][]).map((kind): TestResult => {
    const found = oracle.findings.filter((finding) => finding.kind === kind);
    const details = found.slice(0, TOLD).map(findingText).join('\n');
    const message = `${found.length} ${found.length === 1 ? 'finding' : 'findings'}`;
    return {
      suite: 'findings',
      name: FINDING_NAMES[kind],
      ...(found.length > 0 && { failure: { message, details } }),
    };
  });
}

/** A finding on one line: where, what is true, what was seen. */
export function findingText({ kind, callIndex, provider, expected, seen }: Omit<Finding, 'tracebackId'>): string {
  const where = [callIndex === undefined ? '' : `call ${callIndex}`, provider ?? ''].filter((part) => part !== '');
  return `${kind}${where.length === 0 ? '' : ` (${where.join(', ')})`}: expected ${expected}; seen ${seen}`;
}

/** Whether a run without calls, or one that was not let finish, has to be told of beside the tests. */
function unfinished({ verdict, oracle }: RunRecord): string | undefined {
  if (verdict === 'no-calls') return 'no call was placed';
  if (verdict === 'timeout') return 'the time of the run was up';
  return oracle.findings.find(({ kind }) => kind === 'incomplete')?.seen;
}

function allResults(
  record: RunRecord,
): readonly (TestResult | (Omit<TestResult, 'suite'> & { readonly suite: 'run' }))[] {
  const why = unfinished(record);
  const run = {
    suite: 'run',
    name: 'the plan is carried out',
    ...(why !== undefined && { failure: { message: why, details: '' } }),
  } as const;
  return [run, ...resultsOf(record)];
}

/** `junit.xml`: the form that Jenkins, GitLab and others read. */
export function junitXml(record: RunRecord): string {
  const { plan, facts } = record;
  const results = allResults(record);
  const seconds = Math.max(0, (facts.endedAtMs - facts.startedAtMs) / 1_000).toFixed(3);
  const failures = results.filter(({ failure }) => failure !== undefined).length;
  const suite = `name="${escapeMarkup(plan.scenario.name)}" tests="${results.length}" failures="${failures}" errors="0"`;
  const cases = results.map(({ suite: group, name, failure }) => {
    const head = `    <testcase classname="${escapeMarkup(`${plan.scenario.name}.${group}`)}" name="${escapeMarkup(name)}" time="0"`;
    if (failure === undefined) return `${head}/>`;
    return `${head}>\n      <failure message="${escapeMarkup(failure.message)}">${escapeMarkup(failure.details)}</failure>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${suite} time="${seconds}">`,
    `  <testsuite ${suite} skipped="0" time="${seconds}" timestamp="${new Date(facts.startedAtMs).toISOString().slice(0, 19)}">`,
    '    <properties>',
    `      <property name="seed" value="${plan.seed}"/>`,
    `      <property name="command" value="${escapeMarkup(record.command)}"/>`,
    '    </properties>',
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** `ctrf.json`: the Common Test Report Format, https://ctrf.io. */
export function ctrfJson(record: RunRecord): string {
  const { plan, facts, version } = record;
  const results = allResults(record);
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const summary = {
    tests: results.length,
    passed: results.length - failed,
    failed,
    pending: 0,
    skipped: 0,
    other: 0,
    start: Math.round(facts.startedAtMs),
    stop: Math.round(facts.endedAtMs),
  };
  const tests = results.map(({ suite, name, failure }) => ({
    name,
    status: failure === undefined ? 'passed' : 'failed',
    duration: 0,
    suite: [plan.scenario.name, suite],
    ...(failure !== undefined && { message: failure.message, trace: failure.details }),
  }));
  const report = {
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    results: {
      tool: { name: 'hopback-harness', version },
      summary,
      tests,
      extra: { scenario: plan.scenario.name, seed: plan.seed, command: record.command },
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const COLUMNS = [
  'at_ms',
  'phase',
  'rate_factor',
  'placed',
  'unplaced',
  'ended',
  'wrong',
  'up',
  'placed_per_second',
  'setup_p50_ms',
  'setup_p95_ms',
  'setup_p99_ms',
  'setup_max_ms',
  'held_p50_ms',
  'held_p95_ms',
  'held_p99_ms',
  'held_max_ms',
  'campaigns',
  'alerts',
  'tracebacks',
  'tracebacks_concluded',
];

/** `snapshots.csv`: a line each second. A field is empty where nothing was measured (RFC 4180). */
export function snapshotsCsv(snapshots: readonly RunSnapshot[]): string {
  const lines = snapshots.map((snapshot) =>
    [
      Math.round(snapshot.atMs),
      field(snapshot.phase),
      snapshot.rateFactor,
      snapshot.placed,
      snapshot.unplaced,
      snapshot.ended,
      snapshot.wrong,
      snapshot.up,
      shown(snapshot.placedPerSecond),
      ...latencies(snapshot.setupMs),
      ...latencies(snapshot.heldMs),
      ...findings(snapshot.found),
    ].join(','),
  );
  return `${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function latencies(summary: LatencySummary | undefined): readonly string[] {
  if (summary === undefined) return ['', '', '', ''];
  return [summary.p50, summary.p95, summary.p99, summary.max].map(shown);
}

function findings(found: RunSnapshot['found']): readonly string[] {
  if (found === undefined) return ['', '', '', ''];
  return [found.campaigns, found.alerts, found.tracebacks, found.concluded].map(String);
}

const shown = (value: number): string => String(Number(value.toFixed(3)));

/** Quoted where it has to be; a spreadsheet takes nothing for a formula. */
function field(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
