/** Most items that a page may be asked for. */
export const MAX_PAGE_ITEMS = 500;

/** Items of a page where nobody asked for another number. */
export const DEFAULT_PAGE_ITEMS = 50;

/**
 * A stretch of a list. The next one is asked for with `cursor`, which means something to the platform alone and is good for an hour at
 * least. What is added meanwhile may come or not; what was there all the while comes once.
 */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}
