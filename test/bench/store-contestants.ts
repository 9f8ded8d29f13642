import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';

/** Where the bench puts what it is compared with; never a dependency, since it has an install script. */
const PREFIX = fileURLToPath(new URL('../../.cache/better-sqlite3', import.meta.url));

/** What installs it, for the note of a machine that cannot. */
export const SQLITE_INSTALL =
  'npm i --no-save --no-package-lock --prefix .cache/better-sqlite3 --ignore-scripts=false better-sqlite3@12';

/** It is compiled where there is no ready-made binary: minutes on a busy machine. */
const BUILD_TIMEOUT_MS = 600_000;

interface Statement {
  readonly run: (...values: readonly unknown[]) => unknown;
  readonly all: (...values: readonly unknown[]) => readonly unknown[];
}

interface Database {
  readonly exec: (sql: string) => void;
  readonly prepare: (sql: string) => Statement;
  readonly pragma: (text: string) => void;
  readonly close: () => void;
}

/** SQLite with an index for everything that a look-up asks by, synced at every commit as the record store is. */
export interface SqliteStore {
  readonly insert: (records: readonly CallRecord[]) => void;
  readonly findCalled: (tn: string, fromUs: number, toUs: number) => readonly CallRecord[];
  readonly close: () => void;
}

/** Opens a new file; undefined where better-sqlite3 can be neither loaded nor installed. */
export function openSqlite(file: string): SqliteStore | undefined {
  const Sqlite = loaded() ?? installed();
  return Sqlite === undefined ? undefined : storeOf(new Sqlite(file));
}

type SqliteModule = new (file: string) => Database;

function loaded(): SqliteModule | undefined {
  try {
    return createRequire(join(PREFIX, 'bench.cjs'))('better-sqlite3') as SqliteModule;
  } catch {
    return undefined;
  }
}

function installed(): SqliteModule | undefined {
  mkdirSync(PREFIX, { recursive: true });
  const [command = 'npm', ...argv] = SQLITE_INSTALL.replace('.cache/better-sqlite3', PREFIX).split(' ');
  spawnSync(command, argv, { stdio: 'ignore', timeout: BUILD_TIMEOUT_MS });
  return loaded();
}

const INDEXED = [
  ...['called', 'translated', 'lrn', 'calling', 'asserted', 'call_in', 'call_out'],
  ...['orig_received', 'orig_signed', 'trunk_in', 'trunk_out'],
];

function storeOf(database: Database): SqliteStore {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(
    `CREATE TABLE records (id BLOB PRIMARY KEY, at INTEGER, ${INDEXED.map((name) => `${name} TEXT`).join(', ')}, record TEXT)`,
  );
  for (const name of INDEXED)
    database.exec(`CREATE INDEX by_${name} ON records (${name}, at) WHERE ${name} IS NOT NULL`);
  const places = Array.from({ length: INDEXED.length + 3 }, () => '?').join(', ');
  const add = database.prepare(`INSERT OR IGNORE INTO records VALUES (${places})`);
  const find = database.prepare(
    ['called', 'translated', 'lrn']
      .map((name) => `SELECT record FROM records WHERE ${name} = @tn AND at BETWEEN @fromUs AND @toUs`)
      .join(' UNION ALL '),
  );
  return {
    insert: (records) => {
      database.exec('BEGIN');
      for (const record of records) add.run(...rowOf(record));
      database.exec('COMMIT');
    },
    findCalled: (tn, fromUs, toUs) =>
      find
        .all({ tn, fromUs, toUs })
        .map((row) => JSON.parse((row as { readonly record: string }).record) as CallRecord),
    close: () => database.close(),
  };
}

function rowOf(record: CallRecord): readonly unknown[] {
  const { called, calling, asserted, ingress, egress, received, signed } = record;
  const keys = [
    called?.tn,
    called?.translatedTn,
    called?.lrn,
    calling?.tn,
    asserted?.tn,
    ingress.callId,
    egress.callId,
  ];
  return [
    Buffer.from(record.recordId, 'hex'),
    record.inviteAtUs,
    ...[...keys, received?.origId, signed?.origId, ingress.trunk, egress.trunk].map((key) => key ?? null),
    JSON.stringify(record),
  ];
}
