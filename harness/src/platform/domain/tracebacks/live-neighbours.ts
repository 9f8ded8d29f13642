import type { SharedRecord } from '@hopback/sdk/records';
import type { ProviderReference, RequestedCall } from '@hopback/sdk/traceback';

/** A record of another carrier, with the provider that it says the call left to. */
export interface NeighbourRecord {
  readonly providerId: string;
  readonly record: SharedRecord;
  /** Whom the registry takes `egress.provider` for; undefined where it cannot be told. */
  readonly sentToId: string | undefined;
}

/** What the live records say of who sent a call to a provider that is silent. */
export interface NeighbourFindings {
  /** Records of the very call: the same number called, or the same Call-ID. */
  readonly certain: readonly NeighbourRecord[];
  /** Records of the same minutes that may be of the call; for people alone. */
  readonly possible: readonly NeighbourRecord[];
}

/** Clocks of two carriers differ by some seconds, and a call rings for a minute before it is handed on again. */
export const NEIGHBOUR_MARGIN_MS = 90_000;

/** More than people look through. */
const MAX_POSSIBLE = 20;

/**
 * Looks through live records for who sent a call to a provider. Only a record that names that provider on its egress counts; and by itself
 * only one that shows the number that was called, or the Call-ID on that hop: a call at the same minute is no call.
 * @param records - of a stretch of time around the call, with the providers resolved
 * @param sought - the silent provider, and the call as it was asked about it
 * @returns what was found; of one carrier at most one record is certain, the first. Never throws
 */
export function liveNeighbours(
  records: readonly NeighbourRecord[],
  sought: { readonly silent: ProviderReference; readonly call: RequestedCall },
): NeighbourFindings {
  const { silent, call } = sought;
  const sent = records.filter(
    ({ providerId, sentToId }) => sentToId !== undefined && sentToId === silent.providerId && providerId !== sentToId,
  );
  const certain = sent.filter(({ record }) => isSameCall(record, call));
  const known = new Set(certain);
  const carriers = new Set<string>();
  return {
    certain: certain.filter(({ providerId }) => !carriers.has(providerId) && carriers.add(providerId)),
    possible: sent.filter((one) => !known.has(one)).slice(0, MAX_POSSIBLE),
  };
}

function isSameCall({ called, calling, egress }: SharedRecord, call: RequestedCall): boolean {
  if (call.callId !== undefined && egress.callId === call.callId) return true;
  if (called?.shown !== 'whole' || call.called === undefined) return false;
  const number = canonicalDigits(call.called);
  const isCalled = [called.tn, called.translatedTn].some((tn) => tn !== undefined && canonicalDigits(tn) === number);
  if (!isCalled) return false;
  // The same number is called by several at once where it is a busy one: another caller is another call.
  const caller = calling?.shown === 'number' ? calling.tn : calling?.shown === 'whole' ? calling.tn : undefined;
  return (
    caller === undefined || call.calling === undefined || canonicalDigits(caller) === canonicalDigits(call.calling)
  );
}

/** A number as records have it: digits with the country code; ten digits are of North America. */
export function canonicalDigits(number: string): string {
  const digits = number.replaceAll(/[^0-9]/g, '');
  return digits.length === 10 ? `1${digits}` : digits;
}
