import type { ProviderReference, RequestedCall, Requester, TracebackRequest } from '@hopback/sdk/traceback';

/** A question to a provider, as far as it is the same in two tracebacks. */
export interface ProviderQuestion {
  readonly providerId: string;
  readonly direction: TracebackRequest['direction'];
  readonly requester: Requester;
  readonly downstream?: ProviderReference;
  readonly call: RequestedCall;
}

/**
 * What makes two questions one, as text: the same provider, asked on behalf of the same requester about the same call as seen from the same
 * downstream provider. "The same call" is the same record of the provider's own; or the same numbers at the same stated time and, where it was
 * stated, the same Call-ID: calls that only look alike are not the same, as a wrong answer would lead two tracebacks astray. The text holds
 * numbers, so that what is stored is its pseudonym.
 * @returns the text; never throws
 */
export function questionIdentity({ providerId, direction, requester, downstream, call }: ProviderQuestion): string {
  const by = call.recordId !== undefined ? ['record', call.recordId] : ['call', ...callParts(call)];
  const from = downstream?.providerId ?? downstream?.name ?? '';
  return JSON.stringify([providerId, direction, requester.kind, requester.name, from, ...by]);
}

function callParts({ called, calling, at, callId }: RequestedCall): readonly string[] {
  return [called ?? '', calling ?? '', at.local, at.zone ?? '', at.precision, callId ?? ''];
}
