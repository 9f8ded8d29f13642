import { searchCertificatePath } from '../certificates/build-path.js';
import type { Certificate } from '../certificates/certificate.js';
import type { CertificatePathResult } from '../certificates/path.js';
import { revocationAt } from '../certificates/revocation.js';
import type { TrustStore } from '../certificates/trust-store.js';
import { createSearchAllowances } from './search-allowance.js';
import type { CallSearches } from './search-allowance.js';

/**
 * How long a path result is believed before it is made anew: validity dates and CRLs run out while a certificate stays in the
 * cache, and a path costs several signature checks. A minute is what PASSporTs themselves are given.
 */
export const PATH_REEVALUATION_MS = 60_000;

/** Builds paths and remembers them with the chain they are about. */
export interface PathMemory {
  /** The result for a chain where one is remembered that still counts. */
  readonly remembered: (
    chain: readonly Certificate[],
    trustStore: TrustStore,
    nowMs: number,
  ) => CertificatePathResult | undefined;
  /** Makes the result for a chain anew; undefined, and nothing remembered, where searches have cost too much already. */
  readonly search: (chain: readonly Certificate[], search: ChainSearch) => CertificatePathResult | undefined;
}

/** To where, when and for whom a path is searched. */
export interface ChainSearch {
  readonly trustStore: TrustStore;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The searches of the same call. */
  readonly call: CallSearches;
}

/** Makes a path memory; it holds no chain that its repository has let go. */
export function createPathMemory(algorithms?: readonly ('ES256' | 'ES384')[]): PathMemory {
  const known = new WeakMap<readonly Certificate[], Remembered>();
  const allowances = createSearchAllowances();
  return {
    remembered(chain, trustStore, nowMs) {
      const remembered = known.get(chain);
      return remembered !== undefined && isCurrent(remembered, trustStore, nowMs) ? remembered.result : undefined;
    },
    search(chain, { trustStore, nowMs, call }) {
      const isProven = known.get(chain)?.result.status === 'trusted';
      const grant = call.givenUp.has(chain) ? undefined : allowances.grant({ call, nowMs, isProven });
      if (grant === undefined) return undefined;
      const options = {
        trustAnchors: trustStore.anchors,
        intermediates: trustStore.intermediates,
        atMs: nowMs,
        revocation: revocationAt(trustStore.revocation, nowMs),
        ...(algorithms === undefined ? undefined : { algorithms }),
      };
      const { result, cost } = searchCertificatePath(chain, options, grant.allowance);
      grant.spend(cost, result?.status === 'trusted');
      if (result === undefined) call.givenUp.add(chain);
      else known.set(chain, { result, trustStore, evaluatedAtMs: nowMs });
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
