import { printableText, defined, parsedJson } from '../core/text.js';
import { HopbackError } from '../errors.js';
import { CertificateRepository } from '../stir/index.js';
import { EXIT, requirePath, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import { isKeyMaterial, shownText } from './kit/node-io.js';
import type { CliIo } from './kit/node-io.js';
import { countText, printLines, report } from './kit/output.js';
import { readOperand } from './inputs/call-input.js';
import {
  allowListOf,
  CACHE_OPTIONS,
  cacheDirectory,
  FETCH_OPTIONS,
  openRepository,
  requireStored,
  URL_EXCEPTION_OPTIONS,
} from './inputs/trust-options.js';
import type { REPOSITORY_OPTIONS } from './inputs/trust-options.js';

const PRELOAD: CommandBody = {
  usage: ['--cache DIR URL...', '--cache DIR [URL...] -   (URLs from standard input, one per line)'],
  options: { ...CACHE_OPTIONS, ...FETCH_OPTIONS },
  notes: [
    'Fresh cached certificates are not fetched again. Exit codes: 0 all certificates are cached, 1 the x5u policy ' +
      'rejects a URL, 2 command line or input not valid, 4 a certificate could not be fetched, or the cache is not usable.',
  ],
  run: runPreload,
};

async function runPreload(options: OptionsOf<typeof REPOSITORY_OPTIONS>, io: CliIo): Promise<ExitCode> {
  cacheDirectory(options);
  const urls = await urlsOf(options.operands, io);
  const repository = await openRepository(options, io);
  const { found, failures } = await repository.preload(urls);
  await repository.close();
  const stats = repository.stats();
  requireStored(stats);
  const { fetches, diskLoads: fromDisk } = stats;
  const refused = failures.filter(({ status }) => status === 'refused');
  const exitCode = failures.length > refused.length ? EXIT.environment : refused.length > 0 ? EXIT.negative : EXIT.ok;
  const mark = exitCode === EXIT.ok ? '✓' : '!';
  const document = {
    format: 'hopback.cache-preload.1',
    exitCode,
    found,
    failures,
    fetches,
    fromDisk,
  };
  return report(options, io, document, [
    ...failures.map(({ url, reason, detail }) => `✗ ${printableText(url)}: ${reason} (${printableText(detail)})`),
    `${mark} ${String(found)} available: ${String(fromDisk)} from the cache, ${String(found - fromDisk)} fetched; ` +
      `${String(failures.length)} failed`,
  ]);
}

/** Those of the command line, and in the place of a `-` those of standard input. */
async function urlsOf(operands: readonly string[], io: CliIo): Promise<readonly string[]> {
  if (operands.length === 0) throw new UsageError('name at least one URL, or - to read them from standard input');
  const named = operands.filter((operand) => operand !== '-').map(requirePath);
  return named.length === operands.length ? named : [...named, ...(await urlsOfStdin(io))];
}

async function urlsOfStdin(io: CliIo): Promise<readonly string[]> {
  const { bytes } = await readOperand('-', io);
  const text = Buffer.from(bytes).toString('utf8');
  // Each line that is no URL is shown.
  if (isKeyMaterial(text)) throw new UsageError('standard input holds a key or a certificate, not URLs');
  const lines = text.split('\n').map((line) => line.trim());
  const urls = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (urls.length === 0) throw new UsageError('standard input has no URL');
  return urls;
}

const EXPORT: CommandBody = {
  usage: ['--cache DIR [FILE]'],
  options: { ...CACHE_OPTIONS, ...URL_EXCEPTION_OPTIONS },
  notes: [
    'Entries that are damaged, outdated or not permitted are left out (test networks need --allow-host and the ' +
      'like). Without FILE the document goes to standard output. An existing FILE is replaced as a whole; it does ' +
      'not change if there is nothing to export.',
    'Exit codes: 0 exported, 1 nothing to export, 2 command line or input not valid, 4 the cache or the file is not usable.',
  ],
  run: runExport,
};

async function runExport(
  options: OptionsOf<typeof CACHE_OPTIONS & typeof URL_EXCEPTION_OPTIONS>,
  io: CliIo,
): Promise<ExitCode> {
  const [file, ...more] = options.operands;
  if (more.length > 0) throw new UsageError('one file at a time');
  const directory = cacheDirectory(options);
  if ((await io.files.list(directory)) === undefined)
    throw new HopbackError('storage-failed', `${directory} does not exist`);
  const allow = allowListOf(options);
  await using repository = new CertificateRepository({ clock: io.clock, directory, ...defined({ allow }) });
  // Through memory, so that what is handed on has been checked as it will be at the other end.
  const { rejected } = await repository.restore();
  const document = repository.export();
  const exported = document.entries.length;
  const exitCode = exported > 0 ? EXIT.ok : EXIT.negative;
  const left = rejected === 0 ? '' : `, ${String(rejected)} damaged, outdated or not permitted left out`;
  if (file === undefined || file === '-') {
    io.stdout.write(`${JSON.stringify(document)}\n`);
    if (exported === 0 || rejected > 0)
      printLines(io, [`! ${countText(exported, 'certificate chain')} exported${left}`], io.stderr);
    return exitCode;
  }
  const path = shownText(requirePath(file));
  const text = `${JSON.stringify(document)}\n`;
  if (exported > 0) await io.files.write(file, text, { mode: 0o644, overwrite: true });
  return report(
    options,
    io,
    {
      format: 'hopback.cache-export.1',
      exitCode,
      path,
      exported,
      rejected,
    },
    [
      exported > 0
        ? `✓ ${path}: ${countText(exported, 'certificate chain')}${left}`
        : `✗ nothing to export${left}; ${path} is left as it is`,
    ],
  );
}

/** A cache with all the entries that a repository keeps takes some 80 MB. */
const MAX_EXPORT_BYTES: number = 256 * 1024 * 1024;

const IMPORT: CommandBody = {
  usage: ['--cache DIR FILE|-'],
  options: { ...CACHE_OPTIONS, ...URL_EXCEPTION_OPTIONS },
  notes: [
    'Each entry is checked as if it had been fetched; importing does not make a certificate trusted.',
    'Exit codes: 0 imported, 1 no entry could be imported, 2 command line or input not valid or no export, 4 the file or the cache ' +
      'is not usable.',
  ],
  run: runImport,
};

async function runImport(options: OptionsOf<typeof REPOSITORY_OPTIONS>, io: CliIo): Promise<ExitCode> {
  cacheDirectory(options);
  const document = await readDocument(options.operands, io);
  const entries = entriesOf(document);
  const repository = await openRepository(options, io);
  const { imported, rejected } = await repository.import(document);
  await repository.close();
  requireStored(repository.stats());
  const exitCode = imported > 0 || entries.length === 0 ? EXIT.ok : EXIT.negative;
  const mark = exitCode === EXIT.ok ? '✓' : '✗';
  return report(options, io, { format: 'hopback.cache-import.1', exitCode, imported, rejected }, [
    `${mark} ${String(imported)} imported, ${String(rejected)} damaged, outdated or not permitted`,
  ]);
}

async function readDocument(operands: readonly string[], io: CliIo): Promise<Readonly<Record<string, unknown>>> {
  const [file] = operands;
  if (file === undefined || operands.length > 1) throw new UsageError('name the one file to import, or -');
  const { bytes, source } = await readOperand(file, io, MAX_EXPORT_BYTES);
  if (bytes.length === 0) throw new UsageError(`${source} is empty`);
  const document = parsedJson(Buffer.from(bytes).toString('utf8'));
  if (typeof document === 'object' && document !== null) return document as Readonly<Record<string, unknown>>;
  throw new UsageError(`${source} is no export of a certificate cache`, [
    'hopback cache export --cache DIR FILE makes one',
  ]);
}

function entriesOf(document: Readonly<Record<string, unknown>>): readonly unknown[] {
  const entries = document['format'] === 'hopback.certificate-cache.1' ? document['entries'] : undefined;
  if (Array.isArray(entries)) return entries as readonly unknown[];
  throw new UsageError('the file is JSON, but no export of a certificate cache');
}

export const COMMANDS = { 'cache preload': PRELOAD, 'cache export': EXPORT, 'cache import': IMPORT };
