import { MAX_PAGE_ITEMS } from '../wire/page.js';
import type { Page } from '../wire/page.js';
import { pageSchema } from '../wire/page.schema.js';
import { cutPage } from './cut-page.js';
import type { CallReading } from './platform-call.js';
import { readJsonValue, readValue } from './read-json.js';

/** What a schema file annotates its schemas with, seen from outside. */
export type ItemSchema<Item> = Parameters<typeof pageSchema<Item>>[0];

/** A page, and whether it says in no form of the contract where the list goes on. */
export interface LenientPage<Item> extends Page<Item> {
  readonly isEndUnreadable?: boolean;
}

/**
 * Reads a page without the items that are in no form of the contract: schema, JSON or UTF-8. Never throws, whatever the bytes.
 * @param bytes - the whole body
 * @param item - schema of an item
 * @param onUnreadable - told of each that is left out: where in the page, and what is wrong
 * @returns the page; `unreadable` where it is none, or cannot be told apart into items
 */
export function readPageLeniently<Item>(
  bytes: Uint8Array,
  item: ItemSchema<Item>,
  onUnreadable: (place: string) => void,
): CallReading<LenientPage<Item>> {
  const whole = readJsonValue(bytes);
  const page = whole.status === 'read' ? whole : pageOfPieces(bytes);
  if (page === undefined) return whole as CallReading<LenientPage<Item>>;
  const strict = pageSchema(item);
  const { items } = (typeof page.value === 'object' && page.value !== null ? page.value : {}) as { items?: unknown };
  // More than a page may have is refused whole, before each of them is looked at.
  if (!Array.isArray(items) || items.length > MAX_PAGE_ITEMS) return readValue(page.value, strict);
  const readable = items.flatMap((value: unknown, at) => {
    const reading = readValue(value, item);
    if (reading.status === 'read') return [reading.value];
    onUnreadable(`items.${at}.${reading.place ?? ''}`);
    return [];
  });
  const rest = readValue({ ...(page.value as object), items: [] }, strict);
  if (rest.status === 'read') return { status: 'read', value: { ...rest.value, items: readable } };
  onUnreadable(rest.place ?? '');
  return { status: 'read', value: { items: readable, isEndUnreadable: true } };
}

/** The page out of what of it can be read; an item that cannot is null, which is in no form of any. */
function pageOfPieces(bytes: Uint8Array): { readonly value: unknown } | undefined {
  const cut = cutPage(bytes);
  if (cut === undefined) return undefined;
  const valueOf = (piece: Uint8Array): unknown => {
    const reading = readJsonValue(piece);
    return reading.status === 'read' ? reading.value : null;
  };
  const envelope = readJsonValue(cut.envelope);
  // With another cursor than none the end is unreadable, and said to be.
  const rest = envelope.status === 'read' ? (envelope.value as object) : { nextCursor: null };
  return { value: { ...rest, items: cut.items.map(valueOf) } };
}
