import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { ROOT } from '../house/run.js';

/** A block of code of a document. */
export interface RecipeBlock {
  /** The heading that it stands under, without its `#`. */
  readonly heading: string;
  /** `sh`, `text`; empty where the document says none. */
  readonly language: string;
  readonly text: string;
}

/**
 * Reads what a document tells its readers to write and to run.
 * @param path - from the root of the repository
 * @param chosen - what the document lets its readers choose, by what it has chosen itself; digits are replaced as whole numbers
 */
export async function readRecipe(path: string, chosen: Readonly<Record<string, string>> = {}) {
  const blocks: RecipeBlock[] = [];
  let heading = '';
  let open: { language: string; lines: string[] } | undefined;
  for (const line of (await readFile(join(ROOT, path), 'utf8')).split('\n')) {
    const fence = /^```(\S*)/.exec(line);
    if (fence === null) {
      if (open === undefined) heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
      else open.lines.push(line);
    } else if (open === undefined) open = { language: fence[1] ?? '', lines: [] };
    else {
      blocks.push({ heading, language: open.language, text: replaced(open.lines.join('\n'), chosen) });
      open = undefined;
    }
  }
  return blocks;
}

function replaced(text: string, chosen: Readonly<Record<string, string>>): string {
  return Object.entries(chosen).reduce(
    (before, [from, to]) => before.replaceAll(/^\d+$/.test(from) ? new RegExp(`\\b${from}\\b`, 'g') : from, to),
    text,
  );
}

/** A command has no reason to stay longer when it was asked to end. */
const STOP_TIMEOUT_MS = 5_000;

/** Starts a command as a terminal of its own would, in the root of the repository. It ends with the test. */
export function startCommand(command: string) {
  const child = spawn('bash', ['-c', command], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const closed = once(child, 'close');
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const endWithUs = (): void => signalGroup(child, 'SIGKILL');
  process.once('exit', endWithUs);
  const stop = async (): Promise<void> => {
    signalGroup(child, 'SIGCONT');
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(endWithUs, STOP_TIMEOUT_MS);
    await closed;
    clearTimeout(timer);
    process.removeListener('exit', endWithUs);
  };
  onTestFinished(stop);
  /** To the command and all that it has started. */
  const signal = (name: NodeJS.Signals): void => signalGroup(child, name);
  return { said: (): string => said, hasEnded, signal, stop };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone.
  }
}

/**
 * Runs a command to its end, in the root of the repository.
 * @returns what it has printed
 * @throws Error with that, when it fails
 */
export async function runCommand(command: string): Promise<string> {
  const running = startCommand(`set -o pipefail\n${command}`);
  await waitUntil(running.hasEnded);
  await running.stop();
  return running.said();
}

/** Looks again and again whether something has come about: processes that are no part of ours do not tell. */
export async function waitUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(holds, { timeout: 30_000, interval: 20 });
}

/**
 * Whether a program waits on a UDP port. Read from the kernel's table: to try the port by binding it would take it from the program that is just
 * about to.
 */
export async function isTaken(port: number): Promise<boolean> {
  const waiting = `:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000`;
  return (await readFile('/proc/net/udp', 'utf8')).includes(waiting);
}

/** Ports of 127.0.0.1 that are free for TCP, each another one. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
