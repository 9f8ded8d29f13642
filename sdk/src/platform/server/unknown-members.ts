type Members = Readonly<Record<string, unknown>>;

/**
 * Members of a value that a schema left out when it read it: those that the contract does not know.
 * @returns JSON Pointers (RFC 6901), at most some dozens
 */
export function unknownMembers(given: unknown, read: unknown, pointer = ''): readonly string[] {
  if (Array.isArray(given) && Array.isArray(read))
    return given
      .flatMap((item, index) => unknownMembers(item, read[index], `${pointer}/${index}`))
      .slice(0, MAX_POINTERS);
  if (!isObject(given) || !isObject(read)) return [];
  return Object.keys(given)
    .flatMap((name) => {
      const place = `${pointer}/${escaped(name)}`;
      if (given[name] === undefined) return [];
      return Object.hasOwn(read, name) ? unknownMembers(given[name], read[name], place) : [place];
    })
    .slice(0, MAX_POINTERS);
}

/** More than anybody reads. */
const MAX_POINTERS = 50;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @see RFC 6901 section 3 */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
