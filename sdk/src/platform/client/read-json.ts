import { parseBoundedJson } from '../../core/json-text.js';
import { readBySchema } from '../../core/schema-findings.js';
import { discardBody, readBoundedBody } from '../http/bounded-body.js';
import type { WireSchema } from '../wire/wire-schemas.js';
import type { CallBody, CallReading, PlatformCall } from './platform-call.js';

/** Most octets of an answer that are read: a page of 500 items of 16 KiB each. */
export const MAX_RESPONSE_BYTES: number = 8 * 1_048_576;

/** Most values of an answer: what that many octets of records hold at some eight octets a value. */
const MAX_RESPONSE_ENTRIES = 1_000_000;

/** Bodies of the contract nest some ten deep. */
const MAX_RESPONSE_DEPTH = 64;

/** What a call accepts that is answered with JSON. */
export const ACCEPT_JSON = 'application/json, application/problem+json';

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
export function readJsonValue(bytes: Uint8Array): CallReading<unknown> {
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

/** How a call receives an answer that has nothing in it; what is in it all the same is let pass. */
export const receivingNothing: PlatformCall<void>['receive'] = async (response) => {
  discardBody(response);
  return { status: 'read', value: undefined };
};

/** A body of JSON. */
export function jsonBody(value: unknown): CallBody {
  return { contentType: 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
}

/** Names of members and places of lists; a key that is none of a contract may be anything, and is not repeated. */
function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.slice(0, 12).map((part) => (/^[A-Za-z0-9_-]{1,40}$/.test(String(part)) ? String(part) : '*'));
  return parts.join('.');
}
