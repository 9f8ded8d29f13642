import { HopbackError } from '../../errors.js';

/** Deeper than anything that a pack holds. */
const DEEPEST = 64;

/**
 * The one spelling of a JSON value: keys by UTF-16 code units, no space, numbers and strings as ECMAScript writes them; what is undefined is left
 * out, as JSON.stringify does.
 * @param value - what is to be written, nested at most 64 deep
 * @returns the text
 * @throws {@link HopbackError} `invalid-argument` for what JSON cannot hold: half a surrogate pair, a number that is not finite, a function
 * @see RFC 8785
 * @example
 * ```ts
 * console.log(canonicalJson({ sizeBytes: 3, name: 'a' })); // {"name":"a","sizeBytes":3}
 * ```
 */
export function canonicalJson(value: unknown): string {
  return written(value, 0);
}

function written(value: unknown, depth: number): string {
  if (depth > DEEPEST) throw unwritable('nested too deeply');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return stringText(value);
  if (Array.isArray(value)) {
    return `[${value.map((element) => written(element === undefined ? null : element, depth + 1)).join(',')}]`;
  }
  if (typeof value !== 'object') throw unwritable(`a ${typeof value}`);
  const members = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(members)
    .filter((key) => members[key] !== undefined)
    .toSorted(byCodeUnits);
  return `{${keys.map((key) => `${stringText(key)}:${written(members[key], depth + 1)}`).join(',')}}`;
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw unwritable('a number that is not finite');
  return JSON.stringify(value);
}

function stringText(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw unwritable('half a surrogate pair');
  return JSON.stringify(value);
}

function unwritable(what: string): HopbackError {
  return new HopbackError('invalid-argument', `an evidence pack cannot hold ${what}`);
}
