import { verifyEs256 } from '../es256.js';
import type { SignatureJob } from '../es256.js';

/**
 * Where signatures are checked: in the calling thread ({@link INLINE_SIGNATURE_CHECKER}), in threads of its own
 * ({@link createSignaturePool}), or wherever you like. @see RFC 7518 section 3.4
 */
export interface SignatureChecker {
  /**
   * Checks signatures; one boolean per job, in order.
   * @param jobs - what is to be checked; empty lists are not asked about
   * @returns the results, or a promise of them; undefined for a job that could not be checked. Where it throws or rejects, a
   * verification service takes all of the jobs for unchecked
   */
  readonly check: (
    jobs: readonly SignatureJob[],
  ) => readonly (boolean | undefined)[] | Promise<readonly (boolean | undefined)[]>;
}

/**
 * Checks in the calling thread, at once. The default: one ES256 check takes some 0.1 ms of a processor of today, which the event
 * loop does not miss up to a few hundred calls a second; `npm run bench` measures it. Beyond that, {@link createSignaturePool}.
 */
export const INLINE_SIGNATURE_CHECKER: {
  /** Checks signatures; one boolean per job, in order. Never throws for peer input. */
  readonly check: (jobs: readonly SignatureJob[]) => readonly boolean[];
} = { check: checkInline };

/** As {@link INLINE_SIGNATURE_CHECKER}, for callers that must not wait. */
export function checkInline(jobs: readonly SignatureJob[]): readonly boolean[] {
  return jobs.map(verifyEs256);
}

/** One result per job, in order; undefined, or missing, for a job that was not checked. */
export type Signatures = readonly (boolean | undefined)[];

/** Of jobs none of which was checked. */
export const NO_RESULTS: Signatures = [];

/** A checker that throws, rejects or answers with something else has checked nothing, and nothing is not false. */
export function checkSafely(
  checker: SignatureChecker,
  jobs: readonly SignatureJob[],
): Signatures | Promise<Signatures> {
  if (jobs.length === 0) return NO_RESULTS;
  try {
    const checked: unknown = checker.check(jobs);
    return isSignatures(checked) ? checked : settled(checked);
  } catch {
    return NO_RESULTS;
  }
}

async function settled(checked: unknown): Promise<Signatures> {
  try {
    const signatures = await checked;
    return isSignatures(signatures) ? signatures : NO_RESULTS;
  } catch {
    return NO_RESULTS;
  }
}

const isSignatures = (checked: unknown): checked is Signatures => Array.isArray(checked);
