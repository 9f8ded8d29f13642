import { externalProviders } from '../../network/plan/index.js';
import { findingText, ladderOf, ladderText, oneLine, verdictSentence } from '../../report/index.js';
import type { RunResult } from '../../runner/index.js';

/** Findings that a terminal shows; all are in the report. */
const SHOWN = 10;

/** What a run came to, for a terminal. */
export function resultLines({ record, verdict, thresholds, oracle, folder }: RunResult): readonly string[] {
  const { findings, findingsInAll } = oracle;
  const left = findingsInAll - Math.min(SHOWN, findings.length);
  return [
    '',
    `${verdict.toUpperCase()}: ${verdictSentence(record)}`,
    ...thresholds.map(
      ({ metric, threshold, isMet, seen }) => `  ${isMet ? 'ok  ' : 'FAIL'} ${metric} ${threshold} (${seen})`,
    ),
    ...findings.slice(0, SHOWN).map((finding) => `  ! ${oneLine(findingText(finding))}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
    ...(folder === undefined ? [] : [`Report: ${folder}/report.html`]),
    `Again:  ${record.command}`,
  ];
}

/** Ladder and messages of a call that was placed again. */
export function traceLines({ record }: RunResult, index: number): readonly string[] {
  const sample = record.samples.find((one) => one.index === index);
  if (sample === undefined) return [`Of call ${index} nothing was seen.`];
  const messages = sample.messages.map(({ provider, direction, atMs, transport, remote, text }) => {
    const head = `${new Date(atMs).toISOString()} ${provider} ${direction === 'in' ? '<-' : '->'} ${transport} ${remote.address}:${remote.port}`;
    return `${head}\n${text.split(/\r?\n/).map(oneLine).join('\n')}`;
  });
  return [ladderText(`Call ${index}`, ladderOf(sample, externalProviders(record.plan))), ...messages];
}
