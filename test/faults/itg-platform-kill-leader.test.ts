import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { startPostgres } from '../peers/postgres/start-postgres.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { reportFault } from '../support/fault-counts.js';
import { newDatabase } from '../support/itg-database.js';

const VICTIM = fileURLToPath(new URL('../support/itg-platform-victim-leader.mjs', import.meta.url));
const PATIENT = { timeout: 120_000, interval: 20 };
/** Runs of the job after which it is believed who leads. */
const RUNS = 20;

/** A process of the platform, and how often it ran the job. */
function startProcess(url: string, keyRingFile: string) {
  const child = spawn(process.execPath, [VICTIM, url, keyRingFile], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const told = { isOpen: false, runs: 0 };
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'open') told.isOpen = true;
    if (line === 'ran') told.runs += 1;
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  return { told, kill, [Symbol.asyncDispose]: kill };
}

describePeer('postgres', 'PostgreSQL', () => {
  test(
    'of two platforms on one server one runs the jobs, and the other takes over when that one is killed',
    { timeout: 300_000 },
    async () => {
      await using server = await startPostgres(peer('postgres').path);
      await using folder = await createTemporaryDirectory();
      const url = await newDatabase(server);
      const keyRingFile = join(folder.path, 'ring.json');
      await using first = startProcess(url, keyRingFile);
      await expect.poll(() => first.told.runs, PATIENT).toBeGreaterThan(0);
      await using second = startProcess(url, keyRingFile);
      await expect.poll(() => second.told.isOpen, PATIENT).toBe(true);
      const before = first.told.runs;
      await expect.poll(() => first.told.runs, PATIENT).toBeGreaterThanOrEqual(before + RUNS);
      expect(second.told.runs).toBe(0);
      await first.kill();
      const killedMs = performance.now();
      await expect.poll(() => second.told.runs, PATIENT).toBeGreaterThanOrEqual(RUNS);
      const tookOverMs = Math.round(performance.now() - killedMs);
      // Who comes back does not lead any more.
      await using third = startProcess(url, keyRingFile);
      await expect.poll(() => third.told.isOpen, PATIENT).toBe(true);
      const since = second.told.runs;
      await expect.poll(() => second.told.runs, PATIENT).toBeGreaterThanOrEqual(since + RUNS);
      expect(third.told.runs).toBe(0);
      reportFault('itg-platform-leader-kill', { kills: 1, tookOverMs, ranTwice: 0 });
    },
  );
});
