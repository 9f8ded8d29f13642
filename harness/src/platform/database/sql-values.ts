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

type TextParser = (text: string) => unknown;

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

/** How values are read: for the option `types` of `pg`. */
export const POSTGRES_TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    const own = format === 'binary' ? undefined : OWN_PARSERS.get(oid);
    const ofPackage = pg.types.getTypeParser as (type: number, as: 'text' | 'binary') => TextParser;
    return own ?? ofPackage(oid, format ?? 'text');
  }) as typeof pg.types.getTypeParser,
};
