import { MAX_CSV_ROW_CHARS } from './csv-fields.js';
import type { RowReading } from './record-reader.js';

/** Places of the fields that a record is made of, from 0; a quoted sub-record counts as one field. */
export interface RibbonColumns {
  readonly disconnectDate: number;
  readonly disconnectTime: number;
  /** -1 where the row has none. */
  readonly duration: number;
  readonly reason: number;
  readonly calling: number;
  readonly called: number;
  readonly beforeTranslation: number;
  readonly routeAttempt: number;
  readonly egressRemote: number;
  readonly ingressTrunk: number;
  readonly ingressVariant: number;
  readonly dialled: number;
  readonly initiator: number;
  readonly egressTrunk: number;
  readonly egressVariant: number;
  readonly incomingCalling: number;
  readonly globalCallId: number;
  readonly ingressRemote: number;
}

/** @see Ribbon SBC Core documentation, "CDR Field Descriptions": record numbers there count from 1 */
export const STOP_COLUMNS: RibbonColumns = {
  disconnectDate: 10,
  disconnectTime: 11,
  duration: 13,
  reason: 14,
  calling: 19,
  called: 20,
  beforeTranslation: 23,
  routeAttempt: 29,
  egressRemote: 32,
  ingressTrunk: 33,
  ingressVariant: 51,
  dialled: 59,
  initiator: 63,
  egressTrunk: 67,
  egressVariant: 68,
  incomingCalling: 69,
  globalCallId: 81,
  ingressRemote: 125,
};

/** An ATTEMPT has no duration, no counts of media, and the date of its end far behind the time of it. */
export const ATTEMPT_COLUMNS: RibbonColumns = {
  disconnectDate: 104,
  disconnectTime: 9,
  duration: -1,
  reason: 11,
  calling: 16,
  called: 17,
  beforeTranslation: 20,
  routeAttempt: 26,
  egressRemote: 29,
  ingressTrunk: 30,
  ingressVariant: 44,
  dialled: 52,
  initiator: 56,
  egressTrunk: 57,
  egressVariant: 58,
  incomingCalling: 59,
  globalCallId: 71,
  ingressRemote: 115,
};

/** Fields of one row. A view that the next row of the same layout replaces. */
export interface RibbonFields {
  readonly status: 'fields';
  /** The field at a place, without its quotes; empty where the row ends before. */
  readonly text: (place: number) => string;
}

/** Why a row does not fall into fields. */
export type RibbonFault = Extract<RowReading, { status: 'rejected' }>;

/** The last field that is looked at, of either layout. */
const LAST_PLACE = 125;
const COMMA = 0x2c;
const QUOTE = 0x22;

/** Finds the fields of a row. Never throws. */
export type RibbonScanner = (text: string, columns: RibbonColumns) => RibbonFields | RibbonFault;

/**
 * Makes what finds the fields of STOP and ATTEMPT rows up to the last one that is used, which is less than half of a row: places
 * are noted, and a text is made only of those that are asked for.
 * @returns a function of a row without its line end, whose fields hold until it is called again
 */
export function ribbonScanner(): RibbonScanner {
  // At an even place stands where a field begins, behind it where it ends. One for all rows: it is the most of what a row allocates.
  const places = new Uint16Array(2 * (LAST_PLACE + 1));
  let row = '';
  let count = 0;
  const fields: RibbonFields = {
    status: 'fields',
    text: (place) => {
      if (place < 0 || place >= count) return '';
      const from = places[2 * place] ?? 0;
      const to = places[2 * place + 1] ?? 0;
      if (from === to) return '';
      const field = row.slice(from, to);
      return row.charCodeAt(to) === QUOTE && field.includes('""') ? field.replaceAll('""', '"') : field;
    },
  };
  return (text, columns) => {
    if (text.length >= MAX_CSV_ROW_CHARS) return TOO_LONG;
    if (text.includes('\0')) return NOT_TEXT;
    const found = scan(text, places);
    if (typeof found !== 'number') return found;
    row = text;
    count = found;
    if (count > columns.ingressTrunk) return fields;
    return {
      status: 'rejected',
      reason: 'too-few-fields',
      detail: `${count} fields, which end before the trunk group`,
    };
  };
}

/** Notes where fields begin and end, and tells how many there are. */
function scan(text: string, places: Uint16Array): number | RibbonFault {
  const end = text.length;
  let slot = 0;
  for (let at = 0; at <= end && slot < places.length; at += 1) {
    if (text.charCodeAt(at) === QUOTE) {
      places[slot] = at + 1;
      const close = closingQuote(text, at + 1);
      if (close < 0) return UNCLOSED;
      places[slot + 1] = close;
      at = close + 1;
      if (at < end && text.charCodeAt(at) !== COMMA) return TRAILING;
    } else {
      places[slot] = at;
      // A quote that begins no field would make one sub-record two, and move every field behind it.
      for (; at < end; at += 1) {
        const code = text.charCodeAt(at);
        if (code === COMMA) break;
        if (code === QUOTE) return STRAY;
      }
      places[slot + 1] = at;
    }
    slot += 2;
  }
  return slot / 2;
}

/**
 * Whether a row is the first of a file: it names the gateway and the kind of file, with or without a time of opening, in no layout of
 * fields that would hold for all releases.
 */
export function isRibbonHeader(text: string, line: number): boolean {
  return line === 1 && !/^(?:START|STOP|ATTEMPT|INTERMEDIATE)\b/.test(text);
}

/** Place of the quote that closes a field which begins at `from`; negative where none does. */
function closingQuote(text: string, from: number): number {
  let close = text.indexOf('"', from);
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  return close;
}

const TOO_LONG: RibbonFault = {
  status: 'rejected',
  reason: 'too-long',
  detail: `a row of more than ${MAX_CSV_ROW_CHARS} characters`,
};
const NOT_TEXT: RibbonFault = { status: 'rejected', reason: 'not-text', detail: 'a zero character' };
const UNCLOSED: RibbonFault = { status: 'rejected', reason: 'bad-quoting', detail: 'a sub-record that nothing closes' };
const STRAY: RibbonFault = {
  status: 'rejected',
  reason: 'bad-quoting',
  detail: 'a quote inside a field that does not begin with one',
};
const TRAILING: RibbonFault = {
  status: 'rejected',
  reason: 'bad-quoting',
  detail: 'something between the end of a sub-record and the comma',
};
