import type { CallRecord } from '../../../core/call-record.js';
import { MIN_RUN } from './hole-values.js';
import { parseForm } from './parsed-form.js';
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
  addInner(inner, root, () => numbered(reader.unsigned()));
  const filling: Filling = { reader, place, inner, nextInner: 0, pieces: [], repeatable: [] };
  fill(root, filling);
  return JSON.parse(filling.pieces.join('')) as CallRecord;
}

/** The forms that stand in a form. Their numbers stand before everything else in the body, outer before inner. */
function addInner(inner: ParsedForm[], form: ParsedForm, next: () => ParsedForm): void {
  if (!form.hasForms) return;
  for (const hole of form.holes) {
    if (hole !== HOLE.form) continue;
    const one = next();
    inner.push(one);
    addInner(inner, one, next);
  }
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

/** A record on its way to JSON. */
interface Filling {
  readonly reader: Reader;
  readonly place: RecordPlace;
  readonly inner: readonly ParsedForm[];
  nextInner: number;
  /** The JSON text so far. */
  readonly pieces: string[];
  readonly repeatable: string[];
}

/** Writes the JSON text of a form, each of its holes filled from the body. */
function fill({ texts, holes, counts }: ParsedForm, filling: Filling): void {
  const { pieces } = filling;
  for (let at = 0; at < holes.length; at += 1) {
    pieces.push(texts[at] ?? '');
    fillHole(holes[at] ?? 0, counts[at] ?? 0, filling);
  }
  pieces.push(texts[holes.length] ?? '');
}

function fillHole(hole: number, count: number, filling: Filling): void {
  const { reader, place, inner, pieces, repeatable } = filling;
  if (hole === HOLE.form) {
    const form = inner[filling.nextInner];
    filling.nextInner += 1;
    if (form !== undefined) fill(form, filling);
  } else if (hole === HOLE.whole) repeatable.push(sinceQuote(pieces));
  else if (hole === HOLE.repeat) pieces.push(escaped(repeatable[count] ?? ''));
  else {
    const value = valueOf(hole, count, reader, place);
    if (value.length >= MIN_RUN && IS_PIECE.has(hole)) repeatable.push(value);
    pieces.push(hole === HOLE.text ? escaped(value) : value);
  }
}

/** What has been written of the string that ends here. */
function sinceQuote(pieces: readonly string[]): string {
  let text = '';
  for (let at = pieces.length - 1; at >= 0; at -= 1) {
    const piece = pieces[at] ?? '';
    const quote = piece.lastIndexOf('"');
    if (quote >= 0) return piece.slice(quote + 1) + text;
    text = piece + text;
  }
  return text;
}

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
