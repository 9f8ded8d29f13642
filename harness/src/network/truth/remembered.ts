/**
 * Remembers what was made of objects, for as long as somebody holds them. What is made of one is the same whenever it is made, but for members that
 * whoever made it leaves to be changed.
 * @returns gives what is remembered of an object, or makes it; throws what making it throws
 */
export function createRemembered<Key extends object, Value extends object>(
  make: (key: Key) => Value,
): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
