import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '@hopback/harness/drachtio';
import { onTestFinished } from 'vitest';
import { peer } from '../../peers.js';
import { freePort } from '../../support/free-port.js';
import { createTemporaryDirectory, type TemporaryDirectory } from '../temporary-directory.js';

/** Transports that the scenarios are run over; on TCP all calls of one SIPp share a connection unless they are told otherwise. */
export type SippTransport = 'udp' | 'tcp';

/** What a run brought. */
export interface SippResult {
  /** 0 when every call went as the scenario says. */
  readonly exitCode: number;
  readonly successful: number;
  readonly failed: number;
  /** Messages that SIPp repeated, or that were repeated to it. */
  readonly retransmissions: number;
  /** What SIPp has to say of calls that failed; empty when none did. */
  readonly errors: string;
}

/** What callers and callees have in common. */
export interface SippRun {
  /** Name of a scenario in this folder, without `.xml`. */
  readonly scenario: string;
  readonly transport: SippTransport;
  readonly calls: number;
  /** Values of words in brackets that SIPp does not know itself. */
  readonly words?: Readonly<Record<string, string>>;
  /**
   * Whether a message that the scenario does not expect is passed over instead of ending its call. SIPp cannot take two responses in
   * either order: the second one comes while it has yet to act upon the first.
   */
  readonly passesOver?: boolean;
}

/** A run of callers. */
export interface SippCalls extends SippRun {
  /** Where the requests are sent, on 127.0.0.1. */
  readonly port: number;
  /** Request-URI; default one that leads to the port. */
  readonly uri?: string;
  /** Calls begun in a second; default 50. */
  readonly perSecond?: number;
}

/** Callees that have their port. */
export interface SippCallees extends AsyncDisposable {
  readonly port: number;
  /** URI by which they are called, with the transport. */
  readonly uri: string;
  /** Resolves when as many calls are over as were announced. */
  readonly finished: Promise<SippResult>;
  readonly close: () => Promise<void>;
}

const FOLDER = fileURLToPath(new URL('./', import.meta.url));
const HOST = '127.0.0.1';
const MODE: Readonly<Record<SippTransport, string>> = { udp: 'u', tcp: 't' };
/** Seconds after which SIPp gives up by itself; the runs here take two or three. */
const GIVES_UP_SECONDS = 30;
/** SIPp plans for 50,000 sockets otherwise, and refuses to run where a process may not open so many files. */
const SPARE = 20;
/** SIPp binds its port within milliseconds of its start. */
const START_TIMEOUT_MS = 10_000;
/** The port is chosen before SIPp binds it, so another process may take it in between. */
const START_ATTEMPTS = 3;

/** A run in which every call went as the scenario says, and nobody had to repeat a message. */
export function flawless(calls: number): SippResult {
  return { exitCode: 0, successful: calls, failed: 0, retransmissions: 0, errors: '' };
}

/** Lets SIPp call, one call at every beat of a steady rhythm, and waits until all are over. */
export async function sippCalls({ port, perSecond = 50, ...run }: SippCalls): Promise<SippResult> {
  const request_uri = run.uri ?? sipUri('app', port, run.transport);
  await using directory = await createTemporaryDirectory();
  const sipp = start(
    { ...run, words: { request_uri, ...run.words } },
    {
      directory,
      mode: `${MODE[run.transport]}1`,
      further: [`${HOST}:${port}`, '-r', String(perSecond), '-rp', '1000', '-max_socket', String(run.calls + SPARE)],
    },
  );
  return await sipp.finished;
}

/**
 * Starts callees on a port of their own and resolves when they listen.
 * @throws Error when they do not come up
 */
export async function startSippCallees(run: SippRun): Promise<SippCallees> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = await createTemporaryDirectory();
    const port = await freePort(run.transport);
    const sipp = start(run, { directory, mode: `${MODE[run.transport]}1`, further: ['-p', String(port)] });
    const close = async (): Promise<void> => {
      sipp.kill();
      await sipp.finished;
      await directory.close();
    };
    if (await isListening(sipp, { directory, port, transport: run.transport })) {
      const { finished } = sipp;
      return { port, uri: sipUri('callee', port, run.transport), finished, close, [Symbol.asyncDispose]: close };
    }
    const { errors } = await (sipp.kill(), sipp.finished);
    await directory.close();
    if (attempt === START_ATTEMPTS) throw new Error(`SIPp did not start: ${errors}`);
  }
}

/** `sip:user@127.0.0.1:port`, with the transport where it is not UDP. */
export function sipUri(user: string, port: number, transport: SippTransport): string {
  return `sip:${user}@${HOST}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}

type RunningSipp = ReturnType<typeof start>;

interface Surroundings {
  readonly directory: TemporaryDirectory;
  /** Of sockets: transport, and one for all calls (1) or one each (n). */
  readonly mode: string;
  readonly further: readonly string[];
}

function start(run: SippRun, { directory, mode, further }: Surroundings) {
  const file = directory.at;
  const child = spawn(
    peer('sipp').path,
    [
      ...further,
      ...['-i', HOST, '-t', mode, '-sf', `${FOLDER}${run.scenario}.xml`, '-nostdin'],
      ...['-m', String(run.calls), '-timeout', `${GIVES_UP_SECONDS}s`, '-timeout_error'],
      ...(run.passesOver === true ? ['-default_behaviors', 'all,-abortunexp'] : []),
      ...['-trace_stat', '-stf', file(STATISTICS), '-fd', '1', '-trace_err', '-error_file', file(ERRORS)],
      ...Object.entries(run.words ?? {}).flatMap(([word, value]) => ['-key', word, value]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: directory.path },
  );
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const killIt = (): void => void child.kill('SIGKILL');
  process.once('exit', killIt);
  // A test that runs out of time disposes of nothing.
  onTestFinished(killIt);
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const finished = (async (): Promise<SippResult> => {
    await once(child, 'close');
    process.removeListener('exit', killIt);
    const [statistics, errors] = await Promise.all([textOf(file(STATISTICS)), textOf(file(ERRORS))]);
    return resultOf(statistics, { exitCode: child.exitCode ?? Number.NaN, calls: run.calls, said: `${said}${errors}` });
  })();
  return { finished, hasExited, kill: killIt };
}

const STATISTICS = 'statistics.csv';
const ERRORS = 'errors.log';

interface Ending {
  readonly exitCode: number;
  readonly calls: number;
  /** What SIPp wrote about it. */
  readonly said: string;
}

function resultOf(statistics: string, { exitCode, calls, said }: Ending): SippResult {
  const lines = statistics.trim().split('\n');
  const names = lines[0]?.split(';') ?? [];
  const values = lines.at(-1)?.split(';') ?? [];
  const valueOf = (name: string): number => Number(values[names.indexOf(name)] ?? Number.NaN);
  const [successful, failed] = [valueOf('SuccessfulCall(C)'), valueOf('FailedCall(C)')];
  return {
    ...{ exitCode, successful, failed, retransmissions: valueOf('Retransmissions(C)') },
    // Of calls that went well it only warns, of its own slowness for instance.
    errors: exitCode !== 0 ? said : successful + failed < calls ? ENDED_EARLY : '',
  };
}

/** SIPp exits with 0 then, and says nothing. */
const ENDED_EARLY = 'somebody ended SIPp before its calls were over, by SIGTERM, SIGINT, SIGUSR1 or its control port';

interface Awaited {
  readonly directory: TemporaryDirectory;
  readonly port: number;
  readonly transport: SippTransport;
}

/** SIPp itself says nothing when it is ready, but it begins its statistics then: each change of its files is a reason to look. */
async function isListening(sipp: RunningSipp, { directory, port, transport }: Awaited): Promise<boolean> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), START_TIMEOUT_MS);
  const watcher = watch(directory.path, { signal: controller.signal });
  void sipp.finished.finally(() => controller.abort());
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const look = (): void => {
        isBound({ address: HOST, port }, transport).then((bound) => (bound ? resolve(true) : undefined), reject);
      };
      watcher.on('change', look);
      watcher.on('close', () => resolve(false));
      look();
    });
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}

/** Whether a socket of any process has an IPv4 address and port. */
export async function isBound({ address, port }: Endpoint, transport: SippTransport): Promise<boolean> {
  const sockets = await readFile(`/proc/net/${transport}`, 'utf8');
  // The kernel writes the octets of an address the other way round.
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  const local = `${octets.toReversed().join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  const remote = transport === 'tcp' ? '00000000:0000 0A' : '';
  return sockets.includes(` ${local} ${remote}`);
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
