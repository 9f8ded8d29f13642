import { sourceSha256 } from '../record-id.js';

/**
 * What stands for the bytes of several rows or packets that make one record: the SHA-256 of their hashes in ascending order, each followed by
 * a line feed, so that whoever has the rows can make it again in whatever order they come. Of one row it is the hash of that row.
 * @param hashes - SHA-256 of each, lower-case hexadecimal
 */
export function joinedSha256(hashes: readonly string[]): string {
  const [only, ...others] = hashes;
  if (only !== undefined && others.length === 0) return only;
  return sourceSha256(
    hashes
      .toSorted()
      .map((hash) => `${hash}\n`)
      .join(''),
  );
}
