import { mkdir, writeFile } from 'node:fs/promises';
import { Session, type Profiler } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { SignaturePool, type VerificationServiceOptions } from '@hopback/sdk/stir';
import { createSignedWorld, createWarmService, inTurn, signCalls } from './signed-calls.js';
import { createWarmSigner, signingRequest } from './signing-calls.js';

const USAGE = `node --import tsx test/bench/profile.ts verify|verify-pool|sign

Where the time of one call goes, function by function, in the thread of the event loop and once warm. With verify-pool the
signatures are checked in other threads. Writes a .cpuprofile for the developer tools of a browser to .cache/profile/.
`;

const CALLS = 40_000;
const SIGNED_CALLS = 4_096;
const POOL_LANES = 256;
const WARM_UP_MS = 3_000;
const PROFILED_MS = 6_000;
const SAMPLING_INTERVAL_US = 100;
const ROWS = 40;

const WORK: Readonly<Record<string, () => Promise<Work>>> = {
  verify: async () => ({ call: await verifier({}), lanes: 1 }),
  'verify-pool': verifierWithPool,
  sign: async () => ({ call: await authenticator(), lanes: 1 }),
};

process.exitCode = await main(process.argv[2] ?? '');

async function main(what: string): Promise<number> {
  const work = await WORK[what]?.();
  if (work === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  await repeat(work, WARM_UP_MS);
  const { profile, calls, milliseconds } = await profiled(work);
  await work.close?.();
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

interface Work {
  readonly call: () => unknown;
  /** How many calls wait at a time. */
  readonly lanes: number;
  readonly close?: () => Promise<void>;
}

async function verifier(options: Partial<VerificationServiceOptions>): Promise<() => unknown> {
  const nowMs = Date.now();
  const world = await createSignedWorld(nowMs);
  const { service, forgetCalls } = await createWarmService(world, { nowMs: () => nowMs }, options);
  const calls = signCalls(world, CALLS, () => Math.floor(nowMs / 1000));
  const next = inTurn(calls, forgetCalls);
  return () => service.verify(next().request);
}

async function verifierWithPool(): Promise<Work> {
  const pool = new SignaturePool();
  return { call: await verifier({ signatureChecker: pool }), lanes: POOL_LANES, close: () => pool.close() };
}

async function authenticator(): Promise<() => unknown> {
  const world = await createSignedWorld(Date.now());
  const [signer] = world.signers;
  if (signer === undefined) throw new Error('a world without signers');
  const service = await createWarmSigner(signer, () => undefined);
  const next = inTurn(signCalls(world, SIGNED_CALLS, () => 0).map(signingRequest));
  return () => service.signNow(next());
}

/** Calls for so long; returns how many. */
async function repeat({ call, lanes }: Work, ms: number): Promise<number> {
  const start = performance.now();
  let calls = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      await call();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return calls;
}

async function profiled(work: Work) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
  await session.post('Profiler.start');
  const start = performance.now();
  const calls = await repeat(work, PROFILED_MS);
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
