import { createHash } from 'node:crypto';
import { HopbackError } from '../../errors.js';
import type { Certificate } from './certificate.js';
import { createRevocationSet } from './revocation.js';
import type { RevocationSet } from './revocation.js';

/** Where the anchors of a trust store come from. A signed list has the `sequence` of its issue and an end, milliseconds since the epoch. */
export type TrustStoreSource =
  { readonly kind: 'sti-pa-list'; readonly sequence: number; readonly expMs: number } | { readonly kind: 'files' };

/**
 * What certificates are judged by at one time: who may issue, what lies between, what was revoked. An immutable snapshot; a reload makes
 * a new one, and `version` tells whether results that were kept still hold.
 */
export interface TrustStore {
  /** Same content, same version: 32 hex digits. */
  readonly version: string;
  /** CA certificates, each once; never empty. */
  readonly anchors: readonly Certificate[];
  /** CA certificates that a path may go through beside those of its chain, each once. */
  readonly intermediates: readonly Certificate[];
  readonly revocation: RevocationSet;
  readonly source: TrustStoreSource;
}

/** What a trust store is made of. */
export interface TrustStoreOptions {
  /** CA certificates, at least one. */
  readonly anchors: readonly Certificate[];
  readonly source: TrustStoreSource;
  /** CA certificates that a path may go through beside those of its chain. Default none. */
  readonly intermediates?: readonly Certificate[];
  /** Default: a set without CRLs, for which every certificate's status is unknown. */
  readonly revocation?: RevocationSet;
}

/**
 * Makes a snapshot of what is trusted. No anchors means that nothing can be verified, never that everything is trusted.
 * @param options - anchors, where they come from, what lies between and what was revoked; certificates given twice count once
 * @returns the store, frozen
 * @throws {@link HopbackError} `trust-list-rejected` when there is no anchor, or one that is no CA certificate
 * @see RFC 5280 section 6.1.1 (d), ATIS-1000080 section 6.3.3
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const root = parseCertificate(pki.root.der);
 * const anchors = root.status === 'parsed' ? [root.certificate] : [];
 * const store = createTrustStore({ anchors, source: { kind: 'files' } });
 * console.log(store.anchors.length, store.version.length); // 1 32
 * ```
 */
export function createTrustStore(options: TrustStoreOptions): TrustStore {
  const anchors = distinct(options.anchors);
  if (anchors.length === 0)
    throw new HopbackError('trust-list-rejected', 'a trust store needs at least one trust anchor');
  const notCa = anchors.find(({ isCa }) => !isCa);
  if (notCa !== undefined) {
    throw new HopbackError('trust-list-rejected', `trust anchor ${notCa.subject.text} is not a CA certificate`, {
      details: { certificateSha256: notCa.sha256 },
    });
  }
  const intermediates = distinct(options.intermediates ?? []);
  const revocation = options.revocation ?? createRevocationSet([], { atMs: 0, issuers: [] });
  return Object.freeze({
    version: versionOf(anchors, intermediates, revocation),
    anchors,
    intermediates,
    revocation,
    source: options.source,
  });
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.sha256, certificate])).values()];
}

function versionOf(
  anchors: readonly Certificate[],
  intermediates: readonly Certificate[],
  revocation: RevocationSet,
): string {
  const parts = [anchors, intermediates, revocation.crls.map(({ crl }) => crl)].map((items) =>
    items
      .map(({ sha256 }) => sha256)
      .sort()
      .join(' '),
  );
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}
