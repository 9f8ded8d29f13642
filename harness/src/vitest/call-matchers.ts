import type { SeenCall } from '../oracle/index.js';
import type { MatcherResult } from './matcher-result.js';

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
    ...{ actual: found, expected: verstat },
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
    ...{ actual: found, expected: attestation },
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
    ...{ actual: finalStatus, expected: status },
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
