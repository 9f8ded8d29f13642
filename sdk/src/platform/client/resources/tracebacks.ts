import type { Traceback, TracebackOpening, TracebackState } from '../../wire/traceback.js';
import { tracebackSchema } from '../../wire/traceback.schema.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { fetching, posting } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/** Which tracebacks. */
export interface TracebackListParams extends PageParams {
  readonly state?: TracebackState;
  readonly campaignId?: string;
}

/** Whole tracebacks, as far as the caller may see them. Everything rejects with {@link HopbackError}. */
export interface TracebackCalls extends PagedList<Traceback, TracebackListParams> {
  /** Opens a traceback of one call. */
  readonly create: (params: TracebackOpening, options?: PlatformRequestOptions) => Promise<Traceback>;
  readonly retrieve: (params: { readonly tracebackId: string }, options?: PlatformRequestOptions) => Promise<Traceback>;
}

const TRACEBACKS = '/v1/tracebacks';

/** Makes the calls of this group. */
export function tracebackCalls(requester: Requester): TracebackCalls {
  return {
    ...pagedList(requester, { route: TRACEBACKS, item: tracebackSchema }),
    create: (body, options) => requester.send(posting(TRACEBACKS, tracebackSchema, { body }), options),
    retrieve: (path, options) =>
      requester.send(fetching(`${TRACEBACKS}/{tracebackId}`, tracebackSchema, { path: { ...path } }), options),
  };
}
