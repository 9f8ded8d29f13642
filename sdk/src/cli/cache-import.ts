import { cacheDirectory, requireStored } from './cache-directory.js';
import { URL_EXCEPTION_OPTIONS, openRepository, REPOSITORY_OPTIONS } from './certificate-options.js';
import type { RepositoryOption } from './certificate-options.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { requirePath } from './options.js';
import type { Options } from './options.js';
import { printJson, printLines } from './output.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

/** A cache with all the entries that a repository keeps takes some 80 MB. */
const MAX_EXPORT_BYTES: number = 256 * 1024 * 1024;

/** `hopback cache import` */
export const cacheImportCommand: Command = {
  name: 'cache import',
  summary: 'take over what another machine exported',
  usage: ['--cache DIR FILE|-'],
  options: { cache: REPOSITORY_OPTIONS.cache, ...URL_EXCEPTION_OPTIONS },
  notes: [
    'Each entry is checked as if it had been fetched, and nothing becomes trusted by it.',
    'Exit codes: 0 imported, 1 nothing could be, 2 not understood or no export, 4 the file or the cache is not usable.',
  ],
  run,
};

async function run(options: Options<RepositoryOption | 'json'>, io: CliIo): Promise<ExitCode> {
  cacheDirectory(options);
  const document = await readDocument(options.operands, io);
  const entries = entriesOf(document);
  const repository = await openRepository(options, io);
  const { imported, rejected } = await repository.import(document);
  await repository.close();
  requireStored(repository.stats());
  const exitCode = imported > 0 || entries.length === 0 ? EXIT.ok : EXIT.negative;
  if (options.isOn('json')) printJson(io, { format: 'hopback.cache-import.1', exitCode, imported, rejected });
  else
    printLines(io, [
      `${exitCode === EXIT.ok ? '✓' : '✗'} ${String(imported)} imported, ${String(rejected)} damaged, outdated or not permitted`,
    ]);
  return exitCode;
}

async function readDocument(operands: readonly string[], io: CliIo): Promise<Readonly<Record<string, unknown>>> {
  const [file] = operands;
  if (file === undefined || operands.length > 1) throw new UsageError('name the one file to import, or -');
  const bytes =
    file === '-' ? await io.stdin.read(MAX_EXPORT_BYTES) : await io.files.read(requirePath(file), MAX_EXPORT_BYTES);
  const source = file === '-' ? 'standard input' : shownText(file);
  if (bytes === undefined) throw new UsageError(`${source} has more than ${String(MAX_EXPORT_BYTES)} bytes`);
  if (bytes.length === 0) throw new UsageError(`${source} is empty`);
  try {
    const document: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof document === 'object' && document !== null) return document as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw new UsageError(`${source} is no export of a certificate cache`, [
    'hopback cache export --cache DIR FILE makes one',
  ]);
}

function entriesOf(document: Readonly<Record<string, unknown>>): readonly unknown[] {
  const entries = document['format'] === 'hopback.certificate-cache.1' ? document['entries'] : undefined;
  if (Array.isArray(entries)) return entries as readonly unknown[];
  throw new UsageError('the file is JSON, but no export of a certificate cache');
}
