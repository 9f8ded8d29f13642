import { join } from 'node:path';
import type { ProviderReference } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import { readValueJournal } from '../../log/index.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import { readNotice, SETTINGS_KEY } from './entry-journal.js';
import { readEntry } from './entry-text.js';
import type { TrackedNotice } from './notices.js';
import type { ResponderEntry } from './responder-entry.js';

/** What a responder has in its directory, as of a moment. */
export interface ResponderSnapshot {
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  readonly directoryId?: string;
  /** By deadline. */
  readonly entries: readonly ResponderEntry[];
  readonly notices: readonly TrackedNotice[];
}

/**
 * Reads what a responder has, whether it runs or not: nothing is locked, changed or repaired.
 * @param directory - of the responder
 * @returns its requests and notices, and what it works by
 * @throws {@link HopbackError} `storage-failed` when the disk refuses, or there was never a responder
 * @see {@link createTracebackResponder}
 * @example
 * ```ts
 * const error: unknown = await readResponder('/nowhere').catch((caught: unknown) => caught);
 * console.log(isHopbackError(error) && error.code); // storage-failed
 * ```
 */
export async function readResponder(directory: string): Promise<ResponderSnapshot> {
  const values = await readValueJournal(join(directory, 'journal'));
  const settings = values.get(SETTINGS_KEY);
  if (settings === undefined) throw new HopbackError('storage-failed', 'there is no responder in that directory');
  const { provider, policy, directoryId } = JSON.parse(settings) as Pick<
    ResponderSnapshot,
    'provider' | 'policy' | 'directoryId'
  >;
  const entries: ResponderEntry[] = [];
  const notices: TrackedNotice[] = [];
  for (const [key, text] of values) {
    const entry = key.startsWith('r/') ? readEntry(text) : undefined;
    if (entry !== undefined) entries.push(entry);
    const notice = key.startsWith('n/') ? readNotice(text) : undefined;
    if (notice !== undefined) notices.push(notice);
  }
  return {
    ...{ provider, policy, notices },
    ...(directoryId === undefined ? {} : { directoryId }),
    entries: entries.toSorted((one, other) => one.deadline.dueAtMs - other.deadline.dueAtMs),
  };
}
