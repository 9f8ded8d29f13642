import { setImmediate as othersHadTheirTurn } from 'node:timers/promises';
import { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../stir/index.js';
import type { CanonicalTn } from '../../stir/index.js';
import { HopbackError } from '../../errors.js';
import { readTextFile, stampOf } from './files.js';

/** Numbers from which nobody calls, as long as their file stays what it is. */
export interface NumbersPart {
  readonly numbers: ReadonlySet<CanonicalTn>;
  /** Of the file that they were read from. */
  readonly stamp: string;
}

/** Lines that are read in a turn: some milliseconds, in which calls wait. Lists have hundreds of thousands. */
const LINES_AT_ONCE = 2_000;

/**
 * Reads a file of numbers from which nobody calls: one a line, `#` begins a remark. Calls are answered while it is read.
 * @param path - absolute
 * @param before - what was read last; it stays where the file has not changed
 * @returns the numbers in canonical form
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `invalid-configuration` for a line that is no number, and for a file of none in
 * the place of one with some, which is one that is just being written
 */
export async function loadNumbers(path: string, before?: NumbersPart): Promise<NumbersPart> {
  // As of before it is read: what is written meanwhile is another change.
  const stamp = await stampOf([path]);
  if (before?.stamp === stamp) return before;
  const numbers = new Set<CanonicalTn>();
  const lines = (await readTextFile(path)).split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (index % LINES_AT_ONCE === LINES_AT_ONCE - 1) await othersHadTheirTurn();
    const [text = ''] = line.split('#', 1);
    if (text.trim() === '') continue;
    const number = canonicalTelephoneNumber(text.trim(), NORTH_AMERICAN_PLAN);
    if (number.kind === 'none')
      throw new HopbackError('invalid-configuration', `${path} line ${String(index + 1)} has no telephone number`);
    numbers.add(number.tn);
  }
  if (numbers.size === 0 && before !== undefined && before.numbers.size > 0)
    throw new HopbackError('invalid-configuration', `${path} has no number any more: it may be just being written`);
  return { numbers, stamp };
}
