import { csvFields } from './csv-fields.js';
import type { CsvReading } from './csv-fields.js';
import { endOfQuoted } from '../../core/sip-request.js';

/** Calling-Station-Id and Called-Station-Id, from 0. */
const PARTY_PLACES: readonly number[] = [9, 10];
/** How a name-addr goes on behind the display name: a URI in angle brackets, then parameters, none of them in quotes. */
const ADDRESS = /^\s{0,8}<[^<>"]{0,2048}>[^"<>,]{0,1024}/;
/** Longest name-addr behind its display name. */
const MAX_ADDRESS_CHARS = 3_200;

/**
 * Splits a row of an Oracle (Acme Packet) SBC. Rows that are sound CSV are read as such. The SBC also writes From and To headers into
 * their fields as they came, so that the quotes of a display name stand there unescaped; those two fields are then read by the
 * grammar of SIP, in which only an escaped quote can stand in a display name: no name that a caller gives himself moves the
 * fields behind it. Never throws.
 * @param text - without its line end
 */
export function oracleFields(text: string): CsvReading {
  const strict = csvFields(text);
  if (strict.status === 'fields' || strict.reason !== 'bad-quoting') return strict;
  const plain = withoutPartyQuotes(text);
  if (plain === undefined) return strict;
  const split = csvFields(plain.text);
  if (split.status === 'rejected') return split;
  const fields = [...split.fields];
  for (const [place, party] of plain.parties) fields[place] = party;
  return { status: 'fields', fields };
}

interface PlainRow {
  /** The row with its party fields left empty. */
  readonly text: string;
  readonly parties: ReadonlyMap<number, string>;
}

/** Undefined where the fields before the parties, or the parties themselves, cannot be told apart. */
function withoutPartyQuotes(text: string): PlainRow | undefined {
  const parties = new Map<number, string>();
  let at = 0;
  let kept = '';
  for (let place = 0; place <= Math.max(...PARTY_PLACES); place += 1) {
    const isParty = PARTY_PLACES.includes(place);
    const party = isParty ? partyAt(text, at) : undefined;
    const end = party === undefined ? plainEnd(text, at) : party.end;
    if (end === undefined || text.charCodeAt(end) !== COMMA) return undefined;
    if (party === undefined) kept += text.slice(at, end + 1);
    else {
      parties.set(place, party.text);
      kept += ',';
    }
    at = end + 1;
  }
  return { text: kept + text.slice(at), parties };
}

const QUOTE = 0x22;
const COMMA = 0x2c;

/** Where a field of sound CSV ends that begins at a place. */
function plainEnd(text: string, at: number): number | undefined {
  if (text.charCodeAt(at) !== QUOTE) {
    const comma = text.indexOf(',', at);
    const field = text.slice(at, comma < 0 ? text.length : comma);
    return field.includes('"') ? undefined : at + field.length;
  }
  let close = text.indexOf('"', at + 1);
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  return close < 0 ? undefined : close + 1;
}

/** A name-addr with a display name in quotes, itself in the quotes of a field or in none; undefined where there is no such thing. */
function partyAt(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  if (text.charCodeAt(at) !== QUOTE) return undefined;
  const isEnclosed = text.charCodeAt(at + 1) === QUOTE;
  const from = isEnclosed ? at + 1 : at;
  const closed = endOfQuoted(text, from);
  if (closed === undefined) return undefined;
  const address = ADDRESS.exec(text.slice(closed + 1, closed + 1 + MAX_ADDRESS_CHARS))?.[0];
  if (address === undefined) return undefined;
  const end = closed + 1 + address.length;
  if (isEnclosed && text.charCodeAt(end) !== QUOTE) return undefined;
  return { text: text.slice(from, end), end: isEnclosed ? end + 1 : end };
}
