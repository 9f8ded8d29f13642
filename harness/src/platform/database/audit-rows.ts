import type { MerkleLog } from '@hopback/sdk/log';
import { canonicalJson } from '@hopback/sdk/internal';
import type { CompiledQuery, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { CoreTables, PlatformContext, PlatformDatabase } from '../core/index.js';
import type { CoreWorkTables } from './migrate.js';
import { META } from './migrate.js';
import { compiledOnce, together } from './transact.js';

/** A row of the audit. */
export type AuditRow = Selectable<CoreTables['core_audit']>;

/** An entry of the audit as a leaf of the Merkle log has it: all of the row but where it is in the log. */
export interface AuditLeaf {
  readonly format: 'hopback-audit-1';
  readonly position: number;
  readonly atMs: number;
  readonly action: string;
  readonly organizationId: string;
  readonly actor: string;
  readonly object: string;
  readonly details: unknown;
}

/** The octets of the leaf of a row, as text: canonical JSON (RFC 8785), so that whoever has the row can make them. */
export function auditLeafText(row: Omit<AuditRow, 'leaf_index'>): string {
  const leaf: AuditLeaf = {
    format: 'hopback-audit-1',
    position: row.position,
    atMs: row.at_ms,
    action: row.action,
    organizationId: row.organization_id,
    actor: row.actor,
    object: row.object,
    details: row.details,
  };
  return canonicalJson(leaf);
}

/** Reads a leaf; undefined where it is not the entry of a row. Never throws. */
export function readLeaf(octets: Uint8Array): AuditLeaf | undefined {
  try {
    const read = JSON.parse(Buffer.from(octets).toString('utf8')) as Partial<AuditLeaf> | null;
    return read?.format === 'hopback-audit-1' && Number.isSafeInteger(read.position) ? (read as AuditLeaf) : undefined;
  } catch {
    return undefined;
  }
}

/** The position of the row that a leaf is of; undefined where it is not the entry of a row. Never throws. */
export const positionOfLeaf = (octets: Uint8Array): number | undefined => readLeaf(octets)?.position;

/** Name of the newest checkpoint in the table of the core. */
const CHECKPOINT = 'audit.checkpoint';
/** Entries that are read at once, going back. */
const READ_ENTRIES = 1_000;
/** Rows that are noted in one statement. */
const NOTED_AT_ONCE = 5_000;

/** Where the leaf of a row is. */
export interface PlacedLeaf {
  readonly position: number;
  readonly leafIndex: number;
}

/** Rows that are to be brought to the log, in order. */
export async function waitingRows(
  database: PlatformDatabase,
  ...range: [after: number, through: number, limit: number]
): Promise<readonly AuditRow[]> {
  return (await database.executeQuery(waitingQuery(database, ...range))).rows;
}

const waitingQuery = compiledOnce((reading, after: number, through: number, limit: number) =>
  reading
    .selectFrom('core_audit')
    .selectAll()
    .where('position', '>', after)
    .where('position', '<=', through)
    .orderBy('position')
    .limit(limit)
    .compile(),
);

/** The checkpoint that the table holds the log to; undefined where there is none. */
export async function heldCheckpoint(database: PlatformDatabase): Promise<string | undefined> {
  return (await META.get(database, CHECKPOINT))?.value;
}

/** Notes where leaves are, and the checkpoint over them. */
export async function noteLeaves(
  context: Pick<PlatformContext, 'transact'>,
  leaves: readonly PlacedLeaf[],
  checkpoint: string | undefined,
): Promise<void> {
  await context.transact(async (transaction) => {
    const queries: CompiledQuery[] = [];
    for (let at = 0; at < leaves.length; at += NOTED_AT_ONCE) {
      const some = leaves.slice(at, at + NOTED_AT_ONCE);
      const positions = some.map(({ position }) => position);
      const indexes = some.map(({ leafIndex }) => leafIndex);
      const placed = sql`update core_audit set leaf_index = placed.leaf_index
        from unnest(${positions}::bigint[], ${indexes}::bigint[]) as placed(position, leaf_index)
        where core_audit.position = placed.position and core_audit.leaf_index is null`;
      queries.push(placed.compile(transaction));
    }
    if (checkpoint !== undefined) {
      const noted = transaction
        .withTables<CoreWorkTables>()
        .insertInto('core_meta')
        .values({ name: CHECKPOINT, value: checkpoint })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: checkpoint }));
      queries.push(noted.compile());
    }
    await together(transaction, queries);
  });
}

/** Leaves of rows between two positions that do not know them: a crash came between the log and the table. */
export async function leavesToNote(
  database: PlatformDatabase,
  log: MerkleLog,
  { after, through }: { readonly after: number; readonly through: number },
): Promise<readonly PlacedLeaf[]> {
  const rows = await database
    .selectFrom('core_audit')
    .select('position')
    .where('position', '>', after)
    .where('position', '<=', through)
    .where('leaf_index', 'is', null)
    .orderBy('position')
    .limit(NOTED_AT_ONCE)
    .execute();
  const wanted = new Set(rows.map(({ position }) => position));
  const oldest = rows[0]?.position;
  const found: PlacedLeaf[] = [];
  if (oldest === undefined) return found;
  for (let end = log.size; end > 0 && found.length < wanted.size;) {
    const from = Math.max(0, end - READ_ENTRIES);
    const entries = await log.read(from, { maxEntries: end - from });
    for (const { leafIndex, octets } of entries) {
      const position = positionOfLeaf(octets);
      if (position !== undefined && wanted.has(position)) found.push({ position, leafIndex });
    }
    // A row that somebody put in has no leaf: behind the oldest nothing is looked for.
    const first = entries[0] === undefined ? undefined : positionOfLeaf(entries[0].octets);
    if (first === undefined || first < oldest) break;
    end = from;
  }
  return found;
}
