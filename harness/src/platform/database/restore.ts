import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { sql, type Transaction } from 'kysely';
import type { AreaDefinition, CoreTables } from '../core/index.js';
import type { ArchivedTable, ArchiveManifest, ArchiveProgress } from './backup.js';
import { digestOf, linesOf, MANIFEST_CHARS, MANIFEST_FILE, readManifest, requireEmpty } from './backup.js';
import type { MigrationTable, TableShape } from './migrate.js';
import { databaseTables, META, migratePlatform, RESTORING } from './migrate.js';
import type { OpenedDatabase } from './open-database.js';

/** Rows and characters that are written in one statement. */
const INSERTED_ROWS = 1_000;
const INSERTED_CHARS = 4 * 1_048_576;

/** Where an archive is restored to. */
export interface RestoreTarget {
  /** Without tables. */
  readonly database: OpenedDatabase;
  /** Every area of the release. */
  readonly definitions: readonly AreaDefinition[];
  /** Where the folders of the archive go, by their names: `audit` and others. Not there, or empty. */
  readonly folders?: Readonly<Record<string, string>>;
}

/**
 * Restores an archive into an empty database, of either engine, and empty folders. Every file is held against its hash before anything is
 * written; the tables are filled in one transaction, so that they are all there or none is, and a restore that ended early can be begun anew.
 * @param archive - folder that {@link backupPlatform} wrote
 * @param target - of the release that made the archive: a later one migrates what was restored when it starts
 * @throws HopbackError `invalid-argument` with `reason` in its details: `no-archive`, `archive-changed` (`path` says which file), `not-empty`,
 * `other-release`, `folder-not-given`; `storage-failed`; what the database throws
 */
export async function restorePlatform(
  archive: string,
  target: RestoreTarget,
  onProgress: (progress: ArchiveProgress) => void = () => undefined,
): Promise<ArchiveManifest> {
  const { database, definitions, folders = {} } = target;
  const manifest = await verifiedManifest(archive);
  await requireNoTables(database);
  for (const folder of Object.values(folders)) await requireEmpty(folder, 'the folder');
  const placed = manifest.files.map(({ path }) => ({ path, to: placeOf(path, folders) }));
  await migratePlatform(database, definitions, { isRestore: true });
  await database.database.transaction().execute(async (transaction) => {
    await sql`set local statement_timeout = 0`.execute(transaction);
    await filled(transaction, archive, manifest, onProgress);
  });
  for (const { path, to } of placed) {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await copyFile(join(archive, path), to);
  }
  await META.remove(database.database, RESTORING);
  return manifest;
}

/**
 * Holds every file of an archive against its manifest.
 * @throws HopbackError as {@link restorePlatform}
 */
export async function verifiedManifest(archive: string): Promise<ArchiveManifest> {
  const path = join(archive, MANIFEST_FILE);
  const size = await stat(path).then(
    (stats) => stats.size,
    () => Infinity,
  );
  const manifest = size > MANIFEST_CHARS ? undefined : readManifest(await readFile(path, 'utf8'));
  if (manifest === undefined) throw refused('no-archive', `${archive} is no archive, or was not written to its end`);
  for (const file of [...manifest.tables, ...manifest.files]) {
    const digest = await digestOf(join(archive, file.path)).catch(() => undefined);
    if (digest?.sha256 !== file.sha256 || digest.bytes !== file.bytes) {
      throw refused('archive-changed', `${file.path} of the archive is missing or was changed`, { path: file.path });
    }
  }
  return manifest;
}

async function requireNoTables({ database }: OpenedDatabase): Promise<void> {
  const tables = await databaseTables(database);
  if (tables.length === 0) return;
  // A restore that ended early: nothing was in it before.
  const hasMeta = tables.some(({ table }) => table === 'core_meta');
  if (hasMeta && (await META.get(database, RESTORING)) !== undefined) return;
  throw refused('not-empty', 'the database to restore into has tables');
}

function placeOf(path: string, folders: Readonly<Record<string, string>>): string {
  const [, name = '', ...rest] = path.split('/');
  const folder = folders[name];
  if (folder === undefined)
    throw refused('folder-not-given', `where does the folder ${name} of the archive go`, { path });
  return join(folder, ...rest);
}

async function filled(
  transaction: Transaction<CoreTables>,
  archive: string,
  manifest: ArchiveManifest,
  onProgress: (progress: ArchiveProgress) => void,
): Promise<void> {
  await requireSameMigrations(transaction, manifest);
  const shapes = new Map((await databaseTables(transaction)).map((shape) => [shape.table, shape]));
  const names = manifest.tables.map(({ table }) => table);
  if (names.length > 0) {
    await sql`truncate ${sql.join(names.map((name) => sql.table(name)))} cascade`.execute(transaction);
  }
  // References between tables would ask for an order; they are checked when they are made again.
  const references = await droppedReferences(transaction);
  for (const table of manifest.tables) {
    const shape = shapes.get(table.table);
    if (shape === undefined) throw refused('other-release', `there is no table ${table.table} in this release`);
    await sql`alter table ${sql.table(table.table)} disable trigger user`.execute(transaction);
    await filledTable(transaction, { archive, table, shape, onProgress });
    await sql`alter table ${sql.table(table.table)} enable trigger user`.execute(transaction);
  }
  for (const { table, name, definition } of references) {
    await sql`alter table ${sql.table(table)} add constraint ${sql.ref(name)} ${sql.raw(definition)}`.execute(
      transaction,
    );
  }
  for (const { name, value, isCalled } of manifest.sequences) {
    await sql`select setval(${name}::regclass, ${value}::bigint, ${isCalled})`.execute(transaction);
  }
  // Truncated with the others; gone when the folders are there as well.
  await META.remove(transaction, RESTORING);
  await META.add(transaction, { name: RESTORING, value: manifest.createdAt });
}

async function requireSameMigrations(transaction: Transaction<CoreTables>, manifest: ArchiveManifest): Promise<void> {
  const rows = await transaction
    .withTables<MigrationTable>()
    .selectFrom('core_migrations')
    .select(['name', 'hash'])
    .execute();
  const hashes = new Map(rows.map(({ name, hash }) => [name, hash]));
  const isSame = manifest.migrations.every(({ name, hash }) => hashes.get(name) === hash);
  if (isSame && manifest.migrations.length === hashes.size) return;
  throw refused('other-release', 'the archive is from another release: restore it with that one, then start this one');
}

async function droppedReferences(transaction: Transaction<CoreTables>): Promise<
  readonly {
    readonly table: string;
    readonly name: string;
    readonly definition: string;
  }[]
> {
  const { rows } = await sql<{
    readonly table: string;
    readonly name: string;
    readonly definition: string;
  }>`
    select r.relname as table, c.conname as name, pg_get_constraintdef(c.oid) as definition
    from pg_constraint c join pg_class r on r.oid = c.conrelid
    where c.contype = 'f' and c.connamespace = current_schema()::regnamespace and c.conparentid = 0
    order by r.relname, c.conname`.execute(transaction);
  for (const { table, name } of rows) {
    await sql`alter table ${sql.table(table)} drop constraint ${sql.ref(name)}`.execute(transaction);
  }
  return rows;
}

async function filledTable(
  transaction: Transaction<CoreTables>,
  of: {
    readonly archive: string;
    readonly table: ArchivedTable;
    readonly shape: TableShape;
    readonly onProgress: (progress: ArchiveProgress) => void;
  },
): Promise<void> {
  const { archive, table, shape, onProgress } = of;
  const types = new Map(shape.columns.map(({ column, type }) => [column, type]));
  const values = table.columns.map((column, at) => {
    const type = types.get(column);
    if (type === undefined) throw refused('other-release', `there is no column ${column} in ${table.table}`);
    return sql`(line ->> ${sql.lit(at)})::${sql.raw(type)}`;
  });
  const columns = sql.join(table.columns.map((column) => sql.ref(column)));
  let lines: string[] = [];
  let [chars, rows, bytes] = [0, 0, 0];
  const insert = async (): Promise<void> => {
    if (lines.length === 0) return;
    await sql`insert into ${sql.table(table.table)} (${columns}) overriding system value
      select ${sql.join(values)} from json_array_elements(${`[${lines.join(',')}]`}::json) as line`.execute(
      transaction,
    );
    rows += lines.length;
    bytes += chars;
    [lines, chars] = [[], 0];
    onProgress({ table: table.table, rows, bytes });
  };
  for await (const line of linesOf(join(archive, table.path))) {
    lines.push(line);
    chars += line.length;
    if (lines.length >= INSERTED_ROWS || chars >= INSERTED_CHARS) await insert();
  }
  await insert();
  if (rows !== table.rows) throw refused('archive-changed', `${table.path} has other rows than the archive says`);
}

function refused(reason: string, message: string, details: Readonly<Record<string, string>> = {}): HopbackError {
  return new HopbackError('invalid-argument', message, { details: { reason, ...details } });
}
