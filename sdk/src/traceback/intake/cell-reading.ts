import type { IntakeField } from './intake-fields.js';
import { fieldValue } from './field-values.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import { statedNumber } from './stated-number.js';
import { readTimeWords } from './time-words.js';

/** Whether a text has the form of a field, whatever it then means. Never throws for peer input. */
export function isCellRead(field: IntakeField, text: string): boolean {
  const { form } = INTAKE_FIELDS[field];
  if (form === 'number') return statedNumber(text, { isCalled: field === 'called' }).status === 'read';
  if (form !== 'time') return fieldValue(field, text) !== undefined;
  const words = readTimeWords(text);
  return words !== undefined && (words.dates.length > 0 || words.clock !== undefined);
}

/** Digits of a telephone number in running text. */
const LEAST_DIGITS = 10;
const MOST_DIGITS = 15;

/** Whether there is a telephone number in running text. Takes time in proportion to the text; never throws for peer input. */
export function hasNumber(text: string): boolean {
  let digits = 0;
  let separators = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      digits += 1;
      separators = 0;
      continue;
    }
    // Brackets, dots, hyphens and spaces stand in a number, two of them next to each other at most.
    separators += 1;
    if (digits > 0 && separators <= 2 && ' -.()'.includes(text.charAt(at)) && at < text.length) continue;
    if (digits >= LEAST_DIGITS && digits <= MOST_DIGITS) return true;
    digits = 0;
  }
  return false;
}
