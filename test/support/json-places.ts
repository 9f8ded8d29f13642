/** Names of members and places in lists, from the outside in. */
export type Place = readonly (string | number)[];

/** Every place in a value: objects and lists, and all that is in them. */
export function places(value: unknown, at: Place = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, one]) => places(one, [...at, name]))];
}

/** What is in a place. */
export function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((inner, name) => (inner as Record<string | number, unknown>)[name], value);
}

/** The value with another one in a place; without anything there where that is undefined. */
export function changed(value: unknown, [name, ...further]: Place, by: unknown): unknown {
  if (name === undefined) return by;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? (Object.assign([], value) as unknown as Record<string, unknown>)
    : { ...(value as Record<string, unknown>) };
  copy[name] = changed(copy[name], further, by);
  if (copy[name] === undefined) delete copy[name];
  return copy;
}
