import type { PlatformProblem } from '@hopback/sdk/internal';
import { problemAnswer, DEFAULT_PAGE_ITEMS } from '@hopback/sdk/internal';
import type { OperationCall } from '../../core/index.js';
import { readCursor, writeCursor } from '../providers/resolve-reference.js';

type Form = readonly ('string' | 'number')[];

/** What a list is sorted by, of the last item of the page before. */
type Place<Of extends Form> = { readonly [At in keyof Of]: Of[At] extends 'number' ? number : string };

/** A parameter that is not what it has to be. */
export const wrongParameter = (pointer: string): PlatformProblem =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code: 'invalid_format' }] });

/**
 * Reads which page of a list is asked for; the route has seen to the form of `limit`.
 * @param form - types of what the list is sorted by
 * @returns a refusal where the cursor is none of ours
 */
export function readPage<const Of extends Form>(
  { request: { parameters } }: OperationCall,
  form: Of,
): { readonly after: Place<Of> | undefined; readonly limit: number } | PlatformProblem {
  const { cursor, limit } = parameters;
  const after = cursor === undefined ? undefined : (readCursor(cursor, form) as Place<Of> | undefined);
  if (cursor !== undefined && after === undefined) return wrongParameter('cursor');
  return { after, limit: Number(limit ?? DEFAULT_PAGE_ITEMS) };
}

/**
 * The rows of a page, and the cursor of the next one where there is one.
 * @param rows - one more than the page has, where there are more
 */
export function shownRows<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => readonly (string | number)[],
): { readonly shown: readonly Row[]; readonly next: { readonly nextCursor?: string } } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  return { shown, next: isMore ? { nextCursor: writeCursor(placeOf(last)) } : {} };
}
