/**
 * Remembers what was made of objects that are never changed, for as long as somebody holds them: it is the same whenever it is made.
 * @returns a function that gives what is remembered of an object, or makes it; never throws of itself
 */
export function createMemo<Value>(): (key: object, make: () => Value) => Value {
  const made = new WeakMap<object, { readonly value: Value }>();
  return (key, make) => {
    const known = made.get(key);
    if (known !== undefined) return known.value;
    const value = make();
    made.set(key, { value });
    return value;
  };
}

/**
 * Remembers what was made of names; when there are more of them than `limit` it begins anew.
 * @param limit - names at most
 * @returns as {@link createMemo}
 */
export function createNamedMemo<Value>(limit: number): (name: string, make: () => Value) => Value {
  const made = new Map<string, { readonly value: Value }>();
  return (name, make) => {
    const known = made.get(name);
    if (known !== undefined) return known.value;
    const value = make();
    if (made.size >= limit) made.clear();
    made.set(name, { value });
    return value;
  };
}

/**
 * Entries that come and go by the thousand while the map stays. A `Map` that lives long is tidied up into tables that each refer to
 * the next, so that an old one keeps alive what was put into all that came after it; this one begins a new `Map` instead, which nothing
 * refers to, as often as it has removed as many entries as it holds.
 */
export type PassingMap<Value> = ReturnType<typeof passingMap<Value>>;

/** Below this many removed entries a new map costs more than it saves. */
const LEAST_REMOVED = 64;

/** Makes an empty one. */
export function passingMap<Value>() {
  let map = new Map<string, Value>();
  let removed = 0;
  return {
    get: (key: string): Value | undefined => map.get(key),
    set: (key: string, value: Value) => {
      if (removed > Math.max(LEAST_REMOVED, map.size)) {
        map = new Map(map);
        removed = 0;
      }
      map.set(key, value);
    },
    delete: (key: string) => {
      if (map.delete(key)) removed += 1;
    },
    size: () => map.size,
    /** The entry that was put in first. */
    oldest: (): readonly [string, Value] | undefined => map.entries().next().value,
    /** All that there are now, the first put in first; what is removed meanwhile is still walked over. */
    entries: (): readonly (readonly [string, Value])[] => [...map],
  };
}
