import type { Spc } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from './certificate.js';
import { createPathMemory, extendPath, failure, namesChain, startPath } from './path-checks.js';
import type { PartialPath, PathPurpose, PathRules } from './path-checks.js';
import type { CertificatePath, CertificatePathResult, PathOptions, RevocationStatus } from './path.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from './signed-object.js';

/** Most certificates in a path, anchor included: a delegate of a delegate under two intermediates has six; none in use has more. */
export const PATH_MAX_CERTIFICATES = 10;

/**
 * Most issuers that one search puts on top of a path. An honest chain needs one for each certificate and each cross-certificate; ten
 * certificates that all vouch for each other have millions of paths.
 */
export const PATH_SEARCH_MAX_STEPS = 128;

/**
 * Most signatures that one search computes. One under P-384 blocks the event loop for 0.7 ms; an honest chain needs one for each
 * certificate, and one more for each issuer of the same name that a key identifier does not tell apart.
 */
const PATH_SEARCH_MAX_SIGNATURES = 16;

/** What a search may cost. */
interface SearchBudget {
  readonly maxSteps: number;
  readonly maxSignatures: number;
}

const SEARCH_BUDGET: SearchBudget = {
  maxSteps: PATH_SEARCH_MAX_STEPS,
  maxSignatures: PATH_SEARCH_MAX_SIGNATURES,
};

/** To explain why there is no path needs less than to find one: what has been computed before is not computed again. */
const EXPLANATION_BUDGET: SearchBudget = { maxSteps: 16, maxSignatures: 12 };

/**
 * Builds a certification path from the first certificate of a chain to a trust anchor and validates it. Tries every branch: issuers are
 * found by name and key identifier among the rest of the chain (in any order), the given intermediates and the anchors. An anchor
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
  const issuers = collectIssuers(chain.slice(1), options);
  const start = startPath(target, rules);
  // First only along links without a failure, which is quick and cannot be led astray; then, to explain, along all.
  const found = start.failures.length === 0 ? search(start, { rules, issuers, tolerant: false }) : undefined;
  if (found?.complete !== undefined) return { status: 'trusted', path: trustedPath(found.complete, rules) };
  const { best } = search(start, { rules, issuers, tolerant: true });
  return { status: 'untrusted', failures: best.failures };
}

const NOTHING_KNOWN = (): RevocationStatus => ({ status: 'unknown', detail: 'no revocation source was given' });

interface Issuers {
  readonly anchors: ReadonlySet<string>;
  readonly bySubject: ReadonlyMap<string, readonly Certificate[]>;
  readonly byKeyIdentifier: ReadonlyMap<string, readonly Certificate[]>;
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
    bySubject: groupBy(certificates, ({ subject }) => subject.canonical),
    byKeyIdentifier: groupBy(certificates, ({ subjectKeyIdentifier }) => subjectKeyIdentifier),
  };
}

function groupBy(
  certificates: readonly Certificate[],
  key: (certificate: Certificate) => string | undefined,
): ReadonlyMap<string, readonly Certificate[]> {
  const groups = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const value = key(certificate);
    if (value === undefined) continue;
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [certificate]);
    else group.push(certificate);
  }
  return groups;
}

interface Search {
  readonly rules: PathRules;
  readonly issuers: Issuers;
  /** Follow links that fail as well, in order to find out what is wrong. */
  readonly tolerant: boolean;
}

interface SearchResult {
  /** A path to an anchor without a failure. */
  readonly complete?: PartialPath;
  /** The attempt that got furthest, with its failures. */
  readonly best: PartialPath;
}

interface Attempt {
  readonly path: PartialPath;
  readonly reachedAnchor: boolean;
}

/** Depth first, with an explicit stack and a budget. */
function search(start: PartialPath, { rules, issuers, tolerant }: Search): SearchResult {
  const stack: PartialPath[] = [start];
  const budget = tolerant ? EXPLANATION_BUDGET : SEARCH_BUDGET;
  const signaturesBefore = rules.memory.signaturesChecked();
  let steps = 0;
  const isSpent = (): boolean =>
    steps >= budget.maxSteps || rules.memory.signaturesChecked() - signaturesBefore >= budget.maxSignatures;
  let best: Attempt | undefined;
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const candidates = isSpent() ? [] : candidatesFor(path, issuers, tolerant);
    const extensions: PartialPath[] = [];
    for (const issuer of candidates) {
      if (isSpent()) break;
      steps += 1;
      const isAnchor = issuers.anchors.has(issuer.sha256);
      const extended = extendPath(path, issuer, { ...rules, isAnchor });
      if (!tolerant && extended.failures.length > 0) continue;
      // Whoever is above an issuer that did not sign has nothing to do with the certificate below.
      if (rules.memory.signature(last(path), issuer) === 'invalid')
        best = better(best, { path: extended, reachedAnchor: isAnchor });
      else if (!isAnchor) extensions.push(extended);
      else if (extended.failures.length === 0) return { complete: extended, best: extended };
      else best = better(best, { path: extended, reachedAnchor: true });
    }
    // The stack is emptied from its end: the most promising issuer goes on last.
    stack.push(...extensions.reverse());
    if (candidates.length === 0) best = better(best, { path: deadEnd(path, isSpent()), reachedAnchor: false });
  }
  return { best: best?.path ?? deadEnd(start, isSpent()) };
}

/** Issuers by name, those with the right key identifier first; when explaining, also those that only the key identifier points to. */
function candidatesFor(path: PartialPath, issuers: Issuers, tolerant: boolean): readonly Certificate[] {
  if (path.certificates.length >= PATH_MAX_CERTIFICATES) return [];
  const child = last(path);
  const identifier = child.authorityKeyIdentifier;
  const byName = (issuers.bySubject.get(child.issuer.canonical) ?? []).filter((issuer) => namesChain(child, issuer));
  const matching = byName.filter((issuer) => issuer.subjectKeyIdentifier === identifier);
  const others = byName.filter((issuer) => issuer.subjectKeyIdentifier !== identifier);
  const byIdentifier = tolerant && identifier !== undefined ? (issuers.byKeyIdentifier.get(identifier) ?? []) : [];
  const candidates = new Set([...matching, ...others, ...byIdentifier]);
  return [...candidates].filter((issuer) => !isInPath(path, issuer));
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
  const top = last(path);
  const reason =
    path.certificates.length >= PATH_MAX_CERTIFICATES
      ? failure('path-too-long', top, { expected: PATH_MAX_CERTIFICATES, actual: path.certificates.length })
      : failure('no-path-to-trust-anchor', top, {
          expected: top.issuer.text,
          actual: isSpent ? 'search ended: too many issuers to try' : 'no such issuer',
        });
  return { ...path, failures: [...path.failures, reason] };
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
