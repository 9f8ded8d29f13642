/** Half a surrogate pair that stands alone: with the flag `u` whole pairs are characters, and none of these. */
const LONE_SURROGATE: RegExp = /\p{Surrogate}/u;
const LONE_SURROGATES: RegExp = /\p{Surrogate}/gu;

/**
 * A text without halves of surrogate pairs: each becomes U+FFFD, as `String.prototype.toWellFormed` has it. Such a half is in no UTF-8, so that
 * whoever signs, hashes or stores the text would have another one, or none. Never throws.
 * @see ECMA-262 section 22.1.3.34
 */
export function wellFormedText(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replaceAll(LONE_SURROGATES, '\u{fffd}') : text;
}

/**
 * Plain data of which every text and every name of a member is well-formed; the same object where it was before. What is no plain data, such
 * as octets, stays as it is.
 * @see {@link wellFormedText}
 */
export function wellFormedValue<Value>(value: Value): Value {
  return wellFormed(value) as Value;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return wellFormedText(value);
  if (Array.isArray(value)) {
    const elements = (value as readonly unknown[]).map(wellFormed);
    return elements.some((element, index) => element !== value[index]) ? elements : value;
  }
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const members = Object.entries(value);
  const changed = members.map(([name, member]) => [wellFormedText(name), wellFormed(member)] as const);
  const isChanged = changed.some(
    ([name, member], index) => name !== members[index]?.[0] || member !== members[index][1],
  );
  return isChanged ? Object.fromEntries(changed) : value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
