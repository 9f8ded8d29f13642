import { sql } from 'kysely';
import type { CompiledQuery, Kysely } from 'kysely';
import type { Reading } from '../core/index.js';
import { compiledOnce } from './compiled-once.js';

/** What is remembered of one version at most; with more it begins anew: of each of 7,000 providers what it is, and whom some references mean. */
const MAX_REMEMBERED = 50_000;

/** Has each transaction that changes a table give it a version that no other has. For migrations of areas. */
export async function countChanges(database: Kysely<unknown>, name: string, tables: readonly string[]): Promise<void> {
  for (const table of tables)
    await sql`create trigger ${sql.ref(`${table}_version`)} after insert or update or delete on ${sql.table(table)}
      for each statement execute function core_note_change(${sql.lit(name)})`.execute(database);
}

/** What was read of tables, for as long as nobody changes them: of a registry that is asked a thousand times between two changes. */
export interface VersionedMemory {
  /** What is remembered of the tables as a transaction sees them: one statement. */
  readonly at: (reading: Reading) => Promise<RememberedVersion>;
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

/**
 * Makes a memory of what tables hold whose changes are counted ({@link countChanges}). A transaction sees the version that belongs to what it sees
 * of the tables, its own changes included, so that what is remembered is what it would read.
 */
export function createVersionedMemory(name: string): VersionedMemory {
  let current: { readonly version: number; readonly values: Remembered } = { version: -1, values: newMemory() };
  return {
    at: async (reading) => {
      const version = await versionOf(reading, name);
      if (current.version !== version) current = { version, values: newMemory() };
      // Outside of a transaction each statement sees what was committed before it, which may be more than the version says.
      const isOfVersion = async (): Promise<boolean> =>
        reading.isTransaction || (await readVersion(reading, name)) === version;
      return rememberedIn(current.values, isOfVersion);
    },
  };
}

/** Values by their keys, those of each kind for themselves. */
interface Remembered {
  readonly kinds: Map<string, Map<string, unknown>>;
  count: number;
}

const newMemory = (): Remembered => ({ kinds: new Map(), count: 0 });

/** @param isOfVersion - asked behind what was loaded: what is of a later version is given, and not remembered */
function rememberedIn(memory: Remembered, isOfVersion: () => Promise<boolean>): RememberedVersion {
  return {
    read: async <Value>(
      kind: string,
      ...[keys, load]: [readonly string[], (missing: readonly string[]) => Promise<ReadonlyMap<string, Value>>]
    ) => {
      const found = new Map<string, Value>();
      const missing = new Set<string>();
      const values = memory.kinds.get(kind) ?? new Map<string, unknown>();
      for (const key of keys) {
        const known = values.get(key);
        if (known !== undefined) found.set(key, known as Value);
        else missing.add(key);
      }
      if (missing.size === 0) return found;
      const loaded = await load([...missing]);
      for (const [key, value] of loaded) found.set(key, value);
      if (!(await isOfVersion())) return found;
      if (memory.count + loaded.size > MAX_REMEMBERED) {
        memory.kinds.clear();
        memory.count = 0;
      }
      const kept = memory.kinds.get(kind) ?? new Map<string, unknown>();
      memory.kinds.set(kind, kept);
      memory.count -= kept.size;
      for (const [key, value] of loaded) kept.set(key, value);
      memory.count += kept.size;
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
export function versionsToAsk(reading: Reading): CompiledQuery<VersionRow> | undefined {
  const known = held.get(reading);
  return known === undefined || known.versions !== undefined ? undefined : versionsQuery(reading);
}

/** Takes what {@link versionsToAsk} gave. @internal */
export function noteVersions(reading: Reading, rows: readonly VersionRow[]): void {
  held.set(reading, { versions: Promise.resolve(versionsIn(rows)) });
}
