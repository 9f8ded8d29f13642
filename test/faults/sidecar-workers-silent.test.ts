import { expect, test } from 'vitest';
import { createSidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarProcess } from '../support/sidecar-process.js';

/** A worker in the place of another has its certificates. */
const isAnother =
  (known: readonly number[]) =>
  (line: Readonly<Record<string, unknown>>): boolean =>
    line['part'] === 'certificates' && !known.includes(Number(line['pid']));

const startTwo = (folder: SidecarFolder): Promise<SidecarProcess> => folder.start({ args: ['--workers', '2'] });

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
