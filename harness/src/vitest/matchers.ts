import type { SeenCall } from '../oracle/index.js';
import type { RunResult } from '../runner/index.js';

/** What a matcher came to. `isNot`: it was asked for the contrary. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: (isNot: boolean) => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** The last hop of a call that verified anything. */
function lastVerdict(call: SeenCall): SeenCall['hops'][number] | undefined {
  return call.hops.findLast(({ verstat }) => verstat !== undefined);
}

/** Whether the callee's side came to a verdict, or the provider that is named. */
export function toHaveVerstat(call: SeenCall, verstat: string, at?: string): MatcherResult {
  const hop = at === undefined ? lastVerdict(call) : call.hops.find(({ provider }) => provider === at);
  const found = at === undefined ? (call.shownVerstat ?? hop?.verstat) : hop?.verstat;
  const where = hop === undefined ? (at ?? 'no hop') : hop.provider;
  const why = hop === undefined || hop.reasons.length === 0 ? '' : ` (${hop.reasons.join('; ')})`;
  return {
    pass: found === verstat,
    message: (isNot) =>
      `call ${call.index} should ${isNot ? 'not ' : ''}have come to ${verstat} at ${where}; it ${found === undefined ? 'was not verified there' : `came to ${found}`}${why}\n${hopsText(call)}`,
    actual: found,
    expected: verstat,
  };
}

/** Whether the last hop that verified, or the one that is named, found this attestation. */
export function toHaveAttestation(call: SeenCall, attestation: string, at?: string): MatcherResult {
  const hop = at === undefined ? lastVerdict(call) : call.hops.find(({ provider }) => provider === at);
  const found = hop?.attestation;
  return {
    pass: found === attestation,
    message: (isNot) =>
      `call ${call.index} should ${isNot ? 'not ' : ''}have attestation ${attestation} at ${hop?.provider ?? at ?? 'any hop'}; it has ${found ?? 'none'}\n${hopsText(call)}`,
    actual: found,
    expected: attestation,
  };
}

/** Whether the caller got this final status. */
export function toEndWith(call: SeenCall, status: number): MatcherResult {
  const { finalStatus, reasons } = call;
  const why = reasons.length === 0 ? '' : ` (Reason: ${reasons.join('; ')})`;
  return {
    pass: finalStatus === status,
    message: (isNot) =>
      `call ${call.index} should ${isNot ? 'not ' : ''}end with ${status}; it ended with ${finalStatus ?? 'no final response'}${why}\n${hopsText(call)}`,
    actual: finalStatus,
    expected: status,
  };
}

function hopsText({ hops, placedAtMs }: SeenCall): string {
  if (placedAtMs === undefined) return '  it was not placed';
  const lines = hops.map(
    ({ provider, verstat = 'not asked', attestation }) =>
      `  ${provider}: ${verstat}${attestation === undefined ? '' : ` (${attestation})`}`,
  );
  return lines.length === 0 ? '  no provider has seen it' : lines.join('\n');
}

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
    return `  ${kind} ${where.join(', ')}: expected ${expected}; seen ${seen}`;
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
    actual: [...new Set(named)],
    expected: [provider],
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
