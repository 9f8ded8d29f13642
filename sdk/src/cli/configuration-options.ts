import { dirname, resolve } from 'node:path';
import { MAX_CONFIGURATION_CHARS, problemText, readConfiguration, settingOfText } from '../sidecar/index.js';
import type { ConfigurationProblem, Setting, SidecarConfiguration } from '../sidecar/index.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { UsageError } from './usage-error.js';

export type ConfigurationOption = 'config' | 'set';

/** Which configuration, and what stands in for parts of it. */
export const CONFIGURATION_OPTIONS: OptionSpecs<ConfigurationOption> = {
  config: { value: 'FILE', env: 'HOPBACK_CONFIG', text: 'configuration as YAML; default hopback.yaml' },
  set: {
    value: 'PATH=VALUE',
    multiple: true,
    text: 'a member in place of that of the file: --set listen.calls.port=8090',
  },
};

/** Variable that opens an encrypted signing key: an option would show in the list of processes. */
export const passphraseOf = ({ env }: CliIo): string | undefined => env['HOPBACK_KEY_PASSPHRASE'];

/** Where the configuration is. */
export const configurationPath = (options: Options<ConfigurationOption>): string =>
  resolve(options.text('config') ?? 'hopback.yaml');

/** @throws {@link UsageError} for what is no setting */
export const settingsOf = (options: Options<ConfigurationOption>): readonly Setting[] =>
  options.texts('set').map((text) => {
    const setting = settingOfText(text);
    if (setting === undefined) throw new UsageError(`--set ${text} is no PATH=VALUE`);
    return setting;
  });

/** A configuration as it was read, or what is wrong with it. */
export type ReadConfiguration = { readonly path: string; readonly directory: string } & (
  | { readonly status: 'read'; readonly configuration: SidecarConfiguration }
  | { readonly status: 'invalid'; readonly problems: readonly ConfigurationProblem[] }
);

/**
 * Reads the configuration that options name.
 * @param settings - that stand in for members; default those of `--set`
 * @throws {@link UsageError} for a setting that is none; {@link HopbackError} `storage-failed` when the file cannot be read
 */
export async function configurationOf(
  options: Options<ConfigurationOption>,
  io: CliIo,
  settings: readonly Setting[] = settingsOf(options),
): Promise<ReadConfiguration> {
  const path = configurationPath(options);
  const bytes = await io.files.read(path, MAX_CONFIGURATION_CHARS);
  if (bytes === undefined) throw new UsageError(`${path} is too large for a configuration`);
  const text = Buffer.from(bytes).toString('utf8');
  return {
    ...{ path, directory: dirname(path) },
    ...readConfiguration({ text, environment: io.env, settings }),
  };
}

/** Problems as lines, each with its place. */
export const problemLines = (path: string, problems: readonly ConfigurationProblem[]): readonly string[] =>
  problems.map((problem) => problemText(path, problem));
