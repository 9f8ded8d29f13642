import type { Spc } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from './certificate.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from './parse-certificate.js';
import {
  allowsPathBelow,
  createPathMemory,
  extendPath,
  failure,
  mayHaveIssued,
  mayIssue,
  namesChain,
  startPath,
} from './path.js';
import type {
  CertificatePath,
  CertificatePathResult,
  PartialPath,
  PathFailure,
  PathMemory,
  PathOptions,
  PathPurpose,
  PathRules,
  RevocationStatus,
  SignatureCost,
} from './path.js';
import { grouped, remember } from '../../core/text.js';

/** Most certificates in a path, anchor included: a delegate of a delegate under two intermediates has six; none in use has more. */
export const PATH_MAX_CERTIFICATES = 10;

/**
 * Most issuers that one search puts on top of a path. An honest chain needs one for each certificate and each cross-certificate; ten
 * certificates that all vouch for each other have millions of paths.
 */
export const PATH_SEARCH_MAX_STEPS = 128;

/** What a search, or the explanation after it, may cost; signatures as multiples of one under P-256, which takes 0.085 ms. */
interface SearchBudget {
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

/** Steps and signatures of one search. */
type Spending = ReturnType<typeof startSpending>;

/** Counts from now on what is spent. */
function startSpending(memory: PathMemory, budget: SearchBudget) {
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

/** Every certificate that may stand above another one. */
interface Issuers {
  /** SHA-256 of the trust anchors. */
  readonly anchors: ReadonlySet<string>;
  /** SHA-256 of what is not from the chain: the anchors and the given intermediates. */
  readonly given: ReadonlySet<string>;
  readonly all: readonly Certificate[];
  readonly bySubject: ReadonlyMap<string, readonly Certificate[]>;
}

/** One search for a path: its rules, and among whom. */
interface Search {
  readonly rules: PathRules;
  readonly issuers: Issuers;
}

/** Anchors first: where a certificate is in several places, and where several fit, the shorter path wins. */
function collectIssuers(rest: readonly Certificate[], options: PathOptions): Issuers {
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
    bySubject: grouped(certificates, ({ subject }) => [subject.canonical]),
  };
}

/** Issuers by name against which nothing speaks that is free to look at, those with the right key identifier first. */
function soundIssuers(
  child: Certificate,
  issuers: Issuers,
  isIssuer: (issuer: Certificate) => boolean,
): readonly Certificate[] {
  const sound = issuersByName(child, issuers).filter((issuer) => mayHaveIssued(child, issuer) && isIssuer(issuer));
  return mostPromisingFirst(child, sound);
}

/** Issuers by name, those with the right key identifier first, then those that only the key identifier points to. */
function possibleIssuers(child: Certificate, issuers: Issuers): readonly Certificate[] {
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

/** The topmost certificate of a path so far. */
function last(path: PartialPath): Certificate {
  return path.certificates.at(-1) as Certificate;
}

/**
 * Looks for a path along sound links, depth first, one issuer after the other: a signature is computed once nothing that is free speaks
 * against the issuer, and the next one of the same name has its turn when the first has led nowhere. A certificate of the chain is
 * an issuer only when one that was given vouches for it: nobody gets anything computed by vouching for himself.
 * @returns `ended` when the budget was spent before everything had been looked at
 */
function findPath(
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
  const isUsable = (issuer: Certificate): boolean =>
    remember(usable, issuer.sha256, () => mayIssue(issuer, { ...rules, isAnchor: issuers.anchors.has(issuer.sha256) }));
  return (child) => remember(sound, child.sha256, () => new Set(soundIssuers(child, issuers, isUsable)));
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

interface Attempt {
  readonly path: PartialPath;
  readonly reachedAnchor: boolean;
}

/** Depth first as the search, but along links that fail as well. Returns the attempt that got furthest, with its failures. */
function explain(
  start: PartialPath,
  { rules, issuers }: Search,
  budget: SearchBudget,
): { readonly path: PartialPath; readonly isComplete: boolean } {
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
const SEARCH_ENDED = 'search ended: too many issuers to try';

/** No path from the last certificate of this one upwards. @param actual - what was found instead of an issuer, for people */
function noPath(path: PartialPath, actual: string): PathFailure {
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

/**
 * Builds a certification path from the first certificate of a chain to a trust anchor and validates it. Tries branch after branch, the
 * most promising first, within a budget: issuers are found by name and key identifier among the rest of the chain (in any order), the
 * given intermediates and the anchors, of which there may be many with one name as long as key identifiers tell them apart. An anchor
 * is looked at like any CA certificate (dates, cA, pathLenConstraint, TNAuthList): trust stops at what it says of itself. An anchor
 * says who may issue, not who may sign calls: an end entity that is itself listed, or self-signed, gains nothing by it.
 * Costs some ECDSA verifications, about 4 ms for the worst chain of a stranger and 9 ms for CAs that were renewed over and over: keep the
 * result with the chain. Where no key identifier tells issuers apart, a
 * dozen of one name are tried under P-256 and two under P-384. Never throws for peer input.
 * @param chain - end entity first, as published; at least one certificate
 * @param options - anchors, instant and what else counts
 * @returns `trusted` with the path and what is known of its revocation, or `untrusted` with every failure of the attempt that got furthest
 * @throws {@link HopbackError} `invalid-argument` when the chain is empty
 * @see RFC 5280 section 6, RFC 4158, RFC 8226, RFC 9060
 * @example
 * ```ts
 * const pki = new TestPki();
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

/** As {@link buildCertificatePath}, for a first certificate that signs something else than PASSporTs. */
export function buildPathFor(
  purpose: PathPurpose,
  chain: readonly Certificate[],
  options: PathOptions,
): CertificatePathResult {
  // With the full allowance there is always a result.
  return searchPath(chain, options, purpose).result as CertificatePathResult;
}

/**
 * Searches with an allowance of its own. The result is undefined where the search ended before everything had been looked at, for want of
 * what is due to a chain.
 */
export function searchPath(
  chain: readonly Certificate[],
  options: PathOptions,
  purpose: PathPurpose,
  allowance: PathAllowance = FULL_PATH_ALLOWANCE,
): { readonly result: CertificatePathResult | undefined; readonly cost: SignatureCost } {
  const [target] = chain;
  if (target === undefined) throw new HopbackError('invalid-argument', 'a certificate chain without a certificate');
  if (options.trustAnchors.length === 0)
    return { result: { status: 'untrusted', failures: [failure('trust-list-empty', target)] }, cost: NO_COST };
  const { atMs, algorithms = DEFAULT_SIGNATURE_ALGORITHMS, revocation = NOTHING_KNOWN } = options;
  const rules: PathRules = {
    purpose,
    atMs,
    algorithms,
    revocation,
    memory: createPathMemory(algorithms),
  };
  const search: Search = { rules, issuers: collectIssuers(chain.slice(1), options) };
  const path = soundPathOrReason(startPath(target, rules), search, allowance);
  return { result: path && resultOf(path, rules), cost: rules.memory.signatureCost() };
}

const NO_COST: SignatureCost = { all: 0, invalid: 0 };

const NOTHING_KNOWN = (): RevocationStatus => ({ status: 'unknown', detail: 'no revocation source was given' });

/**
 * The path to an anchor with no failure beside those of its end entity or, where there is none, the attempt that says most. First only
 * along sound links, which is quick and cannot be led astray; then, to explain, along all. Undefined as in {@link searchPath}.
 */
function soundPathOrReason(start: PartialPath, search: Search, allowance: PathAllowance): PartialPath | undefined {
  const { signatureCost, invalidCost, explanationCost } = allowance;
  const { found, ended } = findPath(start, search, {
    maxSteps: PATH_SEARCH_MAX_STEPS,
    maxSignatureCost: signatureCost,
    maxInvalidCost: invalidCost,
  });
  if (found !== undefined) return found;
  const isShort = signatureCost < FULL_PATH_ALLOWANCE.signatureCost || invalidCost < FULL_PATH_ALLOWANCE.invalidCost;
  if (ended && isShort) return undefined;
  if (explanationCost <= 0)
    return { ...start, failures: [...start.failures, noPath(start, 'none found, and not looked into why')] };
  const { path, isComplete } = explain(start, search, {
    maxSteps: EXPLANATION_MAX_STEPS,
    maxSignatureCost: explanationCost,
    maxInvalidCost: explanationCost,
  });
  const saysSo = path.failures.some(({ reason }) => reason === 'no-path-to-trust-anchor');
  // A failure of one issuer does not explain why there was no path under the others, when they have not been looked at.
  return (ended || !isComplete) && path.failures.length > 0 && !saysSo
    ? { ...path, failures: [...path.failures, noPath(start, SEARCH_ENDED)] }
    : path;
}

function resultOf(path: PartialPath, rules: PathRules): CertificatePathResult {
  return path.failures.length === 0
    ? { status: 'trusted', path: trustedPath(path, rules) }
    : { status: 'untrusted', failures: path.failures };
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

/** The worst of several: revoked before unknown before good. */
function combineRevocation(statuses: readonly RevocationStatus[], atMs: number): RevocationStatus {
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
