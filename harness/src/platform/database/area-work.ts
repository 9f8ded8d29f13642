import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer, DEFAULT_PAGE_ITEMS } from '@hopback/sdk/internal';
import type { Insertable, Kysely, Selectable, SelectQueryBuilder, Updateable } from 'kysely';
import { sql } from 'kysely';
import type { AuditEntry, OperationCall, PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import { readCursor, writeCursor } from '../domain/providers/resolve-reference.js';
import type { OpeningReason } from './sealed-values.js';

/** A time as it is on the wire: RFC 3339 in UTC. */
export const iso = (atMs: number): string => new Date(atMs).toISOString();

/** In whose name something is done, for the audit. */
export type Actor = Pick<AuditEntry, 'organizationId' | 'actor'>;

/** What the platform does by itself. */
export const PLATFORM_ACTOR: Actor = { organizationId: 'platform', actor: 'platform' };

/** The client that calls. */
export const actorOf = ({ caller }: OperationCall): Actor => ({
  organizationId: caller.organizationId,
  actor: caller.clientId,
});

/** What one does in a transaction: whatever is opened and changed is audited in its name. */
export class Acting {
  readonly context: PlatformContext;
  readonly transaction: PlatformTransaction;
  readonly by: Actor;

  constructor(context: PlatformContext, transaction: PlatformTransaction, by: Actor = PLATFORM_ACTOR) {
    this.context = context;
    this.transaction = transaction;
    this.by = by;
  }

  /** Why something is opened. */
  reason(object: string): OpeningReason {
    return { ...this.by, object };
  }

  audit(action: string, object: string, details: AuditEntry['details'] = {}): Promise<void> {
    return this.context.audit(this.transaction, { ...this.by, action, object, details });
  }
}

type Untyped = Kysely<Record<string, Record<string, unknown>>>;

/** A table with the statements that name rows by their key. */
export class KeyedTable<Columns> {
  readonly #name: string;
  readonly #key: string;

  constructor(name: string, key: keyof Columns & string) {
    this.#name = name;
    this.#key = key;
  }

  async get(reading: Reading, id: string): Promise<Selectable<Columns> | undefined> {
    const query = (reading as unknown as Untyped).selectFrom(this.#name).selectAll().where(this.#key, '=', id);
    return (await query.executeTakeFirst()) as Selectable<Columns> | undefined;
  }

  async add(reading: Reading, ...rows: readonly Insertable<Columns>[]): Promise<void> {
    await (reading as unknown as Untyped).insertInto(this.#name).values(rows).execute();
  }

  /**
   * Changes rows of a key, or those of them that have some other values.
   * @returns whether there was one
   */
  async set(
    transaction: PlatformTransaction,
    id: string,
    ...[values, where = {}]: [values: Updateable<Columns>, where?: Partial<Selectable<Columns>>]
  ): Promise<boolean> {
    const { numUpdatedRows } = await (transaction as unknown as Untyped)
      .updateTable(this.#name)
      .set(values as Record<string, unknown>)
      .where((row) => row.and({ ...where, [this.#key]: id }))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Removes rows of a key, or those of them that have some other values. */
  async remove(reading: Reading, id: string, where: Partial<Selectable<Columns>> = {}): Promise<void> {
    await (reading as unknown as Untyped)
      .deleteFrom(this.#name)
      .where((row) => row.and({ ...where, [this.#key]: id }))
      .execute();
  }
}

/** How a list is given in pages. */
interface PagedList<Row> {
  readonly call: OperationCall;
  /** Columns that it is sorted by, together different for each row, with what they hold. */
  readonly by: Readonly<Partial<Record<keyof Row & string, 'string' | 'number'>>>;
  readonly order: 'asc' | 'desc';
}

/** The page of a list that a call asks for: its cursor names the row that it begins behind. @returns undefined where the cursor is none of ours */
export async function readPage<DB, TB extends keyof DB, Row extends object>(
  query: SelectQueryBuilder<DB, TB, Row>,
  { call, by, order }: PagedList<Row>,
): Promise<{ readonly rows: readonly Row[]; readonly next: { readonly nextCursor?: string } } | undefined> {
  const { cursor, limit: stated } = call.request.parameters;
  const columns = Object.keys(by) as (keyof typeof by & string)[];
  const kinds = columns.map((column) => by[column] ?? 'string');
  const place = cursor === undefined ? undefined : readCursor(cursor, kinds);
  if (cursor !== undefined && place === undefined) return undefined;
  const limit = Number(stated ?? DEFAULT_PAGE_ITEMS);
  // Texts sort by code unit on every engine.
  const keys = columns.map((column) =>
    by[column] === 'string' ? sql`${sql.ref(column)} collate "C"` : sql.ref(column),
  );
  const isBehind = sql.raw(order === 'asc' ? '>' : '<');
  let sorted = query.limit(limit + 1);
  for (const key of keys) sorted = sorted.orderBy(key, order);
  if (place !== undefined)
    sorted = sorted.where(sql<boolean>`(${sql.join(keys)}) ${isBehind} (${sql.join([...place])})`);
  const found = (await sorted.execute()) as readonly Row[];
  const rows = found.slice(0, limit);
  const last = found.length > limit ? (rows.at(-1) as Record<string, string | number> | undefined) : undefined;
  return { rows, next: last === undefined ? {} : { nextCursor: writeCursor(columns.map((name) => last[name] ?? '')) } };
}

/** The same as an answer. @param show - shows the rows of the page; what is undefined is left out */
export async function pageAnswer<DB, TB extends keyof DB, Row extends object>(
  query: SelectQueryBuilder<DB, TB, Row>,
  list: PagedList<Row>,
  show: (rows: readonly Row[]) => Promise<readonly unknown[]> | readonly unknown[],
): Promise<PlatformAnswer> {
  const page = await readPage(query, list);
  if (page === undefined) return wrongCursor();
  const items = await show(page.rows);
  return jsonAnswer({ items: items.filter((item) => item !== undefined), ...page.next });
}

/** The cursor is none of the list. */
export const wrongCursor = (): PlatformAnswer =>
  problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'invalid_format' }] });
