import { lookupKey } from './lookup-key.js';
import { parseForm } from './parsed-form.js';
import type { ParsedForm } from './parsed-form.js';
import type { NumberedForms } from './record-decoder.js';
import type { FormNumbers } from './record-encoder.js';

/**
 * Most forms of one day. Carriers have some thousands: trunks in and out, certificates of their neighbours, outcomes. What a peer can
 * make up (certificate addresses, names of hosts) is bounded by it; records beyond are kept whole, and take more room.
 */
export const MAX_FORMS = 32_768;

/** Longest form that is numbered, characters; longer ones are of calls that hardly come twice. */
export const MAX_FORM_LENGTH = 4_096;

/** Stands in the form of a record whose local time may mean another instant too. */
const OTHER_INSTANT = '"otherInviteAtUs":';

/** Texts whose first sight is remembered; a form is numbered at its second, so that what never comes twice takes no number. */
const REMEMBERED = 65_536;

/** Most forms of a day that are kept taken apart, some 1 MB. They are dropped all at once when there are more. */
const MAX_PARSED = 256;

/** A numbered form. */
export interface Form {
  readonly number: number;
  readonly text: string;
}

/** The forms of a day. */
export interface FormTable extends FormNumbers, NumberedForms {
  /**
   * Those of records that may have begun at another instant too. Empty where the day has no such record: the first of them is numbered at
   * once, so that a look-up need not search for what is there in two hours of the year. Further ones may have no number.
   */
  readonly ofOtherInstants: () => readonly number[];
  /** Those numbered since they were last `saved`. */
  readonly unsaved: () => readonly Form[];
  /** They are on disk. */
  readonly saved: (forms: readonly Form[]) => void;
}

/** Makes the table of a day from the forms on its disk. Never throws but `formOf`: RangeError for a number that is none. */
export function createFormTable(known: readonly Form[]): FormTable {
  const numbers = new Map<string, number>();
  const texts: (string | undefined)[] = [];
  const seen = new Uint32Array(REMEMBERED);
  const parsed = new Map<number, ParsedForm>();
  let unsaved: Form[] = [];
  const ofOtherInstants: number[] = [];
  const keep = ({ number, text }: Form): void => {
    numbers.set(text, number);
    texts[number] = text;
    if (text.includes(OTHER_INSTANT)) ofOtherInstants.push(number);
  };
  for (const form of known) keep(form);
  let next = Math.max(1, texts.length);

  const numbered = (text: string): number => {
    const form = { number: next, text };
    next += 1;
    keep(form);
    unsaved.push(form);
    return form.number;
  };

  const secondSight = (form: string): number => {
    if (ofOtherInstants.length === 0 && form.includes(OTHER_INSTANT)) return numbered(form);
    if (form.length > MAX_FORM_LENGTH || next > MAX_FORMS) return 0;
    const hash = lookupKey(form);
    if (seen[hash % REMEMBERED] !== hash) {
      seen[hash % REMEMBERED] = hash;
      return 0;
    }
    return numbered(form);
  };

  const parsedNow = (number: number): ParsedForm => {
    const text = texts[number];
    if (text === undefined) throw new RangeError(`a stored record has the form ${number}, which is not on its disk`);
    const form = parseForm(text);
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(number, form);
    return form;
  };

  return {
    numberOf: (form) => numbers.get(form) ?? secondSight(form),
    formOf: (number) => parsed.get(number) ?? parsedNow(number),
    ofOtherInstants: () => ofOtherInstants,
    unsaved: () => unsaved,
    saved: (forms) => {
      const done = new Set(forms);
      unsaved = unsaved.filter((form) => !done.has(form));
    },
  };
}
