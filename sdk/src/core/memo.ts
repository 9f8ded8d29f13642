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
