import {
  buildCertificatePath,
  checkCertificates,
  concludeVerification,
  INLINE_SIGNATURE_CHECKER,
  PASSPORT_TYPES,
  revocationAt,
  startVerification,
  verificationPolicy,
} from '@hopback/sdk/stir';
import type { CallVerdict, Certificate, TrustStore, VerificationRequest } from '@hopback/sdk/stir';

const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));

/**
 * Verification without any IO: certificates come out of a map, time is an argument. For replaying captures, or for a runtime
 * that fetches in its own way.
 * @param chains - certificate chains by x5u URL
 */
export async function verifyOffline(
  request: VerificationRequest,
  chains: ReadonlyMap<string, readonly Certificate[]>,
  { trustStore, nowMs }: { readonly trustStore: TrustStore; readonly nowMs: number },
): Promise<CallVerdict> {
  const pending = startVerification(request, { policy: verificationPolicy(), types, nowMs });
  // `pending.x5uUrls` says which certificates are needed; what is not in the map cannot be had.
  const jobs = checkCertificates(pending, (url) => {
    const chain = chains.get(url);
    if (chain === undefined) {
      return { lookup: { status: 'unavailable', url, reason: 'connect-failed', detail: 'offline', retryAfterMs: 0 } };
    }
    const path = buildCertificatePath(chain, {
      trustAnchors: trustStore.anchors,
      intermediates: trustStore.intermediates,
      revocation: revocationAt(trustStore.revocation, nowMs),
      atMs: nowMs,
    });
    return { lookup: { status: 'found', url, chain, fetchedAtMs: nowMs, freshUntilMs: nowMs, notes: [] }, path };
  });
  const signatures = await INLINE_SIGNATURE_CHECKER.check(jobs);
  return concludeVerification(pending, jobs, { signatures, trustStore: trustStore.version });
}
