import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { QUICK_LIMIT_SECONDS } from '../bench/bench.js';
import { listBenches, runBench } from '../support/run-bench.js';

const FOLDER = ['--folder', fileURLToPath(new URL('../support/benches', import.meta.url)), '--json'];

describe('npm run bench', { timeout: 300_000 }, () => {
  test('a bench measures at the setting that is asked for', async () => {
    const { code, figures, leftOut } = await runBench(['leaves-out', ...FOLDER]);
    expect({ code, leftOut, figures: figures.map(({ figure, value }) => `${figure} ${value}`) }).toEqual({
      ...{ code: 0, leftOut: [], figures: ['short 2', 'long 1'] },
    });
  });

  test('all --quick runs every bench for which there is time, names the figures that it leaves out, and says which failed and why', async () => {
    const { code, stderr, figures, leftOut } = await runBench(['all', '--quick', ...FOLDER]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'never-settles: the process ended before the bench finished: it awaits something that never settles\n',
    );
    expect(stderr).toMatch(/^throws: failed: Error: the disk is full\n/m);
    expect(stderr).toContain('all: 2 of 4 failed: never-settles (exit code 1), throws (exit code 1)\n');
    const measured = figures.map(({ bench, figure, value, holds }) => `${bench} ${figure} ${value} ${holds}`);
    expect(measured).toEqual(['leaves-out short 1 undefined', expect.stringMatching(/^never-settles one \S+ true$/)]);
    const reasons = leftOut.map(({ figure, leftOut: why }) => `${figure}: ${why.replace(/\d+ of/, '… of')}`);
    const noTime = 'no time left: … of 900 s are used, and takes-too-long takes about 3600 s';
    expect(reasons).toEqual(['long: takes an hour', `first: ${noTime}`, `second: ${noTime}`]);
  });

  test('--quick and --full together, or an unknown option, are a usage error', async () => {
    const [both, unknown] = await Promise.all([
      runBench(['leaves-out', '--quick', '--full', ...FOLDER]),
      runBench(['leaves-out', '--quickly', ...FOLDER]),
    ]);
    expect([both.code, unknown.code]).toEqual([2, 2]);
    expect(both.stderr).toContain('--quick and --full contradict each other.');
    expect(unknown.stderr).toContain("Unknown option '--quickly'");
  });

  test('by their own estimates the quick forms of all benches take less than a quarter of an hour, and each leaves out only figures of its bench, and not all of them', async () => {
    const benches = await listBenches();
    expect(benches.length).toBeGreaterThan(15);
    expect(benches.reduce((sum, { quick }) => sum + quick.seconds, 0)).toBeLessThanOrEqual(QUICK_LIMIT_SECONDS);
    const unknown = benches.flatMap(({ name, figures, quick }) =>
      Object.keys(quick.leftOut ?? {})
        .filter((figure) => !figures.includes(figure))
        .map((figure) => `${name} ${figure}`),
    );
    const empty = benches.filter(({ figures, quick }) => figures.every((figure) => figure in (quick.leftOut ?? {})));
    expect({ unknown, empty: empty.map(({ name }) => name) }).toEqual({ unknown: [], empty: [] });
  });
});
