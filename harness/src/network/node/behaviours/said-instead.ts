import type { TracebackAnswer, TracebackFinding } from '@hopback/sdk/traceback';

/**
 * The answer with another finding. What the record says stays where a call is said to have been found: the lie is about whom it came from.
 * @param finding - what is said
 * @param hasCall - whether it is admitted that there was such a call
 */
export function saidInstead(
  { call, ...answer }: TracebackAnswer,
  finding: TracebackFinding,
  hasCall: boolean = true,
): TracebackAnswer {
  if (!hasCall || call === undefined) return { ...answer, finding };
  const { ingressTrunk: _trunk, ingressAddress: _address, ingressCallId: _callId, ...rest } = call;
  return { ...answer, finding, call: rest };
}
