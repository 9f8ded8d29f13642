import type { Spc } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from './certificate.js';
import {
  allowsPathBelow,
  createPathMemory,
  extendPath,
  failure,
  mayHaveIssued,
  namesChain,
  startPath,
} from './path-checks.js';
import type { PartialPath, PathPurpose, PathRules } from './path-checks.js';
import type { CertificatePath, CertificatePathResult, PathFailure, PathOptions, RevocationStatus } from './path.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from './signed-object.js';

/** Most certificates in a path, anchor included: a delegate of a delegate under two intermediates has six; none in use has more. */
export const PATH_MAX_CERTIFICATES = 10;

/**
 * Most issuers that one search puts on top of a path. An honest chain needs one for each certificate and each cross-certificate; ten
 * certificates that all vouch for each other have millions of paths.
 */
export const PATH_SEARCH_MAX_STEPS = 128;

/** What a search may cost; signatures as multiples of one under P-256, which takes 0.085 ms. */
interface SearchBudget {
  readonly maxSteps: number;
  /** For all signatures, those included that lead on. */
  readonly maxSignatureCost: number;
  /** For signatures that the issuer turns out not to have made. */
  readonly maxInvalidCost: number;
}

/**
 * Only signatures that lead nowhere are scarce: an honest chain has one of those for each issuer of the same name that no key identifier
 * tells apart. 84 under P-256 or 12 under P-384 block the event loop for 7 ms; with those that lead on, 105 or 15, for 9 ms.
 */
const SEARCH_BUDGET: SearchBudget = { maxSteps: PATH_SEARCH_MAX_STEPS, maxSignatureCost: 105, maxInvalidCost: 84 };

/** To explain why there is no path needs less than to find one: what has been computed before is not computed again. */
const EXPLANATION_BUDGET: SearchBudget = { maxSteps: 16, maxSignatureCost: 21, maxInvalidCost: 21 };

/**
 * Builds a certification path from the first certificate of a chain to a trust anchor and validates it. Tries branch after branch, the
 * most promising first, within a budget: issuers are found by name and key identifier among the rest of the chain (in any order), the
 * given intermediates and the anchors, of which there may be many with one name as long as key identifiers tell them apart. An anchor
 * is looked at like any CA certificate (dates, cA, pathLenConstraint, TNAuthList): trust stops at what it says of itself. An anchor
 * says who may issue, not who may sign calls: an end entity that is itself listed, or self-signed, gains nothing by it.
 * Costs some ECDSA verifications: keep the result with the chain. Never throws for peer input.
 * @param chain - end entity first, as published; at least one certificate
 * @param options - anchors, instant and what else counts
 * @returns `trusted` with the path and what is known of its revocation, or `untrusted` with every failure of the attempt that got furthest
 * @throws {@link HopbackError} `invalid-argument` when the chain is empty
 * @see RFC 5280 section 6, RFC 4158, RFC 8226, RFC 9060
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const published = parseCertificateChain(pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * const root = parseCertificate(pki.root.der);
 * if (published.status === 'malformed' || root.status === 'malformed') throw new Error('not certificates');
 * const trustAnchors = [root.certificate];
 * const result = buildCertificatePath(published.chain, { trustAnchors, atMs: TEST_NOW_MS });
 * if (result.status === 'trusted') console.log(result.path.spc, result.path.revocation.status); // 1234 unknown
 * else console.log(result.failures.map(({ reason }) => reason));
 * ```
 */
export function buildCertificatePath(chain: readonly Certificate[], options: PathOptions): CertificatePathResult {
  return buildPathFor('passport', chain, options);
}

/**
 * As {@link buildCertificatePath}, for a first certificate that signs something else than PASSporTs.
 * @internal
 */
export function buildPathFor(
  purpose: PathPurpose,
  chain: readonly Certificate[],
  options: PathOptions,
): CertificatePathResult {
  const [target] = chain;
  if (target === undefined) throw new HopbackError('invalid-argument', 'a certificate chain without a certificate');
  if (options.trustAnchors.length === 0)
    return { status: 'untrusted', failures: [failure('trust-list-empty', target)] };
  const algorithms = options.algorithms ?? DEFAULT_SIGNATURE_ALGORITHMS;
  const rules: PathRules = {
    purpose,
    atMs: options.atMs,
    algorithms,
    revocation: options.revocation ?? NOTHING_KNOWN,
    memory: createPathMemory(algorithms),
  };
  const search: Search = { rules, issuers: collectIssuers(chain.slice(1), options) };
  const path = soundPathOrReason(startPath(target, rules), search);
  return path.failures.length === 0
    ? { status: 'trusted', path: trustedPath(path, rules) }
    : { status: 'untrusted', failures: path.failures };
}

/**
 * The path to an anchor with no failure beside those of its end entity or, where there is none, the attempt that says most. First only
 * along sound links, which is quick and cannot be led astray; then, to explain, along all.
 */
function soundPathOrReason(start: PartialPath, search: Search): PartialPath {
  const { found, ended } = findPath(start, search);
  if (found !== undefined) return found;
  const best = explain(start, search);
  const saysSo = best.failures.some(({ reason }) => reason === 'no-path-to-trust-anchor');
  // A failure of one issuer does not explain why there was no path under the others, when they have not been looked at.
  return ended && best.failures.length > 0 && !saysSo
    ? { ...best, failures: [...best.failures, noPath(start, true)] }
    : best;
}

const NOTHING_KNOWN = (): RevocationStatus => ({ status: 'unknown', detail: 'no revocation source was given' });

interface Issuers {
  readonly anchors: ReadonlySet<string>;
  readonly all: readonly Certificate[];
  readonly bySubject: ReadonlyMap<string, readonly Certificate[]>;
}

interface Search {
  readonly rules: PathRules;
  readonly issuers: Issuers;
}

/** Anchors first: where a certificate is in several places, and where several fit, the shorter path wins. */
function collectIssuers(rest: readonly Certificate[], options: PathOptions): Issuers {
  const all = new Map<string, Certificate>();
  for (const certificate of [...options.trustAnchors, ...rest, ...(options.intermediates ?? [])]) {
    if (!all.has(certificate.sha256)) all.set(certificate.sha256, certificate);
  }
  const certificates = [...all.values()];
  return {
    anchors: new Set(options.trustAnchors.map(({ sha256 }) => sha256)),
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

/** Steps and signatures of one search. */
interface Spending {
  readonly step: () => void;
  readonly isSpent: () => boolean;
}

function startSpending({ memory }: PathRules, budget: SearchBudget): Spending {
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

/**
 * Depth first, one issuer after the other: a signature is computed once nothing that is free speaks against the issuer, and the next
 * one of the same name has its turn when the first has led nowhere.
 * @returns `ended` when the budget was spent before everything had been looked at
 */
function findPath(
  start: PartialPath,
  { rules, issuers }: Search,
): { readonly found?: PartialPath; readonly ended: boolean } {
  const spending = startSpending(rules, SEARCH_BUDGET);
  const possible = new Map<string, Set<Certificate>>();
  let ended = false;
  const descend = (path: PartialPath): PartialPath | undefined => {
    if (path.certificates.length >= PATH_MAX_CERTIFICATES) return undefined;
    const child = last(path);
    const candidates = possible.get(child.sha256) ?? new Set(soundIssuers(child, { rules, issuers }));
    possible.set(child.sha256, candidates);
    for (const issuer of candidates) {
      ended ||= spending.isSpent();
      if (ended) return undefined;
      if (!allowsPathBelow(path, issuer) || isInPath(path, issuer)) continue;
      if (rules.memory.signature(child, issuer) !== 'valid') {
        // Nor is it the issuer when another path comes by.
        candidates.delete(issuer);
        continue;
      }
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
  return found === undefined ? { ended } : { found, ended };
}

interface Attempt {
  readonly path: PartialPath;
  readonly reachedAnchor: boolean;
}

/** Depth first as {@link findPath}, but along links that fail as well. Returns the attempt that got furthest, with its failures. */
function explain(start: PartialPath, { rules, issuers }: Search): PartialPath {
  const spending = startSpending(rules, EXPLANATION_BUDGET);
  let best: Attempt | undefined;
  const descend = (path: PartialPath): void => {
    const isSpent = spending.isSpent();
    let hasIssuer = false;
    for (const issuer of isSpent ? [] : candidatesFor(path, issuers)) {
      if (spending.isSpent()) return;
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
  return best?.path ?? deadEnd(start, true);
}

/** Issuers by name against which nothing speaks that is free to look at, those with the right key identifier first. */
function soundIssuers(child: Certificate, { rules, issuers }: Search): readonly Certificate[] {
  const sound = issuersByName(child, issuers).filter((issuer) =>
    mayHaveIssued(child, issuer, { ...rules, isAnchor: issuers.anchors.has(issuer.sha256) }),
  );
  return mostPromisingFirst(child, sound);
}

/** Issuers by name, those with the right key identifier first, then those that only the key identifier points to. */
function candidatesFor(path: PartialPath, issuers: Issuers): readonly Certificate[] {
  if (path.certificates.length >= PATH_MAX_CERTIFICATES) return [];
  const child = last(path);
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
function isInPath(path: PartialPath, issuer: Certificate): boolean {
  return path.certificates.some(
    (certificate) =>
      certificate.sha256 === issuer.sha256 ||
      (certificate.subject.canonical === issuer.subject.canonical && certificate.publicKey.equals(issuer.publicKey)),
  );
}

/** @param isSpent - the search ended before it had looked everywhere */
function deadEnd(path: PartialPath, isSpent: boolean): PartialPath {
  const { length } = path.certificates;
  const reason =
    length >= PATH_MAX_CERTIFICATES
      ? failure('path-too-long', last(path), { expected: PATH_MAX_CERTIFICATES, actual: length })
      : noPath(path, isSpent);
  return { ...path, failures: [...path.failures, reason] };
}

function noPath(path: PartialPath, isSpent: boolean): PathFailure {
  return failure('no-path-to-trust-anchor', last(path), {
    expected: last(path).issuer.text,
    actual: isSpent ? 'search ended: too many issuers to try' : 'no such issuer',
  });
}

function last(path: PartialPath): Certificate {
  return path.certificates.at(-1) as Certificate;
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

function trustedPath(path: PartialPath, { atMs }: PathRules): CertificatePath {
  const { certificates } = path;
  const [target] = certificates as readonly [Certificate];
  const spc = inheritedSpc(certificates);
  const { jwtClaimConstraints } = target;
  return {
    certificates,
    trustAnchorSha256: (certificates.at(-1) as Certificate).sha256,
    validFromMs: Math.max(...certificates.map(({ notBeforeMs }) => notBeforeMs)),
    validToMs: Math.min(...certificates.map(({ notAfterMs }) => notAfterMs)),
    tnAuthList: target.tnAuthList ?? [],
    revocation: combineRevocation(path.revocation, atMs),
    ...(spc !== undefined && { spc }),
    ...(jwtClaimConstraints && { jwtClaimConstraints }),
  };
}

/**
 * The worst of several: revoked before unknown before good.
 * @param atMs - instant of the check, for an empty list
 */
export function combineRevocation(statuses: readonly RevocationStatus[], atMs: number): RevocationStatus {
  const worst =
    statuses.find(({ status }) => status === 'revoked') ?? statuses.find(({ status }) => status === 'unknown');
  return worst ?? statuses[0] ?? { status: 'good', checkedAtMs: atMs };
}

/** The one SPC of the nearest certificate whose TNAuthList has SPCs at all; more than one there leaves it open. */
function inheritedSpc(certificates: readonly Certificate[]): Spc | undefined {
  for (const { tnAuthList } of certificates) {
    const spcs = (tnAuthList ?? []).flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
    if (spcs.length > 0) return spcs.length === 1 ? spcs[0] : undefined;
  }
  return undefined;
}
