import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CertificateRepository, VerificationService, type CallVerdict, type Clock } from '@hopback/sdk/stir';
import { ManualClock, type ServerFaultName } from '@hopback/sdk/testing';
import { MAX_CACHED_BYTES, MAX_CONCURRENT_FETCHES } from '../../sdk/src/stir/certificates/certificate-repository.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { startCertificateServers, type CertificateServers } from './certificate-servers.js';
import { countClientSockets } from './client-sockets.js';
import { watchMemory } from './memory-watch.js';
import { createSignedWorld, signCall, type SignedWorld, type Signer } from './signed-calls.js';

/** Certificates that are not there yet: real HTTPS on loopback, the server in a process of its own. */
export const bench: Bench = {
  name: 'x5u',
  description:
    'certificate fetches under a rush of calls: one cold URL, dead URLs, 100,000 distinct URLs (20,000 in quick form)',
  figures: ['cold-url-fetches', 'dead-url-fetches', 'distinct-urls-sockets', 'distinct-urls-rss'],
  quick: { seconds: 35 },
  run: measureX5u,
};

const COLD_CALLS = 1_000;
const DEAD_CALLS = 10_000;
/** The ways of being dead that a client meets at each stage: name, connection, TLS, request, answer. */
const DEATHS: readonly ServerFaultName[] = ['refused', 'tls-silent', 'stall', 'reset', 'status-503'];
const DEAD_SECONDS = 6;
const DEAD_TURN_MS = 10;
/** Long enough that the wait between two fetches has grown to its longest. */
const DEAD_MINUTES_BY_CLOCK = 30;
const DISTINCT_CALLS = { quick: 20_000, short: 100_000, full: 100_000 };
/** Calls for each fetch that comes to an end: so that, within a minute, more chains arrive than the repository may keep. */
const CALLS_PER_FETCH = 11;
const CALLS_PER_FETCH_FULL = 4;
const CALLS_PER_TURN = 250;
/** As many as are waiting before the first fetch has ended. */
const FIRST_CALLS = 1_000;
const LOOK_MS = 2;
const WARM_UP_URLS = 500;
const MEGABYTE = 1_048_576;
/** What the repository may keep by its own limit, and half of it again: allocators do not give back all that they get back. */
const RSS_BAR_MB = Math.round((1.5 * MAX_CACHED_BYTES) / MEGABYTE);

const REAL_CLOCK: Clock = { nowMs: Date.now };

async function* measureX5u(context: BenchContext): AsyncGenerator<Figure> {
  const world = await createSignedWorld(Date.now());
  const [signer] = world.signers;
  if (signer === undefined) throw new Error('a world without signers');
  await using servers = await startCertificateServers();
  const lab: Lab = { world, provider: signer.provider, servers };
  if (context.wants('cold-url-fetches')) {
    context.progress(`${COLD_CALLS} calls at once, one cold URL`);
    yield await coldUrl(lab);
  }
  if (context.wants('dead-url-fetches')) {
    context.progress(`${DEAD_CALLS} calls to each of ${DEATHS.length + 1} dead URLs`);
    yield await deadUrls(lab);
  }
  if (!context.wants('distinct-urls-sockets') && !context.wants('distinct-urls-rss')) return;
  const count = sized(context, DISTINCT_CALLS);
  context.progress(`${count} calls, each with a URL of its own`);
  yield* distinctUrls(lab, { count, callsPerFetch: context.full ? CALLS_PER_FETCH_FULL : CALLS_PER_FETCH });
}

interface Lab {
  readonly world: SignedWorld;
  readonly provider: Signer['provider'];
  readonly servers: CertificateServers;
}

function verifierOf({ world, servers }: Lab, clock: Clock) {
  const certificates = new CertificateRepository({ clock, ...servers.reach });
  const service = new VerificationService({ certificates, trustStore: world.trustStore, clock });
  return { service, certificates, [Symbol.asyncDispose]: () => certificates.close() };
}

/** Calls that are answered, and how. */
function tally(): { readonly count: (verdict: CallVerdict) => void; readonly of: (status: string) => number } {
  const counts = new Map<string, number>();
  return {
    count: ({ status }) => void counts.set(status, (counts.get(status) ?? 0) + 1),
    of: (status) => counts.get(status) ?? 0,
  };
}

const secondsOf = (clock: Clock): number => Math.floor(clock.nowMs() / 1000);

async function coldUrl(lab: Lab): Promise<Figure> {
  const { provider, servers } = lab;
  await servers.publish('cold-', 1, provider.chainPem);
  await using verifier = verifierOf(lab, REAL_CLOCK);
  const signer = { provider, x5u: servers.url(0, '/cold-0.pem') };
  const calls = Array.from({ length: COLD_CALLS }, (_, index) => signCall(signer, index, secondsOf(REAL_CLOCK)));
  const start = performance.now();
  const verdicts = await Promise.all(calls.map(({ request }) => verifier.service.verify(request)));
  const tookMs = performance.now() - start;
  const verdictsBy = tally();
  verdicts.forEach(verdictsBy.count);
  if (verdictsBy.of('failed') > 0 || verdictsBy.of('passed') === 0) throw new Error('good calls did not pass');
  return {
    ...{ figure: 'cold-url-fetches', value: await servers.requests('/cold-0.pem'), unit: 'fetches' },
    bar: { valueAtMost: 1 },
    note: `${COLD_CALLS} calls at once; ${verdictsBy.of('passed')} passed, all answered within ${tookMs.toFixed(0)} ms`,
  };
}

/** Real time for every way of being dead, and half an hour by the clock for one of them: waits grow to their longest. */
async function deadUrls(lab: Lab): Promise<Figure> {
  const { servers, provider } = lab;
  const urls: [string, string][] = [['no such name', 'https://certificates.nowhere.example/dead.pem']];
  for (const name of DEATHS) urls.push([name, await servers.fault(name, provider.chainPem)]);
  const counted = await Promise.all(
    urls.map(async ([name, x5u]) => ({ name, fetches: await fetchesOfDead(lab, x5u) })),
  );
  const byClock = await fetchesByClock(lab, await servers.fault('status-503', provider.chainPem));
  const each = counted.map(({ name, fetches }) => `${name} ${fetches}`).join(', ');
  return {
    ...{
      figure: 'dead-url-fetches',
      value: Math.max(byClock, ...counted.map(({ fetches }) => fetches)),
      unit: 'fetches',
    },
    bar: { valueAtMost: 12 },
    note: `${DEAD_CALLS} calls each; in ${DEAD_SECONDS} s: ${each}; over ${DEAD_MINUTES_BY_CLOCK} min by the clock: ${byClock}`,
  };
}

async function fetchesOfDead(lab: Lab, x5u: string): Promise<number> {
  await using verifier = verifierOf(lab, REAL_CLOCK);
  const verdicts = tally();
  const perTurn = (DEAD_CALLS * DEAD_TURN_MS) / (DEAD_SECONDS * 1000);
  const call = signCall({ provider: lab.provider, x5u }, 0, secondsOf(REAL_CLOCK));
  const answers: Promise<void>[] = [];
  const start = performance.now();
  for (let turn = 1; answers.length < DEAD_CALLS; turn += 1) {
    const due = Math.min(DEAD_CALLS, Math.round(turn * perTurn));
    while (answers.length < due) answers.push(verifier.service.verify(call.request).then(verdicts.count));
    await sleep(Math.max(0, start + turn * DEAD_TURN_MS - performance.now()));
  }
  await Promise.all(answers);
  if (verdicts.of('indeterminate') !== DEAD_CALLS) throw new Error(`without a certificate, and yet judged: ${x5u}`);
  return verifier.certificates.stats().fetches;
}

async function fetchesByClock(lab: Lab, x5u: string): Promise<number> {
  const clock = new ManualClock(Date.now());
  await using verifier = verifierOf(lab, clock);
  const path = new URL(x5u).pathname;
  const before = await lab.servers.requests(path);
  for (let index = 0; index < DEAD_CALLS; index += 1) {
    const { request } = signCall({ provider: lab.provider, x5u }, index, secondsOf(clock));
    const { status } = await verifier.service.verify(request);
    if (status !== 'indeterminate') throw new Error('without a certificate, and yet judged');
    clock.advance((DEAD_MINUTES_BY_CLOCK * 60_000) / DEAD_CALLS);
  }
  return (await lab.servers.requests(path)) - before;
}

async function* distinctUrls(lab: Lab, { count, callsPerFetch }: Omit<Flood, 'prefix'>): AsyncGenerator<Figure> {
  await lab.servers.publish('', count, lab.provider.chainPem);
  await lab.servers.publish('warm-', WARM_UP_URLS, lab.provider.chainPem);
  // What TLS and HTTP themselves take once is not what grows with the URLs.
  await flood(lab, { prefix: 'warm-', count: WARM_UP_URLS, callsPerFetch: 1 });
  using sockets = countClientSockets();
  const memory = watchMemory();
  const { passed, indeterminate, stats, tookSeconds } = await flood(lab, {
    prefix: '',
    count,
    callsPerFetch,
  });
  const { peakMb, firstHalfMb } = memory.stop();
  const fetched = `${stats.fetches} fetched, the others told at once that there is no room`;
  const verdicts = `${passed} passed, ${indeterminate} indeterminate`;
  yield {
    ...{ figure: 'distinct-urls-sockets', value: sockets.peak(), unit: 'sockets' },
    bar: { valueAtMost: MAX_CONCURRENT_FETCHES },
    note: `most at a time, of ${sockets.opened()}; ${fetched}; ${verdicts}; ${tookSeconds.toFixed(0)} s`,
  };
  const ownCount = `${stats.entries} chains kept, ${(stats.sizeBytes / MEGABYTE).toFixed(0)} MiB by the repository's own count`;
  yield {
    ...{ figure: 'distinct-urls-rss', value: peakMb, unit: 'MiB', bar: { valueAtMost: RSS_BAR_MB } },
    note: `growth of resident memory after collections, at its highest; in the first half ${firstHalfMb.toFixed(0)}; ${ownCount}`,
  };
}

interface Flood {
  readonly prefix: string;
  readonly count: number;
  readonly callsPerFetch: number;
}

/** Calls with distinct URLs, many more than can be fetched; each is signed as it comes, so that nothing of it is kept here. */
async function flood(lab: Lab, { prefix, count, callsPerFetch }: Flood) {
  await using verifier = verifierOf(lab, REAL_CLOCK);
  const verdicts = tally();
  const fetched = (): number => {
    const { fetches, activeFetches } = verifier.certificates.stats();
    return fetches - activeFetches;
  };
  const answers = { count: 0 };
  const start = performance.now();
  for (let index = 0; index < count; index += 1) {
    const x5u = lab.servers.url(index, `/${prefix}${index}.pem`);
    const call = signCall({ provider: lab.provider, x5u }, index, secondsOf(REAL_CLOCK));
    void verifier.service.verify(call.request).then((verdict) => {
      answers.count += 1;
      verdicts.count(verdict);
    });
    if (index % CALLS_PER_TURN !== 0) continue;
    await nextTurn();
    while (fetched() * callsPerFetch < index - FIRST_CALLS) await sleep(LOOK_MS);
  }
  while (answers.count < count) await sleep(LOOK_MS);
  const [passed, indeterminate] = [verdicts.of('passed'), verdicts.of('indeterminate')];
  if (passed + indeterminate !== count) throw new Error('good calls failed');
  const tookSeconds = (performance.now() - start) / 1000;
  return { passed, indeterminate, tookSeconds, stats: verifier.certificates.stats() };
}
