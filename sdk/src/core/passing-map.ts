/**
 * Entries that come and go by the thousand while the map stays. A `Map` that lives long is tidied up into tables that each refer to
 * the next, so that an old one keeps alive what was put into all that came after it; this one begins a new `Map` instead, which nothing
 * refers to, as often as it has removed as many entries as it holds.
 */
export interface PassingMap<Value> {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  readonly delete: (key: string) => void;
  readonly size: () => number;
  /** The entry that was put in first. */
  readonly oldest: () => readonly [string, Value] | undefined;
  /** All that there are now, the first put in first; what is removed meanwhile is still walked over. */
  readonly entries: () => readonly (readonly [string, Value])[];
}

/** Below this many removed entries a new map costs more than it saves. */
const LEAST_REMOVED = 64;

/** Makes an empty one. */
export function passingMap<Value>(): PassingMap<Value> {
  let map = new Map<string, Value>();
  let removed = 0;
  return {
    get: (key) => map.get(key),
    set: (key, value) => {
      if (removed > Math.max(LEAST_REMOVED, map.size)) {
        map = new Map(map);
        removed = 0;
      }
      map.set(key, value);
    },
    delete: (key) => {
      if (map.delete(key)) removed += 1;
    },
    size: () => map.size,
    oldest: () => map.entries().next().value,
    entries: () => [...map],
  };
}
