import { createCertificateRepository } from '../stir/index.js';
import { cachedEnvelopes, cacheDirectory } from './cache-directory.js';
import { allowListOf, URL_EXCEPTION_OPTIONS, REPOSITORY_OPTIONS } from './certificate-options.js';
import type { UrlExceptionOption } from './certificate-options.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { UsageError } from './usage-error.js';

/** `hopback cache export` */
export const cacheExportCommand: Command = {
  name: 'cache export',
  summary: 'write all cached certificates into one file',
  usage: ['--cache DIR [FILE]'],
  options: { cache: REPOSITORY_OPTIONS.cache, ...URL_EXCEPTION_OPTIONS },
  notes: [
    'Damaged and outdated entries are left out. Without FILE the document goes to standard output; a FILE is overwritten.',
  ],
  run,
};

async function run(options: Options<UrlExceptionOption | 'cache' | 'json'>, io: CliIo): Promise<ExitCode> {
  const [file, ...more] = options.operands;
  if (more.length > 0) throw new UsageError('one file at a time');
  const envelopes = await cachedEnvelopes(cacheDirectory(options), io);
  const allow = allowListOf(options);
  await using repository = createCertificateRepository({ clock: io.clock, ...(allow === undefined ? {} : { allow }) });
  // Through a repository in memory, so that what is handed on has been checked as it will be at the other end.
  const { rejected } = repository.import({
    format: 'hopback.certificate-cache.1',
    exportedAtMs: io.clock.nowMs(),
    entries: envelopes,
  });
  const document = repository.export();
  if (file === undefined || file === '-') {
    io.stdout.write(`${JSON.stringify(document)}\n`);
    return EXIT.ok;
  }
  await io.files.write(file, `${JSON.stringify(document)}\n`, { mode: 0o644, overwrite: true });
  const exported = document.entries.length;
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.cache-export.1', exitCode: EXIT.ok, path: file, exported, rejected });
  else
    printLines(io, [
      `✓ ${file}: ${countText(exported, 'certificate chain')}${rejected === 0 ? '' : `, ${String(rejected)} damaged or outdated left out`}`,
    ]);
  return EXIT.ok;
}
