import pg from 'pg';
import { HopbackError } from '@hopback/sdk/errors';

/** Object identifiers of types, as in pg_type. */
const INT8 = 20;
const INT8_ARRAY = 1016;
const NUMERIC = 1700;

/**
 * Reads a `bigint` as a number: milliseconds, counts and positions fit in one for 285,000 years.
 * @throws HopbackError `storage-failed` where it does not fit
 */
function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new HopbackError('storage-failed', 'a bigint of the database is larger than a number can hold exactly', {
    details: { digits: text.length },
  });
}

/** Makes a value of its text. */
export type TextParser = (text: string) => unknown;

/** An array of bigint in its text form, `{1,2,NULL}`, of any depth. */
function integerArray(text: string): unknown {
  return JSON.parse(text.replaceAll('{', '[').replaceAll('}', ']').replaceAll('NULL', 'null'), (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return safeInteger(String(value));
    return value;
  }) as unknown;
}

const OWN_PARSERS: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [INT8, safeInteger],
  [INT8_ARRAY, integerArray],
  // Exact, and so never a number.
  [NUMERIC, (text) => text],
]);

const ofPackage = pg.types.getTypeParser as (type: number, as: 'text' | 'binary') => TextParser;

/** How values of a type are read that come as text. */
export const textParser = (oid: number): TextParser => OWN_PARSERS.get(oid) ?? ofPackage(oid, 'text');

/** How values are read: for the option `types` of `pg`. */
export const POSTGRES_TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    format === 'binary' ? ofPackage(oid, format) : textParser(oid)) as typeof pg.types.getTypeParser,
};

/**
 * A value as text, as PostgreSQL reads it where a statement has a parameter; octets as they are.
 * @throws TypeError for what JSON cannot hold
 */
export function sentValue(value: unknown): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return arrayText(value);
  const isPlain = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isPlain ? String(value) : JSON.stringify(value);
}

/** An array in its text form. PostgreSQL, section 8.15.2 */
const arrayText = (values: readonly unknown[]): string => `{${values.map(elementText).join(',')}}`;

function elementText(value: unknown): string {
  if (Array.isArray(value)) return arrayText(value);
  const text = sentValue(value);
  if (text === null) return 'NULL';
  if (typeof text !== 'string') return `"\\\\x${text.toString('hex')}"`;
  return `"${text.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`;
}
