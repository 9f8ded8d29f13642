import { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../stir/index.js';
import type { CanonicalTn } from '../../stir/index.js';
import { HopbackError } from '../../errors.js';
import { readTextFile } from './files.js';

/**
 * Reads a file of numbers from which nobody calls: one a line, `#` begins a remark.
 * @param path - absolute
 * @returns the numbers in canonical form
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `invalid-configuration` for a line that is no number
 */
export async function loadNumbers(path: string): Promise<ReadonlySet<CanonicalTn>> {
  const numbers = new Set<CanonicalTn>();
  for (const [index, line] of (await readTextFile(path)).split(/\r?\n/).entries()) {
    const [text = ''] = line.split('#', 1);
    if (text.trim() === '') continue;
    const number = canonicalTelephoneNumber(text.trim(), NORTH_AMERICAN_PLAN);
    if (number.kind === 'none')
      throw new HopbackError('invalid-configuration', `${path} line ${String(index + 1)} has no telephone number`);
    numbers.add(number.tn);
  }
  return numbers;
}
