import type { PathMemory } from './path-checks.js';

/** Most certificates in a path, anchor included: a delegate of a delegate under two intermediates has six; none in use has more. */
export const PATH_MAX_CERTIFICATES = 10;

/**
 * Most issuers that one search puts on top of a path. An honest chain needs one for each certificate and each cross-certificate; ten
 * certificates that all vouch for each other have millions of paths.
 */
export const PATH_SEARCH_MAX_STEPS = 128;

/** What a search, or the explanation after it, may cost; signatures as multiples of one under P-256, which takes 0.085 ms. */
export interface SearchBudget {
  readonly maxSteps: number;
  /** For all signatures, those included that lead on. */
  readonly maxSignatureCost: number;
  /** For signatures that the issuer turns out not to have made. */
  readonly maxInvalidCost: number;
}

/** What one search may spend on signatures, as multiples of one under P-256. */
export interface PathAllowance {
  /** For all signatures of the search, those included that lead on. */
  readonly signatureCost: number;
  /** For signatures of the search that the issuer turns out not to have made. */
  readonly invalidCost: number;
  /** For signatures that only say why there is no path; with nothing for them it is only said that there is none. */
  readonly explanationCost: number;
}

/**
 * What a chain needs at most. Signatures that hold are only computed below certificates that were given, so that nobody can spend them who
 * has none of a CA: 15 under P-384, for a path of six certificates and CAs that were renewed or cross-certified often, cost 105.
 * Signatures that lead nowhere are scarce: an honest chain has one of those for each issuer of the same name that no key identifier tells apart, and 14 under P-256 or 2
 * under P-384 block the event loop for 1.4 ms. To explain takes at most 8 under P-256 or 2 under P-384, each with a key that has to be
 * made first (0.12 ms), together 1.6 ms: enough for the links of a chain, and what was computed before is not computed again.
 */
export const FULL_PATH_ALLOWANCE: PathAllowance = { signatureCost: 105, invalidCost: 14, explanationCost: 8 };

/** Most issuers that an explanation puts on top of a path. */
const EXPLANATION_MAX_STEPS = 16;

/** What the search itself may cost. */
export function searchBudget({ signatureCost, invalidCost }: PathAllowance): SearchBudget {
  return { maxSteps: PATH_SEARCH_MAX_STEPS, maxSignatureCost: signatureCost, maxInvalidCost: invalidCost };
}

/** What it may cost to say why there is no path. */
export function explanationBudget({ explanationCost }: PathAllowance): SearchBudget {
  return { maxSteps: EXPLANATION_MAX_STEPS, maxSignatureCost: explanationCost, maxInvalidCost: explanationCost };
}

/** Whether a search with this allowance that ended early says nothing yet: more would be due to a chain. */
export function isShort({ signatureCost, invalidCost }: PathAllowance): boolean {
  return signatureCost < FULL_PATH_ALLOWANCE.signatureCost || invalidCost < FULL_PATH_ALLOWANCE.invalidCost;
}

/** Steps and signatures of one search. */
export interface Spending {
  readonly step: () => void;
  readonly isSpent: () => boolean;
}

/** Counts from now on what is spent. */
export function startSpending(memory: PathMemory, budget: SearchBudget): Spending {
  const before = memory.signatureCost();
  let steps = 0;
  return {
    step: () => {
      steps += 1;
    },
    isSpent: () => {
      const { all, invalid } = memory.signatureCost();
      return (
        steps >= budget.maxSteps ||
        all - before.all >= budget.maxSignatureCost ||
        invalid - before.invalid >= budget.maxInvalidCost
      );
    },
  };
}
