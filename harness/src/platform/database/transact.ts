import { randomInt } from 'node:crypto';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { wait } from '@hopback/sdk/internal/runtime';
import type { ControlledTransaction, Kysely, RawBuilder, Selectable } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { CoreTables, PlatformDatabase, PlatformTransaction, Reading } from '../core/index.js';
import {
  isConnectionLost,
  isOrderConflict,
  outcomeUnknown,
  sqlStateOf,
  TOGETHER,
  transactionScope,
} from './connection-pool.js';
import type { Committed, OpenedDatabase } from './open-database.js';

/**
 * Makes a query that is compiled once, for those that every hop of a traceback asks: to build and compile one takes longer than to send it. One whose
 * values are not its parameters one by one, in their order, is compiled each time.
 * @param make - builds the query of its values; nothing else may make a difference to its text
 */
export function compiledOnce<Values extends readonly unknown[], Row>(
  make: (reading: Reading, ...values: Values) => CompiledQuery<Row>,
): (reading: Reading, ...values: Values) => CompiledQuery<Row> {
  let text: string | undefined;
  return (reading, ...values) => {
    if (text !== undefined) return CompiledQuery.raw(text, [...values]);
    const made = make(reading, ...values);
    const { parameters } = made;
    // Two that are equal do not tell in which order they are.
    const isTold = new Set(values).size === values.length && parameters.length === values.length;
    if (isTold && values.every((value, at) => value === parameters[at])) text = made.sql;
    return made;
  };
}

/** What is remembered of one version at most; with more it begins anew: of each of 7,000 providers what it is, and whom some references mean. */
const MAX_REMEMBERED = 50_000;

/** Has each transaction that changes a table give it a version that no other has. For migrations of areas. */
export async function countChanges(database: Kysely<unknown>, name: string, tables: readonly string[]): Promise<void> {
  for (const table of tables)
    await sql`create trigger ${sql.ref(`${table}_version`)} after insert or update or delete on ${sql.table(table)}
      for each statement execute function core_note_change(${sql.lit(name)})`.execute(database);
}

/** What is remembered of one version. */
export interface RememberedVersion {
  /**
   * Values by their keys; those that are not remembered are loaded together.
   * @param kind - one for each function that loads
   */
  readonly read: <Value>(
    kind: string,
    keys: readonly string[],
    load: (missing: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
  ) => Promise<ReadonlyMap<string, Value>>;
}

/** What was read of tables, for as long as nobody changes them. */
export type VersionedMemory = ReturnType<typeof createVersionedMemory>;

/**
 * Makes a memory of what tables hold whose changes are counted ({@link countChanges}): of a registry that is asked a thousand times between two
 * changes. A transaction sees the version that belongs to what it sees of the tables, its own changes included, so that what is remembered is
 * what it would read.
 */
export function createVersionedMemory(name: string) {
  let current = { version: -1, values: new Map<string, unknown>() };
  return {
    /** What is remembered of the tables as a transaction sees them: one statement. */
    at: async (reading: Reading): Promise<RememberedVersion> => {
      const version = await versionOf(reading, name);
      if (current.version !== version) current = { version, values: new Map() };
      // Outside of a transaction each statement sees what was committed before it, which may be more than the version says.
      const isOfVersion = async (): Promise<boolean> =>
        reading.isTransaction || (await readVersion(reading, name)) === version;
      return rememberedIn(current.values, isOfVersion);
    },
  };
}

/** @param isOfVersion - asked behind what was loaded: what is of a later version is given, and not remembered */
function rememberedIn(values: Map<string, unknown>, isOfVersion: () => Promise<boolean>): RememberedVersion {
  return {
    read: async <Value>(
      kind: string,
      keys: readonly string[],
      load: (missing: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    ) => {
      const found = new Map<string, Value>();
      const missing = new Set<string>();
      for (const key of keys) {
        const known = values.get(`${kind} ${key}`);
        if (known !== undefined) found.set(key, known as Value);
        else missing.add(key);
      }
      if (missing.size === 0) return found;
      const loaded = await load([...missing]);
      const isKept = await isOfVersion();
      if (values.size + loaded.size > MAX_REMEMBERED) values.clear();
      for (const [key, value] of loaded) {
        found.set(key, value);
        if (isKept) values.set(`${kind} ${key}`, value);
      }
      return found;
    },
  };
}

/** All versions as they were seen first, by who reads. */
const held = new WeakMap<object, { versions?: Promise<ReadonlyMap<string, number>> }>();

/**
 * Has versions read once for all that is read from here on: of a transaction that changes nothing that is counted, as what others change it does not see;
 * or of what is read outside of one in a moment.
 */
export function holdVersions(reading: Reading): void {
  if (!held.has(reading)) held.set(reading, {});
}

async function versionOf(reading: Reading, name: string): Promise<number> {
  const known = held.get(reading);
  if (known !== undefined) return (await (known.versions ??= allVersions(reading))).get(name) ?? 0;
  return readVersion(reading, name);
}

async function readVersion(reading: Reading, name: string): Promise<number> {
  const { rows } = await sql<{ readonly version: number }>`
    select version from core_versions where name = ${name}`.execute(reading);
  return rows[0]?.version ?? 0;
}

async function allVersions(reading: Reading): Promise<ReadonlyMap<string, number>> {
  return versionsIn((await reading.executeQuery(versionsQuery(reading))).rows);
}

interface VersionRow {
  readonly name: string;
  readonly version: number;
}

const versionsQuery = compiledOnce((reading) =>
  sql<VersionRow>`select name, version from core_versions`.compile(reading),
);

const versionsIn = (rows: readonly VersionRow[]): ReadonlyMap<string, number> =>
  new Map(rows.map(({ name, version }) => [name, version]));

/**
 * What is to be asked before other queries that go to the server anyway, so that versions which are held and not known yet take no way of their own.
 * @returns undefined where they are known, or not held
 * @internal
 */
function versionsToAsk(reading: Reading): CompiledQuery<VersionRow> | undefined {
  const known = held.get(reading);
  return known === undefined || known.versions !== undefined ? undefined : versionsQuery(reading);
}

/** Takes what {@link versionsToAsk} gave. @internal */
function noteVersions(reading: Reading, rows: readonly VersionRow[]): void {
  held.set(reading, { versions: Promise.resolve(versionsIn(rows)) });
}

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
interface CoreWrites {
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
const createCoreWrites = (): CoreWrites => ({ besides: [], events: [], audit: [], sealed: new Map() });

/** Whether so much waits that it is to be written now. */
const isFull = ({ events, audit, sealed }: CoreWrites): boolean =>
  events.length + audit.length + sealed.size >= MAX_WAITING;

/** By what a transaction is known again when its connection was lost in the commit. */
interface CommitMark {
  /** The server's. After a crash it may give the id of a transaction that did not commit to another one, which does. */
  readonly transactionId: string;
  /** Something that this transaction wrote, and no other: an event by its id, or an entry of the audit by all that it says. */
  readonly wrote: { readonly eventId: string } | { readonly position: number; readonly entry: AuditWrite };
}

/**
 * Writes what waits, in the order in which it came.
 * @param last - what is carried out behind it, on the same way to the server; nothing if nothing waits
 * @returns by what it is known; undefined where nothing waited. Rejects with what the database rejects with
 */
async function writeCore(
  transaction: PlatformTransaction,
  writes: CoreWrites,
  last: readonly CompiledQuery[],
): Promise<CommitMark | undefined> {
  const events = writes.events.splice(0);
  const audit = writes.audit.splice(0);
  const sealed = [...writes.sealed.values()];
  writes.sealed.clear();
  const queries = writes.besides.splice(0);
  if (sealed.length > 0) queries.push(sealedInsertion(transaction, sealed));
  if (events.length === 0 && audit.length === 0) {
    if (queries.length > 0) await together(transaction, [...queries, ...last]);
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
  const rows = (await together(transaction, [...queries, told.compile(transaction), ...last]))[queries.length];
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
async function isWritten(database: PlatformDatabase, { wrote }: CommitMark): Promise<boolean> {
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
  return withMember(
    JSON.stringify({
      event_id,
      at_ms,
      type,
      subject,
      audience,
    }),
    'data',
    dataJson,
  );
}

function auditText({ at_ms, action, organization_id, actor, object, detailsJson }: AuditWrite): string {
  return withMember(
    JSON.stringify({
      at_ms,
      action,
      organization_id,
      actor,
      object,
    }),
    'details',
    detailsJson,
  );
}

/** An object of JSON with one member more, whose value is JSON too. */
const withMember = (text: string, name: string, value: string): string => `${text.slice(0, -1)},"${name}":${value}}`;

/** Times that a transaction is begun: with ten connections that all write to the same rows one of them comes through in each round. */
const ORDER_ATTEMPTS = 20;
/** First pause after a conflict; it doubles, and a random part of it is waited. */
const ORDER_PAUSE_MS = 2;
const LONGEST_ORDER_PAUSE_MS = 250;
/** A server that restarts is back in some seconds. In all 100 ms + … + 3,200 ms. */
const LOST_ATTEMPTS = 7;
const LOST_PAUSE_MS = 100;
const LONGEST_LOST_PAUSE_MS = 3_200;
/** Times that the server is asked what became of a commit, with those pauses. */
const OUTCOME_QUESTIONS = 8;

/** What became of transactions since this process began. */
export interface TransactionCounts {
  readonly committed: number;
  /** Begun again because the database could not put them in order. */
  readonly conflicts: number;
  /** Begun again because the connection was lost before the commit. */
  readonly lostConnections: number;
  /** Commits whose outcome had to be asked for, and those for which nobody could say. */
  readonly askedOutcomes: number;
  readonly unknownOutcomes: number;
}

/**
 * Runs transactions, isolated from each other as if they ran one after the other (`serializable`), as they do on PGlite in fact. One that the database could not put in order with others is run again, as is one whose
 * connection was lost before its commit; `work` has no effects but those of its transaction, then. Where the connection is lost in the commit
 * the server is asked what became of it.
 * @returns the transactor. `transact` rejects with what `work` rejects with; with HopbackError `unavailable` (retryable) where the database
 * stays away, or conflicts do not end; with `storage-failed` and `outcome: 'unknown'` where nobody can say whether it committed
 */
export function createTransactor(opened: OpenedDatabase, pause: (ms: number) => Promise<unknown> = wait) {
  const counts = {
    committed: 0,
    conflicts: 0,
    lostConnections: 0,
    askedOutcomes: 0,
    unknownOutcomes: 0,
  };
  const pauseAfterLoss = async (losses: number, error: unknown): Promise<void> => {
    if (losses >= LOST_ATTEMPTS) throw gaveUp('the database is away', error);
    await pause(Math.min(LONGEST_LOST_PAUSE_MS, LOST_PAUSE_MS * 2 ** (losses - 1)));
  };
  const transact = async <Result>(work: (transaction: PlatformTransaction) => Promise<Result>): Promise<Result> => {
    for (let [conflicts, losses] = [0, 0]; ;) {
      const attempt = await attempted(opened, work);
      if (attempt.status === 'lost-in-commit') {
        counts.askedOutcomes += 1;
        const outcome = await outcomeOf(opened.database, attempt.mark, pause);
        if (outcome === 'unknown') {
          counts.unknownOutcomes += 1;
          throw outcomeUnknown(attempt.error);
        }
        if (outcome === 'aborted') {
          // Not without end: a commit may be what kills the connection.
          losses += 1;
          await pauseAfterLoss(losses, attempt.error);
          continue;
        }
      }
      if (attempt.status === 'committed' || attempt.status === 'lost-in-commit') {
        counts.committed += 1;
        if (attempt.wrote !== undefined) opened.signal(attempt.wrote);
        return attempt.result;
      }
      const { error } = attempt;
      if (isOrderConflict(error)) {
        counts.conflicts += 1;
        conflicts += 1;
        if (conflicts >= ORDER_ATTEMPTS) throw gaveUp('transactions got into each other’s way too often', error);
        await pause(randomInt(1, Math.min(LONGEST_ORDER_PAUSE_MS, ORDER_PAUSE_MS * 2 ** conflicts) + 1));
      } else if (isConnectionLost(error)) {
        counts.lostConnections += 1;
        losses += 1;
        await pauseAfterLoss(losses, error);
      } else throw error;
    }
  };
  return { transact, counts: (): TransactionCounts => ({ ...counts }) };
}

type Attempt<Result> =
  | {
      readonly status: 'committed';
      readonly result: Result;
      readonly wrote: Committed | undefined;
    }
  | {
      readonly status: 'lost-in-commit';
      readonly result: Result;
      readonly wrote: Committed | undefined;
      readonly mark: CommitMark | undefined;
      readonly error: unknown;
    }
  | { readonly status: 'failed'; readonly error: unknown };

/** What is noted of a transaction while it runs. */
interface RunningTransaction {
  /** Once it wrote what is audited or told. */
  mark: CommitMark | undefined;
  wrote: Committed | undefined;
  readonly writes: CoreWrites;
}

const running = new WeakMap<object, RunningTransaction>();

/**
 * Adds to what a transaction tells, audits and seals. Where nobody conducts the transaction it is written at once.
 * @returns to be waited for; undefined where it is written with the rest, since a dozen promises of each hop would be for nothing
 * @internal
 */
export function addWrites(
  transaction: PlatformTransaction,
  add: (writes: CoreWrites) => void,
): Promise<void> | undefined {
  const noted = running.get(transaction);
  const writes = noted?.writes ?? createCoreWrites();
  add(writes);
  return noted === undefined || isFull(writes) ? flushWrites(transaction, writes) : undefined;
}

/**
 * Writes something with what the transaction tells, audits and seals, before that: one way to the server less. The transaction reads nothing of it. Where nobody
 * conducts the transaction it is written at once.
 */
export async function writeLater(transaction: PlatformTransaction, queries: readonly CompiledQuery[]): Promise<void> {
  await addWrites(transaction, ({ besides }) => void besides.push(...queries));
}

/**
 * Writes what waits: before something of it is read.
 * @internal
 */
export async function flushWrites(
  transaction: PlatformTransaction,
  writes: CoreWrites | undefined = running.get(transaction)?.writes,
  last: readonly CompiledQuery[] = [],
): Promise<void> {
  if (writes === undefined) return;
  const wrote = writes.events.length > 0 ? 'events' : 'audit';
  const mark = await writeCore(transaction, writes, last);
  const noted = running.get(transaction);
  if (noted === undefined || mark === undefined) return;
  if (noted.wrote !== 'events') noted.wrote = wrote;
  noted.mark ??= mark;
}

/**
 * Sent with the last writes to PGlite, whose connection is not lost. Of a server it has to be known, before the commit, by what the
 * transaction is known again.
 */
const COMMIT = [CompiledQuery.raw('commit')];

async function attempted<Result>(
  opened: OpenedDatabase,
  work: (transaction: PlatformTransaction) => Promise<Result>,
): Promise<Attempt<Result>> {
  let transaction: ControlledTransaction<CoreTables> | undefined;
  const noted: RunningTransaction = { mark: undefined, wrote: undefined, writes: createCoreWrites() };
  let result: Result;
  try {
    transaction = await opened.database.startTransaction().setIsolationLevel('serializable').execute();
    const begun = transaction;
    running.set(begun, noted);
    const scope = { isOpen: true };
    try {
      result = await transactionScope.run(scope, async () => {
        const made = await work(begun);
        await flushWrites(begun, noted.writes, opened.engine === 'pglite' ? COMMIT : []);
        return made;
      });
    } finally {
      scope.isOpen = false;
    }
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await transaction
      ?.rollback()
      .execute()
      .catch(() => undefined);
    return { status: 'failed', error };
  }
  try {
    await transaction.commit().execute();
    return { status: 'committed', result, wrote: noted.wrote };
  } catch (error) {
    await transaction
      .rollback()
      .execute()
      .catch(() => undefined);
    // What the server answered it means: it did not commit.
    if (!isConnectionLost(error)) return { status: 'failed', error: aborted(error) };
    return {
      status: 'lost-in-commit',
      result,
      wrote: noted.wrote,
      mark: noted.mark,
      error,
    };
  }
}

/** `work` let an error of a statement pass, and the database rolled back what it believed to be done. */
function aborted(error: unknown): unknown {
  if (sqlStateOf(error) !== undefined || isHopbackError(error)) return error;
  return new HopbackError('internal', 'a transaction went on after one of its statements had failed', { cause: error });
}

/**
 * Asks the server what became of a transaction. That one of its id committed says nothing yet: a server that crashed before it had written anything of a transaction to its log
 * gives that id to another. What the transaction wrote has to be there.
 * @see PostgreSQL, section 9.27, pg_xact_status
 */
async function outcomeOf(
  database: PlatformDatabase,
  mark: CommitMark | undefined,
  pause: (ms: number) => Promise<unknown>,
): Promise<'committed' | 'aborted' | 'unknown'> {
  if (mark === undefined) return 'unknown';
  for (let asked = 0; asked < OUTCOME_QUESTIONS; asked += 1) {
    if (asked > 0) await pause(Math.min(LONGEST_LOST_PAUSE_MS, LOST_PAUSE_MS * 2 ** (asked - 1)));
    try {
      // Before what it wrote is looked for: once it is over, all of it can be seen or none ever will.
      if (await isRunning(database, mark)) continue;
      return (await isWritten(database, mark)) ? 'committed' : 'aborted';
    } catch {
      // Still away.
    }
  }
  return 'unknown';
}

/** A standby behind the same address may not have heard of it yet: what it has is no answer. */
async function isRunning(database: PlatformDatabase, { transactionId }: CommitMark): Promise<boolean> {
  try {
    const { rows } = await sql<{ readonly status: string | null }>`
      select case when pg_is_in_recovery() then 'in progress' else pg_xact_status(${transactionId}::xid8) end as status`.execute(
      database,
    );
    return rows[0]?.status === 'in progress';
  } catch (error) {
    // The server has no transaction of this id yet: it crashed before it had heard of this one for good.
    if (sqlStateOf(error) === INVALID_PARAMETER_VALUE) return false;
    throw error;
  }
}

/** What `pg_xact_status` fails with for an id of the future. @see PostgreSQL, appendix A */
const INVALID_PARAMETER_VALUE = '22023';

const gaveUp = (why: string, cause: unknown): HopbackError =>
  new HopbackError('unavailable', why, { retryable: true, cause });

/** Whether a column has one of some values: the same statement however many they are, so that the server reads it once. */
export const isAmong = (column: string, values: readonly string[]): RawBuilder<boolean> =>
  sql<boolean>`${sql.ref(column)} = any(${values}::text[])`;

/** What PostgreSQL does not take in text or jsonb, as it stands in JSON: U+0000, and halves of characters. */
const UNSTORABLE = /\\u0000|\\ud[89a-f]/i;

/** U+0000, and what characters of two halves are made of. */
const SUSPECT = /[\uD800-\uDFFF\0]/;

/**
 * A value as JSON that PostgreSQL stores: U+0000 and halves of surrogate pairs become U+FFFD, for what peers send may hold them.
 * @returns the text; never throws for what JSON can hold
 */
export function jsonbText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (!text.includes('\\u') || !UNSTORABLE.test(text)) return text;
  return JSON.stringify(storable(JSON.parse(text)));
}

/** Text that PostgreSQL stores, in the same way. Never throws. */
export const storableText = (text: string): string =>
  SUSPECT.test(text) ? text.replaceAll(/\p{Surrogate}|\0/gu, '\uFFFD') : text;

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [storableText(name), storable(member)]));
}
