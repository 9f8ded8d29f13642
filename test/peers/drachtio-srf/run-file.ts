import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onExit, openTheirNetwork, THEIR_TESTS } from './network.js';

/** Results of one test file. */
export type FileRun = Awaited<ReturnType<typeof runTheirFile>>;

/** Ends a file that hangs; a file usually takes less than a minute. */
const GIVES_UP_MS = 240_000;

/**
 * Runs a test file in a process and a network of its own.
 * @param path - absolute path of the file
 * @param awaited - scenarios of callees that complete at least one call
 */
export async function runTheirFile(path: string, awaited: readonly string[]) {
  await using network = await openTheirNetwork(await sourcesOf(path));
  const child = spawn(process.execPath, [path], {
    env: { ...network.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // The process leads a group, so that we can end its SIPp with it.
    detached: true,
  });
  const killAll = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group has ended already.
    }
  };
  const forget = onExit(killAll);
  const timer = setTimeout(killAll, GIVES_UP_MS);
  let output = '';
  const collect = (octets: Buffer): void => {
    output += octets.toString();
    // The tests leave connections open, so the process does not end by itself.
    if (output.includes('\nok # end of') || output.startsWith('ok # end of')) child.kill('SIGTERM');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  await once(child, 'close');
  clearTimeout(timer);
  const scenarios = await network.finish(new Set(awaited));
  killAll();
  forget();
  const lines = output.split('\n');
  const named = (mark: string): readonly string[] =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
  const hasEnded = lines.some((line) => line.startsWith('ok # end of'));
  return {
    passed: named('ok ').filter((name) => !name.startsWith('#')),
    failed: [
      ...named('not ok '),
      ...named('Unhandled Rejection').map((what) => `unhandled rejection ${what}`),
      ...(hasEnded ? [] : ['the file did not end']),
    ],
    ...{ scenarios, output },
  };
}

/** Text of a file and of the test files that it requires. */
async function sourcesOf(path: string, known = new Set<string>()): Promise<string> {
  if (known.has(path)) return '';
  known.add(path);
  const text = await readFile(path, 'utf8');
  const required = [...text.matchAll(/require\('(\.[^']*)'\)/g)]
    .map(([, name = '']) => join(dirname(path), name.endsWith('.js') ? name : `${name}.js`))
    .filter((file) => file.startsWith(THEIR_TESTS) && file !== join(THEIR_TESTS, 'index.js'));
  const others = await Promise.all(required.map((file) => sourcesOf(file, known).catch(() => '')));
  return [text, ...others].join('\n');
}
