import { REPOSITORY_OPTIONS, openRepository } from './certificate-options.js';
import type { RepositoryOption } from './certificate-options.js';
import { cacheDirectory, requireStored } from './cache-directory.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { MAX_INPUT_BYTES } from './io.js';
import { requirePath } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { printJson, printLines } from './output.js';
import { isKeyMaterial } from './shown-text.js';
import { UsageError } from './usage-error.js';
import { printableText } from '../core/text.js';

type PreloadOption = Exclude<RepositoryOption, 'offline'>;

const { offline: _offline, ...OPTIONS } = REPOSITORY_OPTIONS;

/** `hopback cache preload` */
export const cachePreloadCommand: Command = {
  name: 'cache preload',
  summary: 'fetch certificates before calls need them',
  usage: ['--cache DIR URL...', '--cache DIR [URL...] -   (URLs from standard input, one a line)'],
  options: OPTIONS satisfies OptionSpecs<PreloadOption>,
  notes: [
    'What is cached and still fresh is not fetched again. Exit codes: 0 all are there, 1 a URL is not one that verifiers fetch, ' +
      '2 not understood, 4 one could not be fetched, or the cache is not usable.',
  ],
  run,
};

async function run(options: Options<RepositoryOption | 'json'>, io: CliIo): Promise<ExitCode> {
  cacheDirectory(options);
  const urls = await urlsOf(options.operands, io);
  const repository = await openRepository(options, io);
  const report = await repository.preload(urls);
  await repository.close();
  const stats = repository.stats();
  requireStored(stats);
  const refused = report.failures.filter(({ status }) => status === 'refused');
  const exitCode =
    report.failures.length > refused.length ? EXIT.environment : refused.length > 0 ? EXIT.negative : EXIT.ok;
  if (options.isOn('json')) {
    printJson(io, {
      format: 'hopback.cache-preload.1',
      exitCode,
      ...report,
      fetches: stats.fetches,
      fromDisk: stats.diskLoads,
    });
    return exitCode;
  }
  printLines(io, [
    ...report.failures.map(
      ({ url, reason, detail }) => `✗ ${printableText(url)}: ${reason} (${printableText(detail)})`,
    ),
    `${exitCode === EXIT.ok ? '✓' : '!'} ${String(report.found)} there: ${String(stats.diskLoads)} from the cache, ` +
      `${String(report.found - stats.diskLoads)} fetched; ${String(report.failures.length)} not`,
  ]);
  return exitCode;
}

/** Those of the command line, and in the place of a `-` those of standard input. */
async function urlsOf(operands: readonly string[], io: CliIo): Promise<readonly string[]> {
  if (operands.length === 0) throw new UsageError('name at least one URL, or - to read them from standard input');
  const named = operands.filter((operand) => operand !== '-').map(requirePath);
  return named.length === operands.length ? named : [...named, ...(await urlsOfStdin(io))];
}

async function urlsOfStdin(io: CliIo): Promise<readonly string[]> {
  const bytes = await io.stdin.read(MAX_INPUT_BYTES);
  if (bytes === undefined) throw new UsageError(`standard input has more than ${String(MAX_INPUT_BYTES)} bytes`);
  const text = Buffer.from(bytes).toString('utf8');
  // Each line that is no URL is shown.
  if (isKeyMaterial(text)) throw new UsageError('standard input holds a key or a certificate, not URLs');
  const lines = text.split('\n').map((line) => line.trim());
  const urls = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (urls.length === 0) throw new UsageError('standard input has no URL');
  return urls;
}
