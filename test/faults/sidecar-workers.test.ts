import { expect, test } from 'vitest';
import { startCallLoad } from '../support/call-load.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { usualCalls } from '../support/loaded-calls.js';
import { createSidecarFolder, type SidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarProcess } from '../support/sidecar-process.js';

const KILLS = faultCount({ short: 2, full: 30 });
const BETWEEN = 300;
/** The load seldom has more than these at a time. */
const CONNECTIONS_THAT_END = 32;

/** A worker in the place of another has its certificates. */
const isAnother =
  (known: readonly number[]) =>
  (line: Readonly<Record<string, unknown>>): boolean =>
    line['part'] === 'certificates' && !known.includes(Number(line['pid']));

const startTwo = (folder: SidecarFolder): Promise<SidecarProcess> => folder.start({ args: ['--workers', '2'] });

test(
  'of several processes one that is killed under 500 requests/s costs no more than the requests under way, and another takes its place',
  { timeout: 60_000 + 30_000 * KILLS },
  async () => {
    await using folder = await createSidecarFolder();
    await folder.configure({ verification: { timeBudgetMs: 10_000 } });
    await using sidecar = await startTwo(folder);
    await using load = startCallLoad(sidecar.port, usualCalls(folder));
    let [lost, mostLost] = [0, 0];
    const pids = [...sidecar.workers];
    for (let kill = 0; kill < KILLS; kill += 1) {
      await load.more(BETWEEN);
      const before = load.counts();
      const pid = pids.shift() ?? 0;
      const next = sidecar.said(isAnother(sidecar.workers));
      const underWay = load.underWay();
      process.kill(pid, 'SIGKILL');
      pids.push(Number((await next)['pid']));
      await load.more(BETWEEN);
      const after = load.counts();
      const broken = after.broken + after.refused - before.broken - before.refused;
      // What was under way, and what set out before the end of the connection was known.
      expect(broken).toBeLessThanOrEqual(underWay + CONNECTIONS_THAT_END);
      lost += broken;
      mostLost = Math.max(mostLost, broken);
    }
    await load.stop();
    const counts = load.counts();
    expect(counts.wrong).toEqual([]);
    expect(counts.right + lost).toBe(counts.asked);
    sidecar.signal('SIGTERM');
    expect(await sidecar.ended).toEqual({ code: 0, signal: null });
    reportFault('sidecar-workers-kill', { kills: KILLS, requests: counts.asked, lost, mostLost, wrong: 0 });
  },
);

test(
  'a worker that is stopped keeps nobody from the counts of the others, and is counted',
  { timeout: 60_000 },
  async () => {
    await using folder = await createSidecarFolder();
    await folder.configure({ listen: { calls: { port: 0 }, admin: { port: 0 } } });
    await using sidecar = await startTwo(folder);
    const { admin } = await sidecar.heard(({ msg }) => msg === 'ready');
    const text = async (): Promise<string> => (await fetch(`${String(admin)}/metrics`)).text();
    const before = await text();
    expect(before).toMatch(/^hopback_workers_silent 0$/m);
    // Of two processes with one certificate it ends when that does.
    const ends = Number(/^stir_signing_cert_expiry_seconds (\S+)$/m.exec(before)?.[1]);
    expect(ends).toBeLessThan((2 * Date.now()) / 1_000);
    const [pid = 0] = sidecar.workers;
    process.kill(pid, 'SIGSTOP');
    const startedMs = performance.now();
    const silent = await text();
    const tookMs = performance.now() - startedMs;
    process.kill(pid, 'SIGCONT');
    expect(silent).toMatch(/^hopback_workers_silent 1$/m);
    expect(silent).toMatch(/^stir_trust_anchors 1$/m);
    // Five seconds were as long as scrapes wait.
    expect(tookMs).toBeLessThan(4_000);
    sidecar.signal('SIGTERM');
    expect(await sidecar.ended).toEqual({ code: 0, signal: null });
  },
);

test('workers that listened are replaced at once, however often they are killed', { timeout: 120_000 }, async () => {
  await using folder = await createSidecarFolder();
  // Nobody is waited for as long as that.
  await folder.configure({ drainSeconds: 600 });
  await using sidecar = await startTwo(folder);
  const pids = [...sidecar.workers];
  for (let kill = 0; kill < 6; kill += 1) {
    const next = sidecar.said(isAnother(pids));
    const told = sidecar.said(({ part }) => part === 'workers');
    process.kill(pids.at(-2) ?? 0, 'SIGKILL');
    expect((await told)['msg']).toBe('one ended by SIGKILL; another starts in 250 ms');
    pids.push(Number((await next)['pid']));
  }
  // The last one is told while it starts: it ends as those do that answer already.
  sidecar.signal('SIGTERM');
  expect(await sidecar.ended).toEqual({ code: 0, signal: null });
});
