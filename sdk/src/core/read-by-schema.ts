/** What of a schema is used here: that it says of any value whether it is in its form. */
export interface ReadingSchema<Reading> {
  readonly safeParse: (value: unknown) => Reading;
}

/**
 * Holds a value that a peer wrote against a schema of zod. zod asks whether a value is longer than it may be also where it has found that
 * it is no text and no list, and throws where what is called its length cannot be compared: `{"length":{"valueOf":1,"toString":1}}`.
 * Such a value is held against the schema once more without these members: where it was thrown at it is in no form either way.
 * @param schema - what the value should be
 * @param value - what JSON was parsed to; it is not changed
 * @returns what the schema says of it; never throws for peer input
 */
export function readBySchema<Reading>(schema: ReadingSchema<Reading>, value: unknown): Reading {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return schema.safeParse(withoutOddLengths(value));
  }
}

/** A copy of what came out of JSON without the lengths that are objects; a list has its own. Works through any depth. */
function withoutOddLengths(value: unknown): unknown {
  const whole: { readonly value?: unknown } = {};
  const waiting: { readonly to: object; readonly key: string; readonly from: unknown }[] = [
    { to: whole, key: 'value', from: value },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { to, key, from } = next;
    const copy: unknown = isObject(from) ? (Array.isArray(from) ? Array.from(from, () => undefined) : {}) : from;
    // Defined, not assigned: JSON may have a member of the name __proto__.
    Object.defineProperty(to, key, { value: copy, enumerable: true, configurable: true, writable: true });
    if (!isObject(from) || !isObject(copy)) continue;
    for (const [name, member] of Object.entries(from))
      if (Array.isArray(from) || !isObject(member) || (name !== 'length' && name !== 'size'))
        waiting.push({ to: copy, key: name, from: member });
  }
  return whole.value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
