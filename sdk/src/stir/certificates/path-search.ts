import type { Certificate } from './certificate.js';
import { PATH_MAX_CERTIFICATES, startSpending } from './path-budget.js';
import type { SearchBudget, Spending } from './path-budget.js';
import { allowsPathBelow, extendPath, mayIssue } from './path-checks.js';
import type { PartialPath } from './path-checks.js';
import { isInPath, last, soundIssuers } from './path-issuers.js';
import type { Search } from './path-issuers.js';

/**
 * Looks for a path along sound links, depth first, one issuer after the other: a signature is computed once nothing that is free speaks
 * against the issuer, and the next one of the same name has its turn when the first has led nowhere. A certificate of the chain is
 * an issuer only when one that was given vouches for it: nobody gets anything computed by vouching for himself.
 * @returns `ended` when the budget was spent before everything had been looked at
 */
export function findPath(
  start: PartialPath,
  search: Search,
  budget: SearchBudget,
): { readonly found?: PartialPath; readonly ended: boolean } {
  const { rules, issuers } = search;
  const spending = startSpending(rules.memory, budget);
  const links = openLinks(search, spending);
  const descend = (path: PartialPath): PartialPath | undefined => {
    if (path.certificates.length >= PATH_MAX_CERTIFICATES) return undefined;
    const child = last(path);
    for (const issuer of links.soundIssuersOf(child)) {
      if (!allowsPathBelow(path, issuer) || !links.isVouchedFor(issuer) || isInPath(path, issuer)) continue;
      const isSigned = links.isSigned(child, issuer);
      if (links.hasEnded()) return undefined;
      if (!isSigned) continue;
      spending.step();
      const isAnchor = issuers.anchors.has(issuer.sha256);
      const extended = extendPath(path, issuer, { ...rules, isAnchor });
      if (extended.failures.length > start.failures.length) continue;
      const found = isAnchor ? extended : descend(extended);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = descend(start);
  const ended = links.hasEnded();
  return found === undefined ? { ended } : { found, ended };
}

/** Who may have issued whom, as far as that is worth computing. */
interface Links {
  readonly soundIssuersOf: (child: Certificate) => Set<Certificate>;
  /** Whether the issuer signed the child; false as well once the budget is spent. */
  readonly isSigned: (child: Certificate, issuer: Certificate) => boolean;
  /** Whether a certificate is given, or signed by one that is, or by another one of the chain that is vouched for. */
  readonly isVouchedFor: (issuer: Certificate) => boolean;
  /** Whether a signature was not computed for lack of budget. */
  readonly hasEnded: () => boolean;
}

function openLinks(search: Search, spending: Spending): Links {
  const { memory } = search.rules;
  const { given } = search.issuers;
  const soundIssuersOf = rememberSoundIssuers(search);
  const vouchedFor = new Set<Certificate>();
  const asked = new Set<Certificate>();
  let ended = false;
  const isSigned = (child: Certificate, issuer: Certificate): boolean => {
    ended ||= spending.isSpent();
    if (ended) return false;
    if (memory.signature(child, issuer) === 'valid') return true;
    // Nor is it the issuer when another path comes by.
    soundIssuersOf(child).delete(issuer);
    return false;
  };
  const isSignedFromAbove = (certificate: Certificate): boolean => {
    for (const issuer of soundIssuersOf(certificate)) {
      if ((given.has(issuer.sha256) || vouchedFor.has(issuer)) && isSigned(certificate, issuer)) return true;
    }
    return false;
  };
  /**
   * From the given ones downwards, since nobody can sign in their name: what a stranger wrote costs one signature for each certificate
   * and each given issuer of that name, and what lies below a signature that does not hold is not looked at.
   */
  const vouchFor = (certificate: Certificate): void => {
    const published = [...withIssuersAbove(certificate, soundIssuersOf)].filter(({ sha256 }) => !given.has(sha256));
    for (let before = -1; before < vouchedFor.size && !vouchedFor.has(certificate);) {
      before = vouchedFor.size;
      for (const each of published) if (!vouchedFor.has(each) && isSignedFromAbove(each)) vouchedFor.add(each);
    }
  };
  return {
    soundIssuersOf,
    isSigned,
    isVouchedFor(issuer) {
      if (given.has(issuer.sha256)) return true;
      if (!asked.has(issuer)) vouchFor(issuer);
      asked.add(issuer);
      return vouchedFor.has(issuer);
    },
    hasEnded: () => ended,
  };
}

function rememberSoundIssuers({ rules, issuers }: Search): Links['soundIssuersOf'] {
  const sound = new Map<string, Set<Certificate>>();
  const usable = new Map<string, boolean>();
  const isUsable = (issuer: Certificate): boolean => {
    const known = usable.get(issuer.sha256);
    if (known !== undefined) return known;
    const may = mayIssue(issuer, { ...rules, isAnchor: issuers.anchors.has(issuer.sha256) });
    usable.set(issuer.sha256, may);
    return may;
  };
  return (child) => {
    const known = sound.get(child.sha256);
    if (known !== undefined) return known;
    const found = new Set(soundIssuers(child, issuers, isUsable));
    sound.set(child.sha256, found);
    return found;
  };
}

/** A certificate and everything that may stand on top of it, however far up, as far as that is free to see. */
function withIssuersAbove(certificate: Certificate, soundIssuersOf: Links['soundIssuersOf']): ReadonlySet<Certificate> {
  const above = new Set([certificate]);
  // A set hands out what is added to it on the way.
  for (const each of above) {
    for (const issuer of soundIssuersOf(each)) above.add(issuer);
  }
  return above;
}
