import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peer } from '../../peers.js';
import { createTemporaryDirectory } from '../../peers/temporary-directory.js';
import { freePort } from '../../support/free-port.js';

/** What one run of callers brought. */
export interface SippResult {
  /** Calls a second from the first to the last. */
  readonly rate: number;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
}

/** A run of callers at a steady rate. */
export interface SippCalls {
  readonly targetPort: number;
  readonly perSecond: number;
  readonly calls: number;
  /** Values for the words of the scenario; default a call with an Identity header that nobody verifies. */
  readonly words?: Readonly<Record<'calling' | 'called' | 'identity', string>>;
  /** An injection file with the calls in their order. */
  readonly injectionFile?: string;
  /** Whether calls go on that had to repeat themselves; without it one such call ends the run early. */
  readonly mayRetransmit?: boolean;
}

const FOLDER = fileURLToPath(new URL('./', import.meta.url));

/** Calls whose Identity header is as long as that of a real one. */
const UNVERIFIED = {
  calling: '12025550147',
  called: '12155550113',
  identity: `${'eyJh'.padEnd(120, 'a')}.${'eyJi'.padEnd(236, 'b')}.${'c'.repeat(86)};info=<https://certificates.example.org/sp.pem>;alg=ES256;ppt=shaken`,
};

/**
 * Lets callers call, one at every moment of a steady rhythm, whatever became of those before.
 * @throws Error when SIPp ends without having made calls
 */
export async function sippCalls(options: SippCalls): Promise<SippResult> {
  await using temporary = await createTemporaryDirectory();
  const directory = temporary.path;
  const scenario = join(directory, 'caller.xml');
  await writeFile(scenario, withWords(await readFile(`${FOLDER}caller.xml`, 'utf8'), options.words ?? UNVERIFIED));
  const statistics = join(directory, 'statistics.csv');
  const child = spawn(
    peer('sipp').path,
    [
      ...[`127.0.0.1:${options.targetPort}`, '-i', '127.0.0.1', '-sf', scenario, '-nostdin'],
      ...['-r', String(options.perSecond), '-rp', '1000', '-m', String(options.calls), '-l', '200000'],
      ...(options.injectionFile === undefined ? [] : ['-inf', options.injectionFile]),
      // A call that would have to repeat itself fails, so that an overloaded run ends within a second.
      ...(options.mayRetransmit === true ? [] : ['-max_retrans', '1']),
      ...[
        '-trace_stat',
        '-stf',
        statistics,
        '-fd',
        '1',
        '-timeout',
        `${Math.ceil(options.calls / options.perSecond) + 20}s`,
      ],
    ],
    { stdio: 'ignore', cwd: directory },
  );
  await once(child, 'exit');
  return resultOf(await readFile(statistics, 'utf8'));
}

/** Callees that answer at once, on a port of their own. */
export async function sippCallees(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const port = await freePort('udp');
  const child: ChildProcess = spawn(
    peer('sipp').path,
    ['-sf', `${FOLDER}callee.xml`, '-i', '127.0.0.1', '-p', String(port), '-nostdin'],
    { stdio: 'ignore' },
  );
  await answersOptions(port);
  return {
    port,
    close: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Waits until somebody holds the port: SIPp itself says nothing when it is ready. */
async function answersOptions(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await readFile('/proc/net/udp', 'utf8')).includes(`:${hex} `)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nobody listens on UDP port ${port}`);
}

function withWords(text: string, words: Readonly<Record<string, string>>): string {
  return Object.entries(words).reduce((written, [word, value]) => written.replaceAll(`@${word}@`, value), text);
}

function resultOf(csv: string): SippResult {
  const lines = csv.trim().split('\n');
  const names = lines[0]?.split(';') ?? [];
  const values = lines.at(-1)?.split(';') ?? [];
  const valueOf = (name: string): number => Number(values[names.indexOf(name)] ?? Number.NaN);
  const result = {
    rate: valueOf('CallRate(C)'),
    successful: valueOf('SuccessfulCall(C)'),
    failed: valueOf('FailedCall(C)'),
    retransmissions: valueOf('Retransmissions(C)'),
  };
  if (!Number.isFinite(result.rate) || result.successful + result.failed === 0) throw new Error('SIPp made no calls');
  return result;
}
