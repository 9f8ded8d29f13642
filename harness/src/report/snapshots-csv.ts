import type { LatencySummary, RunSnapshot } from './run-record.js';

const COLUMNS = [
  ...['at_ms', 'phase', 'rate_factor', 'placed', 'unplaced', 'ended', 'wrong', 'up', 'placed_per_second'],
  ...['setup_p50_ms', 'setup_p95_ms', 'setup_p99_ms', 'setup_max_ms'],
  ...['held_p50_ms', 'held_p95_ms', 'held_p99_ms', 'held_max_ms'],
  ...['campaigns', 'alerts', 'tracebacks', 'tracebacks_concluded'],
];

/** `snapshots.csv`: a line each second. A field is empty where nothing was measured (RFC 4180). */
export function snapshotsCsv(snapshots: readonly RunSnapshot[]): string {
  const lines = snapshots.map((snapshot) =>
    [
      ...[Math.round(snapshot.atMs), field(snapshot.phase), snapshot.rateFactor, snapshot.placed, snapshot.unplaced],
      ...[snapshot.ended, snapshot.wrong, snapshot.up, shown(snapshot.placedPerSecond)],
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
