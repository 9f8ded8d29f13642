import { createCertificateRepository } from '../stir/index.js';
import { cacheDirectory, requireDirectory } from './cache-directory.js';
import { allowListOf, URL_EXCEPTION_OPTIONS, REPOSITORY_OPTIONS } from './certificate-options.js';
import type { UrlExceptionOption } from './certificate-options.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { requirePath } from './options.js';
import type { Options } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

/** `hopback cache export` */
export const cacheExportCommand: Command = {
  name: 'cache export',
  summary: 'write all cached certificates into one file',
  usage: ['--cache DIR [FILE]'],
  options: { cache: REPOSITORY_OPTIONS.cache, ...URL_EXCEPTION_OPTIONS },
  notes: [
    'Entries that are damaged, outdated or not permitted (laboratories: --allow-host and the like) are left out. Without FILE the ' +
      'document goes to standard output; a FILE is replaced as a whole, and left as it is where there is nothing to export.',
    'Exit codes: 0 exported, 1 nothing to export, 2 not understood, 4 the cache or the file is not usable.',
  ],
  run,
};

async function run(options: Options<UrlExceptionOption | 'cache' | 'json'>, io: CliIo): Promise<ExitCode> {
  const [file, ...more] = options.operands;
  if (more.length > 0) throw new UsageError('one file at a time');
  const directory = cacheDirectory(options);
  await requireDirectory(directory, io);
  const allow = allowListOf(options);
  await using repository = createCertificateRepository({
    clock: io.clock,
    directory,
    ...(allow === undefined ? {} : { allow }),
  });
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
  const text = `${JSON.stringify(document)}\n`;
  if (exported > 0) await io.files.write(requirePath(file), text, { mode: 0o644, overwrite: true });
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.cache-export.1', exitCode, path: shownText(file), exported, rejected });
  else if (exported > 0) printLines(io, [`✓ ${shownText(file)}: ${countText(exported, 'certificate chain')}${left}`]);
  else printLines(io, [`✗ nothing to export${left}; ${shownText(file)} is left as it is`]);
  return exitCode;
}
