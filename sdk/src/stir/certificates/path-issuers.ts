import type { Certificate } from './certificate.js';
import { mayHaveIssued, namesChain } from './path-checks.js';
import type { PartialPath, PathRules } from './path-checks.js';
import type { PathOptions } from './path.js';

/** Every certificate that may stand above another one. */
export interface Issuers {
  /** SHA-256 of the trust anchors. */
  readonly anchors: ReadonlySet<string>;
  /** SHA-256 of what is not from the chain: the anchors and the given intermediates. */
  readonly given: ReadonlySet<string>;
  readonly all: readonly Certificate[];
  readonly bySubject: ReadonlyMap<string, readonly Certificate[]>;
}

/** One search for a path: its rules, and among whom. */
export interface Search {
  readonly rules: PathRules;
  readonly issuers: Issuers;
}

/** Anchors first: where a certificate is in several places, and where several fit, the shorter path wins. */
export function collectIssuers(rest: readonly Certificate[], options: PathOptions): Issuers {
  const { trustAnchors, intermediates = [] } = options;
  const all = new Map<string, Certificate>();
  for (const certificate of [...trustAnchors, ...rest, ...intermediates]) {
    if (!all.has(certificate.sha256)) all.set(certificate.sha256, certificate);
  }
  const certificates = [...all.values()];
  const anchors = new Set(trustAnchors.map(({ sha256 }) => sha256));
  return {
    anchors,
    given: new Set([...anchors, ...intermediates.map(({ sha256 }) => sha256)]),
    all: certificates,
    bySubject: groupBySubject(certificates),
  };
}

function groupBySubject(certificates: readonly Certificate[]): ReadonlyMap<string, readonly Certificate[]> {
  const groups = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const group = groups.get(certificate.subject.canonical);
    if (group === undefined) groups.set(certificate.subject.canonical, [certificate]);
    else group.push(certificate);
  }
  return groups;
}

/**
 * Issuers by name against which nothing speaks that is free to look at, those with the right key identifier first.
 * @param mayIssue - what the certificate says of itself lets it issue any
 */
export function soundIssuers(
  child: Certificate,
  issuers: Issuers,
  mayIssue: (issuer: Certificate) => boolean,
): readonly Certificate[] {
  const sound = issuersByName(child, issuers).filter((issuer) => mayHaveIssued(child, issuer) && mayIssue(issuer));
  return mostPromisingFirst(child, sound);
}

/** Issuers by name, those with the right key identifier first, then those that only the key identifier points to. */
export function possibleIssuers(child: Certificate, issuers: Issuers): readonly Certificate[] {
  const identifier = child.authorityKeyIdentifier;
  const byName = mostPromisingFirst(child, issuersByName(child, issuers));
  const byIdentifier =
    identifier === undefined
      ? []
      : issuers.all.filter(({ subjectKeyIdentifier }) => subjectKeyIdentifier === identifier);
  return [...new Set([...byName, ...byIdentifier])];
}

function issuersByName(child: Certificate, { bySubject }: Issuers): readonly Certificate[] {
  return (bySubject.get(child.issuer.canonical) ?? []).filter((issuer) => namesChain(child, issuer));
}

/** By what the key identifiers say: the same, nothing, another one. Otherwise the order stays. @see RFC 4158 section 3.5.12 */
function mostPromisingFirst(child: Certificate, issuers: readonly Certificate[]): readonly Certificate[] {
  const wanted = child.authorityKeyIdentifier;
  const rank = ({ subjectKeyIdentifier }: Certificate): number => {
    if (wanted === undefined || subjectKeyIdentifier === undefined) return 1;
    return wanted === subjectKeyIdentifier ? 0 : 2;
  };
  return [...issuers].sort((a, b) => rank(a) - rank(b));
}

/** No certificate and no pair of name and key twice: a path that comes back to itself leads nowhere new. @see RFC 4158 section 2.4.2 */
export function isInPath(path: PartialPath, issuer: Certificate): boolean {
  return path.certificates.some(
    (certificate) =>
      certificate.sha256 === issuer.sha256 ||
      (certificate.subject.canonical === issuer.subject.canonical && certificate.publicKey.equals(issuer.publicKey)),
  );
}

/** The topmost certificate of a path so far. */
export function last(path: PartialPath): Certificate {
  return path.certificates.at(-1) as Certificate;
}
