import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { LookupFunction } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DrachtioServer } from '@hopback/harness/drachtio';
import { parse } from 'yaml';
import { peer } from '../../peers.js';
import { isBound } from '../sipp/run-sipp.js';
import { createTemporaryDirectory, type TemporaryDirectory } from '../temporary-directory.js';

/** The folder of tests in the drachtio-srf package. */
export const THEIR_TESTS = join(dirname(createRequire(import.meta.url).resolve('drachtio-srf')), '..', 'test');
const STAND_INS = fileURLToPath(new URL('./stand-ins/', import.meta.url));
const SIP_PORT = 5_060;
/** One scenario sends its ACK after 1 s, and expects the re-INVITE of the other side before. */
const HOLD_MS = 100;
/** Last octets of addresses that the compose file does not use: for SIPp that calls, and for SIPp that a test starts by name. */
const [CALLER, NAMED_CALLEE] = [100, 200];
/** SIPp usually listens within milliseconds. */
const START_TIMEOUT_MS = 30_000;
/** Interval at which we check for a port or for results. */
const LOOK_MS = 25;

const atExit = new Set<() => unknown>();
process.once('exit', () => {
  for (const act of atExit) act();
});

/** Runs a function when this process exits. Returns a function that cancels it. */
export function onExit(act: () => unknown): () => void {
  atExit.add(act);
  return () => void atExit.delete(act);
}

/** Results of one SIPp. */
export interface ScenarioRun {
  readonly scenario: string;
  /** Calls that completed the scenario, and calls that broke it. Calls that were still open at the end are in neither. */
  readonly successful: number;
  readonly failed: number;
}

interface Service {
  readonly image: string;
  readonly command: string;
  readonly networks: { readonly testbed: { readonly ipv4_address: string } };
}

/**
 * Starts the services of the docker-compose file that a test file uses, on loopback addresses of their own: SIPp, and the embedded server
 * for drachtio-server.
 * @param sources - text of the test file and of the files that it requires
 */
export async function openTheirNetwork(sources: string) {
  const composed = await readFile(join(THEIR_TESTS, 'docker-compose-testbed.yaml'), 'utf8');
  const { services } = parse(composed) as { readonly services: Readonly<Record<string, Service>> };
  const directory = await createTemporaryDirectory();
  const prefix = randomPrefix();
  const addressOf = (name: string): string => {
    const theirs = services[name]?.networks.testbed.ipv4_address;
    return theirs === undefined ? `${prefix}${NAMED_CALLEE}` : theirs.replace('172.29.0.', prefix);
  };
  const callees: Callee[] = [];
  const servers = new Map<string, DrachtioServer>();
  const close = async (): Promise<void> => {
    for (const { child } of callees) child.kill('SIGKILL');
    await Promise.all(callees.map(({ hasExited }) => hasExited));
    await Promise.all([...servers.values()].map((server) => server.close()));
    await directory.close();
  };
  const runs = join(directory.path, 'runs.jsonl');
  try {
    const scenarios = await copyScenarios(directory, prefix);
    const docker = await placeDocker(directory);
    for (const [name, { image, command, networks }] of Object.entries(services)) {
      if (!isNamed(sources, name, networks.testbed.ipv4_address)) continue;
      if (image.startsWith('drachtio/sipp')) {
        const scenario = basename(command.split(' ').at(-1) ?? '');
        callees.push(await startCallee({ scenario, scenarios, address: addressOf(name), directory }));
      } else servers.set(name, await startServer(addressOf(name), addressOf));
    }
    const sut = addressOf('drachtio-sut');
    const network = {
      ...{ prefix, sut, scenarios, runs, sipp: peer('sipp').path },
      ...{ caller: `${prefix}${CALLER}`, namedCallee: `${prefix}${NAMED_CALLEE}` },
      servers: Object.fromEntries([...servers].map(([name, { control }]) => [name, control])),
    };
    return {
      /** For the process that runs a test file. */
      environment: {
        ...{ PATH: `${docker}:${process.env['PATH'] ?? ''}`, HOME: directory.path },
        ...{ NODE_OPTIONS: `--require ${STAND_INS}preload.cjs`, HOPBACK_DRACHTIO_SRF_NETWORK: JSON.stringify(network) },
      },
      /**
       * Collects the results of every SIPp.
       * @param awaited - scenarios of callees that complete at least one call
       */
      finish: async (awaited: ReadonlySet<string>): Promise<readonly ScenarioRun[]> => {
        const called = await readRuns(runs);
        const answered = await Promise.all(
          callees.map((callee) => ended(callee, { isAwaited: awaited.has(callee.scenario) })),
        );
        return [...called, ...answered];
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** On Linux all of 127.0.0.0/8 is loopback. A random part of it keeps runs at the same time apart. */
function randomPrefix(): string {
  const octet = (): number => 16 + Math.floor(Math.random() * 200);
  return `127.${octet()}.${octet()}.`;
}

/** Starts a server that resolves the names of the services. */
function startServer(address: string, addressOf: (name: string) => string): Promise<DrachtioServer> {
  const lookup: LookupFunction = (name, _options, callback) =>
    callback(null, [{ address: addressOf(name), family: 4 }]);
  return DrachtioServer.open({
    listen: [{ transport: 'udp', host: address, port: SIP_PORT }],
    lookup,
    // The test file runs in another process, and on a busy machine that may not read for much longer than the default.
    firstResponseHoldMs: HOLD_MS,
    answerHoldMs: HOLD_MS,
  });
}

function isNamed(sources: string, name: string, address: string): boolean {
  return new RegExp(`${name}(?![\\w-])|${address.replaceAll('.', String.raw`\.`)}(?!\\d)`).test(sources);
}

/** Copies the scenarios, with the addresses of this run. */
async function copyScenarios(directory: TemporaryDirectory, prefix: string): Promise<string> {
  const folder = join(directory.path, 'scenarios');
  await mkdir(folder);
  for (const name of await readdir(join(THEIR_TESTS, 'scenarios'))) {
    if (!name.endsWith('.xml')) continue;
    const text = await readFile(join(THEIR_TESTS, 'scenarios', name), 'latin1');
    await writeFile(join(folder, name), readable(text.replaceAll('172.29.0.', prefix)), 'latin1');
  }
  return folder;
}

/** SIPp 3.7 cannot parse a < in an attribute. */
function readable(scenario: string): string {
  const escaped = (value: string): string => value.replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return scenario.replace(/\bregexp="([^"]*)"/g, (_all, value: string) => `regexp="${escaped(value)}"`);
}

/** Makes a folder with a program `docker`, which starts the stand-in. */
async function placeDocker(directory: TemporaryDirectory): Promise<string> {
  const folder = join(directory.path, 'bin');
  await mkdir(folder);
  const path = join(folder, 'docker');
  await writeFile(path, `#!/bin/sh\nunset NODE_OPTIONS\nexec '${process.execPath}' '${STAND_INS}docker.mjs' "$@"\n`);
  await chmod(path, 0o755);
  return folder;
}

type Callee = Awaited<ReturnType<typeof startCallee>>;

async function startCallee(parts: {
  readonly scenario: string;
  readonly scenarios: string;
  readonly address: string;
  readonly directory: TemporaryDirectory;
}) {
  const { scenario, scenarios, address, directory } = parts;
  const statistics = join(directory.path, `${address}.csv`);
  const child = spawn(
    peer('sipp').path,
    [
      ...['-sf', join(scenarios, scenario), '-i', address, '-p', String(SIP_PORT), '-nostdin', '-max_socket', '100'],
      ...['-trace_stat', '-stf', statistics, '-fd', '1'],
    ],
    { stdio: 'ignore', cwd: directory.path },
  );
  const forget = onExit(() => child.kill('SIGKILL'));
  const hasExited = once(child, 'exit').then(forget);
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  while (!(await isBound({ address, port: SIP_PORT }, 'udp'))) {
    if (child.exitCode !== null || Date.now() > giveUpAt)
      throw new Error(`SIPp does not listen at ${address}: ${scenario}`);
    await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
  }
  return { child, hasExited, scenario, statistics };
}

/** The scenarios wait 4 s after a call for retransmissions, and SIPp writes its statistics once a second. */
const LAST_CALL_MS = 60_000;

/** Waits for the first completed call of an awaited scenario, and reads the results. */
async function ended(callee: Callee, { isAwaited }: { readonly isAwaited: boolean }): Promise<ScenarioRun> {
  const giveUpAt = Date.now() + LAST_CALL_MS;
  for (;;) {
    const run = await readStatistics(callee);
    if (!isAwaited || run.successful + run.failed > 0 || Date.now() > giveUpAt) return run;
    await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
  }
}

async function readStatistics({ scenario, statistics }: Callee): Promise<ScenarioRun> {
  const text = await readFile(statistics, 'utf8').catch(() => '');
  // The last line may be incomplete.
  const [names = [], ...rows] = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  const valueOf = (name: string): number => Number(rows.at(-1)?.[names.indexOf(name)] ?? 0);
  return { scenario, successful: valueOf('SuccessfulCall(C)'), failed: valueOf('FailedCall(C)') };
}

async function readRuns(path: string): Promise<readonly ScenarioRun[]> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { scenario, exitCode } = JSON.parse(line) as { readonly scenario: string; readonly exitCode: number };
    return { scenario, successful: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1 };
  });
}
