import { HopbackError } from '../../errors.js';
import { buildPathFor } from './build-path.js';
import type { Certificate } from './certificate.js';
import type { CertificateRevocationList, CrlEntry } from './crl.js';
import { hex } from './der.js';
import type { CertificatePath, CertificatePathResult, RevocationStatus } from './path.js';
import { namesChain } from './path.js';
import { DEFAULT_SIGNATURE_ALGORITHMS, checkSignature } from './parse-certificate.js';
import { grouped } from '../../core/text.js';

/** Most CRLs in one set: the STI-PA's one and one for each CA; a look-up goes through the indirect ones. */
export const REVOCATION_SET_MAX_CRLS = 64;

/** A CRL that was left out of a set. */
export interface RefusedCrl {
  readonly crl: CertificateRevocationList;
  readonly reason: 'unusable' | 'signer-not-found' | 'signature-invalid' | 'signer-not-trusted' | 'older-than-known';
  /** For people. */
  readonly detail: string;
}

/** A CRL whose signature was verified with the key of a signer that may sign it. */
export interface TrustedCrl {
  readonly crl: CertificateRevocationList;
  /** The certificate whose key verified it. */
  readonly signer: Certificate;
  /**
   * Instant until which it may call a certificate good, milliseconds since the epoch: its own nextUpdate or, if that is earlier, the
   * end of its signer's path.
   */
  readonly usableUntilMs: number;
  /**
   * For a direct CRL: valid paths from certificates of its signer's key to the `issuers`. A CA that changes its key has certificates under
   * two keys and a CRL under one of them; a path proves that both keys belong to the same CA.
   */
  readonly signerPaths?: readonly CertificatePath[];
}

/**
 * Everything that is known of revocation at one time. Immutable: a newer state is a new set.
 * @see RFC 5280 section 6.3
 */
export interface RevocationSet {
  /** The newest of each kind, those of the set before included. */
  readonly crls: readonly TrustedCrl[];
  /** What was left out, with the reason. */
  readonly refused: readonly RefusedCrl[];
  /**
   * Status of one certificate, by name and serial number. `good` only where a current CRL covers it; `revoked` also where the list that
   * names it is out of date, since revocation does not lapse (only a hold does); else `unknown`.
   * @param issuer - the certificate above it in its path
   * @param atMs - milliseconds since the epoch
   */
  readonly lookup: (certificate: Certificate, issuer: Certificate, atMs: number) => RevocationStatus;
}

/** What CRLs are checked against. */
export interface RevocationSetOptions {
  /** When, milliseconds since the epoch. */
  readonly atMs: number;
  /** CA certificates whose own CRLs are accepted: anchors and intermediates. */
  readonly issuers: readonly Certificate[];
  /** Roots of the policy administrator: only signers below them may sign indirect CRLs, which speak for every CA. Default none. */
  readonly stiPaRoots?: readonly Certificate[];
  /** Certificates of CRL signers, as found through the CRLs' AuthorityInfoAccess, and of CAs between them and the root. */
  readonly signers?: readonly Certificate[];
  /** Default `['ES256', 'ES384']`. */
  readonly algorithms?: readonly ('ES256' | 'ES384')[];
  /** The set before: its CRLs stay where no newer one is given, and none is replaced by an older one. */
  readonly previous?: RevocationSet;
}

/**
 * Makes a snapshot of CRLs: verifies each one's signature and signer, and keeps the newest of each kind.
 * A direct CRL counts for certificates of the CA that signed it, under any of its keys: under the key that signed, and under
 * another key of the same name that one of the two keys or one issuer of both vouches for. A name alone proves nothing. An indirect
 * CRL counts for certificates whose CRL distribution point names its URL and, where it names one, its issuer.
 * @param crls - at most 64; none gives a set that knows nothing
 * @param options - instant, those who may sign, and the set before
 * @returns the set; CRLs that were left out are in `refused` with the reason
 * @throws {@link HopbackError} `invalid-argument` when there are more
 * @see RFC 5280 section 6.3.3, ATIS-1000084
 * @example
 * ```ts
 * const pki = new TestPki();
 * const parsed = parseCrl(pki.crl().der);
 * const certificates = [pki.stiPaRoot, pki.stiPaCrlIssuer].flatMap(({ der }) => {
 *   const result = parseCertificate(der);
 *   return result.status === 'parsed' ? [result.certificate] : [];
 * });
 * const set = createRevocationSet(parsed.status === 'parsed' ? [parsed.crl] : [], {
 *   atMs: TEST_NOW_MS,
 *   issuers: [],
 *   stiPaRoots: certificates.slice(0, 1),
 *   signers: certificates.slice(1),
 * });
 * console.log(set.crls.length, set.refused.length); // 1 0
 * ```
 */
export function createRevocationSet(
  crls: readonly CertificateRevocationList[],
  options: RevocationSetOptions,
): RevocationSet {
  if (crls.length > REVOCATION_SET_MAX_CRLS)
    throw new HopbackError('invalid-argument', `more than ${REVOCATION_SET_MAX_CRLS} CRLs`);
  const offered = new Map(
    [...(options.previous?.crls ?? []).map(({ crl }) => crl), ...crls].map((crl) => [crl.sha256, crl]),
  );
  const given = new Set(crls.map(({ sha256 }) => sha256));
  const judged = [...offered.values()].map((crl) => judge(crl, options));
  const { newest, older } = keepNewest(judged.filter((result) => 'signer' in result));
  const indirect = newest.filter(({ crl }) => crl.scope.indirect);
  const direct = grouped(
    newest.filter(({ crl }) => !crl.scope.indirect),
    ({ crl }) => [crl.issuer.canonical],
  );
  return Object.freeze({
    crls: newest,
    // A list of the set before that has been replaced is no refusal.
    refused: [...judged.filter((result) => 'reason' in result), ...older.filter(({ crl }) => given.has(crl.sha256))],
    lookup: lookupIn(indirect, direct),
  });
}

/** Apart from the rest: a function keeps alive whatever the one around it holds, here every set before this one. */
function lookupIn(
  indirect: readonly TrustedCrl[],
  direct: ReadonlyMap<string, readonly TrustedCrl[]>,
): RevocationSet['lookup'] {
  /** By CRLs under the very key of its issuer: to ask those under its other keys would lead round in circles. */
  const isRevoked = (certificate: Certificate, issuer: Certificate | undefined, atMs: number): boolean => {
    const ofKey = (direct.get(certificate.issuer.canonical) ?? []).filter(
      ({ signer }) => issuer !== undefined && signer.publicKey.equals(issuer.publicKey),
    );
    return statusOf(certificate, [...indirect, ...ofKey], atMs).status === 'revoked';
  };
  return (certificate, issuer, atMs) => {
    const ofIssuer = (direct.get(certificate.issuer.canonical) ?? []).filter(
      (trusted) =>
        trusted.signer.publicKey.equals(issuer.publicKey) || isOtherKeyOf(issuer, trusted, { atMs, isRevoked }),
    );
    return statusOf(certificate, [...indirect, ...ofIssuer], atMs);
  };
}

/**
 * Whether the signer of a direct CRL has another key of the CA that issued a certificate; the two have one name. It is the same CA where
 * one key certified the other, or one CA certified both.
 * @see RFC 5280 section 6.3.3 (f), RFC 4210 section 4.4
 */
function isOtherKeyOf(
  issuer: Certificate,
  { signer, signerPaths = [] }: TrustedCrl,
  judging: {
    readonly atMs: number;
    readonly isRevoked: (certificate: Certificate, issuer: Certificate | undefined, atMs: number) => boolean;
  },
): boolean {
  const { atMs, isRevoked } = judging;
  if (hasIssued(signer, issuer)) return !isRevoked(signer, undefined, atMs);
  return signerPaths.some(({ certificates, validToMs }) => {
    const [, above] = certificates;
    if (above === undefined || atMs > validToMs) return false;
    if (!above.publicKey.equals(issuer.publicKey) && !hasIssued(above, issuer)) return false;
    return !certificates.slice(0, -1).some((certificate, at) => isRevoked(certificate, certificates[at + 1], atMs));
  });
}

function hasIssued(issuer: Certificate, certificate: Certificate): boolean {
  return namesChain(certificate, issuer) && checkSignature(certificate, issuer) === 'valid';
}

function judge(crl: CertificateRevocationList, options: RevocationSetOptions): TrustedCrl | RefusedCrl {
  const { unusable, scope } = crl;
  const nextUpdateMs = crl.nextUpdateMs;
  if (unusable !== undefined || nextUpdateMs === undefined)
    return { crl, reason: 'unusable', detail: unusable ?? 'no nextUpdate' };
  const known = scope.indirect
    ? [...(options.stiPaRoots ?? []), ...(options.signers ?? [])]
    : [...options.issuers, ...(options.signers ?? [])];
  const named = known.filter((candidate) => mayBeSigner(crl, candidate));
  if (named.length === 0) return { crl, reason: 'signer-not-found', detail: crl.issuer.text };
  const algorithms = options.algorithms ?? DEFAULT_SIGNATURE_ALGORITHMS;
  const signers = named.filter((candidate) => checkSignature(crl, candidate, algorithms) === 'valid');
  if (signers.length === 0)
    return { crl, reason: 'signature-invalid', detail: `under ${named.length} certificate(s) of ${crl.issuer.text}` };
  let detail = '';
  for (const signer of signers) {
    const trust = scope.indirect ? indirectSignerTrust(signer, options) : directSignerTrust(signer);
    if (trust.status === 'trusted') {
      const usableUntilMs = Math.min(nextUpdateMs, trust.untilMs);
      return {
        crl,
        signer,
        usableUntilMs,
        ...(!scope.indirect && { signerPaths: pathsOf(signers, options) }),
      };
    }
    detail = trust.detail;
  }
  return { crl, reason: 'signer-not-trusted', detail };
}

function mayBeSigner(crl: CertificateRevocationList, candidate: Certificate): boolean {
  const { authorityKeyIdentifier } = crl;
  const { subjectKeyIdentifier } = candidate;
  const sameKey =
    authorityKeyIdentifier === undefined ||
    subjectKeyIdentifier === undefined ||
    authorityKeyIdentifier === subjectKeyIdentifier;
  return crl.issuer.canonical !== '' && candidate.subject.canonical === crl.issuer.canonical && sameKey;
}

type SignerTrust =
  { readonly status: 'trusted'; readonly untilMs: number } | { readonly status: 'untrusted'; readonly detail: string };

function indirectSignerTrust(signer: Certificate, options: RevocationSetOptions): SignerTrust {
  const roots = options.stiPaRoots ?? [];
  if (roots.some(({ sha256 }) => sha256 === signer.sha256)) return directSignerTrust(signer);
  const result = pathOf(signer, roots, options);
  if (result.status === 'trusted') return { status: 'trusted', untilMs: result.path.validToMs };
  return { status: 'untrusted', detail: result.failures.map(({ reason }) => reason).join(', ') };
}

/** Of all certificates of one key: a root that changed its key has a self-signed one and one under its old key. */
function pathsOf(signers: readonly Certificate[], options: RevocationSetOptions): readonly CertificatePath[] {
  if (options.issuers.length === 0) return [];
  return signers.flatMap((signer) => {
    const result = pathOf(signer, options.issuers, options);
    return result.status === 'trusted' ? [result.path] : [];
  });
}

function pathOf(
  signer: Certificate,
  trustAnchors: readonly Certificate[],
  { signers: intermediates = [], atMs, algorithms }: RevocationSetOptions,
): CertificatePathResult {
  return buildPathFor('crl', [signer], {
    trustAnchors,
    intermediates,
    atMs,
    ...(algorithms && { algorithms }),
  });
}

/** A CA's CRL needs no path to count below the key that signed it: the path of each certificate there is validated. */
function directSignerTrust(signer: Certificate): SignerTrust {
  const { keyUsage, notAfterMs } = signer;
  if (keyUsage !== undefined && !keyUsage.usages.includes('cRLSign'))
    return { status: 'untrusted', detail: 'key-usage-missing' };
  return { status: 'trusted', untilMs: notAfterMs };
}

function keepNewest(crls: readonly TrustedCrl[]): {
  readonly newest: readonly TrustedCrl[];
  readonly older: readonly RefusedCrl[];
} {
  const newest = new Map<string, TrustedCrl>();
  const older: RefusedCrl[] = [];
  for (const next of crls) {
    const kind = kindOf(next);
    const current = newest.get(kind);
    const keepsNext = current === undefined || isNewer(next.crl, current.crl);
    if (keepsNext) newest.set(kind, next);
    const left = keepsNext ? current : next;
    const kept = keepsNext ? next : current;
    if (left !== undefined && kept !== undefined) {
      older.push({
        crl: left.crl,
        reason: 'older-than-known',
        detail: `number ${left.crl.number ?? 'absent'}, known ${kept.crl.number ?? 'absent'}`,
      });
    }
  }
  return { newest: [...newest.values()], older };
}

/**
 * CRLs of one kind replace each other. A direct one belongs to a key, since unrelated CAs may share a name. Any difference in the
 * issuing distribution point makes another list, whose certificates are not in this one.
 */
function kindOf({ crl, signer }: TrustedCrl): string {
  const { indirect, issuingDistributionPoint } = crl.scope;
  const key = indirect ? '' : signer.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return JSON.stringify([crl.issuer.canonical, key, issuingDistributionPoint && hex(issuingDistributionPoint)]);
}

function isNewer(next: CertificateRevocationList, current: CertificateRevocationList): boolean {
  if (next.number !== undefined && current.number !== undefined && next.number !== current.number)
    return next.number > current.number;
  // A list that has lost its number does not replace one that had it.
  if (next.number === undefined && current.number !== undefined) return false;
  return next.thisUpdateMs > current.thisUpdateMs;
}

function statusOf(certificate: Certificate, crls: readonly TrustedCrl[], atMs: number): RevocationStatus {
  for (const trusted of crls) {
    // Attribute certificates have serial numbers of their own.
    if (trusted.crl.scope.only === 'attribute-certificates') continue;
    // Being named by a trusted list is enough to be revoked, whether or not the list claims to be complete for the certificate.
    const entry = trusted.crl.revoked.get(certificate.issuer.canonical)?.get(certificate.serialNumber);
    if (entry !== undefined && (entry.reason !== 'certificateHold' || isCurrent(trusted, atMs)))
      return revoked(certificate, entry);
  }
  const covering = crls.filter(({ crl }) => covers(crl, certificate));
  if (covering.some((trusted) => isCurrent(trusted, atMs))) return { status: 'good', checkedAtMs: atMs };
  if (covering.length > 0) return { status: 'unknown', detail: 'the CRL for this certificate is out of date' };
  return { status: 'unknown', detail: 'no CRL covers this certificate' };
}

function isCurrent({ crl, usableUntilMs }: TrustedCrl, atMs: number): boolean {
  return crl.thisUpdateMs <= atMs && atMs <= usableUntilMs;
}

function revoked(certificate: Certificate, { revokedAtMs, reason }: CrlEntry): RevocationStatus {
  return {
    status: 'revoked',
    certificateSha256: certificate.sha256,
    revokedAtMs,
    ...(reason !== undefined && { crlReason: reason }),
  };
}

/** Whether absence from this CRL means that the certificate is not revoked. @see RFC 5280 section 6.3.3 (b) */
function covers({ scope, issuer }: CertificateRevocationList, certificate: Certificate): boolean {
  if (scope.someReasonsOnly || scope.only === 'attribute-certificates') return false;
  if (scope.only === (certificate.isCa ? 'user-certificates' : 'ca-certificates')) return false;
  const points = certificate.crlDistributionPoints;
  if (scope.indirect) {
    // cRLIssuer came into the profile with v004, and certificates without it are still about. The policy administrator's list
    // speaks for every CA, so the URL alone says enough; a cRLIssuer that names somebody else does not fit.
    return points.some(
      ({ urls, crlIssuer }) =>
        (crlIssuer ?? issuer.canonical) === issuer.canonical && urls.some((url) => scope.urls.includes(url)),
    );
  }
  // A distribution point without a URL (a directory name, or one relative to the issuer) is part of a list all the same.
  return (
    !scope.hasDistributionPoint ||
    points.some(({ urls, crlIssuer }) => crlIssuer === undefined && urls.some((url) => scope.urls.includes(url)))
  );
}
