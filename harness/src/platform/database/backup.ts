import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, opendir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import type { Clock } from '@hopback/sdk/platform';
import type { ControlledTransaction } from 'kysely';
import { sql } from 'kysely';
import type { CoreTables } from '../core/index.js';
import type { AuditLog } from './audit-log.js';
import type { MigrationTable, TableShape } from './migrate.js';
import { databaseTables, sequenceValues } from './migrate.js';
import type { OpenedDatabase } from './open-database.js';
import { namesIn } from './open-database.js';

/** Format of an archive; another one is refused. */
const ARCHIVE_FORMAT = 'hopback-platform-archive-1';
/** The file that makes a folder an archive; written last. */
export const MANIFEST_FILE = 'manifest.json';
/** Characters of a manifest: some hundred thousand files. */
export const MANIFEST_CHARS: number = 64 * 1_048_576;

/** A file of an archive. */
export interface ArchivedFile {
  /** Below the archive, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A table of an archive: one line of JSON for each row, each value as text of PostgreSQL. */
export interface ArchivedTable extends ArchivedFile {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

/** What an archive holds. */
export interface ArchiveManifest {
  readonly format: 'hopback-platform-archive-1';
  readonly createdAt: string;
  readonly engine: 'pglite' | 'postgresql';
  /** Names and hashes of the migrations that made the schema. */
  readonly migrations: readonly { readonly name: string; readonly hash: string }[];
  readonly tables: readonly ArchivedTable[];
  readonly sequences: readonly {
    readonly name: string;
    readonly value: string;
    readonly isCalled: boolean;
  }[];
  /** Files of folders, `folders/audit/…`. */
  readonly files: readonly ArchivedFile[];
}

type Members = Readonly<Record<string, unknown>>;

/** Reads a manifest; undefined for text that is none, or names places outside of the archive. Never throws. */
export function readManifest(text: string): ArchiveManifest | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMembers(given) || given['format'] !== ARCHIVE_FORMAT) return undefined;
  const { createdAt, engine, migrations, tables, sequences, files } = given;
  if (typeof createdAt !== 'string' || (engine !== 'pglite' && engine !== 'postgresql')) return undefined;
  if (!isListOf(migrations, isMigration) || !isListOf(tables, isTable)) return undefined;
  if (!isListOf(sequences, isSequence) || !isListOf(files, isFile)) return undefined;
  return given as unknown as ArchiveManifest;
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (value: unknown, is: (item: Members) => boolean): boolean =>
  Array.isArray(value) && value.every((item: unknown) => isMembers(item) && is(item));
const isText = (value: unknown): boolean => typeof value === 'string';
/** As migrations name tables, columns and sequences. */
const isName = (value: unknown): boolean => typeof value === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(value);
const isMigration = ({ name, hash }: Members): boolean => isText(name) && isText(hash);
const isSequence = ({ name, value, isCalled }: Members): boolean =>
  isName(name) && typeof value === 'string' && /^-?\d{1,19}$/.test(value) && typeof isCalled === 'boolean';
const isTable = (item: Members): boolean =>
  isFile(item) &&
  isName(item['table']) &&
  Number.isSafeInteger(item['rows']) &&
  Array.isArray(item['columns']) &&
  item['columns'].every(isName);

function isFile({ path, bytes, sha256 }: Members): boolean {
  if (typeof path !== 'string' || path.length > 1_024 || !Number.isSafeInteger(bytes)) return false;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return false;
  return path.split('/').every((part) => /^[A-Za-z0-9_.-]{1,255}$/.test(part) && part !== '.' && part !== '..');
}

/** Characters that are gathered before they are written. */
const WRITTEN_AT_ONCE = 1_048_576;

/** Begins a file of an archive, readable by its owner alone. */
async function createArchiveFile(archive: string, path: string) {
  const place = join(archive, path);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const file: FileHandle = await open(place, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const flush = async (): Promise<void> => {
    const octets = Buffer.concat(gathered);
    [gathered, gatheredBytes] = [[], 0];
    hash.update(octets);
    bytes += octets.length;
    await file.writeFile(octets);
  };
  return {
    write: async (given: Uint8Array | string) => {
      const octets = typeof given === 'string' ? Buffer.from(given, 'utf8') : given;
      gathered.push(octets);
      gatheredBytes += octets.length;
      if (gatheredBytes >= WRITTEN_AT_ONCE) await flush();
    },
    /** Synced to the disk. */
    end: async (): Promise<ArchivedFile> => {
      await flush();
      await file.sync();
      await file.close();
      return { path, bytes, sha256: hash.digest('hex') };
    },
    /** After a failure: what was written stays, and is no archive. */
    abandon: () => file.close().catch(() => undefined),
  };
}

/**
 * Copies a file into an archive. One that goes on being written to is copied as far as it went.
 * @returns undefined where there is none any more
 */
async function archivedCopy(archive: string, from: string, path: string): Promise<ArchivedFile | undefined> {
  const file = await open(from).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  await using source = file;
  const writer = await createArchiveFile(archive, path);
  try {
    for await (const chunk of source.createReadStream({ autoClose: false }))
      await writer.write(Buffer.from(chunk as Uint8Array));
    return await writer.end();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** Files below a folder, by their paths in it with `/`: neither locks nor sockets; none where there is no folder. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await opendir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for await (const entry of entries) {
    if (!entry.isFile() || entry.name === 'lock') continue;
    found.push(relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  }
  return found.sort();
}

/** SHA-256 of a file, and its length. */
export async function digestOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    const octets = Buffer.from(chunk as Uint8Array);
    hash.update(octets);
    bytes += octets.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** @throws HopbackError `invalid-argument` for a folder that holds something */
export async function requireEmpty(folder: string, what: string): Promise<void> {
  if ((await namesIn(folder)).length > 0) {
    throw new HopbackError('invalid-argument', `${what} ${folder} is not empty`, { details: { reason: 'not-empty' } });
  }
}

const LINE_FEED = 0x0a;

/** Lines of a file, without their line feeds: these alone end a line, since text may hold the separators of Unicode. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: WRITTEN_AT_ONCE })) {
    const octets = Buffer.from(chunk as Uint8Array);
    let from = 0;
    for (let end = octets.indexOf(LINE_FEED); end !== -1; end = octets.indexOf(LINE_FEED, from)) {
      parts.push(octets.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      from = end + 1;
    }
    if (from < octets.length) parts.push(octets.subarray(from));
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString('utf8');
}

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
interface PlatformToBackUp {
  readonly database: OpenedDatabase;
  /** Its files are copied at the instant of the snapshot, so that log and table agree. */
  readonly audit: AuditLog;
  /** Other folders, by names of their own: those whose files bear to be copied as after a crash, and be removed meanwhile. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Folders whose files are copied at the instant of the snapshot, while `whilePaused` keeps them from changing. */
  readonly pausing?: {
    readonly folders: Readonly<Record<string, string>>;
    readonly whilePaused: <Result>(work: () => Promise<Result>) => Promise<Result>;
  };
  readonly clock: Clock;
}

/** Nothing else has to keep still. */
const NO_PAUSE: NonNullable<PlatformToBackUp['pausing']> = { folders: {}, whilePaused: (work) => work() };

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
  const { database, audit, folders = {}, pausing = NO_PAUSE, clock } = platform;
  await requireEmpty(archive, 'the folder for the archive');
  await mkdir(archive, { recursive: true, mode: 0o700 });
  const createdAt = new Date(clock.nowMs()).toISOString();
  const files: ArchivedFile[] = [];
  const begun = async (): Promise<Snapshot> => {
    const builder = database.database.startTransaction().setIsolationLevel('repeatable read');
    const begunAt = await builder.setAccessMode('read only').execute();
    // The snapshot is taken by the first statement, and not by the beginning.
    await sql`select 1 from core_audit limit 1`.execute(begunAt);
    try {
      for (const [name, folder] of Object.entries({ audit: audit.directory, ...pausing.folders }))
        files.push(...(await copiedFolder(archive, name, folder)));
    } catch (error) {
      await begunAt.rollback().execute();
      throw error;
    }
    return begunAt;
  };
  const snapshot = await pausing.whilePaused(() => audit.whilePaused(begun));
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
      if (shape.table !== 'core_migrations') tables.push(await archivedTable(snapshot, archive, shape, onProgress));
    }
    const sequences = await sequenceValues(snapshot);
    for (const [name, folder] of Object.entries(folders)) files.push(...(await copiedFolder(archive, name, folder)));
    const manifest: ArchiveManifest = {
      format: ARCHIVE_FORMAT,
      createdAt,
      engine: database.engine,
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
  archive: string,
  { table, columns }: TableShape,
  onProgress: (progress: ArchiveProgress) => void,
): Promise<ArchivedTable> {
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
    return {
      ...file,
      table,
      rows,
      columns: columns.map(({ column }) => column),
    };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
