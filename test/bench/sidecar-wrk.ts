import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peer } from '../peers.js';
import type { CallFile } from './sidecar-calls.js';

interface WrkLoad {
  /** For messages. */
  readonly who: string;
  readonly port: number;
  readonly route: LoadedRoute;
  readonly calls: ReturnType<CallFile['slice']>;
  readonly seconds: number;
  /** Processor that wrk is kept to; default whichever is free. */
  readonly core?: number;
}

/** Where each route is; the paths of secsipidx are the same. */
const PATHS = {
  check: '/v1/check',
  verification: '/stir/v1/verification',
  'sign-csv': '/v1/sign-csv',
  signing: '/stir/v1/signing',
};
export type LoadedRoute = keyof typeof PATHS;
/** Connections that are kept: enough that the server never waits for a client. */
const CONNECTIONS = 32;
const SCRIPT = fileURLToPath(new URL('wrk/calls.lua', import.meta.url));

const run = promisify(execFile);

/**
 * Asks as fast as answers come, over connections that are kept.
 * @returns with `cores`, the processors that wrk itself used
 * @throws Error when an answer was not 200, or none came: a rate of failures is no rate
 */
export async function loadByWrk({ who, port, route, calls, seconds, core }: WrkLoad) {
  const url = `http://127.0.0.1:${port}${PATHS[route]}`;
  const argv = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', SCRIPT, url, '--', route, calls.path];
  const whole = [peer('wrk').path, ...argv, String(calls.offset), String(calls.count)];
  const [program = '', ...rest] = core === undefined ? whole : ['taskset', '-c', String(core), ...whole];
  const { stdout } = await run(program, rest);
  const { requests, microseconds, failed, broken, cpuSeconds } = JSON.parse(
    stdout.slice(stdout.lastIndexOf('\n{')),
  ) as Readonly<Record<'requests' | 'microseconds' | 'failed' | 'broken' | 'cpuSeconds', number>>;
  if (failed + broken > 0) throw new Error(`${who}: ${failed} of ${requests} were not answered 200, ${broken} broken`);
  const elapsed = microseconds / 1e6;
  return { requests, perSecond: requests / elapsed, cores: cpuSeconds / elapsed };
}

/** Keeps a process with all its threads to one processor. @throws Error where that cannot be done */
export function keepTo(core: number, pid: number): void {
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset could not keep a process to processor ${core}: ${stderr}`);
}
