import type { TrustStoreProblem } from './trust-store-problem.js';
import type { TrustStore } from './trust-store.js';

/** How often list and CRLs are fetched unless told otherwise, milliseconds: a revoked certificate signs for so long at most. */
export const TRUST_STORE_REFRESH_MS = 3_600_000;

/** Shortest time between two fetches, and the wait after the first failure, milliseconds; it doubles up to the interval. */
export const TRUST_STORE_RETRY_MS = 60_000;

/** Longest interval, milliseconds: a day, for which the timers of every platform are good. */
export const TRUST_STORE_REFRESH_MAX_MS = 86_400_000;

/** Share of a wait that chance may take off, so that verifiers started together do not stay together. */
export const TRUST_STORE_JITTER = 0.1;

/** What the next refresh is planned by. */
export interface RefreshPlan {
  /** The present, milliseconds since the epoch; undefined where the clock gives none. */
  readonly nowMs: number | undefined;
  /** The store in use. */
  readonly trustStore: TrustStore | undefined;
  /** Refreshes in a row that met a problem. */
  readonly failures: number;
  readonly intervalMs: number;
  /** 0 to 1, new for every plan. */
  readonly chance: number;
}

/**
 * How long to wait for the next refresh, milliseconds: the interval, or half of what is left until the list or a CRL in use ends, so that
 * there is time for several tries; after a failure a wait that begins short and doubles. Pure.
 */
export function refreshDelayMs({ nowMs, trustStore, failures, intervalMs, chance }: RefreshPlan): number {
  const retryMs = failures === 0 ? intervalMs : TRUST_STORE_RETRY_MS * 2 ** Math.min(failures - 1, 20);
  const left = nowMs === undefined ? [] : endsOf(trustStore).map((endMs) => endMs - nowMs);
  // What has ended already is a problem, which has its own wait.
  const halfLeftMs = Math.min(...left.filter((ms) => ms > 0)) / 2;
  const waitMs = Math.max(Math.min(intervalMs, retryMs, halfLeftMs), TRUST_STORE_RETRY_MS);
  const share = Number.isFinite(chance) ? Math.min(Math.max(chance, 0), 1) : 0;
  return Math.round(waitMs * (1 - TRUST_STORE_JITTER * share));
}

/** What of a store no longer counts: its list has ended, or one of its CRLs. Pure. */
export function lapsesOf(
  trustStore: TrustStore,
  at: { readonly nowMs: number; readonly url: string },
): readonly TrustStoreProblem[] {
  const { source, revocation } = trustStore;
  const { nowMs, url } = at;
  const list: readonly TrustStoreProblem[] =
    source.kind === 'sti-pa-list' && nowMs >= source.expMs
      ? [{ part: 'list', reason: 'expired', url, detail: `the list in use ended at ${timeText(source.expMs)}` }]
      : [];
  const crls = revocation.crls
    .filter(({ usableUntilMs }) => nowMs >= usableUntilMs)
    .map(({ crl, usableUntilMs }): TrustStoreProblem => {
      const detail = `the CRL of ${crl.issuer.text} in use ended at ${timeText(usableUntilMs)}`;
      return { part: 'crl', reason: 'out-of-date', detail };
    });
  return [...list, ...crls];
}

function endsOf(trustStore: TrustStore | undefined): readonly number[] {
  if (trustStore === undefined) return [];
  const { source, revocation } = trustStore;
  const ofList = source.kind === 'sti-pa-list' ? [source.expMs] : [];
  return [...ofList, ...revocation.crls.map(({ usableUntilMs }) => usableUntilMs)];
}

/** An instant that a list states may lie beyond what a Date holds. */
function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${String(ms)} ms` : date.toISOString();
}
