import type { DoNotOriginateEntry } from '../../wire/do-not-originate.js';
import { doNotOriginateEntrySchema } from '../../wire/do-not-originate.schema.js';
import type { ProviderEntry } from '../../wire/provider-entry.js';
import { providerEntrySchema } from '../../wire/provider-entry.schema.js';
import type { ProviderScorecard } from '../../wire/provider-scorecard.js';
import { providerScorecardSchema } from '../../wire/provider-scorecard.schema.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { fetching } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/** Which providers: what is asked for in several members has to hold together. */
export interface ProviderListParams extends PageParams {
  /** Part of a name, without regard to case. */
  readonly name?: string;
  readonly frn?: string;
  readonly ocn?: string;
  readonly spc?: string;
  /** RFC 3339 in UTC. */
  readonly changedSince?: string;
}

/** A provider, and the time that its scorecard is about. */
export interface ScorecardParams {
  readonly providerId: string;
  /** RFC 3339 in UTC; `from` is in it, `to` is not. Default the 365 days up to now. */
  readonly from?: string;
  readonly to?: string;
}

/** The registry of voice service providers. Everything rejects with {@link HopbackError}. */
export interface ProviderCalls extends PagedList<ProviderEntry, ProviderListParams> {
  readonly retrieve: (
    params: { readonly providerId: string },
    options?: PlatformRequestOptions,
  ) => Promise<ProviderEntry>;
  readonly scorecard: (params: ScorecardParams, options?: PlatformRequestOptions) => Promise<ProviderScorecard>;
}

/** Which entries of the list of numbers that no call comes from. */
export interface DoNotOriginateListParams extends PageParams {
  /** RFC 3339 in UTC: only what was changed then or later, entries that were taken back among it. */
  readonly changedSince?: string;
}

/** Numbers from which no call is to be let through. Everything rejects with {@link HopbackError}. */
export type DoNotOriginateCalls = PagedList<DoNotOriginateEntry, DoNotOriginateListParams>;

const PROVIDERS = '/v1/providers';

/** Makes the calls of this group. */
export function providerCalls(requester: Requester): ProviderCalls {
  return {
    ...pagedList(requester, { route: PROVIDERS, item: providerEntrySchema }),
    retrieve: (path, options) =>
      requester.send(fetching(`${PROVIDERS}/{providerId}`, providerEntrySchema, { path: { ...path } }), options),
    scorecard: ({ providerId, ...query }, options) =>
      requester.send(
        fetching(`${PROVIDERS}/{providerId}/scorecard`, providerScorecardSchema, { path: { providerId }, query }),
        options,
      ),
  };
}

/** Makes the calls of this group. */
export function doNotOriginateCalls(requester: Requester): DoNotOriginateCalls {
  return pagedList(requester, { route: '/v1/do-not-originate', item: doNotOriginateEntrySchema });
}
