import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { EXIT, refuseOperands, UsageError } from '@hopback/sdk/internal/cli';
import type { ExitCode, Options } from '@hopback/sdk/internal/cli';
import { printableText } from '@hopback/sdk/internal';
import {
  backupStoppedPlatform,
  restoreStoppedPlatform,
  verifyStoppedAudit,
} from '../platform/reference/archive-platform.js';
import type { RestoredPlatform, StoppedPlatform } from '../platform/reference/archive-platform.js';
import { auditFaults } from './api/commands.js';
import { archiveFigures, giveOrder } from './platform/orders.js';
import type { ArchiveFigures } from './platform/orders.js';
import { PLACE_OPTIONS } from './platform/settings.js';
import { shownPath, startFailureLine } from './platform/start.js';
import { setV8AfterLoading } from './platform/v8-settings.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';
import type { AuditFinding, AuditVerification } from '../platform/index.js';

/** Where a platform is. */
interface ArchivePlace {
  readonly directory: string;
  readonly databaseUrl: string | undefined;
}

interface ArchiveCommand extends ArchivePlace {
  readonly io: HarnessIo;
  readonly archive: string;
  readonly keys: string | undefined;
  readonly isJson: boolean;
}

const EXIT_CODES =
  'Exit codes: 0 done; 1 the archive or the audit was changed; 2 the command line cannot be understood; 4 a folder, key or ' +
  'database is not usable.';

/** `hopback-harness platform backup` */
export const BACKUP: HarnessCommand = {
  usage: ['ARCHIVE [--directory DIR] [--database URL]'],
  options: PLACE_OPTIONS,
  notes: [EXIT_CODES],
  run: (options, io) => carryOut(backup, options, io),
};

/** `hopback-harness platform restore` */
export const RESTORE: HarnessCommand = {
  usage: ['ARCHIVE --directory DIR [--keys FOLDER] [--database URL]'],
  options: {
    ...PLACE_OPTIONS,
    directory: { value: 'DIR', text: 'folder to create' },
    keys: { value: 'FOLDER', text: 'folder with the backup of its keys, which are not in the archive' },
  },
  notes: [EXIT_CODES],
  run: async (options, io) => {
    if (options.text('directory') === undefined) throw new UsageError('--directory is needed: the folder to create');
    return carryOut(restore, options, io);
  },
};

async function carryOut(
  work: (command: ArchiveCommand) => Promise<ExitCode>,
  options: Options,
  io: HarnessIo,
): Promise<ExitCode> {
  setV8AfterLoading();
  const [archive, more] = options.operands;
  if (archive === undefined || more !== undefined) throw new UsageError('name the folder of one archive');
  const keys = options.text('keys');
  const command: ArchiveCommand = {
    ...placeOf(options),
    io,
    archive: resolve(archive),
    keys: keys === undefined ? undefined : resolve(keys),
    isJson: options.isOn('json'),
  };
  try {
    return await work(command);
  } catch (error) {
    throw failed(command, error);
  }
}

const placeOf = (options: Options): ArchivePlace => ({
  directory: resolve(options.text('directory') ?? 'hopback-platform'),
  databaseUrl: options.text('database'),
});

async function backup(command: ArchiveCommand): Promise<ExitCode> {
  const { directory, archive } = command;
  const progress = progressOf(command);
  const last = await giveOrder(directory, {
    order: { backup: archive },
    onLine: ({ progress: how }) => progress.show(how as Progress),
  });
  progress.end();
  if (last === undefined)
    throw new HopbackError('unavailable', 'the platform ended before the backup was complete: start the backup again');
  if (last !== 'nobody' && 'failed' in last)
    throw new HopbackError('unavailable', printableText(String(last['failed'])));
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

async function restore(command: ArchiveCommand): Promise<ExitCode> {
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
  return restored.audit.status === 'intact' ? EXIT.ok : EXIT.negative;
}

function auditLine({ audit }: RestoredPlatform): string {
  return audit.status === 'intact'
    ? `✓ the audit is intact: ${audit.entries} entries are as signed, ${audit.rows} rows match their entries`
    : `✗ the audit is not what was signed, in ${audit.findingCount} places: --json lists them`;
}

const stopped = ({ directory, databaseUrl }: ArchiveCommand): StoppedPlatform => ({
  directory,
  ...(databaseUrl !== undefined && { database: { url: databaseUrl } }),
});

function said({ io, isJson }: ArchiveCommand, value: unknown, lines: readonly string[]): ExitCode {
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
  if (!stderr.isTty || isJson) return { show: () => undefined, end: () => undefined };
  return {
    show: ({ table = 'files', rows }) => stderr.write(`${CLEAR_LINE}  ${table} ${rows}`),
    end: () => stderr.write(CLEAR_LINE),
  };
}

/** Reasons that are the archive's fault. */
const OF_THE_ARCHIVE: ReadonlySet<unknown> = new Set(['no-archive', 'archive-changed', 'other-release']);

function failed({ directory, databaseUrl }: ArchivePlace, error: unknown): HopbackError {
  const where = {
    directory,
    host: '',
    port: 0,
    ...(databaseUrl !== undefined && { databaseUrl }),
  };
  const isOfArchive = isHopbackError(error) && OF_THE_ARCHIVE.has(error.details['reason']);
  return new HopbackError(isOfArchive ? 'log-inconsistent' : 'unavailable', startFailureLine(error, where), {
    cause: error,
  });
}

const MEGABYTE = 1_000_000;
const size = (bytes: number): string =>
  bytes < MEGABYTE ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;

/** Findings that are printed. */
const SHOWN_FINDINGS = 20;

/** `hopback-harness platform audit verify` */
export const AUDIT_VERIFY: HarnessCommand = {
  usage: ['[--directory DIR] [--database URL] [--checkpoint FILE]...'],
  options: {
    ...PLACE_OPTIONS,
    checkpoint: {
      value: 'FILE',
      multiple: true,
      text: 'checkpoint kept elsewhere; shows whether the end of the log was cut off',
    },
  },
  notes: ['Works whether or not the platform is running, and names the first bad entry.', EXIT_CODES],
  run: async (options, io) => {
    refuseOperands(options);
    setV8AfterLoading();
    const place = placeOf(options);
    try {
      const checkpoints = await Promise.all(options.texts('checkpoint').map((file) => checkpointIn(file)));
      const result = await verified({ ...place, checkpoints });
      if (typeof result === 'string') throw new HopbackError('unavailable', printableText(result));
      io.stdout.write(options.isOn('json') ? `${JSON.stringify(result)}\n` : `${auditLines(result).join('\n')}\n`);
      return result.status === 'intact' ? EXIT.ok : EXIT.negative;
    } catch (error) {
      if (isHopbackError(error) && error.code === 'invalid-argument' && error.details['reason'] === undefined)
        throw new UsageError(printableText(error.message));
      throw failed(place, error);
    }
  },
};

/** A signed note: by itself, or as `audit checkpoint --json` prints it. */
async function checkpointIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (!text.trimStart().startsWith('{')) return text;
  const { checkpoint } = JSON.parse(text) as { readonly checkpoint?: unknown };
  return typeof checkpoint === 'string' ? checkpoint : '';
}

interface AuditPlace extends ArchivePlace {
  readonly checkpoints: readonly string[];
}

/** By the platform that has the folder open, or by itself. @returns the result, or why there is none */
async function verified({ directory, databaseUrl, checkpoints }: AuditPlace): Promise<AuditVerification | string> {
  const last = await giveOrder(directory, { order: { verifyAudit: checkpoints }, onLine: () => undefined });
  if (last === undefined) return 'the platform ended before the audit was checked: start again';
  if (last === 'nobody') {
    const database = databaseUrl === undefined ? {} : { database: { url: databaseUrl } };
    return verifyStoppedAudit({ directory, ...database }, checkpoints);
  }
  if (last['code'] === 'invalid-argument') throw new HopbackError('invalid-argument', String(last['failed']));
  return 'failed' in last ? String(last['failed']) : (last['done'] as AuditVerification);
}

function auditLines(result: AuditVerification): readonly string[] {
  const { entries, rows, waiting, segments, findings, findingCount } = result;
  const figures = `${entries} signed entries in ${segments} ${segments === 1 ? 'segment' : 'segments'}, ${rows} rows compared`;
  const later = waiting > 0 ? `, ${waiting} not in the log yet` : '';
  if (result.status === 'intact') return [`\u2713 the audit is as it was signed: ${figures}${later}`];
  const more = findingCount - Math.min(findingCount, SHOWN_FINDINGS);
  return [
    ...auditFaults(result).map((fault) => `\u2717 ${fault}`),
    `  ${figures}${later}`,
    ...findings.slice(0, SHOWN_FINDINGS).map((finding) => `  ${findingText(finding)}`),
    ...(more > 0 ? [`  and ${more} more: --json lists them`] : []),
  ];
}

function findingText(finding: AuditFinding): string {
  const kind = finding.in === 'table' ? finding.kind : finding.finding.kind;
  const leafIndex =
    finding.in === 'log' ? finding.finding.leafIndex : 'leafIndex' in finding ? finding.leafIndex : undefined;
  const where = 'position' in finding && finding.position !== undefined ? `entry ${finding.position}: ` : '';
  const leaf = leafIndex === undefined ? '' : `, leaf ${leafIndex}`;
  return `${where}${kind}, in the ${finding.in} (segment ${finding.segment}${leaf})`;
}
