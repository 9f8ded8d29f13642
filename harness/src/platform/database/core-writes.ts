import { sql } from 'kysely';
import type { CompiledQuery, Selectable } from 'kysely';
import type { CoreTables, PlatformDatabase, PlatformTransaction } from '../core/index.js';
import { together } from './together.js';

/** An event before it has its position. */
export interface EventWrite {
  readonly event_id: string;
  readonly at_ms: number;
  readonly type: string;
  readonly subject: string;
  /** JSON that PostgreSQL stores. */
  readonly dataJson: string;
  readonly audience: readonly string[];
}

/** An entry of the audit before it has its position. */
export interface AuditWrite {
  readonly at_ms: number;
  readonly action: string;
  readonly organization_id: string;
  readonly actor: string;
  readonly object: string;
  /** JSON that PostgreSQL stores. */
  readonly detailsJson: string;
}

export type SealedWrite = Selectable<CoreTables['core_sealed']>;

/**
 * What a transaction has to tell, to audit and to seal: written together, before it commits or reads something sealed. A traceback that
 * concludes tells half a dozen providers, and a statement costs as much as ten rows.
 */
export interface CoreWrites {
  /** What else it writes and does not read any more, carried out before the rest. */
  readonly besides: CompiledQuery[];
  readonly events: EventWrite[];
  readonly audit: AuditWrite[];
  /** By reference. */
  readonly sealed: Map<string, SealedWrite>;
}

/** Rows that wait at most: an import of thousands does not hold them all. */
const MAX_WAITING = 1_000;

/** Makes an empty one. */
export const createCoreWrites = (): CoreWrites => ({ besides: [], events: [], audit: [], sealed: new Map() });

/** Whether so much waits that it is to be written now. */
export const isFull = ({ events, audit, sealed }: CoreWrites): boolean =>
  events.length + audit.length + sealed.size >= MAX_WAITING;

/** By what a transaction is known again when its connection was lost in the commit. */
export interface CommitMark {
  /** The server's. After a crash it may give the id of a transaction that did not commit to another one, which does. */
  readonly transactionId: string;
  /** Something that this transaction wrote, and no other: an event by its id, or an entry of the audit by all that it says. */
  readonly wrote: { readonly eventId: string } | { readonly position: number; readonly entry: AuditWrite };
}

/**
 * Writes what waits, in the order in which it came.
 * @returns by what it is known; undefined where nothing waited. Rejects with what the database rejects with
 */
export async function writeCore(transaction: PlatformTransaction, writes: CoreWrites): Promise<CommitMark | undefined> {
  const events = writes.events.splice(0);
  const audit = writes.audit.splice(0);
  const sealed = [...writes.sealed.values()];
  writes.sealed.clear();
  const queries = writes.besides.splice(0);
  if (sealed.length > 0) queries.push(sealedInsertion(transaction, sealed));
  if (events.length === 0 && audit.length === 0) {
    await together(transaction, queries);
    return undefined;
  }
  const told = sql<WrittenAt>`
    with told as (
      insert into core_events (event_id, at_ms, type, subject, data, audience)
      select event_id, at_ms, type, subject, data, audience
      from rows from (
        jsonb_to_recordset(${arrayOf(events, eventText)}::jsonb)
        as (event_id text, at_ms bigint, type text, subject text, data jsonb, audience jsonb)
      ) with ordinality as event (event_id, at_ms, type, subject, data, audience, place)
      order by place
    ), noted as (
      insert into core_audit (at_ms, action, organization_id, actor, object, details)
      select at_ms, action, organization_id, actor, object, details
      from rows from (
        jsonb_to_recordset(${arrayOf(audit, auditText)}::jsonb)
        as (at_ms bigint, action text, organization_id text, actor text, object text, details jsonb)
      ) with ordinality as entry (at_ms, action, organization_id, actor, object, details, place)
      order by place
      returning position
    )
    select pg_current_xact_id()::text as transaction_id, (select max(position) from noted) as position`;
  const rows = (await together(transaction, [...queries, told.compile(transaction)])).at(-1);
  const { transaction_id: transactionId = '', position = null } = (rows?.[0] ?? {}) as Partial<WrittenAt>;
  const [event, entry] = [events[0], audit.at(-1)];
  if (event !== undefined) return { transactionId, wrote: { eventId: event.event_id } };
  return entry === undefined || position === null ? undefined : { transactionId, wrote: { position, entry } };
}

/** Where what was written stands. */
interface WrittenAt {
  readonly transaction_id: string;
  /** Of the last entry of the audit. */
  readonly position: number | null;
}

/**
 * Whether what a transaction wrote is there: asked once it is over.
 * @throws what the database throws
 */
export async function isWritten(database: PlatformDatabase, { wrote }: CommitMark): Promise<boolean> {
  if ('eventId' in wrote) {
    const { eventId } = wrote;
    const row = await database
      .selectFrom('core_events')
      .select('position')
      .where('event_id', '=', eventId)
      .executeTakeFirst();
    return row !== undefined;
  }
  const { position, entry } = wrote;
  // A position may have been given anew as well, so that the row has to be the very one.
  const { rows } = await sql<{ readonly position: number }>`
    select position from core_audit
    where position = ${position} and at_ms = ${entry.at_ms} and action = ${entry.action} and actor = ${entry.actor}
      and organization_id = ${entry.organization_id} and object = ${entry.object} and details = ${entry.detailsJson}::jsonb`.execute(
    database,
  );
  return rows.length > 0;
}

const sealedInsertion = (transaction: PlatformTransaction, rows: readonly SealedWrite[]): CompiledQuery =>
  sql`
    insert into core_sealed (reference, key_id, nonce, ciphertext, at_ms, belongs_to)
    select reference, key_id, nonce, ciphertext, at_ms, belongs_to
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as piece (reference text, key_id text, nonce text, ciphertext text, at_ms bigint, belongs_to text)
    on conflict (reference) do nothing`.compile(transaction);

const arrayOf = <Row>(rows: readonly Row[], text: (row: Row) => string): string => `[${rows.map(text).join(',')}]`;

/** Written out, as are entries: there are a dozen for each hop. */
function eventText({ event_id, at_ms, type, subject, dataJson, audience }: EventWrite): string {
  return withMember(JSON.stringify({ event_id, at_ms, type, subject, audience }), 'data', dataJson);
}

function auditText({ at_ms, action, organization_id, actor, object, detailsJson }: AuditWrite): string {
  return withMember(JSON.stringify({ at_ms, action, organization_id, actor, object }), 'details', detailsJson);
}

/** An object of JSON with one member more, whose value is JSON too. */
const withMember = (text: string, name: string, value: string): string => `${text.slice(0, -1)},"${name}":${value}}`;
