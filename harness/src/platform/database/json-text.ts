/** What PostgreSQL does not take in text or jsonb, as it stands in JSON: U+0000, and halves of characters. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;

/** U+0000, and what characters of two halves are made of. */
const SUSPECT = /[\uD800-\uDFFF\0]/;

/**
 * A value as JSON that PostgreSQL stores: U+0000 and halves of surrogate pairs become U+FFFD, for what peers send may hold them.
 * @returns the text; never throws for what JSON can hold
 */
export function jsonbText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (!text.includes('\\u') || !UNSTORABLE.test(text)) return text;
  return JSON.stringify(storable(JSON.parse(text)));
}

/** Text that PostgreSQL stores, in the same way. Never throws. */
export const storableText = (text: string): string =>
  SUSPECT.test(text) ? text.replaceAll(/\p{Surrogate}|\0/gu, '\uFFFD') : text;

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [storableText(name), storable(member)]));
}
