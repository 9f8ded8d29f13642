import { HopbackError } from '@hopback/sdk/errors';

/** A list by time that is given in pieces. */
export interface CutList<Item> {
  /** Milliseconds since the epoch, `fromMs` in it and `toMs` not. */
  readonly range: { readonly fromMs: number; readonly toMs: number };
  readonly direction: 'oldest-first' | 'newest-first';
  readonly pageItems: number;
  readonly idOf: (item: Item) => string;
  readonly atMsOf: (item: Item) => number;
  /** The first items of a range in the direction; `isCut` where there are more. */
  readonly find: (range: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly limit: number;
  }) => Promise<{ readonly items: readonly Item[]; readonly isCut: boolean }>;
}

/** Items of one page where one millisecond fills it: more than any network has in one, and less than areas give at once. */
const LARGEST_PAGE = 32_000;

/**
 * Goes through a list page by page, each beginning with the millisecond that the last one ended with; what came already is left out, so that items
 * of one millisecond may fall into two pages.
 * @throws HopbackError `storage-failed` where a millisecond has more items than can be asked for
 */
export async function* cutPages<Item>(list: CutList<Item>): AsyncGenerator<readonly Item[]> {
  const { direction, pageItems, idOf, atMsOf, find } = list;
  let { fromMs, toMs } = list.range;
  let limit = pageItems;
  let seen: ReadonlySet<string> = new Set();
  while (fromMs < toMs) {
    const { items, isCut } = await find({ fromMs, toMs, limit });
    const fresh = items.filter((item) => !seen.has(idOf(item)));
    if (fresh.length > 0) yield fresh;
    const last = items.at(-1);
    if (!isCut || last === undefined) return;
    const edgeMs = atMsOf(last);
    const edge = items.filter((item) => atMsOf(item) === edgeMs).map(idOf);
    const isStuck = direction === 'oldest-first' ? edgeMs <= fromMs : edgeMs >= toMs - 1;
    if (isStuck && limit >= LARGEST_PAGE)
      throw new HopbackError('storage-failed', 'one millisecond has more calls than can be asked for at once');
    seen = isStuck ? new Set([...seen, ...edge]) : new Set(edge);
    limit = isStuck ? Math.min(limit * 2, LARGEST_PAGE) : pageItems;
    if (direction === 'oldest-first') fromMs = Math.max(fromMs, edgeMs);
    else toMs = Math.min(toMs, edgeMs + 1);
  }
}
