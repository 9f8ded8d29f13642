import { maskSpokenNumbers } from './spoken-numbers.js';

/** Dates and times of ISO 8601, which have as many digits as a telephone number and are none. */
const DATES = /(\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?Z?)?(?!\d))/;

/**
 * A text that people wrote, as it is kept in the clear: every telephone number in it, in digits or in words, is `[number]`; dates stay. Never
 * throws.
 * @param text - bounded by the contract
 */
export function textWithoutNumbers(text: string): string {
  return text
    .split(DATES)
    .map((part, index) => (index % 2 === 1 ? part : maskSpokenNumbers(part, () => '[number]').text))
    .join('');
}
