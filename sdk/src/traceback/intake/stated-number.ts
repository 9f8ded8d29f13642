import { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import { writtenCalled, writtenCaller } from '../../records/ingest/written-number.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';

/** What a text in the place of a telephone number is. */
export type NumberReading =
  /** One number, or several where one was expected. */
  | {
      readonly status: 'read';
      readonly numbers: readonly string[];
      readonly isIrregular: boolean;
      readonly note?: string;
    }
  /** `anonymous`, `n/a`: the caller had none. */
  | { readonly status: 'withheld' }
  /** `1.21555E+10`: a spreadsheet has rounded it, and the digits are gone. */
  | { readonly status: 'digits-lost' }
  | { readonly status: 'unread' };

/** Longest text that can be a number: two SIP URIs and a remark. */
const MAX_NUMBER_CHARS = 300;

/** Numbers in one value at most; more is a list in the wrong place. */
const MOST_NUMBERS = 8;

/** As many digits in a name are a number themselves. */
const LEAST_DIGITS = 7;

/**
 * Reads a number as people and spreadsheets write it: with or without `+`, separators, brackets, an extension, a remark behind it, the
 * `.0` or the thousands separators of a spreadsheet, a SIP or tel URI, a technical prefix. A number is given back as it was written
 * where it is one as it stands, and in global form where something had to be taken off. Never throws for peer input.
 */
export function statedNumber(
  text: string,
  { isCalled, numbers = {} }: { readonly isCalled: boolean; readonly numbers?: SourceNumbers },
): NumberReading {
  if (text.length > MAX_NUMBER_CHARS) return UNREAD;
  const written = unquoted(text.normalize('NFKC').replace(DASHES, '-').trim());
  if (isNothing(written)) return { status: 'withheld' };
  const whole = ofSpreadsheet(written);
  if (whole === undefined) return { status: 'digits-lost' };
  const one = oneNumber(whole, { isCalled, numbers });
  if (one !== undefined)
    return { status: 'read', numbers: [one.number], isIrregular: one.isIrregular, ...noted(one.note) };
  const parts = whole.split(DIVIDERS).filter((part) => part.trim() !== '');
  if (parts.length < 2 || parts.length > MOST_NUMBERS) return UNREAD;
  const read = parts.map((part) => oneNumber(part.trim(), { isCalled, numbers }));
  const all = read.flatMap((part) => (part === undefined ? [] : [part]));
  if (all.length < parts.length) return UNREAD;
  return {
    status: 'read',
    numbers: [...new Set(all.map(({ number }) => number))],
    isIrregular: all.some((part) => part.isIrregular),
  };
}

/** Whether a value says that there is none: `n/a`, `unknown`, `-`. Never throws for peer input. */
export function isNothing(text: string): boolean {
  return WITHHELD.has(text.trim().toLowerCase().replace(/\.$/, ''));
}

const UNREAD: NumberReading = Object.freeze({ status: 'unread' });

const DASHES = /[\u2010-\u2015\u2212]/g;

/** What stands in the place of a number that nobody has. */
const WITHHELD: ReadonlySet<string> = new Set([
  ...[
    'anonymous',
    'unknown',
    'restricted',
    'private',
    'blocked',
    'withheld',
    'unavailable',
    'not available',
    'no caller id',
  ],
  ...[
    'n/a',
    'na',
    'none',
    'null',
    'not known',
    'not provided',
    'not displayed',
    '-',
    '--',
    'private number',
    'unknown caller',
  ],
]);

/** What stands between two numbers. */
const DIVIDERS = /[,;/|&\n]| and | or /i;

/** `="2025550101"` and `'2025550101`, by which spreadsheets are kept from calculating. */
function unquoted(text: string): string {
  const formula = /^="([^"]{0,200})"$/.exec(text)?.[1];
  return formula ?? text.replace(/^['"]/, '').replace(/['"]$/, '').trim();
}

/** A number that a spreadsheet took for a quantity; undefined where its digits are gone. */
function ofSpreadsheet(text: string): string | undefined {
  const scientific = /^\+?(\d)(?:[.,](\d{1,20}))?e\+?(\d{1,2})$/i.exec(text);
  if (scientific !== null) {
    const [, first = '', decimals = '', exponent = ''] = scientific;
    // As many decimals as there are digits behind the first: nothing was rounded.
    return decimals.length === Number(exponent) ? first + decimals : undefined;
  }
  if (/^\d{1,3}(?:,\d{3}){2,5}$/.test(text)) return text.replaceAll(',', '');
  return text.replace(/^(\+?\d{5,15})[.,]0{1,6}$/, '$1');
}

interface OneNumber {
  readonly number: string;
  readonly isIrregular: boolean;
  readonly note?: string;
}

interface NumberOptions {
  readonly isCalled: boolean;
  readonly numbers: SourceNumbers;
}

function oneNumber(text: string, options: NumberOptions): OneNumber | undefined {
  const bare = wholeNumber(text, options);
  if (bare !== undefined) return bare;
  // `"SSA" <2025550142>`, as Caller ID is shown: what stands in the brackets is the number.
  const named = /^"?([^<>"]{0,128})"?\s?<(\+?[\d().\s-]{7,25})>$/.exec(text);
  if (named !== null && (named[1] ?? '').replace(/\D/g, '').length < LEAST_DIGITS) {
    const inside = wholeNumber((named[2] ?? '').trim(), options);
    return inside === undefined ? undefined : { ...inside, ...noted(named[1]?.trim()) };
  }
  const extension = /^(.{7,40}?) ?(?:ext\.?|extension|x) ?\d{1,8}$/i.exec(text);
  if (extension !== null) return wholeNumber(extension[1] ?? '', options);
  // `(202) 555-0101 (wireless)`: what stands behind a number is a remark, as long as it has no digits of its own.
  const remark = /^(\+?[\d(][\d\s().-]{5,30}\d)(?=[\s(,])([^\d]{1,200})$/.exec(text);
  if (remark === null) return undefined;
  const read = wholeNumber(remark[1] ?? '', options);
  return read === undefined ? undefined : { ...read, ...noted(remark[2]?.trim()) };
}

function wholeNumber(text: string, { isCalled, numbers }: NumberOptions): OneNumber | undefined {
  // `+44 (0)20 …`: the zero is dialled in the country alone, where nobody dials what is before it.
  if (/\(0\)/.test(text))
    return /^\+\s?[1-9]\d{0,2}\s?\(0\)/.test(text)
      ? wholeNumber(text.replace('(0)', ' '), { isCalled, numbers })
      : undefined;
  if (!isOneParty(text)) return undefined;
  const written = isCalled ? writtenCalled(text, numbers) : writtenCaller(text, numbers);
  if (written?.tn === undefined) return undefined;
  const { tn } = written;
  const plan = numbers.plan ?? NORTH_AMERICAN_PLAN;
  const plain = canonicalTelephoneNumber(text, plan);
  const isAsWritten = plain.kind !== 'none' && plain.tn === tn && !text.includes(';');
  const number = isAsWritten ? text : globalText(text, tn, plan);
  return { number, isIrregular: isCalled && !isRegular(number, plan) };
}

/** A URI has its parameters; in anything else what stands behind `;`, `@` or before `<` may be a second number. */
function isOneParty(text: string): boolean {
  if (/^<?(?:sips?|tel):[^\s;,]{1,256}(?:;[a-z][^\s,]{0,256})?>?$/i.test(text)) return true;
  const named = /^([^<>]{0,128})<(?:sips?|tel):[^\s<>]{1,256}>$/i.exec(text);
  if (named !== null) return (named[1]?.replace(/\D/g, '').length ?? 0) < LEAST_DIGITS;
  return !/[@?<>]/.test(text) && /^[^;]{0,64}(?:;[a-z-]{1,20}=[^\s;]{1,64}){0,4}$/i.test(text);
}

/** National of the plan, or written with a country code: one digit too many, or the beginning of a number, is neither. */
function isRegular(number: string, plan: typeof NORTH_AMERICAN_PLAN): boolean {
  const read = canonicalTelephoneNumber(number, plan);
  if (read.kind !== 'number') return false;
  const digits = number.replace(/\D/g, '');
  if (number.trimStart().startsWith('+') || read.tn.length < digits.length) return true;
  return (
    read.tn.startsWith(plan.countryCode) && read.tn.length === plan.countryCode.length + (plan.nationalLength ?? 0)
  );
}

/** In global form where it is known to be one: digits that no plan explains stay as they came. */
function globalText(text: string, tn: string, plan: typeof NORTH_AMERICAN_PLAN): string {
  const isGlobal =
    text.includes('+') || (tn.startsWith(plan.countryCode) && canonicalTelephoneNumber(tn, plan).kind === 'number');
  const isNational = tn.length === plan.countryCode.length + (plan.nationalLength ?? 0);
  return isGlobal && (text.includes('+') || isNational) ? `+${tn}` : tn;
}

function noted(note: string | undefined): { readonly note?: string } {
  return note === undefined || note === '' ? {} : { note };
}
