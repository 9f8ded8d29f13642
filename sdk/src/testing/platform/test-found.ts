import { HopbackError } from '../../errors.js';

/** What a test names. @throws {@link HopbackError} `invalid-argument` where it is not there */
export function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new HopbackError('invalid-argument', `the test platform has no ${what}`);
  return value;
}
