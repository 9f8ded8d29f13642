import { readFile } from 'node:fs/promises';
import { HopbackError } from '../../errors.js';
import type { SidecarConfiguration } from './configuration.js';
import { problemText, readConfiguration } from './read-configuration.js';
import type { ConfigurationProblem, ConfigurationResult, ConfigurationSources } from './read-configuration.js';

/** What stands in for parts of a configuration file; members that are undefined are not there. */
export type StandIns = {
  readonly [Name in keyof Omit<ConfigurationSources, 'text'>]?: ConfigurationSources[Name] | undefined;
};

/**
 * Reads a configuration file.
 * @param path - absolute
 * @throws {@link HopbackError} `storage-failed` when it cannot be read
 */
export async function readConfigurationFile(
  path: string,
  { environment, settings }: StandIns,
): Promise<ConfigurationResult> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new HopbackError('storage-failed', `${path} cannot be read`, { cause });
  });
  return readConfiguration({
    text,
    ...(environment !== undefined && { environment }),
    ...(settings !== undefined && { settings }),
  });
}

/**
 * Reads a configuration file that has to be good.
 * @throws {@link HopbackError} `storage-failed`; `invalid-configuration` with every problem and its place, one a line
 */
export async function requireConfigurationFile(path: string, standIns: StandIns): Promise<SidecarConfiguration> {
  const read = await readConfigurationFile(path, standIns);
  if (read.status === 'read') return read.configuration;
  throw invalid(path, read.problems);
}

function invalid(path: string, problems: readonly ConfigurationProblem[]): HopbackError {
  const lines = problems.map((problem) => problemText(path, problem));
  return new HopbackError('invalid-configuration', lines.join('\n'), { details: { problems: problems.length } });
}
