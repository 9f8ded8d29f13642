/** Longest name that is looked at; what is longer is nobody's. */
const MAX_NAME_CHARS = 256;

/** Ways to write the same legal form. The form itself stays: `Example LLC` and `Example Inc` are two companies. */
const LEGAL_FORMS: Readonly<Record<string, string>> = {
  incorporated: 'inc',
  corporation: 'corp',
  limited: 'ltd',
  company: 'co',
};

/**
 * A business name in the spelling by which two of them are compared: case, accents, punctuation and the way in which its legal form is
 * written make no difference, anything else does. Never throws.
 * @param name - as filed or stated
 * @returns words with a space between; empty where nothing of it is a letter or digit, or it is longer than 256 characters
 * @see Unicode Standard Annex 15, section 1.2, on compatibility decomposition
 * @example
 * ```ts
 * console.log(comparableBusinessName('Example Télécom, L.L.C.') === comparableBusinessName('EXAMPLE TELECOM LLC')); // true
 * console.log(comparableBusinessName('Example LLC') === comparableBusinessName('Example Inc.')); // false
 * ```
 */
export function comparableBusinessName(name: string): string {
  if (name.length > MAX_NAME_CHARS) return '';
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('&', ' and ')
    // Dots and apostrophes join (`L.L.C.`, `O'Hara`), everything else parts.
    .replace(/[.'\u2019]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ');
  return words.map((word) => (Object.hasOwn(LEGAL_FORMS, word) ? LEGAL_FORMS[word] : word)).join(' ');
}
