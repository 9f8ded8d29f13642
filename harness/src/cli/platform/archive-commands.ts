import { resolve } from 'node:path';
import { isHopbackError } from '@hopback/sdk/errors';
import { printableText } from '@hopback/sdk/platform';
import { backupStoppedPlatform, restoreStoppedPlatform } from '../../platform/reference/index.js';
import type { RestoredPlatform, StoppedPlatform } from '../../platform/reference/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { archiveFigures } from './platform-orders.js';
import type { ArchiveFigures } from './platform-orders.js';
import { giveOrder } from './order-socket.js';
import { startFailureLine } from './start-failure.js';
import { shownPath } from './shown-start.js';
import { PLATFORM_USAGE } from './usage.js';

const OPTIONS = {
  directory: { type: 'string' },
  database: { type: 'string' },
  keys: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface ArchiveCommand {
  readonly io: HarnessProcess;
  readonly archive: string;
  readonly directory: string;
  readonly databaseUrl: string | undefined;
  readonly keys: string | undefined;
  readonly isJson: boolean;
}

/** Writes an archive of a platform, or makes a platform of one. @returns the exit code */
export async function runArchiveCommand(
  verb: 'backup' | 'restore',
  argv: readonly string[],
  io: HarnessProcess,
): Promise<number> {
  const asked = readCommandLine(argv, OPTIONS);
  if (asked.status === 'read' && asked.values.help) {
    io.stdout.write(PLATFORM_USAGE);
    return EXIT.ok;
  }
  const why = asked.status === 'read' ? whatIsWrong(verb, asked) : asked.why;
  if (asked.status === 'not-understood' || why !== undefined) {
    io.stderr.write(`hopback-harness platform ${verb}: ${why}\n\n${PLATFORM_USAGE}`);
    return EXIT.usage;
  }
  const { values, positionals } = asked;
  const command: ArchiveCommand = {
    io,
    archive: resolve(positionals[0] ?? ''),
    directory: resolve(values.directory ?? 'hopback-platform'),
    databaseUrl: values.database,
    keys: values.keys === undefined ? undefined : resolve(values.keys),
    isJson: values.json,
  };
  try {
    return await (verb === 'backup' ? backup(command) : restore(command));
  } catch (error) {
    return failed(command, verb, error);
  }
}

interface Given {
  readonly values: { readonly directory?: string; readonly keys?: string };
  readonly positionals: readonly string[];
}

function whatIsWrong(verb: 'backup' | 'restore', { values, positionals }: Given): string | undefined {
  if (positionals.length !== 1) return 'it takes the folder of one archive';
  if (verb === 'restore' && values.directory === undefined) return 'it takes --directory, the folder that it makes';
  return verb === 'backup' && values.keys !== undefined ? '--keys is for restore: no archive has keys' : undefined;
}

async function backup(command: ArchiveCommand): Promise<number> {
  const { directory, archive, io } = command;
  const progress = progressOf(command);
  const last = await giveOrder(directory, {
    order: { backup: archive },
    onLine: ({ progress: how }) => progress.show(how as Progress),
  });
  progress.end();
  if (last === undefined) {
    io.stderr.write('hopback-harness platform backup: the platform ended before the backup did: begin it anew\n');
    return EXIT.environment;
  }
  if (last !== 'nobody' && 'failed' in last) {
    io.stderr.write(`hopback-harness platform backup: ${printableText(String(last['failed']))}\n`);
    return EXIT.environment;
  }
  const figures =
    last === 'nobody'
      ? archiveFigures(await backupStoppedPlatform(stopped(command), archive, progress.show))
      : (last['done'] as ArchiveFigures);
  progress.end();
  return said(command, { archive, wasRunning: last !== 'nobody', ...figures }, [
    `✓ ${figures.rows} rows of ${figures.tables} tables and ${figures.files} files, ${size(figures.bytes)}, as of ${figures.createdAt}`,
    `  in ${shownPath(archive, process.cwd())}`,
    `! The keys are not in it: keep ${shownPath(`${directory}/keys`, process.cwd())} elsewhere. Without them nobody reads it.`,
  ]);
}

async function restore(command: ArchiveCommand): Promise<number> {
  const { directory, archive, keys } = command;
  const progress = progressOf(command);
  const target = { ...stopped(command), ...(keys !== undefined && { keys }) };
  const restored = await restoreStoppedPlatform(archive, target, progress.show);
  progress.end();
  const figures = archiveFigures(restored.manifest);
  const audit = auditLine(restored);
  said(command, { directory, ...figures, audit: restored.audit }, [
    `✓ ${figures.rows} rows and ${figures.files} files, as of ${figures.createdAt}`,
    audit,
    `  hopback-harness platform --directory ${shownPath(directory, process.cwd())} starts it`,
  ]);
  return restored.audit.status === 'intact' ? EXIT.ok : EXIT.failed;
}

function auditLine({ audit }: RestoredPlatform): string {
  return audit.status === 'intact'
    ? `✓ the audit is whole: ${audit.entries} entries as they were signed, ${audit.rows} rows as their entries say`
    : `✗ the audit is not what was signed, in ${audit.findingCount} places: --json lists them`;
}

const stopped = ({ directory, databaseUrl }: ArchiveCommand): StoppedPlatform => ({
  directory,
  ...(databaseUrl !== undefined && { database: { url: databaseUrl } }),
});

function said({ io, isJson }: ArchiveCommand, value: unknown, lines: readonly string[]): number {
  io.stdout.write(isJson ? `${JSON.stringify(value)}\n` : `${lines.join('\n')}\n`);
  return EXIT.ok;
}

interface Progress {
  readonly table?: string;
  readonly rows: number;
}

const CLEAR_LINE = '\r\u001b[K';

/** On a terminal, how far it is. */
function progressOf({ io: { stderr }, isJson }: ArchiveCommand): {
  readonly show: (progress: Progress) => void;
  readonly end: () => void;
} {
  if (!stderr.isTTY || isJson) return { show: () => undefined, end: () => undefined };
  return {
    show: ({ table = 'files', rows }) => void stderr.write(`${CLEAR_LINE}  ${table} ${rows}`),
    end: () => void stderr.write(CLEAR_LINE),
  };
}

/** Why of what could not be done the archive is to blame. */
const OF_THE_ARCHIVE: ReadonlySet<unknown> = new Set(['no-archive', 'archive-changed', 'other-release']);

function failed({ io, directory, databaseUrl }: ArchiveCommand, verb: string, error: unknown): number {
  const line = startFailureLine(error, {
    directory,
    host: '',
    port: 0,
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
  io.stderr.write(`hopback-harness platform ${verb}: ${line}\n`);
  return isHopbackError(error) && OF_THE_ARCHIVE.has(error.details['reason']) ? EXIT.failed : EXIT.environment;
}

const MEGABYTE = 1_000_000;
const size = (bytes: number): string =>
  bytes < MEGABYTE ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;
