import { loadavg } from 'node:os';
import { CERTIFICATE_FAULTS, createPassportFaultContext, PASSPORT_FAULTS } from '@hopback/sdk/testing';
import { PASSPORT_FAULT_NAMES } from '../../sdk/src/testing/passport-faults/passport-faults.js';
import type { CertificateFaultName } from '@hopback/sdk/testing';
import { peer } from '../peers.js';
import type { SidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarProcess } from '../support/sidecar-process.js';
import { interleave, median, sized, type BenchContext, type Contestant, type Figure, type Rate } from './bench.js';
import { asked, startHelper, type LineProcess } from './line-process.js';
import { processorSeconds } from './process-times.js';
import { FRESHNESS_SECONDS, startCallLab, type CallFile } from './sidecar-calls.js';
import { startSecsipidx } from './sidecar-secsipidx.js';
import { keepTo, loadByWrk, type LoadedRoute } from './sidecar-wrk.js';
import { writtenWorld } from './signed-calls.js';

/** Who answers has a processor, and who asks the other. */
export const CORES = { server: 0, load: 1 } as const;
/** Enough that a turn meets none twice, and few of the turns before. */
const CALLS = 100_000;
const CALLS_A_SECOND = 12_000;
const ROUNDS = { quick: 1, short: 5, full: 15 };
const TURN_SECONDS = 1;
const HTTP_BAR = 0.4;
const SECSIPIDX_BAR = 0.9;

/** Starts a sidecar and secsipidx, both kept to one processor. */
async function startParts(context: BenchContext) {
  context.progress(`signing ${CALLS} calls; load average ${loadavg()[0]?.toFixed(2) ?? '?'}`);
  const { lab, calls, start } = await startCallLab(CALLS);
  const sidecar = await start();
  keepTo(CORES.server, sidecar.pid);
  const secsipidx = peer('secsipidx').available
    ? await startSecsipidx(lab, FRESHNESS_SECONDS, CORES.server)
    : undefined;
  return {
    ...{ lab, calls, sidecar, secsipidx },
    async [Symbol.asyncDispose](): Promise<void> {
      await secsipidx?.[Symbol.asyncDispose]();
      await sidecar[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

type Parts = Awaited<ReturnType<typeof startParts>>;

/** A server, and what its requests have cost so far, microseconds of processor. */
interface Loaded {
  readonly port: number;
  readonly pid: number;
  readonly route: LoadedRoute;
  readonly who: string;
  readonly costsUs: number[];
}

const loaded = (
  { port, pid }: { readonly port: number; readonly pid: number },
  route: LoadedRoute,
  who: string,
): Loaded => ({
  ...{ port, pid, route, who, costsUs: [] },
});

/** A route of a server under the load of wrk, from the other processor. */
function underLoad(calls: CallFile, server: Loaded | undefined): Contestant {
  if (server === undefined) return NOBODY;
  const { port, pid, route, who, costsUs } = server;
  return {
    measure: async (ms) => {
      const seconds = Math.ceil(ms / 1_000);
      const slice = calls.slice(who, seconds * CALLS_A_SECOND);
      const before = processorSeconds(pid);
      const { perSecond, requests } = await loadByWrk({ who, port, route, calls: slice, seconds, core: CORES.load });
      costsUs.push(((processorSeconds(pid) - before) * 1e6) / requests);
      return perSecond;
    },
  };
}

/** What is left of a busy machine's moods: processor time of the servers themselves. */
const costText = (servers: readonly (Loaded | undefined)[]): string =>
  `processor time a request: ${servers.flatMap((each) => (each ? [`${each.who} ${median(each.costsUs).toFixed(0)} µs`] : [])).join(', ')}`;

async function startInProcess({ lab }: Parts): Promise<LineProcess> {
  const { pki, providers } = lab;
  const world = await lab.put('world.json', writtenWorld({ pki, signers: providers }));
  const child = await startHelper('sidecar-verify-process.ts', [world, String(FRESHNESS_SECONDS)]);
  keepTo(CORES.server, child.processId);
  return child;
}

/** Absent as a contestant where it is not installed. */
const NOBODY: Contestant = { measure: () => Promise.resolve(Number.NaN) };

/** Verification over HTTP, beside the same in process and secsipidx. */
export async function* verifyRates(context: BenchContext): AsyncGenerator<Figure> {
  await using parts = await startParts(context);
  const { calls, sidecar, secsipidx } = parts;
  await using inProcess = await startInProcess(parts);
  const rounds = sized(context, ROUNDS);
  const [check, verification] = [loaded(sidecar, 'check', 'check'), loaded(sidecar, 'verification', 'verification')];
  const theirs = secsipidx && loaded(secsipidx, 'check', 'secsipidx');
  const rates = await interleave(
    {
      inProcess: {
        measure: (ms) => {
          const { path, offset, count } = calls.slice('in process', Math.ceil((ms / 1_000) * 2 * CALLS_A_SECOND));
          return asked<number>(inProcess, [path, offset, count, ms].join('\t'));
        },
      },
      check: underLoad(calls, check),
      verification: underLoad(calls, verification),
      secsipidx: underLoad(calls, theirs),
    },
    { rounds, ms: TURN_SECONDS * 1_000, steadyBy: 'inProcess' },
  );
  await requireCounts(sidecar, 'stir_verifications_total', /verstat="TN-Validation-Passed".*reason="none"/);
  const skipped = await skippedChecks(parts);
  const of = `of the steadiest ${rounds} of ${rates.inProcess.made} rounds; ${costText([check, verification, theirs])}`;
  for (const [route, rate] of [
    ['check', rates.check],
    ['verification', rates.verification],
  ] as const) {
    yield {
      ...{ figure: `${route}-vs-in-process`, value: rate.median, unit: 'requests/s' },
      ...{ baseline: 'verify in process, same calls, same processor', baselineValue: rates.inProcess.median },
      ...{ bar: { ratioAtLeast: HTTP_BAR }, note: `medians ${of}; all answers good` },
    };
    yield {
      ...{ figure: `${route}-vs-secsipidx`, value: rate.median, unit: 'requests/s' },
      ...againstSecsipidx('/v1/check', rates.secsipidx),
      ...{
        bar: { ratioAtLeast: SECSIPIDX_BAR },
        note: secsipidx === undefined ? missing() : `${skipped}; medians ${of}`,
      },
    };
  }
}

const missing = (): string => `secsipidx is missing: ${peer('secsipidx').install}`;

const againstSecsipidx = (route: string, rate: Rate): Pick<Figure, 'baseline' | 'baselineValue'> => ({
  baseline: `secsipidx ${route}, GOMAXPROCS=1`,
  ...(Number.isNaN(rate.median) ? {} : { baselineValue: rate.median }),
});

/** What we check for the same answer: by trying it, not by reading. */
async function skippedChecks({ lab, secsipidx }: Parts): Promise<string> {
  if (secsipidx === undefined) return '';
  const revoked = lab.pki.issueServiceProvider({ spc: '4321' });
  const x5u = lab.server.publish('/revoked.pem', revoked.chainPem);
  await lab.put('sti-pa.crl', lab.pki.crl({ revoked: [revoked] }).der);
  await lab.configure();
  await using strict = await lab.start();
  const ours = async (identity: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${strict.port}/v1/check`, { method: 'POST', body: identity });
    return (await answer.text()).trim();
  };
  const theirs = secsipidx.check;
  const { tried, passed } = await tryFaults(lab, { theirs, ours, revoked: lab.identity({ signer: revoked, x5u }) });
  return `of ${tried} faults secsipidx lets ${passed.length} pass that are refused here: ${passed.join(' ')}`;
}

/** Signing over HTTP, beside secsipidx. */
export async function* signRates(context: BenchContext): AsyncGenerator<Figure> {
  await using parts = await startParts(context);
  const { calls, sidecar, secsipidx } = parts;
  const rounds = sized(context, ROUNDS);
  const [signCsv, signing] = [loaded(sidecar, 'sign-csv', 'sign-csv'), loaded(sidecar, 'signing', 'signing')];
  const theirs = secsipidx && loaded(secsipidx, 'sign-csv', 'secsipidx');
  const rates = await interleave(
    {
      'sign-csv': underLoad(calls, signCsv),
      signing: underLoad(calls, signing),
      secsipidx: underLoad(calls, theirs),
    },
    { rounds, ms: TURN_SECONDS * 1_000, ...(secsipidx && { steadyBy: 'secsipidx' as const }) },
  );
  await requireCounts(sidecar, 'stir_signings_total', /outcome="signed"/);
  for (const route of ['sign-csv', 'signing'] as const) {
    yield {
      ...{ figure: `${route}-vs-secsipidx`, value: rates[route].median, unit: 'requests/s' },
      ...againstSecsipidx('/v1/sign-csv', rates.secsipidx),
      ...{ bar: { ratioAtLeast: SECSIPIDX_BAR } },
      note: secsipidx
        ? `medians of the steadiest ${rounds} of ${rates.secsipidx.made} rounds; ${costText([signCsv, signing, theirs])}`
        : missing(),
    };
  }
}

/** Every count under a name is of this kind. @throws Error where another has been counted, or nothing */
export async function requireCounts(sidecar: SidecarProcess, name: string, kind: RegExp): Promise<number> {
  const counts = Object.entries(await sidecar.counts(name));
  const wrong = counts.filter(([labels]) => !kind.test(labels));
  const right = counts.reduce((sum, [, count]) => sum + count, 0);
  if (wrong.length > 0 || right === 0) throw new Error(`not all as they should be: ${JSON.stringify(counts)}`);
  return right;
}

/** Says `OK` or `FAILED` of an Identity header value. */
type Check = (identity: string) => Promise<string>;

/**
 * Tries every faulty PASSporT and every faulty certification path of the test kit, and one of a revoked certificate.
 * @param lab - publishes the paths
 * @returns how many faults there are, and the names of those that the peer lets pass and we do not
 */
async function tryFaults(
  lab: SidecarFolder,
  { theirs, ours, revoked }: { readonly theirs: Check; readonly ours: Check; readonly revoked: string },
): Promise<{ readonly tried: number; readonly passed: readonly string[] }> {
  const passed: string[] = [];
  const faults = [...passportFaults(lab), ...certificateFaults(lab), ['certificate-revoked', revoked] as const];
  for (const [name, identity] of faults) {
    if ((await theirs(identity)) === 'OK' && (await ours(identity)) === 'FAILED') passed.push(name);
  }
  return { tried: faults.length, passed };
}

function passportFaults(lab: SidecarFolder): readonly (readonly [name: string, identity: string])[] {
  const [{ provider, x5u }] = lab.providers;
  const context = createPassportFaultContext({ signer: provider, x5u, nowMs: Date.now() });
  return PASSPORT_FAULT_NAMES.map((name) => [name, PASSPORT_FAULTS[name]] as const)
    .filter(([, { refusedBy }]) => refusedBy.includes('shaken'))
    .map(([name, fault]) => [name, fault.build(context).identityHeader] as const);
}

function certificateFaults(lab: SidecarFolder): readonly (readonly [name: string, identity: string])[] {
  return (Object.keys(CERTIFICATE_FAULTS) as CertificateFaultName[])
    .filter((name) => CERTIFICATE_FAULTS[name].expectedReasonHint !== undefined)
    .flatMap((name) => {
      const { endEntity, chainPem } = CERTIFICATE_FAULTS[name].build(lab.pki, '1234');
      // Whose key signs nothing that a PASSporT could be.
      if (endEntity.key.type !== 'P-256') return [];
      const x5u = lab.server.publish(`/fault-${name}.pem`, chainPem);
      return [[name, lab.identity({ signer: endEntity, x5u })] as const];
    });
}
