import { DEFAULT_PAGE_ITEMS } from '../../platform/index.js';
import type { Page } from '../../platform/index.js';

/** Something in a list, and its place: places grow, and stay while others come and go. */
export interface Placed<Item> {
  readonly place: number;
  readonly item: Item;
}

/** What a page is asked for with. */
export interface PageQuery {
  readonly cursor?: string;
  readonly limit?: string;
}

/**
 * A stretch of a list.
 * @param items - in any order
 * @param query - cursor and limit as they came, in the form of the contract
 * @param order - by place: `oldest-first` upwards, `newest-first` downwards
 * @returns the page; undefined where the cursor is none of ours
 */
export function pageOf<Item>(
  items: readonly Placed<Item>[],
  { cursor, limit }: PageQuery,
  order: 'oldest-first' | 'newest-first',
): Page<Item> | undefined {
  const sign = order === 'oldest-first' ? 1 : -1;
  const behind = cursor === undefined ? -Infinity : placeOf(cursor);
  if (behind === undefined) return undefined;
  const sorted = items
    .map(({ place, item }) => ({ at: sign * place, item }))
    .sort((one, other) => one.at - other.at)
    .filter(({ at }) => at > behind);
  const size = limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit);
  const shown = sorted.slice(0, size);
  const last = shown.at(-1);
  const nextCursor = sorted.length > size && last !== undefined ? cursorOf(last.at) : undefined;
  return { items: shown.map(({ item }) => item), ...(nextCursor !== undefined && { nextCursor }) };
}

const cursorOf = (at: number): string => Buffer.from(`behind ${at}`).toString('base64url');

function placeOf(cursor: string): number | undefined {
  const place = /^behind (-?\d{1,12})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  return place === undefined ? undefined : Number(place);
}
