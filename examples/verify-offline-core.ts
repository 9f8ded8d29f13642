import {
  buildCertificatePath,
  checkCertificates,
  concludeVerification,
  INLINE_SIGNATURE_CHECKER,
  loadTrustStore,
  PASSPORT_TYPES,
  startVerification,
  verificationPolicy,
} from '@hopback/sdk/stir';
import type { CallVerdict, Certificate, TrustStore, VerificationRequest } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';

const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));

/**
 * Verification without any IO: certificates come out of a map, time is an argument. For replaying captures, or for a runtime
 * that fetches in its own way.
 * @param chains - certificate chains by x5u URL
 */
export function verifyOffline(
  request: VerificationRequest,
  chains: ReadonlyMap<string, readonly Certificate[]>,
  { trustStore, nowMs }: { readonly trustStore: TrustStore; readonly nowMs: number },
): CallVerdict {
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
      revocation: (certificate, issuer) => trustStore.revocation.lookup(certificate, issuer, nowMs),
      atMs: nowMs,
    });
    return { lookup: { status: 'found', url, chain, fetchedAtMs: nowMs, freshUntilMs: nowMs, notes: [] }, path };
  });
  const signatures = INLINE_SIGNATURE_CHECKER.check(jobs);
  return concludeVerification(pending, jobs, { signatures, trustStore: trustStore.version });
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const nowMs = Date.now();
  const trustStore = await loadTrustStore(lab.trust, { clock: { nowMs: () => nowMs } });
  const request = {
    identity: lab.identityHeader,
    from: 'sip:+12025550101@a.example',
    to: 'sip:+12025550199@b.example',
  };
  const verdict = verifyOffline(request, new Map([[lab.x5u, lab.chain]]), { trustStore, nowMs });
  console.log(verdict.verstat, verdict.attestation); // TN-Validation-Passed A
  await lab.close();
}
