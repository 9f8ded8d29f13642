import { MAX_PAGE_ITEMS } from '../wire/page.js';

/** A page in pieces, each of them to be read by itself. */
export interface CutPage {
  /** The page with nothing in its list. */
  readonly envelope: Uint8Array;
  readonly items: readonly Uint8Array[];
}

/**
 * Cuts the page of a list into its items by brackets and quotes alone, so that an item that is no JSON costs itself and no other. What is
 * in the pieces is not looked at. Linear in the octets. Never throws.
 * @param bytes - UTF-8, as it came: no octet of a longer character is a bracket or a quote
 * @returns the pieces; undefined where brackets and quotes do not match, or `items` is not there once
 * @see RFC 8259 sections 4, 5 and 7
 */
export function cutPage(bytes: Uint8Array): CutPage | undefined {
  const list = placeOfItems(bytes);
  if (list === undefined) return undefined;
  const items: Uint8Array[] = [];
  let at = afterSpace(bytes, list.start + 1);
  while (bytes[at] !== CLOSE_LIST || items.length > 0) {
    const end = endOfValue(bytes, at);
    if (end === at || items.length >= MAX_PAGE_ITEMS) return undefined;
    items.push(bytes.subarray(at, end));
    at = afterSpace(bytes, end);
    if (bytes[at] === CLOSE_LIST) break;
    if (bytes[at] !== COMMA) return undefined;
    at = afterSpace(bytes, at + 1);
  }
  return { envelope: Buffer.concat([bytes.subarray(0, list.start), EMPTY_LIST, bytes.subarray(list.end)]), items };
}

const EMPTY_LIST: Uint8Array = Buffer.from('[]');
const NAME: Buffer = Buffer.from('"items"');
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The list of items among the members of the page, from its bracket to behind the other. */
function placeOfItems(bytes: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  let found: { readonly start: number; readonly end: number } | undefined;
  let at = afterSpace(bytes, 0);
  if (bytes[at] !== OPEN_OBJECT) return undefined;
  do {
    const nameStart = afterSpace(bytes, at + 1);
    const nameEnd = bytes[nameStart] === QUOTE ? endOfString(bytes, nameStart) : nameStart;
    const colon = afterSpace(bytes, nameEnd);
    if (nameEnd === nameStart || bytes[colon] !== COLON) return undefined;
    const start = afterSpace(bytes, colon + 1);
    const end = endOfValue(bytes, start);
    if (end === start) return undefined;
    if (NAME.equals(bytes.subarray(nameStart, nameEnd))) {
      if (found !== undefined || bytes[start] !== OPEN_LIST) return undefined;
      found = { start, end };
    }
    at = afterSpace(bytes, end);
  } while (bytes[at] === COMMA);
  return bytes[at] === CLOSE_OBJECT ? found : undefined;
}

/** Behind the value that begins there; the same place where none does. */
function endOfValue(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const octet = bytes[at];
    if (octet === QUOTE) {
      at = endOfString(bytes, at) - 1;
      if (depth === 0 && at + 1 > start) return at + 1;
    } else if (octet === OPEN_LIST || octet === OPEN_OBJECT) depth += 1;
    else if (octet === CLOSE_LIST || octet === CLOSE_OBJECT) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (octet === COMMA || isSpace(octet))) return at;
  }
  return start;
}

/** Behind the quote that closes the string whose opening quote is there; the end of all where none does. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  return bytes.length;
}

function afterSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

const isSpace = (octet: number | undefined): boolean =>
  octet === 0x20 || octet === 0x0a || octet === 0x0d || octet === 0x09;
