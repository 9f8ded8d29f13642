import { DEFAULT_PAGE_ITEMS } from '@hopback/sdk/platform';
import type { Page } from '@hopback/sdk/platform';

/** A stretch of a list by place, as it was asked for. */
export interface PlaceWindow {
  /** Place behind which the page begins; undefined for the first page. */
  readonly behind: number | undefined;
  readonly limit: number;
}

/** Reads cursor and limit of a call; undefined where the cursor is none of this platform's. */
export function placeWindow(parameters: Readonly<Record<string, string>>): PlaceWindow | undefined {
  const { cursor, limit } = parameters;
  const behind = cursor === undefined ? undefined : placeOf(cursor);
  if (cursor !== undefined && behind === undefined) return undefined;
  return { behind, limit: limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit) };
}

/** A page of rows, of which one more than the page was read. */
export function pageOfRows<Row extends { readonly place: number }, Item>(
  rows: readonly Row[],
  { limit }: PlaceWindow,
  itemOf: (row: Row) => Item | undefined,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const items = shown.map(itemOf).filter((item) => item !== undefined);
  return { items, ...(last !== undefined && { nextCursor: cursorOf(last.place) }) };
}

const cursorOf = (place: number): string => Buffer.from(`place ${place}`).toString('base64url');

function placeOf(cursor: string): number | undefined {
  const place = /^place (\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  return place === undefined ? undefined : Number(place);
}
