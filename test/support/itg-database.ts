import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { AreaDefinition } from '../../harness/src/platform/core/index.js';
import {
  createDatabaseTemplate,
  migratePlatform,
  openPlatformDatabase,
} from '../../harness/src/platform/database/index.js';
import type { DatabasePlace, OpenedDatabase } from '../../harness/src/platform/database/index.js';

export interface TestServer {
  /** Directory of its socket, or name of its host. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface TestDatabaseOptions {
  /** Areas whose tables are made. The tables of the core always are. */
  readonly definitions?: readonly AreaDefinition[];
  /** A server of `startPostgres`, in which a database of its own is made. Default PGlite in memory. */
  readonly server?: TestServer | undefined;
  /** Folder of PGlite, where it is not in memory. */
  readonly directory?: string;
}

/** Opens a database with the tables of core and areas: of one test, or of the tests of one file. */
export async function openTestDatabase(options: TestDatabaseOptions = {}): Promise<OpenedDatabase> {
  const { definitions = [], server, directory } = options;
  const place: DatabasePlace =
    server !== undefined
      ? { url: await newDatabase(server) }
      : directory === undefined
        ? { memory: true, template: await emptyDatabase() }
        : { directory };
  const opened = await openPlatformDatabase(place);
  try {
    await migratePlatform(opened, definitions);
  } catch (error) {
    await opened.close();
    throw error;
  }
  return opened;
}

let template: Promise<Blob> | undefined;

/**
 * An empty database of PGlite. To make one takes seconds of a processor, which every file of tests would spend: the first one on a machine leaves it
 * in the folder for temporary files, under the version of PGlite.
 */
export function emptyDatabase(): Promise<Blob> {
  return (template ??= readTemplate());
}

async function readTemplate(): Promise<Blob> {
  const program = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const { version } = JSON.parse(await readFile(join(program, '../../package.json'), 'utf8')) as { version: string };
  const path = join(tmpdir(), `hopback-pglite-${version}-${process.getuid?.() ?? 0}.tar`);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined) return new Blob([kept]);
  const made = await createDatabaseTemplate();
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(beside, Buffer.from(await made.arrayBuffer()), { mode: 0o600 });
  await rename(beside, path);
  return made;
}

let databases = 0;

/** Makes an empty database in a server. @returns its URL */
export async function newDatabase(server: TestServer): Promise<string> {
  databases += 1;
  const name = `itg_${process.pid}_${databases}`;
  const { host, port, user, database } = server;
  const admin = new pg.Client({ host, port, user, database });
  await admin.connect();
  try {
    await admin.query(`create database ${name}`);
  } finally {
    await admin.end();
  }
  return `postgres://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`;
}
