import { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import { defined } from '../../core/text.js';
import type { RequesterKind } from '../../contract/traceback-exchange.js';
import { writtenCalled, writtenCaller } from '../../records/ingest/record-reader.js';
import type { SourceNumbers } from '../../records/ingest/record-reader.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import type { FieldForm, IntakeField } from './intake-fields.js';
import { readTimeWords } from './time-words.js';
import { phraseSet, visibleText } from './visible-text.js';
import type { VisibleLine } from './visible-text.js';

/** Longest name, id or other text of one line that a request holds. */
const MAX_LINE_VALUE_CHARS = 512;

/** Longest text of several lines: a transcript of three minutes has 3,000 characters. */
const MAX_PROSE_CHARS = 16_384;

/**
 * Reads the value of a field that is neither a number nor a time: those may mean several things. Never throws for peer input.
 * @returns in the form that a request has it; undefined where it has not the form of the field
 */
export function fieldValue(field: IntakeField, text: string): string | undefined {
  const written = field === 'transcript' || INTAKE_FIELDS[field].form === 'prose' ? text.trim() : visibleText(text);
  return written === '' ? undefined : FORMS[INTAKE_FIELDS[field].form](written);
}

/** Numbers and times pass through as they are; their readers are others. */
const FORMS: Readonly<Record<FieldForm, (text: string) => string | undefined>> = {
  number: boundedText,
  time: boundedText,
  zone: boundedText,
  precision: (text) => matching(/^(?:day|hour|minute|second|millisecond|microsecond)$/, text.toLowerCase()),
  token: (text) => matching(/^#?([^\s\u0000-\u001f]{1,256})$/, text),
  uuid: (text) => matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, text)?.toLowerCase(),
  attestation: attestationOf,
  code: (text) => matching(/^[0-9a-z]{1,15}$/i, text)?.toUpperCase(),
  frn: (text) => matching(/^\d{10}$/, text),
  duration: durationOf,
  hop: (text) => matching(/^#?([1-9]\d?)(?: of \d{1,2})?$/, text),
  direction: (text) => directionOf(text.toLowerCase()),
  'requester-kind': (text) => requesterKindOf(text),
  email: (text) => emailAddress(text),
  sha256: (text) => matching(/^[0-9a-f]{64}$/i, text)?.toLowerCase(),
  // An address is somebody's, and no provider.
  provider: (text) => (text.includes('@') ? undefined : boundedText(text)),
  line: boundedText,
  prose: (text) => (text.length > MAX_PROSE_CHARS ? undefined : text),
};

function boundedText(text: string): string | undefined {
  return text.length > MAX_LINE_VALUE_CHARS ? undefined : text;
}

/** What a pattern found: its group, or all of it. */
function matching(pattern: RegExp, text: string): string | undefined {
  const found = pattern.exec(text);
  return found === null ? undefined : (found[1] ?? found[0]);
}

/** `A`, `B-level`, `Full (A)`, `Partial attestation`. */
function attestationOf(text: string): string | undefined {
  const lower = text.toLowerCase();
  const letter = /^(?:level |attestation |attestation level )?"?([abc])"?(?:[ -]?(?:level|attestation|attest))?$/.exec(
    lower,
  )?.[1];
  if (letter !== undefined) return letter.toUpperCase();
  const [, word, behind] = /^(full|partial|gateway)(?: attestation)?(?: ?\(?([abc])\)?)?$/.exec(lower) ?? [];
  const meant = word === undefined ? undefined : { full: 'A', partial: 'B', gateway: 'C' }[word];
  return behind === undefined || behind.toUpperCase() === meant ? meant : undefined;
}

/** `32`, `32 s`, `32 seconds`, `0:32`, `00:01:05`, `1 min 5 s`; seconds as a text. */
function durationOf(text: string): string | undefined {
  const lower = text.toLowerCase();
  const plain = /^(\d{1,6})(?:\.\d{1,6})? ?(?:s|sec|secs|second|seconds)?\.?$/.exec(lower)?.[1];
  if (plain !== undefined) return String(Number(plain));
  const clock = /^(?:(\d{1,2}):)?(\d{1,3}):(\d{2})$/.exec(lower);
  if (clock !== null) return String(Number(clock[1] ?? 0) * 3_600 + Number(clock[2]) * 60 + Number(clock[3]));
  const words =
    /^(\d{1,4}) ?(?:m|min|mins|minute|minutes)\.?(?:,? ?(?:and )?(\d{1,2}) ?(?:s|sec|secs|second|seconds)\.?)?$/.exec(
      lower,
    );
  return words === null ? undefined : String(Number(words[1]) * 60 + Number(words[2] ?? 0));
}

function directionOf(lower: string): string | undefined {
  if (/^(?:trace ?)?back(?:ward)?$/.test(lower)) return 'back';
  return /^(?:trace ?)?forward$/.test(lower) ? 'forward' : undefined;
}

/** Words for who asks, exactly as they stand: what merely mentions the FCC is not from it. */
const KINDS: Readonly<Record<string, RequesterKind>> = {
  itg: 'itg',
  'industry traceback group': 'itg',
  'ustelecom industry traceback group': 'itg',
  'ustelecom itg': 'itg',
  fcc: 'fcc',
  'federal communications commission': 'fcc',
  ftc: 'civil-law-enforcement',
  'federal trade commission': 'civil-law-enforcement',
  'civil-law-enforcement': 'civil-law-enforcement',
  'civil law enforcement': 'civil-law-enforcement',
  'criminal-law-enforcement': 'criminal-law-enforcement',
  'criminal law enforcement': 'criminal-law-enforcement',
};

/** Who asks, by the words that name it; undefined where they name nobody that is known. */
export function requesterKindOf(text: string): RequesterKind | undefined {
  const words = text
    .toLowerCase()
    .replace(/[\s()]+/g, ' ')
    .trim();
  return Object.hasOwn(KINDS, words) ? KINDS[words] : undefined;
}

/**
 * Domains from which requests come, and who sends them. From memory where nobody publishes them: to be extended by
 * {@link IntakeOptions.requesters}.
 */
export const REQUESTER_DOMAINS: Readonly<Record<string, RequesterKind>> = {
  'tracebacks.org': 'itg',
  'ustelecom.org': 'itg',
  'fcc.gov': 'fcc',
  'ftc.gov': 'civil-law-enforcement',
};

/** Who sends from a domain: subdomains are of whom the domain is. */
export function kindOfDomain(
  domain: string,
  requesters: Readonly<Record<string, RequesterKind>>,
): RequesterKind | undefined {
  for (let rest = domain; rest.includes('.'); rest = rest.slice(rest.indexOf('.') + 1)) {
    if (Object.hasOwn(requesters, rest)) return requesters[rest];
  }
  return undefined;
}

/** Of an address the domain, in small letters. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

/**
 * An e-mail address out of what stands in its place: `itg@example.org`, `<itg@example.org>`, `ITG <itg@example.org>`.
 * @returns undefined where there is none, or none without quotes, brackets and comments
 * @see RFC 5322 section 3.4.1
 */
export function emailAddress(text: string): string | undefined {
  if (text.length > MAX_LINE_VALUE_CHARS) return undefined;
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  const bare = (open >= 0 && close > open ? text.slice(open + 1, close) : text).trim().replace(/^mailto:/i, '');
  // Local part and domain as RFC 5321 section 4.5.3.1 bounds them.
  return matching(
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24}$/,
    bare,
  );
}

/** A provider as people write it, with the codes that stand behind its name. */
interface WrittenProvider {
  readonly name: string;
  readonly ocn?: string;
  readonly spc?: string;
  readonly frn?: string;
}

/** `Example Telecom (OCN 123A)`, `Example Telecom, FRN 0012345678`. Never throws for peer input. */
export function writtenProvider(text: string): WrittenProvider {
  const codes: {
    ocn?: string;
    spc?: string;
    frn?: string;
  } = {};
  let name = text.trim();
  for (let round = 0; round < 3; round += 1) {
    const found = /^(.{1,400}?)[ ,;]{0,3}[([]?(ocn|spc|frn)[: #]{1,3}([0-9a-z]{1,15})[)\]]?$/i.exec(name);
    if (found === null) break;
    const [, before = '', kind = '', code = ''] = found;
    codes[kind.toLowerCase() as 'ocn' | 'spc' | 'frn'] = code.toUpperCase();
    name = before.trim();
  }
  return { name, ...codes };
}

/** What a text in the place of a telephone number is. */
type NumberReading =
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
const LEAST_DIGITS_IN_NAME = 7;

/**
 * Reads a number as people and spreadsheets write it: with or without `+`, separators, brackets, an extension, a remark behind it, the
 * `.0` or the thousands separators of a spreadsheet, a SIP or tel URI, a technical prefix. A number is given back as it was written
 * where it is one as it stands, and in global form where something had to be taken off. Never throws for peer input.
 */
export function statedNumber(
  text: string,
  { isCalled, numbers = {} }: { readonly isCalled: boolean; readonly numbers?: SourceNumbers | undefined },
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
const WITHHELD: ReadonlySet<string> = phraseSet(
  `anonymous, unknown, restricted, private, blocked, withheld, unavailable, not available, no caller id, n/a, na,
   none, null, not known, not provided, not displayed, -, --, private number, unknown caller`,
);

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
  if (named !== null && (named[1] ?? '').replace(/\D/g, '').length < LEAST_DIGITS_IN_NAME) {
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
  if (named !== null) return (named[1]?.replace(/\D/g, '').length ?? 0) < LEAST_DIGITS_IN_NAME;
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
  return defined({ note: note === '' ? undefined : note });
}

/** Whether a text has the form of a field, whatever it then means. Never throws for peer input. */
export function isCellRead(field: IntakeField, text: string): boolean {
  const { form } = INTAKE_FIELDS[field];
  if (form === 'number') return statedNumber(text, { isCalled: field === 'called' }).status === 'read';
  if (form !== 'time') return fieldValue(field, text) !== undefined;
  const words = readTimeWords(text);
  return words !== undefined && (words.dates.length > 0 || words.clock !== undefined);
}

/** Digits of a telephone number in running text. */
const LEAST_DIGITS_IN_TEXT = 10;
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
    if (digits >= LEAST_DIGITS_IN_TEXT && digits <= MOST_DIGITS) return true;
    digits = 0;
  }
  return false;
}

/** The head of a message that was forwarded or quoted in a text. */
export interface Letterhead {
  readonly fromName?: string;
  readonly fromAddress?: string;
  /** As it was written. */
  readonly date?: string;
  /** Lines that it takes. */
  readonly length: number;
}

/** Lines of a head at most: From, Sent, To and Cc of many lines, Subject. */
const MOST_LINES = 24;

/**
 * Whether the head of a message begins at a line: From, Date or Sent, and Subject among lines that nothing else stands between. `From` and
 * `To` in it are people, and not the two numbers of a call. Never throws for peer input.
 */
export function letterheadAt(lines: readonly VisibleLine[], start: number): Letterhead | undefined {
  const values = new Map<string, string>();
  let at = start;
  for (; at < lines.length && at - start < MOST_LINES; at += 1) {
    const text = lines[at]?.text ?? '';
    const found =
      /^\*?(from|date|sent|to|cc|bcc|subject|reply-to|importance|message-id)\s{0,3}:\*?\s{0,8}(.{0,4096})$/i.exec(text);
    if (found === null && at === start) return undefined;
    // A long list of recipients goes on in the next line.
    const goesOn = found === null && text !== '' && emailAddress(text.replace(/[;,\s]{1,8}$/, '')) !== undefined;
    if (found === null && !goesOn) break;
    const [, name = '', value = ''] = found ?? [];
    if (found !== null && !values.has(name.toLowerCase())) values.set(name.toLowerCase(), value.trim());
  }
  const from = values.get('from');
  const date = values.get('date') ?? values.get('sent');
  if (from === undefined || date === undefined || !values.has('subject')) return undefined;
  // The fields of a call have the same names.
  if (isCellRead('calling', from)) return undefined;
  return { ...senderOf(from), date, length: at - start };
}

/** `ITG <itg@example.org>`, `"ITG" itg@example.org`, or a name alone. */
export function senderOf(text: string): { readonly fromName?: string; readonly fromAddress?: string } {
  const bounded = text.slice(0, 512);
  const address =
    emailAddress(bounded) ?? bounded.split(/[\s<>"()[\]]+/).flatMap((word) => emailAddress(word) ?? [])[0];
  const before = bounded.split('<', 1)[0] ?? '';
  const name = (address === undefined ? before : before.replaceAll(address, '')).replace(/["'[\]()]/g, '').trim();
  const shown = name === '' || (address !== undefined && name === domainOf(address)) ? undefined : name;
  return defined({ fromName: shown, fromAddress: address });
}
