import type { Certificate } from './certificate.js';
import { PATH_MAX_CERTIFICATES, startSpending } from './path-budget.js';
import type { SearchBudget } from './path-budget.js';
import { extendPath, failure } from './path-checks.js';
import type { PartialPath } from './path-checks.js';
import { isInPath, last, possibleIssuers } from './path-issuers.js';
import type { Search } from './path-issuers.js';
import type { PathFailure } from './path.js';

/** The attempt that got furthest, and whether all that would say more has been looked at. */
export interface Explanation {
  readonly path: PartialPath;
  readonly isComplete: boolean;
}

interface Attempt {
  readonly path: PartialPath;
  readonly reachedAnchor: boolean;
}

/** Depth first as the search, but along links that fail as well. Returns the attempt that got furthest, with its failures. */
export function explain(start: PartialPath, { rules, issuers }: Search, budget: SearchBudget): Explanation {
  const spending = startSpending(rules.memory, budget);
  let best: Attempt | undefined;
  let ended = false;
  const descend = (path: PartialPath): void => {
    const isSpent = spending.isSpent();
    ended ||= isSpent;
    let hasIssuer = false;
    for (const issuer of isSpent ? [] : candidatesFor(path, issuers)) {
      ended ||= spending.isSpent();
      if (ended) return;
      if (isInPath(path, issuer)) continue;
      hasIssuer = true;
      spending.step();
      const reachedAnchor = issuers.anchors.has(issuer.sha256);
      const extended = extendPath(path, issuer, { ...rules, isAnchor: reachedAnchor });
      // Whoever is above an issuer that did not sign has nothing to do with the certificate below.
      if (reachedAnchor || rules.memory.signature(last(path), issuer) === 'invalid')
        best = better(best, { path: extended, reachedAnchor });
      else descend(extended);
    }
    if (!hasIssuer) best = better(best, { path: deadEnd(path, isSpent), reachedAnchor: false });
  };
  descend(start);
  if (best === undefined) return { path: deadEnd(start, true), isComplete: false };
  return { path: best.path, isComplete: best.reachedAnchor || !ended };
}

function candidatesFor(path: PartialPath, issuers: Search['issuers']): readonly Certificate[] {
  return path.certificates.length >= PATH_MAX_CERTIFICATES ? [] : possibleIssuers(last(path), issuers);
}

/** @param isSpent - the search ended before it had looked everywhere */
function deadEnd(path: PartialPath, isSpent: boolean): PartialPath {
  const { length } = path.certificates;
  const reason =
    length >= PATH_MAX_CERTIFICATES
      ? failure('path-too-long', last(path), { expected: PATH_MAX_CERTIFICATES, actual: length })
      : noPath(path, isSpent ? SEARCH_ENDED : 'no such issuer');
  return { ...path, failures: [...path.failures, reason] };
}

/** Said where issuers were left that have not been looked at. */
export const SEARCH_ENDED = 'search ended: too many issuers to try';

/** No path from the last certificate of this one upwards. @param actual - what was found instead of an issuer, for people */
export function noPath(path: PartialPath, actual: string): PathFailure {
  return failure('no-path-to-trust-anchor', last(path), { expected: last(path).issuer.text, actual });
}

function better(current: Attempt | undefined, next: Attempt): Attempt {
  if (current === undefined) return next;
  if (current.reachedAnchor !== next.reachedAnchor) return current.reachedAnchor ? current : next;
  const failures = next.path.failures.length - current.path.failures.length;
  const length = next.path.certificates.length - current.path.certificates.length;
  // To an anchor: the fewer failures the better. Not to an anchor: the longer the better, then the fewer failures.
  const gain = next.reachedAnchor ? -failures : length !== 0 ? length : -failures;
  return gain > 0 ? next : current;
}
