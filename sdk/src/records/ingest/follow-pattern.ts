import { basename, dirname, join } from 'node:path';

/** Which files of a directory are followed. */
export interface FollowPattern {
  readonly directory: string;
  /** Whether a switch writes to a file of that name. */
  readonly isWritten: (name: string) => boolean;
  /** Whether it is such a file after it was rotated: `NAME.1`, `NAME-20261125`, `NAME.1.gz`. */
  readonly isRotated: (name: string) => boolean;
}

/**
 * Understands what is to be followed.
 * @param path - a file, a directory with all files in it, or a pattern with `*` and `?` in its last part
 * @param isDirectory - whether `path` is one
 * @param rotated - names of rotated files where they are not `NAME` and `.`, `-` or `_` and more: patterns with `*` and `?`
 * @example
 * ```ts
 * const { directory, isWritten, isRotated } = followPattern('/var/log/asterisk/cdr-csv/Master.csv', { isDirectory: false });
 * console.log(directory, isWritten('Master.csv'), isRotated('Master.csv.1.gz')); // /var/log/asterisk/cdr-csv true true
 * ```
 */
export function followPattern(
  path: string,
  { isDirectory, rotated = [] }: { readonly isDirectory: boolean; readonly rotated?: readonly string[] },
): FollowPattern {
  // Names that begin with a dot are those of files that are still being copied.
  if (isDirectory) {
    return { directory: join(path), isWritten: (name) => !name.startsWith('.'), isRotated: () => false };
  }
  const written = basename(path);
  const patterns = [...['.', '-', '_'].map((separator) => `${written}${separator}*`), ...rotated];
  return {
    directory: dirname(path),
    isWritten: (name) => matchesWildcards(name, written),
    isRotated: (name) => patterns.some((pattern) => matchesWildcards(name, pattern)),
  };
}

/**
 * Whether a name is what a pattern says: `*` stands for any characters, `?` for one. Time grows with both lengths, whatever they hold.
 */
export function matchesWildcards(name: string, pattern: string): boolean {
  let at = 0;
  let within = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (pattern[within] === '*') {
      star = within;
      starAt = at;
      within += 1;
    } else if (within < pattern.length && (pattern[within] === '?' || pattern[within] === name[at])) {
      at += 1;
      within += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      starAt += 1;
      at = starAt;
      within = star + 1;
    } else return false;
  }
  while (pattern[within] === '*') within += 1;
  return within === pattern.length;
}
