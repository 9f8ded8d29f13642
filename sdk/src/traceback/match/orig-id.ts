/** A UUID with or without hyphens; signers write other opaque text too, which may be another in capitals. */
const HEXADECIMAL = /^[\da-f-]{1,64}$/i;

/**
 * An origid as it is compared: a UUID is the same in capitals. Never throws.
 * @see RFC 9562 section 4
 */
export function comparableOrigId(origId: string | undefined): string | undefined {
  return origId !== undefined && HEXADECIMAL.test(origId) ? origId.toLowerCase() : origId;
}

/** The spellings in which an origid is looked up: records have it as it came, and look-ups compare it letter by letter. Never throws. */
export function origIdSpellings(origId: string): readonly string[] {
  return HEXADECIMAL.test(origId) ? [...new Set([origId, origId.toLowerCase(), origId.toUpperCase()])] : [origId];
}
