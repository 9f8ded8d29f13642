import { base } from './passport-type.js';
import { div } from './div.js';
import type { PassportType } from './passport-type.js';
import { shaken } from './shaken.js';

/** The PASSporT types that are verified by default: shaken, div, and the PASSporT without `ppt`. */
export const PASSPORT_TYPES: readonly PassportType[] = [shaken, div, base];

/** Types by ppt; a later one of the same ppt replaces an earlier one. */
export function passportTypeRegistry(types: readonly PassportType[]): ReadonlyMap<string | undefined, PassportType> {
  return new Map(types.map((type) => [type.ppt, type]));
}
