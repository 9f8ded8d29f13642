import { readBoundedBody } from '../../http/bounded-body.js';
import type { Page } from '../../wire/page.js';
import { pageSchema } from '../../wire/page.schema.js';
import { itemsOfPages } from '../pages.js';
import type { PlatformCall } from '../platform-call.js';
import { ACCEPT_JSON, MAX_RESPONSE_BYTES, receivingJson } from '../read-json.js';
import { readPageLeniently } from '../read-page.js';
import type { ItemSchema, LenientPage } from '../read-page.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';

/** What every list takes. */
export interface PageParams {
  /** `nextCursor` of the page before; the first page where absent. */
  readonly cursor?: string;
  /** Items of a page at most, 1 to {@link MAX_PAGE_ITEMS}. Default {@link DEFAULT_PAGE_ITEMS}. */
  readonly limit?: number;
}

/** What the iteration of a list takes beside its parameters. */
export interface IterateOptions extends PlatformRequestOptions {
  /**
   * Told of items in no form of the contract, be it their schema, JSON or UTF-8, which are left out then: where in the page, and what is
   * wrong. Without it such an item ends the iteration.
   */
  readonly onUnreadable?: (place: string) => void;
}

/** A list of the platform. */
export interface PagedList<Item, Params extends PageParams> {
  /** One page. Rejects with {@link HopbackError}. */
  readonly list: (params?: Params, options?: PlatformRequestOptions) => Promise<Page<Item>>;
  /**
   * All items from `cursor` on, page by page. Rejects with {@link HopbackError}; with `response-unreadable` where the pages go round in a
   * circle, or an item is in no form of the contract.
   */
  readonly iterate: (params?: Params, options?: IterateOptions) => AsyncGenerator<Item, void, undefined>;
}

/** Makes the list of a route; parameters go into the query under their names. */
export function pagedList<Item, Params extends PageParams>(
  requester: Requester,
  { route, item }: { readonly route: string; readonly item: ItemSchema<Item> },
): PagedList<Item, Params> {
  const strict = receivingJson(pageSchema(item));
  const lenient =
    (onUnreadable: (place: string) => void): PlatformCall<LenientPage<Item>>['receive'] =>
    async (response) => {
      const body = await readBoundedBody(response, MAX_RESPONSE_BYTES);
      if (body.isCut) return { status: 'unreadable', reason: 'too-large' };
      return readPageLeniently(body.bytes, item, onUnreadable);
    };
  const fetchPage = <Result extends Page<Item>>(
    params: Params | undefined,
    options: PlatformRequestOptions | undefined,
    receive: PlatformCall<Result>['receive'],
  ): Promise<Result> => {
    const query = { ...params } as PlatformCall<unknown>['query'] & {};
    return requester.send({ method: 'GET', route, query, accept: ACCEPT_JSON, receive }, options);
  };
  return {
    list: (params, options) => fetchPage(params, options, strict),
    iterate: (params, options) => {
      const receive = options?.onUnreadable === undefined ? strict : lenient(options.onUnreadable);
      return itemsOfPages((cursor) => {
        const from = cursor === undefined ? params : ({ ...params, cursor } as Params);
        return fetchPage<LenientPage<Item>>(from, options, receive);
      });
    },
  };
}
