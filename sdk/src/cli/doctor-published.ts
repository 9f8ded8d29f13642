import { CERTIFICATE_CHAIN_MAX_BYTES, checkX5uUrl, fetchBounded, parseCertificateChain } from '../stir/index.js';
import type { BoundedFetchResult, Certificate } from '../stir/index.js';
import { fetchSettings } from './certificate-options.js';
import type { RepositoryOption } from './certificate-options.js';
import type { Finding } from './finding.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { countText, durationText } from './output.js';

/** Half of what a PASSporT may be old: the other half is for the way. */
const MAX_SKEW_MS = 30_000;

/** Fetches the x5u as a verifier would: whether it is served, whether it is the chain at hand, and what time it is there. */
export async function checkPublished(
  options: Options<Exclude<RepositoryOption, 'cache' | 'offline'> | 'x5u'>,
  io: CliIo,
  chain: readonly Certificate[],
): Promise<readonly Finding[]> {
  const name = 'x5u';
  const x5u = options.text('x5u');
  if (x5u === undefined) return [{ name, result: 'skipped', detail: 'no --x5u: nobody was contacted' }];
  const { allow, ca, deadlineMs } = await fetchSettings(options, io);
  const checked = checkX5uUrl(x5u, allow === undefined ? {} : { allow });
  if (checked.status === 'refused') {
    const advice = 'Verifiers take https, port 443 or 8443, a public host, no query.';
    return [{ name, result: 'failed', detail: `${checked.reason}: ${checked.detail}`, advice }];
  }
  const startMs = io.elapsedMs();
  const fetched = await fetchBounded(x5u, {
    maxBytes: CERTIFICATE_CHAIN_MAX_BYTES,
    ...(allow === undefined ? {} : { allow }),
    ...(ca === undefined ? {} : { ca }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  const tookMs = Math.round(io.elapsedMs() - startMs);
  return [publishedFinding(fetched, { tookMs, chain }), ...skewFinding(fetched, io)];
}

function publishedFinding(
  fetched: BoundedFetchResult,
  { tookMs, chain }: { readonly tookMs: number; readonly chain: readonly Certificate[] },
): Finding {
  const name = 'x5u';
  if (fetched.status === 'refused' || fetched.status === 'failed') {
    const advice = 'Calls signed with this x5u cannot be verified by anybody who sees the same.';
    return { name, result: 'failed', detail: `${fetched.reason}: ${fetched.detail}`, advice };
  }
  const parsed = fetched.status === 'fetched' ? parseCertificateChain(fetched.body) : undefined;
  if (parsed?.status !== 'parsed')
    return { name, result: 'failed', detail: `serves no certificates: ${parsed?.detail ?? ''}` };
  const detail = `${countText(parsed.chain.length, 'certificate')} in ${String(tookMs)} ms`;
  if (chain.length === 0) return { name, result: 'ok', detail };
  const differs = differenceOf(parsed.chain, chain);
  const more = parsed.chain.length - chain.length;
  if (differs === undefined)
    return { name, result: 'ok', detail: `${detail}, as at hand${more === 0 ? '' : ` and ${String(more)} more`}` };
  const advice = 'Publish the chain of --certificate there, end entity first.';
  return { name, result: 'failed', detail: `${detail}, but ${differs}`, advice };
}

/** Verifiers have what is served and nothing else: a link that is missing there is missing, and a foreign one breaks the path. */
function differenceOf(served: readonly Certificate[], atHand: readonly Certificate[]): string | undefined {
  const at = atHand.findIndex(({ sha256 }, index) => served[index]?.sha256 !== sha256);
  if (at < 0) return undefined;
  return at < served.length
    ? `certificate ${String(at + 1)} is not the one at hand`
    : `certificate ${String(at + 1)} of those at hand is missing`;
}

/** The Date of a response is exact to a second, and some caches hand out an old one: a warning, no failure. @see RFC 9110 section 6.6.1 */
function skewFinding(fetched: BoundedFetchResult, io: CliIo): readonly Finding[] {
  const date = 'headers' in fetched ? fetched.headers.date : undefined;
  const atMs = date === undefined ? Number.NaN : Date.parse(date);
  if (!Number.isFinite(atMs)) return [];
  const skewMs = io.clock.nowMs() - atMs;
  const name = 'clock and server';
  const detail = `${durationText(Math.round(Math.abs(skewMs) / 1000))} apart`;
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return [{ name, result: 'ok', detail }];
  return [{ name, result: 'warning', detail, advice: 'One of the two clocks is wrong: a PASSporT is fresh for 60 s.' }];
}
