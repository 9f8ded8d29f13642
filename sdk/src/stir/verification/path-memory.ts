import { buildCertificatePath } from '../certificates/build-path.js';
import type { Certificate } from '../certificates/certificate.js';
import type { CertificatePathResult } from '../certificates/path.js';
import { revocationAt } from '../certificates/revocation.js';
import type { TrustStore } from '../certificates/trust-store.js';

/**
 * How long a path result is believed before it is made anew: validity dates and CRLs run out while a certificate stays in the
 * cache, and a path costs several signature checks. A minute is what PASSporTs themselves are given.
 */
export const PATH_REEVALUATION_MS = 60_000;

/** Builds paths and remembers them with the chain they are about. */
export interface PathMemory {
  readonly pathOf: (chain: readonly Certificate[], trustStore: TrustStore, nowMs: number) => CertificatePathResult;
}

/** Makes a path memory; it holds no chain that its repository has let go. */
export function createPathMemory(algorithms?: readonly ('ES256' | 'ES384')[]): PathMemory {
  const known = new WeakMap<readonly Certificate[], Remembered>();
  return {
    pathOf(chain, trustStore, nowMs) {
      const remembered = known.get(chain);
      if (remembered !== undefined && isCurrent(remembered, trustStore, nowMs)) return remembered.result;
      const result = buildCertificatePath(chain, {
        trustAnchors: trustStore.anchors,
        intermediates: trustStore.intermediates,
        atMs: nowMs,
        revocation: revocationAt(trustStore.revocation, nowMs),
        ...(algorithms === undefined ? undefined : { algorithms }),
      });
      known.set(chain, { result, trustStore, evaluatedAtMs: nowMs });
      return result;
    },
  };
}

interface Remembered {
  readonly result: CertificatePathResult;
  readonly trustStore: TrustStore;
  readonly evaluatedAtMs: number;
}

function isCurrent(remembered: Remembered, trustStore: TrustStore, nowMs: number): boolean {
  const ageMs = nowMs - remembered.evaluatedAtMs;
  if (remembered.trustStore !== trustStore || ageMs < 0 || ageMs >= PATH_REEVALUATION_MS) return false;
  return remembered.result.status === 'untrusted' || nowMs <= remembered.result.path.validToMs;
}
