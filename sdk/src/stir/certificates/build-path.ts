import type { Spc } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from './certificate.js';
import { explanationBudget, FULL_PATH_ALLOWANCE, isShort, searchBudget } from './path-budget.js';
import type { PathAllowance } from './path-budget.js';
import { createPathMemory, failure, startPath } from './path-checks.js';
import type { PartialPath, PathPurpose, PathRules, SignatureCost } from './path-checks.js';
import { explain, noPath, SEARCH_ENDED } from './path-explanation.js';
import { collectIssuers } from './path-issuers.js';
import type { Search } from './path-issuers.js';
import { findPath } from './path-search.js';
import type { CertificatePath, CertificatePathResult, PathOptions, RevocationStatus } from './path.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from './signed-object.js';

export { PATH_MAX_CERTIFICATES, PATH_SEARCH_MAX_STEPS } from './path-budget.js';

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
  const { result } = searchFor(purpose, chain, options, FULL_PATH_ALLOWANCE);
  // With all that is due to a chain there always is a result.
  return result as CertificatePathResult;
}

/** What came of a search. */
export interface PathSearch {
  /** Undefined where the allowance was less than what is due to a chain and was spent before anything could be said. */
  readonly result: CertificatePathResult | undefined;
  /** What the signatures cost, those of the explanation included. */
  readonly cost: SignatureCost;
}

/**
 * As {@link buildCertificatePath}, for those who cannot spend on every chain what may be due to it.
 * @param allowance - what may be spent, {@link FULL_PATH_ALLOWANCE} or less
 * @throws {@link HopbackError} `invalid-argument` when the chain is empty
 * @internal
 */
export function searchCertificatePath(
  chain: readonly Certificate[],
  options: PathOptions,
  allowance: PathAllowance,
): PathSearch {
  return searchFor('passport', chain, options, allowance);
}

function searchFor(
  purpose: PathPurpose,
  chain: readonly Certificate[],
  options: PathOptions,
  allowance: PathAllowance,
): PathSearch {
  const [target] = chain;
  if (target === undefined) throw new HopbackError('invalid-argument', 'a certificate chain without a certificate');
  if (options.trustAnchors.length === 0)
    return { result: { status: 'untrusted', failures: [failure('trust-list-empty', target)] }, cost: NO_COST };
  const algorithms = options.algorithms ?? DEFAULT_SIGNATURE_ALGORITHMS;
  const rules: PathRules = {
    purpose,
    atMs: options.atMs,
    algorithms,
    revocation: options.revocation ?? NOTHING_KNOWN,
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
 * along sound links, which is quick and cannot be led astray; then, to explain, along all.
 * @returns undefined where the search ended before everything had been looked at, for want of what is due to a chain
 */
function soundPathOrReason(start: PartialPath, search: Search, allowance: PathAllowance): PartialPath | undefined {
  const { found, ended } = findPath(start, search, searchBudget(allowance));
  if (found !== undefined) return found;
  if (ended && isShort(allowance)) return undefined;
  if (allowance.explanationCost <= 0)
    return { ...start, failures: [...start.failures, noPath(start, 'none found, and not looked into why')] };
  const { path, isComplete } = explain(start, search, explanationBudget(allowance));
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
