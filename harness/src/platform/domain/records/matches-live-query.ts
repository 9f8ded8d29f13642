import type { SharedRecord } from '@hopback/sdk/records';

/** What is looked for beside the time: all that is stated has to fit. Numbers are canonical, or pseudonyms as carriers send them. */
export interface LiveKeys {
  readonly providerIds?: readonly string[];
  readonly callingTns?: readonly string[];
  readonly calledTns?: readonly string[];
  readonly recordIds?: readonly { readonly providerId: string; readonly recordId: string }[];
}

/** Whether a record of a provider is what is looked for. */
export type LiveFilter = (providerId: string, record: SharedRecord) => boolean;

/**
 * Makes of what is looked for a filter that takes the same time however much is stated. Never throws.
 * @param keys - an empty list fits nothing
 * @returns the filter
 */
export function createLiveFilter({ providerIds, callingTns, calledTns, recordIds }: LiveKeys): LiveFilter {
  const providers = providerIds && new Set(providerIds);
  const calling = callingTns && new Set(callingTns);
  const called = calledTns && new Set(calledTns);
  const ids = recordIds && new Set(recordIds.map((one) => `${one.recordId} ${one.providerId}`));
  return (providerId, record) => {
    if (providers !== undefined && !providers.has(providerId)) return false;
    if (ids !== undefined && !ids.has(`${record.recordId} ${providerId}`)) return false;
    if (called !== undefined && !calledKeys(record.called).some((one) => called.has(one))) return false;
    if (calling === undefined) return true;
    return [callingKey(record.calling), callingKey(record.asserted)].some(
      (one) => one !== undefined && calling.has(one),
    );
  };
}

/** By what a calling number is found: the number, or its pseudonym. Never throws. */
export function callingKey(number: SharedRecord['calling'] | undefined): string | undefined {
  if (number === undefined || number.shown === 'no-number') return undefined;
  return number.shown === 'pseudonym' ? number.pseudonym : number.tn;
}

/** By what a called number is found: as written, translated, the routing number, or the pseudonym. Never throws. */
export function calledKeys(number: SharedRecord['called'] | undefined): readonly string[] {
  if (number === undefined) return [];
  if (number.shown === 'pseudonym') return [number.pseudonym];
  return [number.tn, number.translatedTn, number.lrn].filter((one) => one !== undefined);
}
