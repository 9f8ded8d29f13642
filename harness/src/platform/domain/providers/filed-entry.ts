import type { ProviderEntry } from '@hopback/sdk/platform';
import type { Filing } from './read-filings.js';

/** The id that a provider gets when it is first seen in a filing: the same for every import of every platform. */
export const filedProviderId = (frn: string): string => `prv-${frn}`;

/**
 * The entry after a filing: what the filing speaks of is as it says, everything else stays. Where nothing changed it is the one
 * before, with its time, so that an import that is done again does nothing.
 * @param filing - as it was read
 * @param before - entry of that number; absent for a provider that is new
 * @param updatedAt - RFC 3339 in UTC
 */
export function entryAfterFiling(filing: Filing, before: ProviderEntry | undefined, updatedAt: string): ProviderEntry {
  const base: ProviderEntry = before ?? blankEntry(filing.frn, filing.members.businessName, updatedAt);
  const merged: Record<string, unknown> = { ...base, ...filing.members };
  for (const member of filing.emptied) delete merged[member];
  const after = merged as unknown as ProviderEntry;
  if (before !== undefined && isSameEntry(before, after)) return before;
  return { ...after, updatedAt };
}

/** Whether two entries say the same, their times apart. */
export const isSameEntry = (one: ProviderEntry, other: ProviderEntry): boolean =>
  canonical({ ...one, updatedAt: '' }) === canonical({ ...other, updatedAt: '' });

function blankEntry(frn: string, businessName: string, updatedAt: string): ProviderEntry {
  return {
    format: 'hopback.provider-entry.1',
    providerId: filedProviderId(frn),
    businessName,
    frn,
    previousBusinessNames: [],
    otherDbaNames: [],
    isForeignVoiceServiceProvider: false,
    isVoiceServiceProvider: false,
    isGatewayProvider: false,
    isNonGatewayIntermediateProvider: false,
    implementation: 'none',
    ocns: [],
    spcs: [],
    principals: [],
    affiliates: [],
    updatedAt,
  };
}

/** Members in order: a database gives them back in one of its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
