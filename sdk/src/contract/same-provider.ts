import type { ProviderReference } from './common.js';

/** Longest name that is compared. */
const MAX_NAME_CHARS = 256;

/** Ways to write the same legal form. The form itself stays: `Example LLC` and `Example Inc` are two companies. */
const LEGAL_FORMS: Readonly<Record<string, string>> = {
  incorporated: 'inc',
  corporation: 'corp',
  limited: 'ltd',
  company: 'co',
};

/**
 * Returns a business name in the spelling by which two of them are compared. Case, accents, punctuation and the spelling of the legal form make
 * no difference; anything else does. Never throws.
 * @param name - as filed or stated
 * @returns words with a space between; empty if the name has no letter or digit, or more than 256 characters
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

/** `same-identifier` and `same-name` are one provider, `different` are two; `undecided` may be either. */
export type ProviderComparison = 'same-identifier' | 'same-name' | 'different' | 'undecided';

/**
 * Compares two references to providers, as far as they tell by themselves: the one rule for "the same provider". The registry's id decides where both have
 * it: an FRN may have been corrected. Without it, another FRN is another provider. A provider may have many OCNs and SPCs: one in common is enough, but
 * others say nothing. An SPC is an OCN as a rule, so the two are compared with each other. Names decide only if at most one of the two states a code. Never throws.
 * @param one - a provider, as an answer, a request or a directory names it
 * @param other - the provider that it is compared with; the order makes no difference
 * @returns `same-identifier` or `same-name` for one provider, `different` for two, `undecided` where it may be either
 * @see RFC 8226 section 9, on SPCs
 * @example
 * ```ts
 * console.log(compareProviders({ name: 'A', ocn: '1234' }, { name: 'B', spc: '1234' })); // same-identifier
 * console.log(compareProviders({ name: 'A', ocn: '1234' }, { name: 'A', ocn: '4321' })); // undecided
 * ```
 */
export function compareProviders(one: ProviderReference, other: ProviderReference): ProviderComparison {
  if (one.providerId !== undefined && other.providerId !== undefined)
    return one.providerId === other.providerId ? 'same-identifier' : 'different';
  if (one.frn !== undefined && other.frn !== undefined) return one.frn === other.frn ? 'same-identifier' : 'different';
  if (hasCode(other, one.ocn) || hasCode(other, one.spc)) return 'same-identifier';
  if (statesCode(one) && statesCode(other)) return 'undecided';
  const name = comparableBusinessName(one.name);
  return name !== '' && name === comparableBusinessName(other.name) ? 'same-name' : 'undecided';
}

/** Whether two references mean the same provider, by an identifier or by the name. See {@link compareProviders}. */
export function isSameProvider(one: ProviderReference, other: ProviderReference): boolean {
  if (one === other) return true;
  const comparison = compareProviders(one, other);
  return comparison === 'same-identifier' || comparison === 'same-name';
}

type Code = string | undefined;

const hasCode = ({ ocn, spc }: ProviderReference, code: Code): boolean =>
  code !== undefined && (code === ocn || code === spc);
const statesCode = ({ ocn, spc }: ProviderReference): boolean => ocn !== undefined || spc !== undefined;
