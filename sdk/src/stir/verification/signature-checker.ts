import { verifyEs256 } from '../es256.js';
import type { SignatureJob } from '../es256.js';

/** Where signatures are checked: in the calling thread, or elsewhere. */
export interface SignatureChecker {
  /**
   * Checks signatures; one boolean per job, in order.
   * @returns the results, or a promise of them; undefined for a job that could not be checked
   */
  readonly check: (
    jobs: readonly SignatureJob[],
  ) => readonly (boolean | undefined)[] | Promise<readonly (boolean | undefined)[]>;
}

/** Checks in the calling thread, at once: about 90 µs each. */
export const INLINE_SIGNATURE_CHECKER: SignatureChecker = { check: checkInline };

/** As {@link INLINE_SIGNATURE_CHECKER}, for callers that must not wait. */
export function checkInline(jobs: readonly SignatureJob[]): readonly boolean[] {
  return jobs.map(verifyEs256);
}
