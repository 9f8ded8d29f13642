type Members = Readonly<Record<string, unknown>>;

/**
 * Members of a value that a schema left out when it read it: those that the contract does not know.
 * @returns JSON Pointers (RFC 6901), at most some dozens
 */
export function unknownMembers(given: unknown, read: unknown): readonly string[] {
  // Most have none, and no place has to be named.
  return hasUnknown(given, read) ? placesOf(given, read, '') : [];
}

function hasUnknown(given: unknown, read: unknown): boolean {
  if (Array.isArray(given) && Array.isArray(read)) return given.some((item, index) => hasUnknown(item, read[index]));
  if (!isObject(given) || !isObject(read)) return false;
  for (const name of Object.keys(given)) {
    const member = given[name];
    if (member === undefined) continue;
    if (!Object.hasOwn(read, name)) return true;
    if (typeof member === 'object' && hasUnknown(member, read[name])) return true;
  }
  return false;
}

function placesOf(given: unknown, read: unknown, pointer: string): readonly string[] {
  if (Array.isArray(given) && Array.isArray(read))
    return given.flatMap((item, index) => placesOf(item, read[index], `${pointer}/${index}`)).slice(0, MAX_POINTERS);
  if (!isObject(given) || !isObject(read)) return [];
  return Object.keys(given)
    .flatMap((name) => {
      const place = `${pointer}/${escaped(name)}`;
      if (given[name] === undefined) return [];
      return Object.hasOwn(read, name) ? placesOf(given[name], read[name], place) : [place];
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
