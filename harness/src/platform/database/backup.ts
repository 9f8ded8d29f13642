import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { HopbackError } from '@hopback/sdk/errors';
import type { Clock } from '@hopback/sdk/platform';
import { sql, type ControlledTransaction } from 'kysely';
import type { CoreTables } from '../core/index.js';
import { archivedCopy, createArchiveFile, filesBelow, requireEmpty } from './archive-files.js';
import type { AuditLog } from './audit-log.js';
import {
  ARCHIVE_FORMAT,
  MANIFEST_FILE,
  type ArchivedFile,
  type ArchivedTable,
  type ArchiveManifest,
} from './backup-manifest.js';
import { databaseTables, sequenceValues, type TableShape } from './database-shape.js';
import type { MigrationTable } from './migrate.js';
import type { OpenedDatabase } from './open-database.js';

/** Rows that are read at once; fewer where they are large. */
const FETCHED_ROWS = 1_000;
/** Characters that are read at once, about: a row may be a document. */
const FETCHED_CHARS = 4 * 1_048_576;

/** How far a backup or restore is. */
export interface ArchiveProgress {
  readonly table?: string;
  readonly rows: number;
  readonly bytes: number;
}

/** What is backed up. */
export interface PlatformToBackUp {
  readonly database: OpenedDatabase;
  /** Its files are copied at the instant of the snapshot, so that log and table agree. */
  readonly audit?: AuditLog;
  /** Other folders, by names of their own: those whose files bear to be copied as after a crash, and be removed meanwhile. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Folders whose files are copied at the instant of the snapshot, while `whilePaused` keeps them from changing. */
  readonly pausing?: {
    readonly folders: Readonly<Record<string, string>>;
    readonly whilePaused: <Result>(work: () => Promise<Result>) => Promise<Result>;
  };
  readonly clock: Clock;
}

type Snapshot = ControlledTransaction<CoreTables>;

/**
 * Writes an archive of a platform that runs: all tables as of one instant, and the log of its audit. Rows are lines of JSON, read in pages, so that it takes
 * some megabytes of memory whatever the size. The key ring is not in it: without that no number of the archive can be read, and it
 * belongs elsewhere ({@link saveKeyRing}). On PGlite other transactions wait until the tables are written.
 * @param platform - opened
 * @param archive - a folder that is not there, or is empty
 * @param onProgress - is told after each page
 * @returns what the archive holds; the manifest is written last, and without it the folder is none
 * @throws HopbackError `invalid-argument` (`reason: 'not-empty'`), `storage-failed`; what the database throws
 */
export async function backupPlatform(
  platform: PlatformToBackUp,
  archive: string,
  onProgress: (progress: ArchiveProgress) => void = () => undefined,
): Promise<ArchiveManifest> {
  const { database, audit, folders = {}, pausing, clock } = platform;
  await requireEmpty(archive, 'the folder for the archive');
  await mkdir(archive, { recursive: true, mode: 0o700 });
  const createdAt = new Date(clock.nowMs()).toISOString();
  const files: ArchivedFile[] = [];
  const begun = async (): Promise<Snapshot> => {
    const builder = database.database.startTransaction().setIsolationLevel('repeatable read');
    const snapshot = await builder.setAccessMode('read only').execute();
    // The snapshot is taken by the first statement, and not by the beginning.
    await sql`select 1 from core_audit limit 1`.execute(snapshot);
    try {
      if (audit !== undefined) files.push(...(await copiedFolder(archive, 'audit', audit.directory)));
      for (const [name, folder] of Object.entries(pausing?.folders ?? {}))
        files.push(...(await copiedFolder(archive, name, folder)));
    } catch (error) {
      await snapshot.rollback().execute();
      throw error;
    }
    return snapshot;
  };
  const ofAudit = (): Promise<Snapshot> => (audit === undefined ? begun() : audit.whilePaused(begun));
  const snapshot = pausing === undefined ? await ofAudit() : await pausing.whilePaused(ofAudit);
  try {
    // As long as it takes.
    await sql`set local statement_timeout = 0`.execute(snapshot);
    await sql`set local idle_in_transaction_session_timeout = 0`.execute(snapshot);
    const migrations = await snapshot
      .withTables<MigrationTable>()
      .selectFrom('core_migrations')
      .select(['name', 'hash'])
      .orderBy('name')
      .execute();
    const tables: ArchivedTable[] = [];
    for (const shape of await databaseTables(snapshot)) {
      if (shape.table !== 'core_migrations') tables.push(await archivedTable(snapshot, { archive, shape, onProgress }));
    }
    const sequences = await sequenceValues(snapshot);
    for (const [name, folder] of Object.entries(folders)) files.push(...(await copiedFolder(archive, name, folder)));
    const { engine } = database;
    const manifest: ArchiveManifest = {
      format: ARCHIVE_FORMAT,
      createdAt,
      engine,
      migrations,
      tables,
      sequences,
      files,
    };
    const writer = await createArchiveFile(archive, MANIFEST_FILE);
    await writer.write(`${JSON.stringify(manifest, undefined, 1)}\n`);
    await writer.end();
    return manifest;
  } finally {
    await snapshot
      .rollback()
      .execute()
      .catch(() => undefined);
  }
}

async function copiedFolder(archive: string, name: string, folder: string): Promise<readonly ArchivedFile[]> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    throw new HopbackError('invalid-argument', `${name} is no name for a folder`);
  const copied: ArchivedFile[] = [];
  for (const path of await filesBelow(folder)) {
    // What was removed since it was listed is what nobody wants any more.
    const file = await archivedCopy(archive, join(folder, path), `folders/${name}/${path}`);
    if (file !== undefined) copied.push(file);
  }
  return copied;
}

async function archivedTable(
  snapshot: Snapshot,
  of: {
    readonly archive: string;
    readonly shape: TableShape;
    readonly onProgress: (progress: ArchiveProgress) => void;
  },
): Promise<ArchivedTable> {
  const { archive, shape, onProgress } = of;
  const { table, columns } = shape;
  const writer = await createArchiveFile(archive, `tables/${table}.ndjson`);
  let [rows, chars, count] = [0, 0, 1];
  try {
    const values = sql.join(columns.map(({ column }) => sql`${sql.ref(column)}::text`));
    await sql`declare archived no scroll cursor for
      select json_build_array(${values})::text as line from ${sql.table(table)}`.execute(snapshot);
    for (;;) {
      const page = await sql<{ readonly line: string }>`fetch forward ${sql.lit(count)} from archived`.execute(
        snapshot,
      );
      let pageChars = 0;
      for (const { line } of page.rows) {
        pageChars += line.length;
        await writer.write(`${line}\n`);
      }
      rows += page.rows.length;
      chars += pageChars;
      if (page.rows.length < count) break;
      onProgress({ table, rows, bytes: chars });
      count = Math.max(
        1,
        Math.min(FETCHED_ROWS, count * 2, Math.floor((FETCHED_CHARS * count) / Math.max(1, pageChars))),
      );
    }
    await sql`close archived`.execute(snapshot);
    const file = await writer.end();
    onProgress({ table, rows, bytes: file.bytes });
    return { ...file, table, rows, columns: columns.map(({ column }) => column) };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
