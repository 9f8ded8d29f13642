import { timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from '../certificates/certificate.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup, CertificateRepository } from '../certificates/repository.js';
import type { TrustStore } from '../certificates/trust-store.js';
import type { PassportHeaderCache } from '../passport-header.js';
import { checkCertificates, concludeVerification, startVerification } from './core.js';
import type { CertificateKnowledge, PendingVerification, TokenSignatureJob, VerificationCoreOptions } from './core.js';
import type { Deadlines } from './deadlines.js';
import type { CallVerdict } from './outcome.js';
import type { createPathMemory } from './path-memory.js';
import type { VerificationPolicy } from './policy.js';
import type { ReplayMemory, Seen } from './replay-memory.js';
import type { VerificationRequest } from './request.js';
import { startCallSearches } from './search-allowance.js';
import type { CallSearches } from './search-allowance.js';
import type { createStepNames } from './step.js';
import type { SignatureChecker, Signatures } from './signature-checker.js';

/** What a verification service works with, from its making on; everything but the trust store stays. */
export interface Shell {
  readonly certificates: CertificateRepository;
  readonly checker: SignatureChecker;
  readonly policy: VerificationPolicy;
  readonly types: VerificationCoreOptions['types'];
  readonly headerCache: PassportHeaderCache;
  readonly stepNames: ReturnType<typeof createStepNames>;
  readonly clock: Clock;
  readonly paths: ReturnType<typeof createPathMemory>;
  readonly replays: ReplayMemory;
  /** Milliseconds a call may wait, unless it says otherwise. */
  readonly budgetMs: number;
  readonly deadlines: Deadlines;
  trustStore: TrustStore;
}

/** What was known of the certificates of `pending.x5uUrls`, in the same order; undefined where nothing was. */
export type Lookups = readonly (CertificateLookup | undefined)[];

/** A request that has been held against its certificates: what is missing for the verdict is the signatures. */
export interface Judged {
  readonly pending: PendingVerification;
  readonly lookups: Lookups;
  readonly jobs: readonly TokenSignatureJob[];
  /** The trust store that the paths were built to: it may have been replaced by the time of the verdict. */
  readonly trustStore: TrustStore;
}

/** First part of a verification, by the clock of the service. @throws {@link HopbackError} `invalid-configuration` for a clock without time */
export function start(shell: Shell, request: VerificationRequest): PendingVerification {
  const { policy, types, headerCache, stepNames } = shell;
  const nowMs = timeOf(shell.clock);
  // By no time at all every PASSporT would be stale, which would be held against the caller.
  if (nowMs === undefined) throw new HopbackError('invalid-configuration', 'The clock gives no time.');
  return startVerification(request, { policy, types, headerCache, stepNames, nowMs });
}

/** A call that somebody waits for. */
export interface Waiting {
  /** When the verdict is due, as `performance.now()` counts. */
  readonly untilMs: number;
  readonly searches: CallSearches;
}

/**
 * Second part: builds the paths and holds the tokens against them.
 * @param waiting - absent where everything was at hand: then the time budget has only begun, and what searches may cost is bounded
 */
export function judge(shell: Shell, pending: PendingVerification, lookups: Lookups, waiting?: Waiting): Judged {
  const { trustStore } = shell;
  const { nowMs } = pending.context;
  let searches = waiting?.searches;
  const jobs = checkCertificates(pending, (url): CertificateKnowledge | undefined => {
    const lookup = lookups[pending.x5uUrls.indexOf(url)];
    if (lookup?.status !== 'found') return lookup === undefined ? undefined : { lookup };
    const { chain } = lookup;
    const path =
      shell.paths.remembered(chain, trustStore, nowMs) ??
      pathOf(shell, chain, { nowMs, untilMs: waiting?.untilMs, searches: (searches ??= startCallSearches()) });
    if (path === undefined) return { lookup };
    const { source } = trustStore;
    return source.kind === 'files' ? { lookup, path } : { lookup, path, trustListExpMs: source.expMs };
  });
  return { pending, lookups, jobs, trustStore };
}

/** The path of a chain, remembered or searched; undefined when time is up or searches have cost too much already. */
export function pathOf(
  shell: Shell,
  chain: readonly Certificate[],
  search: { readonly nowMs: number; readonly untilMs: number | undefined; readonly searches: CallSearches },
): CertificatePathResult | undefined {
  const { paths, trustStore } = shell;
  const { nowMs, untilMs, searches } = search;
  const remembered = paths.remembered(chain, trustStore, nowMs);
  if (remembered !== undefined) return remembered;
  if (untilMs !== undefined && performance.now() >= untilMs) return undefined;
  return paths.search(chain, { trustStore, nowMs, call: searches });
}

/** Last part: the verdict. */
export function conclude(shell: Shell, { pending, jobs, trustStore }: Judged, signatures: Signatures): CallVerdict {
  return concludeVerification(pending, jobs, {
    signatures,
    observe: (callKey) => observeSafely(shell, callKey, pending.context.nowMs),
    trustStore: trustStore.version,
  });
}

// What others made for this service may break; the call goes on without it.

/** A repository that fails knows nothing. */
export function peekSafely(shell: Shell, url: string): CertificateLookup | undefined {
  try {
    return shell.certificates.peek(url) ?? undefined;
  } catch {
    return undefined;
  }
}

/** As {@link peekSafely}, fetching what is not there. */
export async function lookUpSafely(shell: Shell, url: string): Promise<CertificateLookup | undefined> {
  try {
    return await shell.certificates.lookup(url);
  } catch {
    return undefined;
  }
}

/** As {@link lookUpSafely}, for a chain that may have been replaced. */
export async function revalidateSafely(shell: Shell, url: string): Promise<CertificateLookup | undefined> {
  try {
    return await shell.certificates.revalidate(url);
  } catch {
    return undefined;
  }
}

/** A replay memory that fails has counted nothing. */
function observeSafely(shell: Shell, callKey: string, nowMs: number): Seen | undefined {
  try {
    return shell.replays.observe(callKey, nowMs);
  } catch {
    return undefined;
  }
}
