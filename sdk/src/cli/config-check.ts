import { isHopbackError } from '../errors.js';
import { checkFiles } from '../sidecar/index.js';
import type { Command } from './command.js';
import { CONFIGURATION_OPTIONS, configurationOf, passphraseOf, problemLines } from './configuration-options.js';
import type { ConfigurationOption } from './configuration-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options } from './options.js';
import { printJson, printLines } from './output.js';

/** `hopback config check` */
export const configCheckCommand: Command = {
  name: 'config check',
  summary: 'say what is wrong with the configuration of serve, line by line',
  usage: ['[--config FILE] [--set PATH=VALUE]...'],
  options: {
    ...CONFIGURATION_OPTIONS,
    'form-only': { text: 'look at the file alone, not at the keys and certificates that it names' },
  },
  notes: [
    'Each line begins with the place, hopback.yaml:12:5, as editors read it. Variables that begin with HOPBACK__ count as they do for serve.',
    'Exit codes: 0 in order; 1 something is wrong; 2 not understood; 4 the file cannot be read.',
  ],
  run,
};

async function run(options: Options<ConfigurationOption | 'form-only' | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file with --config.']);
  const read = await configurationOf(options, io);
  const problems = read.status === 'invalid' ? read.problems : [];
  const openKeys: string[] = [];
  const passphrase = passphraseOf(io);
  const unusable =
    read.status === 'invalid' || options.isOn('form-only')
      ? undefined
      : await checkFiles(read.configuration, {
          directory: read.directory,
          onNotice: ({ part, text }) => void (part === 'keys' && openKeys.push(text)),
          ...(passphrase !== undefined && { passphrase }),
        }).then(
          () => undefined,
          (error: unknown) => {
            if (isHopbackError(error)) return error.message;
            throw error;
          },
        );
  const isGood = problems.length === 0 && unusable === undefined && openKeys.length === 0;
  if (options.isOn('json')) {
    printJson(io, { path: read.path, isGood, problems, openKeys, ...(unusable !== undefined && { unusable }) });
    return isGood ? EXIT.ok : EXIT.negative;
  }
  const lines = [
    ...problemLines(read.path, problems),
    ...[...openKeys, ...(unusable === undefined ? [] : [unusable])].map((text) => `${read.path}: ${text}`),
  ];
  printLines(io, isGood ? [`✓ ${read.path} is in order`] : lines);
  return isGood ? EXIT.ok : EXIT.negative;
}
