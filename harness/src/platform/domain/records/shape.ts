/** Whether a value has a form. Never throws for what JSON can be parsed to. */
export type Check = (value: unknown) => boolean;

/** Anything: what another check has looked at already. */
export const any: Check = () => true;

/** A text of so many UTF-16 code units, as zod counts them. */
export const text =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'string' && value.length >= least && value.length <= most;

/** A text in the form of a regular expression that takes linear time. */
export const matching =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);

/** One of some words. */
export function oneOf(...words: readonly string[]): Check {
  const known = new Set<unknown>(words);
  return (value) => known.has(value);
}

/** A number; JSON has spellings that are infinite as one. */
export const finite: Check = (value) => Number.isFinite(value);

/** A whole number that is exact as one. */
export const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

/** A list of so many at most. */
export const eachOf =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check);

interface Place {
  readonly key: string;
  readonly check: Check;
  readonly counts: number;
}

/** An object with all of some members, any of some others, and none beside. */
export function shape(needed: Readonly<Record<string, Check>>, possible: Readonly<Record<string, Check>>): Check {
  const members = new Map<string, Place>();
  for (const [key, check] of Object.entries(possible)) members.set(key, { key, check, counts: 0 });
  for (const [key, check] of Object.entries(needed)) members.set(key, { key, check, counts: 1 });
  const all = Object.keys(needed).length;
  // Members mostly come in the order in which they came last.
  const places: Place[] = [];
  return (value) => {
    if (!isObject(value)) return false;
    let found = 0;
    let at = 0;
    for (const key in value) {
      let place = places[at];
      if (place === undefined || place.key !== key) {
        const member = members.get(key);
        if (member === undefined) return false;
        place = member;
        places[at] = place;
      }
      if (!place.check(value[key])) return false;
      found += place.counts;
      at += 1;
    }
    return found === all;
  };
}

/** An object whose other members depend on the word in one of them. */
export function shapeBy(key: string, shapes: Readonly<Record<string, Check>>): Check {
  const known = new Map<unknown, Check>(Object.entries(shapes));
  return (value) => isObject(value) && known.get(value[key])?.(value) === true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
