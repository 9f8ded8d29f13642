import type { CallRecord } from '../../../contract/call-record.js';
import { MIN_RUN } from './record-encoder.js';
import { HOLE, PER_MILLISECOND, PER_SECOND, behindQuote, lookupKey, parseForm } from './record-form.js';
import type { ParsedForm } from './record-form.js';

/** What of a record stands in columns of its own. */
interface RecordPlace {
  readonly recordId: string;
  readonly inviteAtUs: number;
}

/** Forms by their numbers. */
interface NumberedForms {
  readonly formOf: (number: number) => ParsedForm;
}

/**
 * Puts a record together again.
 * @param body - what the encoder wrote
 * @param formNumber - what it returned
 * @throws RangeError or SyntaxError for octets that no encoder wrote: a damaged disk
 */
export function decodeRecord(
  body: Uint8Array,
  formNumber: number,
  place: RecordPlace,
  forms: NumberedForms,
): CallRecord {
  const reader = createReader(body);
  const numbered = (number: number): ParsedForm => (number === 0 ? parseForm(reader.text()) : forms.formOf(number));
  const root = numbered(formNumber);
  const inner: ParsedForm[] = [];
  // The forms inside it: their numbers stand before everything else in the body, outer before inner.
  for (let left = root.forms; left > 0; left -= 1) {
    const form = numbered(reader.unsigned());
    inner.push(form);
    left += form.forms;
  }
  return JSON.parse(filled(root, inner, { reader, place })) as CallRecord;
}

type Reader = ReturnType<typeof createReader>;

function createReader(body: Uint8Array) {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  const take = (size: number): number => {
    if (at + size > bytes.length) throw new RangeError('a stored record is cut short');
    at += size;
    return at - size;
  };
  const unsigned = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const octet = bytes[take(1)] ?? 0;
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
      scale *= 0x80;
    }
  };
  const counted = (encoding: 'utf8' | 'base64'): string => {
    const size = unsigned();
    const from = take(size);
    return bytes.toString(encoding, from, from + size);
  };
  return {
    unsigned,
    signed: () => unzigzag(unsigned()),
    fixed: (size: number) => {
      const from = take(size);
      const low = bytes.readUIntLE(from, Math.min(size, 6));
      return size > 6 ? low + (bytes[from + 6] ?? 0) * 0x1_0000_0000_0000 : low;
    },
    hex: (size: number) => {
      const from = take(size);
      return bytes.toString('hex', from, from + size);
    },
    text: () => counted('utf8'),
    base64: () => counted('base64'),
  };
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/**
 * The JSON text: each hole of a form filled from the body. Goes down into forms by a stack of its own, since what an encoder took may be
 * deeper than the machine's.
 */
function filled(
  root: ParsedForm,
  inner: readonly ParsedForm[],
  { reader, place }: { readonly reader: Reader; readonly place: RecordPlace },
): string {
  const outer: { readonly form: ParsedForm; readonly at: number }[] = [];
  const repeatable: string[] = [];
  let json = '';
  /** What has been written behind the last quotation mark. */
  let string = '';
  let nextInner = 0;
  let form = root;
  let at = 0;
  const add = (text: string, tail: string | undefined): void => {
    json += text;
    string = tail ?? string + text;
  };
  for (;;) {
    add(form.texts[at] ?? '', form.tails[at]);
    const hole = form.holes[at];
    const count = form.counts[at] ?? 0;
    at += 1;
    if (hole === undefined) {
      const back = outer.pop();
      if (back === undefined) return json;
      ({ form, at } = back);
    } else if (hole === HOLE.form) {
      outer.push({ form, at });
      form = inner[nextInner] ?? NO_FORM;
      nextInner += 1;
      at = 0;
    } else if (hole === HOLE.whole) repeatable.push(string);
    else {
      const value = hole === HOLE.repeat ? (repeatable[count] ?? '') : valueOf(hole, count, reader, place);
      if (value.length >= MIN_RUN && IS_PIECE.has(hole)) repeatable.push(value);
      const text = hole === HOLE.text || hole === HOLE.repeat ? escaped(value) : value;
      add(text, behindQuote(text));
    }
  }
}

const NO_FORM = parseForm('');

/** Holes that later ones may repeat, as the encoder lists them: by the same shortest length. */
const IS_PIECE: ReadonlySet<number> = new Set([HOLE.hex, HOLE.uuid, HOLE.digits5, HOLE.digits7, HOLE.text]);

function valueOf(code: number, count: number, reader: Reader, place: RecordPlace): string {
  switch (code) {
    case HOLE.hex:
      return reader.hex(count);
    case HOLE.uuid:
      return hyphenated(reader.hex(16));
    case HOLE.digits5:
      return String(reader.fixed(5));
    case HOLE.digits7:
      return String(reader.fixed(7));
    case HOLE.text:
    case HOLE.json:
      return reader.text();
    case HOLE.base64:
      return reader.base64();
    case HOLE.number:
      return String(reader.signed());
    case HOLE.microseconds:
      return String(place.inviteAtUs + microseconds(reader.unsigned()));
    case HOLE.milliseconds:
      return String(Math.floor(place.inviteAtUs / PER_MILLISECOND) + reader.signed());
    case HOLE.seconds:
      return String(Math.floor(place.inviteAtUs / PER_SECOND) + reader.signed());
    case HOLE.recordId:
      return `"${place.recordId}"`;
    case HOLE.inviteAtUs:
      return String(place.inviteAtUs);
    default:
      throw new SyntaxError('a stored record has an invalid form');
  }
}

/** The lowest bit tells whether whole seconds were written. */
function microseconds(value: number): number {
  return value % 2 === 1 ? unzigzag((value - 1) / 2) * PER_SECOND : unzigzag(value / 2);
}

function hyphenated(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Text as it stands inside a JSON string. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * Most forms of one day. Carriers have some thousands: trunks in and out, certificates of their neighbours, outcomes. What a peer can
 * make up (certificate addresses, names of hosts) is bounded by it; records beyond are kept whole, and take more room.
 */
const MAX_FORMS = 32_768;

/** Longest form that is numbered, characters; longer ones are of calls that hardly come twice. */
const MAX_FORM_LENGTH = 4_096;

/** Stands in the form of a record whose local time may mean another instant too. */
const OTHER_INSTANT = '"otherInviteAtUs":';

/** Texts whose first sight is remembered; a form is numbered at its second, so that what never comes twice takes no number. */
const REMEMBERED = 65_536;

/** Most forms of a day that are kept taken apart, some 1 MB. They are dropped all at once when there are more. */
const MAX_PARSED = 256;

/** A numbered form. */
interface Form {
  readonly number: number;
  readonly text: string;
}

/** The forms of a day. */
export type FormTable = ReturnType<typeof createFormTable>;

/** Makes the table of a day from the forms on its disk. Never throws but `formOf`: RangeError for a number that is none. */
export function createFormTable(known: readonly Form[]) {
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
    numberOf: (form: string): number => numbers.get(form) ?? secondSight(form),
    formOf: (number: number): ParsedForm => parsed.get(number) ?? parsedNow(number),
    /**
     * Those of records that may have begun at another instant too. Empty where the day has no such record: the first of them is numbered at
     * once, so that a look-up need not search for what is there in two hours of the year. Further ones may have no number.
     */
    ofOtherInstants: (): readonly number[] => ofOtherInstants,
    /** Those numbered since they were last `saved`. */
    unsaved: (): readonly Form[] => unsaved,
    /** They are on disk. */
    saved: (forms: readonly Form[]): void => {
      const done = new Set(forms);
      unsaved = unsaved.filter((form) => !done.has(form));
    },
  };
}
