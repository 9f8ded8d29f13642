import { CompiledQuery } from 'kysely';
import type { Reading } from '../core/index.js';
import { TOGETHER } from './connection-pool.js';
import { noteVersions, versionsToAsk } from './table-versions.js';

/** Rows of several queries, in their order. */
export type RowsOfAll<Queries extends readonly CompiledQuery[]> = {
  readonly [Place in keyof Queries]: Queries[Place] extends CompiledQuery<infer Row> ? readonly Row[] : never;
};

/**
 * Runs queries of which none needs what another one gives: one way to the server and back, which costs more than what most queries do there. Outside of a
 * transaction they are one. Versions that are held for who reads, and not known yet, are read on the way.
 * @throws what the first one rejects with that fails; those behind it are not run
 */
export async function together<const Queries extends readonly CompiledQuery[]>(
  reading: Reading,
  queries: Queries,
): Promise<RowsOfAll<Queries>> {
  if (queries.length === 0) return [] as unknown as RowsOfAll<Queries>;
  const versions = versionsToAsk(reading);
  const all = versions === undefined ? [...queries] : [versions, ...queries];
  const { rows } = await reading.executeQuery(CompiledQuery.raw(TOGETHER, all));
  const found = (rows as readonly { readonly rows: readonly unknown[] }[]).map((one) => one.rows);
  if (versions !== undefined) noteVersions(reading, found.shift() as Parameters<typeof noteVersions>[1]);
  return found as unknown as RowsOfAll<Queries>;
}
