import { HopbackError } from '../../errors.js';
import type { LenientPage } from './read-page.js';

/** Asks for one page: the first without a cursor. */
export type FetchPage<Item> = (cursor: string | undefined) => Promise<LenientPage<Item>>;

/** Pages without an item in a row after which a list is taken for one without end: filters leave some pages empty, not a thousand. */
export const MAX_EMPTY_PAGES = 1_000;

/**
 * The items of a list, page by page; a page is asked for when the one before has been gone through.
 * @param fetchPage - asks for one
 * @returns the items; rejects with {@link HopbackError} as calls do, and with `response-unreadable` where the pages go round in a circle,
 * or one does not say where the list goes on: what is in it comes before
 */
export async function* itemsOfPages<Item>(fetchPage: FetchPage<Item>): AsyncGenerator<Item, void, undefined> {
  const isCircle = createCircleCheck();
  let cursor: string | undefined;
  let emptyPages = 0;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    if (page.isEndUnreadable === true)
      throw new HopbackError('response-unreadable', 'a page does not say where its list goes on', {
        details: { reason: 'schema-drift', place: 'nextCursor' },
      });
    emptyPages = page.items.length === 0 ? emptyPages + 1 : 0;
    cursor = page.nextCursor;
    if (cursor !== undefined && (isCircle(cursor) || emptyPages >= MAX_EMPTY_PAGES))
      throw new HopbackError('response-unreadable', 'the pages of a list have no end', {
        details: { reason: 'cursor-loop', emptyPages },
      });
  } while (cursor !== undefined);
}

/**
 * Finds a cursor that came before, in a list of any length, with one of them kept: of a circle each place comes by again, hence the one
 * that is kept, too, once it is in the circle and is kept for as many steps as the circle has.
 * @see Brent, An improved Monte Carlo factorization algorithm, BIT 20 (1980), section 2
 */
function createCircleCheck(): (cursor: string) => boolean {
  let kept: string | undefined;
  let steps = 0;
  let keptFor = 1;
  return (cursor) => {
    if (cursor === kept) return true;
    steps += 1;
    if (steps === keptFor) {
      kept = cursor;
      steps = 0;
      keptFor *= 2;
    }
    return false;
  };
}
