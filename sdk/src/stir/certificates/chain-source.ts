import type { Clock } from '../../core/runtime/clock.js';
import type { CacheValidators } from './bounded-fetch.js';
import { readEnvelope } from './cache-envelope.js';
import { boundFreshUntil, freshUntil, servedUntil } from './cache-lifetime.js';
import type { Certificate, CertificateChainParseResult } from './certificate.js';
import type { FoundChain, NegativeEntry } from './repository-cache.js';
import type { CachedChainEnvelope } from './repository.js';
import type { FetchX5uResult } from './x5u-fetch.js';
import { checkX5uUrl, type X5uUrlPolicy } from './x5u-url-policy.js';

/** Reads an x5u body: `parseCertificateChain`, or a stand-in for tests. */
export type ParseChain = (body: Uint8Array | string) => CertificateChainParseResult;

/** A fetch as the repository sees it. */
export type FetchedChain =
  | { readonly status: 'chain'; readonly found: FoundChain; readonly validators: CacheValidators }
  | { readonly status: 'not-modified'; readonly freshUntilMs: (notAfterMs: number) => number }
  | { readonly status: 'problem'; readonly problem: NegativeEntry['problem']; readonly retryAfter?: string };

/**
 * Turns the result of a fetch into a chain with its lifetime, or into a problem that can be remembered. Pure.
 * @param result - of `fetchX5u`
 * @param context - the parser, and when the response came
 */
export function chainOfFetch(
  result: FetchX5uResult,
  context: { readonly parseChain: ParseChain; readonly nowMs: number },
): FetchedChain {
  const { nowMs, parseChain } = context;
  if (result.status === 'refused') return problem('refused', result);
  if (result.status === 'failed') {
    return {
      ...problem('unavailable', result),
      ...(result.retryAfter === undefined ? {} : { retryAfter: result.retryAfter }),
    };
  }
  if (result.status === 'not-modified') {
    return {
      status: 'not-modified',
      freshUntilMs: (notAfterMs) => freshUntil({ headers: result.headers, fetchedAtMs: nowMs, notAfterMs }),
    };
  }
  const parsed = parseChain(result.body);
  if (parsed.status === 'malformed')
    return problem('unavailable', {
      reason: 'body-malformed',
      detail: `${parsed.reason}: ${parsed.detail}`.slice(0, 300),
    });
  const freshUntilMs = freshUntil({
    headers: result.headers,
    fetchedAtMs: nowMs,
    notAfterMs: notAfterOf(parsed.chain),
  });
  const { url, notes, validators } = result;
  return {
    status: 'chain',
    found: { status: 'found', url, chain: parsed.chain, fetchedAtMs: nowMs, freshUntilMs, notes },
    validators,
  };
}

/** What an envelope from disk or import is admitted against. */
export interface AdmissionRules {
  readonly parseChain: ParseChain;
  readonly policy: X5uUrlPolicy;
  readonly clock: Clock;
}

/** A chain from an envelope. */
export interface AdmittedChain {
  readonly found: FoundChain;
  readonly validators: CacheValidators;
}

/**
 * Checks an envelope as if its chain had been fetched: URL policy, parsing, and times that are neither in the future nor
 * past what is still served. Pure but for the clock; never throws.
 * @param value - an envelope, or anything out of `JSON.parse`
 * @returns the chain, or `undefined` where it is not admitted
 */
export function admitEnvelope(value: unknown, rules: AdmissionRules): AdmittedChain | undefined {
  const envelope = readEnvelope(value);
  if (envelope === undefined || checkX5uUrl(envelope.url, rules.policy).status === 'refused') return undefined;
  const nowMs = rules.clock.nowMs();
  const parsed = parseSafely(envelope.body, rules.parseChain);
  if (parsed?.status !== 'parsed' || envelope.fetchedAtMs > nowMs) return undefined;
  const { url, fetchedAtMs } = envelope;
  const freshUntilMs = boundFreshUntil(envelope.freshUntilMs, { fetchedAtMs, notAfterMs: notAfterOf(parsed.chain) });
  if (nowMs >= servedUntil({ fetchedAtMs, freshUntilMs })) return undefined;
  const found: FoundChain = { status: 'found', url, chain: parsed.chain, fetchedAtMs, freshUntilMs, notes: [] };
  return { found, validators: validatorsOfEnvelope(envelope) };
}

/** Ours does not throw; a stand-in that does has no chain. */
function parseSafely(body: string, parseChain: ParseChain): CertificateChainParseResult | undefined {
  try {
    return parseChain(body);
  } catch {
    return undefined;
  }
}

/** End of validity of the end entity; an empty chain is not valid at all. */
export function notAfterOf(chain: readonly Certificate[]): number {
  return chain[0]?.notAfterMs ?? 0;
}

function validatorsOfEnvelope(envelope: CachedChainEnvelope): CacheValidators {
  const { etag, lastModified } = envelope;
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

function problem<Status extends 'refused' | 'unavailable'>(
  status: Status,
  {
    reason,
    detail,
  }: { readonly reason: (NegativeEntry['problem'] & { readonly status: Status })['reason']; readonly detail: string },
): { readonly status: 'problem'; readonly problem: NegativeEntry['problem'] } {
  return { status: 'problem', problem: { status, reason, detail } as NegativeEntry['problem'] };
}
