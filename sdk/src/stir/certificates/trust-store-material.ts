import type { Certificate } from './certificate.js';
import type { CertificateRevocationList } from './crl.js';
import { createRevocationSet, revocationAt } from './revocation.js';
import type { RevocationSet } from './revocation.js';
import { verifyStiPaList } from './sti-pa-list.js';
import type { StiPaListFailureReason } from './sti-pa-list.js';
import { createTrustStore } from './trust-store.js';
import type { TrustStore, TrustStoreSource } from './trust-store.js';

/** What a trust store is made of, parsed and not verified yet; from files, from the network or from a cache. */
export interface TrustStoreMaterial {
  /** Certificates that are trusted as they are, or the policy administrator's signed list. */
  readonly anchors:
    | {
        readonly kind: 'certificates';
        readonly certificates: readonly Certificate[];
        readonly source: TrustStoreSource;
      }
    | { readonly kind: 'sti-pa-list'; readonly jws: string; readonly signerChain?: readonly Certificate[] };
  readonly stiPaRoots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly crlSigners: readonly Certificate[];
}

/** Result of {@link verifyTrustStore}. */
export type TrustStoreVerification =
  | { readonly status: 'accepted'; readonly trustStore: TrustStore }
  | { readonly status: 'rejected'; readonly reason: StiPaListFailureReason; readonly detail: string };

/**
 * The one way from what was read or fetched to a trust store: verifies the signed list and every CRL, and goes back to nothing older than
 * the store before. Pure; never throws for what a list and CRLs hold.
 * @param material - parsed, not verified
 * @param context - instant, and the store to be replaced
 * @returns the store, or why the list was refused
 * @throws {@link HopbackError} `trust-list-rejected` where no anchor was given, or one that is no CA; `invalid-argument` for too many CRLs
 */
export async function verifyTrustStore(
  material: TrustStoreMaterial,
  context: { readonly atMs: number; readonly previous: TrustStore | undefined },
): Promise<TrustStoreVerification> {
  const { stiPaRoots, intermediates, crls, crlSigners } = material;
  const { atMs, previous } = context;
  const revocationFor = (issuers: readonly Certificate[]): RevocationSet =>
    createRevocationSet(crls, {
      atMs,
      issuers,
      stiPaRoots,
      signers: crlSigners,
      ...(previous && { previous: crlsOf(previous.revocation) }),
    });
  const verified = await verifyTrustAnchors(material, { ...context, revocation: revocationFor(stiPaRoots) });
  if (verified.status === 'rejected') return verified;
  const { anchors, source } = verified;
  // With the roots of the policy administrator, whose own CRLs say which signers of lists are revoked.
  const revocation = revocationFor([...anchors, ...intermediates, ...stiPaRoots]);
  return { status: 'accepted', trustStore: createTrustStore({ anchors, intermediates, revocation, source }) };
}

/** A set may hold on to the one before it; to that its CRLs alone, so that a process with many reloads does not hold all that ever were. */
function crlsOf({ crls }: RevocationSet): RevocationSet {
  return { crls, refused: [], lookup: () => ({ status: 'unknown', detail: 'replaced by another set' }) };
}

/** Result of {@link verifyTrustAnchors}. */
export type VerifiedAnchors =
  | { readonly status: 'accepted'; readonly anchors: readonly Certificate[]; readonly source: TrustStoreSource }
  | (TrustStoreVerification & { readonly status: 'rejected' });

/**
 * The part of {@link verifyTrustStore} that is about the anchors: verifies the list where they come from one.
 * @param context - with `revocation`, a list whose signer is revoked is rejected; a signer of unknown status is not
 */
export async function verifyTrustAnchors(
  { anchors, stiPaRoots }: Pick<TrustStoreMaterial, 'anchors' | 'stiPaRoots'>,
  {
    atMs,
    previous,
    revocation,
  }: {
    readonly atMs: number;
    readonly previous: TrustStore | undefined;
    readonly revocation: RevocationSet | undefined;
  },
): Promise<VerifiedAnchors> {
  if (anchors.kind === 'certificates')
    return { status: 'accepted', anchors: anchors.certificates, source: anchors.source };
  const result = await verifyStiPaList(anchors.jws, {
    stiPaRoots,
    atMs,
    ...(revocation && { revocation: revocationAt(revocation, atMs) }),
    ...(anchors.signerChain && { signerChain: anchors.signerChain }),
    ...(previous?.source.kind === 'sti-pa-list' && {
      lastSequence: previous.source.sequence,
      lastExpMs: previous.source.expMs,
    }),
  });
  if (result.status === 'rejected') return { status: 'rejected', reason: result.reason, detail: result.detail };
  const { sequence, expMs } = result.list;
  return { status: 'accepted', anchors: result.list.anchors, source: { kind: 'sti-pa-list', sequence, expMs } };
}
