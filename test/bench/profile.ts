import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import {
  createAttestationPolicy,
  createAuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
} from '@hopback/sdk/stir';
import { createSignedWorld, createWarmService, inTurn, signCalls } from './signed-calls.js';

const USAGE = `node --import tsx test/bench/profile.ts verify|sign

Where the time of one call goes, function by function, on one thread and once warm. Writes a .cpuprofile for
the developer tools of a browser to .cache/profile/.
`;

const CALLS = 40_000;
const WARM_UP_CALLS = 30_000;
const PROFILED_MS = 6_000;
const SAMPLING_INTERVAL_US = 100;
const ROWS = 40;

process.exitCode = await main(process.argv[2]);

async function main(what: string | undefined): Promise<number> {
  if (what !== 'verify' && what !== 'sign') {
    process.stderr.write(USAGE);
    return 2;
  }
  const call = what === 'verify' ? await verifier() : await authenticator();
  for (let index = 0; index < WARM_UP_CALLS; index += 1) await call();
  const { profile, calls, milliseconds } = await profiled(call);
  const directory = fileURLToPath(new URL('../../.cache/profile/', import.meta.url));
  await mkdir(directory, { recursive: true });
  await writeFile(`${directory}${what}.cpuprofile`, JSON.stringify(profile));
  process.stdout.write(`${calls} calls, ${((1000 * milliseconds) / calls).toFixed(1)} µs each\n`);
  for (const row of selfTimes(profile).slice(0, ROWS)) {
    process.stdout.write(`${(row.microseconds / calls).toFixed(2).padStart(8)} µs  ${row.place}\n`);
  }
  process.stdout.write(`${directory}${what}.cpuprofile\n`);
  return 0;
}

type Call = () => unknown;

async function verifier(): Promise<Call> {
  const nowMs = Date.now();
  const world = await createSignedWorld(nowMs);
  const { service, forgetCalls } = createWarmService(world, { nowMs: () => nowMs });
  const next = inTurn(
    signCalls(world, CALLS, () => Math.floor(nowMs / 1000)),
    forgetCalls,
  );
  return () => service.verify(next().request);
}

async function authenticator(): Promise<Call> {
  const world = await createSignedWorld(Date.now());
  const [signer] = world.signers;
  if (signer === undefined) throw new Error('a world without signers');
  const { provider, x5u } = signer;
  const service = createAuthenticationService({
    ...{ spc: provider.spc, policy: createAttestationPolicy(), clock: { nowMs: Date.now }, randomUuid: randomUUID },
    signer: await createLocalSigner({ privateKeyPem: provider.privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem: provider.chainPem, x5u }),
  });
  const facts = {
    role: 'originating',
    customerKnown: true,
    callerAuthenticated: true,
    numberOwnership: 'owned',
  } as const;
  const requests = signCalls(world, 4_096, () => 0).map(({ request: { from = '', to = '', requestUri = '' } }) => ({
    ...{ facts, from, to, requestUri },
  }));
  const next = inTurn(requests);
  return () => service.signNow(next());
}

async function profiled(
  call: Call,
): Promise<{ readonly profile: Profiler.Profile; readonly calls: number; readonly milliseconds: number }> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
  await session.post('Profiler.start');
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < PROFILED_MS) {
    await call();
    calls += 1;
  }
  const milliseconds = performance.now() - start;
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return { profile, calls, milliseconds };
}

interface SelfTime {
  readonly place: string;
  readonly microseconds: number;
}

/** Time by function, that of what it calls left out; the most costly first. */
function selfTimes(profile: Profiler.Profile): readonly SelfTime[] {
  const places = new Map(profile.nodes.map((node) => [node.id, placeOf(node.callFrame)]));
  const sums = new Map<string, number>();
  profile.samples?.forEach((id, index) => {
    const place = places.get(id) ?? '(unknown)';
    sums.set(place, (sums.get(place) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  });
  return [...sums]
    .map(([place, microseconds]) => ({ place, microseconds }))
    .toSorted((left, right) => right.microseconds - left.microseconds);
}

function placeOf({ functionName, url, lineNumber }: Profiler.ProfileNode['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  const file = /(?:dist|node_modules|test|node:).*$/.exec(url)?.[0];
  return file === undefined ? name : `${name}  ${file}:${lineNumber + 1}`;
}
