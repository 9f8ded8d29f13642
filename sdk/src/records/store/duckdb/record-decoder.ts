import type { CallRecord } from '../../../core/call-record.js';
import { MIN_RUN } from './hole-values.js';
import { behindQuote, parseForm } from './parsed-form.js';
import type { ParsedForm } from './parsed-form.js';
import { HOLE, PER_MILLISECOND, PER_SECOND } from './record-form.js';

/** What of a record stands in columns of its own. */
export interface RecordPlace {
  readonly recordId: string;
  readonly inviteAtUs: number;
}

/** Forms by their numbers. */
export interface NumberedForms {
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

interface Reader {
  readonly unsigned: () => number;
  readonly signed: () => number;
  readonly fixed: (size: number) => number;
  readonly hex: (size: number) => string;
  readonly text: () => string;
  readonly base64: () => string;
}

function createReader(body: Uint8Array): Reader {
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
    fixed: (size) => {
      const from = take(size);
      const low = bytes.readUIntLE(from, Math.min(size, 6));
      return size > 6 ? low + (bytes[from + 6] ?? 0) * 0x1_0000_0000_0000 : low;
    },
    hex: (size) => {
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
      throw new SyntaxError('a stored record has a form that is none');
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
