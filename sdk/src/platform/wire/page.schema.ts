import { z } from 'zod';
import { MAX_PAGE_ITEMS, type Page } from './page.js';

/** Longest cursor: a sort key and a seal fit many times. */
const MAX_CURSOR_CHARS = 1_024;

/** Characters of a cursor need no escapes in a query. RFC 3986 section 2.3 */
export const cursor: z.ZodType<string> = z
  .string()
  .min(1)
  .max(MAX_CURSOR_CHARS)
  .regex(/^[A-Za-z0-9._~-]+$/);

/** A stretch of a list of such items. */
export function pageSchema<Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> {
  return z.object({ items: z.array(item).max(MAX_PAGE_ITEMS), nextCursor: z.exactOptional(cursor) });
}
