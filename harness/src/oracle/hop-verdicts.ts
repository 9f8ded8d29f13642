import type { TrueHop } from '../network/truth/index.js';
import type { SeenHop } from './run-facts.js';

/** What a hop has seen of what is true of it. Without `seen` the call was not seen there. */
export interface HopPair {
  readonly truth: TrueHop;
  readonly seen?: SeenHop;
}

/**
 * How a hop stands to what is true of it. `unasked`: nothing was found where nothing has to be, or the call need not have come there; it proves nothing,
 * since a switch that does nothing does the same. `missing`: the call comes there in any case, something is to be found, and it was not seen.
 */
export type HopVerdict = 'right' | 'wrong' | 'missing' | 'unasked';

/** Puts what was seen beside what is true: the first hop of a provider to its first, the second to its second. */
export function hopPairs(truth: readonly TrueHop[], seen: readonly SeenHop[]): readonly HopPair[] {
  const taken = new Set<SeenHop>();
  return truth.map((trueHop) => {
    const found = seen.find((hop) => hop.provider === trueHop.provider && !taken.has(hop));
    if (found === undefined) return { truth: trueHop };
    taken.add(found);
    return { truth: trueHop, seen: found };
  });
}

/** Holds what a hop found against what is true; who attested what counts where it passed. */
export function hopVerdict({ truth: { verdict, isCertain }, seen }: HopPair): HopVerdict {
  if (seen === undefined) return isCertain && !verdict.verstat.includes('not-asked') ? 'missing' : 'unasked';
  const { verstat = 'not-asked', attestation, signerSpc } = seen;
  if (!verdict.verstat.includes(verstat)) return 'wrong';
  if (verstat === 'not-asked') return 'unasked';
  if (verstat !== 'TN-Validation-Passed') return 'right';
  if (verdict.attestation !== undefined && verdict.attestation !== attestation) return 'wrong';
  return verdict.signerSpc === undefined || verdict.signerSpc === signerSpc ? 'right' : 'wrong';
}
