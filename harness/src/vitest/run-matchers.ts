import type { RunResult } from '../runner/index.js';
import type { MatcherResult } from './matcher-result.js';

/** What a matcher needs of a run. */
export type MatchedRun = Pick<RunResult, 'thresholds' | 'oracle' | 'facts' | 'verdict'>;

/** Outcomes that say who it was. */
const ACCUSING: ReadonlySet<string> = new Set(['origin', 'point-of-entry']);
/** Findings that a message tells. */
const TOLD = 5;

/** Whether every threshold of the scenario is met; without any, whether nothing was found. Of a plan that was not carried out whole nothing is proved. */
export function toPassThresholds(run: MatchedRun): MatcherResult {
  const missed = run.thresholds.filter(({ isMet }) => !isMet);
  const findings = run.oracle.findings.slice(0, TOLD).map(({ kind, callIndex, provider, expected, seen }) => {
    const where = [callIndex === undefined ? '' : `call ${callIndex}`, provider ?? ''].filter((part) => part !== '');
    return `  ${kind} ${where.join(', ')}: true is ${expected}; seen was ${seen}`;
  });
  const isMet = run.thresholds.length === 0 ? run.oracle.findingsInAll === 0 : missed.length === 0;
  const lines = missed.map(({ metric, threshold, seen }) => `  ${metric} ${threshold}: it was ${seen}`);
  return {
    pass: run.verdict === 'passed' && isMet,
    message: (isNot) =>
      isNot
        ? 'the run should miss a threshold; it met all of them'
        : [`the run should meet its thresholds; it was ${run.verdict}`, ...lines, ...findings].join('\n'),
  };
}

/** Whether at least one traceback of the run named somebody as origin or point of entry, and all that did named this provider. */
export function toTraceTo(run: MatchedRun, provider: string): MatcherResult {
  const named = run.facts.tracebacks.flatMap(({ outcome }) =>
    outcome?.provider !== undefined && ACCUSING.has(outcome.kind) ? [outcome.provider] : [],
  );
  const outcomes = run.facts.tracebacks.map(
    ({ callIndex, outcome, state }) =>
      `  call ${callIndex}: ${outcome === undefined ? state : `${outcome.kind} ${outcome.provider ?? ''}`.trim()}`,
  );
  return {
    pass: named.length > 0 && named.every((one) => one === provider),
    message: (isNot) =>
      [
        `tracebacks should ${isNot ? 'not ' : ''}lead to ${provider}; ${named.length === 0 ? 'none named anybody' : `they named ${[...new Set(named)].join(', ')}`}`,
        ...outcomes,
      ].join('\n'),
    ...{ actual: [...new Set(named)], expected: [provider] },
  };
}

/** Whether no traceback named anybody as origin or point of entry who is neither. */
export function toAccuseNobodyElse(run: MatchedRun): MatcherResult {
  const wrong = run.oracle.findings.filter(({ kind }) => kind === 'accusation');
  const lines = wrong
    .slice(0, TOLD)
    .map(({ callIndex, provider, seen }) => `  call ${callIndex ?? ''}: ${provider ?? ''} is innocent; ${seen}`);
  return {
    pass: wrong.length === 0,
    message: (isNot) =>
      isNot
        ? 'the run should accuse somebody who is innocent; it accused nobody'
        : ['nobody who is innocent should be accused', ...lines].join('\n'),
  };
}
