import { createHash } from 'node:crypto';
import { parseBoundedJson } from '../../core/json-text.js';
import { readBySchema } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import type { WireSchema } from '../../contract/bodies.js';
import { MAX_PAGE_ITEMS, pageOf } from '../../contract/common.js';
import type { Page } from '../../contract/common.js';
import type { PlatformRoute, RouteRequest } from '../../contract/route.js';
import { discardBody, readBoundedBody } from '../http/bounded-body.js';
import type { CallBody, CallReading, PlatformCall } from './requester.js';

/** Most octets of an answer that are read: a page of 500 items of 16 KiB each. */
export const MAX_RESPONSE_BYTES: number = 8 * 1_048_576;

/** Most values of an answer: what that many octets of records hold at some eight octets a value. */
const MAX_RESPONSE_ENTRIES = 1_000_000;

/** Bodies of the contract nest some ten deep. */
const MAX_RESPONSE_DEPTH = 64;

/** What a call accepts that is answered with JSON. */
const ACCEPT_JSON = 'application/json, application/problem+json';

/**
 * Reads a body of JSON in the form of a schema. Keys that are not known are left out. Never throws, whatever the bytes.
 * @param bytes - the whole body
 * @param schema - of the wire
 * @returns the value, or why there is none
 */
export function readJson<Value>(bytes: Uint8Array, schema: WireSchema<Value>): CallReading<Value> {
  const parsed = readJsonValue(bytes);
  return parsed.status === 'read' ? readValue(parsed.value, schema) : parsed;
}

/** The same of a value that has been parsed already. Never throws. */
export function readValue<Value>(value: unknown, schema: WireSchema<Value>): CallReading<Value> {
  const reading = readBySchema(schema, value);
  if (reading.success) return { status: 'read', value: reading.data };
  return { status: 'unreadable', reason: 'schema-drift', place: placeOf(reading.error.issues[0]?.path ?? []) };
}

/** Reads a body of JSON in whatever form. Never throws, whatever the bytes. */
function readJsonValue(bytes: Uint8Array): CallReading<unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { status: 'unreadable', reason: 'not-utf8' };
  }
  const limits = { maxChars: text.length, maxDepth: MAX_RESPONSE_DEPTH, maxEntries: MAX_RESPONSE_ENTRIES };
  const parsed = parseBoundedJson(text, limits);
  if (parsed.status === 'parsed') return { status: 'read', value: parsed.value };
  return { status: 'unreadable', reason: 'not-json', place: `offset ${parsed.offset}` };
}

/** How a call receives an answer of JSON. */
export function receivingJson<Value>(
  schema: WireSchema<Value>,
  maxBytes: number = MAX_RESPONSE_BYTES,
): PlatformCall<Value>['receive'] {
  return async (response) => {
    const body = await readBoundedBody(response, maxBytes);
    return body.isCut ? { status: 'unreadable', reason: 'too-large' } : readJson(body.bytes, schema);
  };
}

/** A body of JSON. */
function jsonBody(value: unknown): CallBody {
  return { contentType: 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
}

/** Names of members and places of lists; a key that is none of a contract may be anything, and is not repeated. */
function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.slice(0, 12).map((part) => (/^[A-Za-z0-9_-]{1,40}$/.test(String(part)) ? String(part) : '*'));
  return parts.join('.');
}

/** A page in pieces, each of them to be read by itself. */
interface CutPage {
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

/** What a schema file annotates its schemas with, seen from outside. */
export type ItemSchema<Item> = Parameters<typeof pageOf<Item>>[0];

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
  const strict = pageOf(item);
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

/** Asks for one page: the first without a cursor. */
type FetchPage<Item> = (cursor: string | undefined) => Promise<LenientPage<Item>>;

/** Pages without an item in a row after which a list is taken for one without end: filters leave some pages empty, not a thousand. */
const MAX_EMPTY_PAGES = 1_000;

/**
 * The items of a list, page by page; a page is asked for when the one before has been gone through.
 * @param fetchPage - asks for one
 * @returns the items; rejects with {@link HopbackError} as calls do, and with `response-unreadable` where the pages go round in a circle,
 * or one does not say where the list goes on: what is in it comes before
 */
export async function* itemsOfPages<Item>(fetchPage: FetchPage<Item>): AsyncGenerator<Item, void, undefined> {
  const isCircle = createCircleCheck();
  let cursor: string | undefined;
  let emptyPages = 0;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    if (page.isEndUnreadable === true)
      throw new HopbackError('response-unreadable', 'a page does not say where its list goes on', {
        details: { reason: 'schema-drift', place: 'nextCursor' },
      });
    emptyPages = page.items.length === 0 ? emptyPages + 1 : 0;
    cursor = page.nextCursor;
    if (cursor !== undefined && (isCircle(cursor) || emptyPages >= MAX_EMPTY_PAGES))
      throw new HopbackError('response-unreadable', 'the pages of a list have no end', {
        details: { reason: 'cursor-loop', emptyPages },
      });
  } while (cursor !== undefined);
}

/**
 * Finds a cursor that came before, in a list of any length, with one of them kept: of a circle each place comes by again, hence the one
 * that is kept, too, once it is in the circle and is kept for as many steps as the circle has.
 * @see Brent, An improved Monte Carlo factorization algorithm, BIT 20 (1980), section 2
 */
function createCircleCheck(): (cursor: string) => boolean {
  let kept: string | undefined;
  let steps = 0;
  let keptFor = 1;
  return (cursor) => {
    if (cursor === kept) return true;
    steps += 1;
    if (steps === keptFor) {
      kept = cursor;
      steps = 0;
      keptFor *= 2;
    }
    return false;
  };
}

/**
 * A body of two parts. The boundary between them is made of what is in them: the same content is the same octets, by another process too, as
 * an idempotency key asks for.
 * @see RFC 7578 section 4
 */
function jsonAndPdfBody(
  { jsonPart, pdfPart }: Extract<RouteRequest<string>, { readonly kind: 'json-and-pdf' }>,
  json: unknown,
  document: Uint8Array,
): CallBody {
  const stated = JSON.stringify(json);
  const hash = createHash('sha256').update(stated).update(document).digest('hex');
  const boundary = `hopback-${hash.slice(0, 32)}`;
  const part = (fields: string): Buffer =>
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${fields}\r\n\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([
      part(`name="${jsonPart}"\r\ncontent-type: application/json`),
      Buffer.from(stated),
      Buffer.from('\r\n'),
      part(`name="${pdfPart}"; filename="document.pdf"\r\ncontent-type: application/pdf`),
      document,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

/** Most octets of a file that are held in memory; larger ones come in pieces, as those of productions do. */
export const MAX_ROUTE_FILE_BYTES: number = 64 * 1_048_576;

/** What goes with a call of a route. */
export interface RouteCallParams {
  /** Of path, query and header fields, by their names; `Idempotency-Key` is the client's. */
  readonly parameters?: Readonly<Record<string, string | number | undefined>>;
  /** What is sent as JSON. */
  readonly body?: unknown;
  /** The PDF, where the route has one. */
  readonly document?: Uint8Array;
}

/** What came back. */
export type RouteCallResult =
  /** Not held against a schema: whoever knows the route knows its bodies. */
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'file';
      readonly bytes: Uint8Array;
      readonly mediaType: string;
    };

/**
 * A route as a call.
 * @throws {@link HopbackError} `invalid-argument` for a parameter that is missing, and for a route that is streamed or takes lines
 */
export function routeCall(route: PlatformRoute<string>, params: RouteCallParams): PlatformCall<RouteCallResult> {
  const { parameters = {} } = params;
  const path: Record<string, string> = {};
  const query: Record<string, string | number | undefined> = {};
  const headers: Record<string, string> = {};
  for (const { name, in: place, isRequired } of route.parameters) {
    const value = parameters[name];
    if (place === 'query') query[name] = value;
    else if (name === 'Idempotency-Key') continue;
    else if (value === undefined && isRequired)
      throw new HopbackError('invalid-argument', `${route.operationId} takes ${name}`);
    else if (value !== undefined && place === 'path') path[name] = String(value);
    else if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  const body = bodyOf(route, params);
  return {
    method: route.method,
    route: route.path,
    path,
    query,
    headers,
    ...(body !== undefined && { body }),
    accept: route.response.kind === 'file' ? '*/*' : ACCEPT_JSON,
    receive: receiving(route),
  };
}

function bodyOf(
  { operationId, request }: PlatformRoute<string>,
  { body, document }: RouteCallParams,
): CallBody | undefined {
  if (request === undefined) return undefined;
  if (body === undefined) throw new HopbackError('invalid-argument', `${operationId} takes a body`);
  if (request.kind === 'json') return jsonBody(body);
  if (request.kind === 'json-and-pdf') {
    if (document === undefined) throw new HopbackError('invalid-argument', `${operationId} takes a PDF`);
    return jsonAndPdfBody(request, body, document);
  }
  throw new HopbackError('invalid-argument', `${operationId} is called in another way than by its route`);
}

function receiving({ operationId, response }: PlatformRoute<string>): PlatformCall<RouteCallResult>['receive'] {
  if (response.kind === 'event-stream')
    throw new HopbackError('invalid-argument', `${operationId} is a stream of events: it is read by events()`);
  return RECEIVERS[response.kind];
}

const RECEIVERS: Readonly<Record<'json' | 'nothing' | 'file', PlatformCall<RouteCallResult>['receive']>> = {
  json: async (received) => {
    const { bytes, isCut } = await readBoundedBody(received, MAX_RESPONSE_BYTES);
    if (isCut) return { status: 'unreadable', reason: 'too-large' };
    const reading = readJsonValue(bytes);
    return reading.status === 'read' ? { status: 'read', value: { kind: 'json', value: reading.value } } : reading;
  },
  nothing: async (received) => {
    discardBody(received);
    return { status: 'read', value: { kind: 'nothing' } };
  },
  file: async (received) => {
    const { bytes, isCut } = await readBoundedBody(received, MAX_ROUTE_FILE_BYTES);
    if (isCut) return { status: 'unreadable', reason: 'too-large' };
    const mediaType = received.headers.get('content-type') ?? 'application/octet-stream';
    return { status: 'read', value: { kind: 'file', bytes, mediaType } };
  },
};
