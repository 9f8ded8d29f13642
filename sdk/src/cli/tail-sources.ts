import type { SourceConfiguration } from '../records/index.js';
import { UsageError } from './usage-error.js';

/**
 * The configuration of each source with the path that is followed.
 * @throws {@link UsageError} where there is none, or one for several sources
 */
export function followedSources(
  sources: readonly SourceConfiguration[],
  { path, isOnce }: { readonly path: string | undefined; readonly isOnce: boolean },
): readonly SourceConfiguration[] {
  if (path !== undefined && (sources.length !== 1 || sources[0]?.format === 'hep'))
    throw new UsageError('--path is for one source in files');
  return sources.map((source) => {
    if (source.format === 'hep') {
      if (isOnce) throw new UsageError(`--once ends when files are read, and the source ${source.id} is listened to`);
      return source;
    }
    if (path !== undefined) return { ...source, path };
    if (source.path === undefined)
      throw new UsageError(`the source ${source.id} has no path: add it to its file, or name it with --path`);
    return source;
  });
}
