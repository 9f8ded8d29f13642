import { DEFAULT_PAGE_ITEMS, jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import type { OperationCall } from '../core/index.js';

/** Where a page by id begins, and how long it is. */
export interface IdPage {
  readonly after?: string;
  readonly size: number;
}

/** Reads cursor and limit. @returns undefined where the cursor is none of ours */
export function readIdPage({ request: { parameters } }: OperationCall): IdPage | undefined {
  const { cursor, limit } = parameters;
  const size = limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit);
  if (cursor === undefined) return { size };
  const after = /^after ([\x21-\x7e]{1,128})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  return after === undefined ? undefined : { size, after };
}

/** Answers with a page. @param found - one item more than the page has, where there are more */
export function idPageAnswer<Item>(
  found: readonly Item[],
  { size }: IdPage,
  idOf: (item: Item) => string,
): PlatformAnswer {
  const items = found.slice(0, size);
  const last = items.at(-1);
  if (found.length <= size || last === undefined) return jsonAnswer({ items });
  return jsonAnswer({ items, nextCursor: Buffer.from(`after ${idOf(last)}`).toString('base64url') });
}

/** What a cursor gets that is none. */
export const badCursor = (): PlatformAnswer =>
  problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown-cursor' }] });
