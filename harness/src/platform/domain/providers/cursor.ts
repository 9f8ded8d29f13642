/** Longest cursor that is read: those of ours are a name and an id. */
const MAX_CURSOR_CHARS = 2_048;

/** A place in a list as the text that a page ends with. @param parts - what the list is sorted by, of its last item */
export const writeCursor = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/**
 * Reads a cursor of {@link writeCursor}. Never throws.
 * @param form - types of its parts, in order
 * @returns its parts; undefined where it is none of ours
 */
export function readCursor(
  cursor: string,
  form: readonly ('string' | 'number')[],
): readonly (string | number)[] | undefined {
  if (cursor.length > MAX_CURSOR_CHARS) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(given) || given.length !== form.length) return undefined;
  const parts = given as readonly unknown[];
  const isOurs = parts.every((part, index) => typeof part === form[index] && isStorable(part));
  return isOurs ? (parts as readonly (string | number)[]) : undefined;
}

/** A text with a zero octet is none for PostgreSQL, and a number beyond its bigint neither. */
const isStorable = (part: unknown): boolean =>
  typeof part === 'string' ? !/[\u0000\p{Surrogate}]/u.test(part) : Number.isSafeInteger(part);
