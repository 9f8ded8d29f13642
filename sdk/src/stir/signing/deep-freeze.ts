/**
 * Freezes plain data, all the way down.
 * @param value - objects and arrays without cycles, at most a few levels deep
 * @returns the same value
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
