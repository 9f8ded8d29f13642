import { z } from 'zod';

// Forms of members that bodies beside the contract have in common. A body is its schema; its type is inferred: `BodyOf<typeof Client>`.

/** Items of a page, as of every list of the contract. */
export const MAX_ITEMS = 500;

export const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
/** No control characters: names stand in logs and letters. */
export const line = z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/);
export const utcTime = z.iso.datetime().max(40);
export const count = z.int().min(0);
export const share = z.number().min(0).max(1);
export const jurisdiction = z.string().regex(/^US(?:-[A-Z]{2})?$/);

/** Some of a list, and where the rest begins. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item).max(MAX_ITEMS), nextCursor: z.exactOptional(z.string().max(1_024)) });
