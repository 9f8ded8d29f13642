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
  const known = answer?.call;
  const called = known?.called ?? call.called;
  if (called === undefined) return undefined;
  const at = known === undefined ? call.at : recordedTime(known.startedAt);
  const asked: { -readonly [Name in keyof RequestedCall]: RequestedCall[Name] } = { called, at };
  const calling = known?.calling ?? call.calling;
  const { origId = call.origId, attestation = call.attestation, spc = call.spc } = known?.received ?? NOT_RECEIVED;
  // One after the other: of each hop a provider is asked.
  if (calling !== undefined) asked.calling = calling;
  if (known?.ingressCallId !== undefined) asked.callId = known.ingressCallId;
  if (origId !== undefined) asked.origId = origId;
  if (attestation !== undefined) asked.attestation = attestation;
  if (spc !== undefined) asked.spc = spc;
  if (call.durationSeconds !== undefined) asked.durationSeconds = call.durationSeconds;
  return asked;
}

/** What an answer says of the PASSporT of a call that had none. */
const NOT_RECEIVED: NonNullable<NonNullable<TracebackAnswer['call']>['received']> = {};

const recordedTime = (startedAt: string): RequestedCall['at'] => ({
  asWritten: startedAt,
  local: new Date(startedAt).toISOString().slice(0, -1),
  zone: 'UTC',
  precision: 'millisecond',
});
