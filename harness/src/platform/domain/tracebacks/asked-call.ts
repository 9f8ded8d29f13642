import type { RequestedCall, TracebackAnswer } from '@hopback/sdk/traceback';

/**
 * The call that the next provider is asked about: as the answer before it disclosed it, since a switch's record says more than the memory of a
 * subscriber. Of a shared record the number comes from its carrier's answer alone; `recordId` is the carrier's own and means nothing to others,
 * as does the Call-ID, of which every B2BUA makes a new one.
 * @param call - what the provider before was asked about
 * @param answer - its answer; absent where a neighbour's word led on
 * @returns the call; undefined where there is nothing by which another provider could find it. Never throws
 */
export function askedCall(call: RequestedCall, answer: TracebackAnswer | undefined): RequestedCall | undefined {
  const { recordId: _recordId, callId: _callId, ...stated } = call;
  const known = answer?.call;
  const called = known?.called ?? stated.called;
  if (called === undefined) return undefined;
  if (known === undefined) return { ...stated, called };
  const { calling, ingressCallId, received, startedAt } = known;
  return {
    ...stated,
    called,
    ...(calling !== undefined && { calling }),
    ...(ingressCallId !== undefined && { callId: ingressCallId }),
    ...(received?.origId !== undefined && { origId: received.origId }),
    ...(received?.attestation !== undefined && { attestation: received.attestation }),
    ...(received?.spc !== undefined && { spc: received.spc }),
    at: {
      asWritten: startedAt,
      local: new Date(startedAt).toISOString().slice(0, -1),
      zone: 'UTC',
      precision: 'millisecond',
    },
  };
}
