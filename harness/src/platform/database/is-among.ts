import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';

/** Whether a column has one of some values: the same statement however many they are, so that the server reads it once. */
export const isAmong = (column: string, values: readonly string[]): RawBuilder<boolean> =>
  sql<boolean>`${sql.ref(column)} = any(${values}::text[])`;
