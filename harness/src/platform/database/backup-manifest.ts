/** Format of an archive; another one is refused. */
export const ARCHIVE_FORMAT = 'hopback-platform-archive-1';
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
  readonly sequences: readonly { readonly name: string; readonly value: string; readonly isCalled: boolean }[];
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
