import type { FileFacts, FollowedFiles } from './followed-files.js';
import type { FollowPattern } from './follow-pattern.js';

/** A file that may hold rows of the source, as it was just now. */
export interface Candidate extends FileFacts {
  readonly path: string;
  /** A switch may still write to it. */
  readonly isLive: boolean;
}

/** Files of the pattern, the one written to longest ago first. Rejects where the disk does not list them. */
export async function candidatesOf(
  pattern: FollowPattern,
  files: Pick<FollowedFiles, 'names' | 'facts'>,
): Promise<readonly Candidate[]> {
  const { directory, isWritten, isRotated } = pattern;
  const found: Candidate[] = [];
  let newestMs = -Infinity;
  for (const name of (await files.names(directory)).toSorted()) {
    const isName = isWritten(name);
    if (!isName && !isRotated(name)) continue;
    const path = `${directory}/${name}`;
    const facts = await files.facts(path);
    if (facts?.kind !== 'file') continue;
    if (isName) newestMs = Math.max(newestMs, facts.mtimeMs);
    found.push({ ...facts, path, isLive: isName });
  }
  // Where several names are written to, one after the other, the switch is at the newest.
  return found
    .map((candidate) => (candidate.mtimeMs < newestMs ? Object.assign(candidate, { isLive: false }) : candidate))
    .sort((a, b) => a.mtimeMs - b.mtimeMs || Number(a.isLive) - Number(b.isLive));
}
