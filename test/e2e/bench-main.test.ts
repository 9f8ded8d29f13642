import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { QUICK_LIMIT_SECONDS } from '../bench/bench.js';
import { listBenches, runBench } from '../support/run-bench.js';

const FOLDER = ['--folder', fileURLToPath(new URL('../support/benches', import.meta.url)), '--json'];

describe('npm run bench', { timeout: 300_000 }, () => {
  test('a bench that awaits something that never settles ends with code 1 and says so, although all its bars hold', async () => {
    const { code, stderr, figures } = await runBench(['never-settles', ...FOLDER]);
    expect({ code, stderr, holds: figures.map(({ holds }) => holds) }).toEqual({
      code: 1,
      stderr: 'never-settles: the process ended before the bench finished: it awaits something that never settles\n',
      holds: [true],
    });
  });

  test('a bench that throws ends with code 1 and names its error', async () => {
    const { code, stderr } = await runBench(['throws', ...FOLDER]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^throws: failed: Error: the disk is full\n/) as string,
    });
  });

  test('--quick names the figures that it leaves out, and measures the others at the shortest setting', async () => {
    const [quick, short] = await Promise.all([
      runBench(['leaves-out', '--quick', ...FOLDER]),
      runBench(['leaves-out', ...FOLDER]),
    ]);
    const brief = ({ code, figures, leftOut }: typeof quick): unknown => ({
      code,
      figures: figures.map(({ figure, value }) => [figure, value]),
      leftOut,
    });
    expect(brief(quick)).toEqual({
      code: 0,
      figures: [['short', 1]],
      leftOut: [{ bench: 'leaves-out', figure: 'long', leftOut: 'takes an hour' }],
    });
    expect(brief(short)).toEqual({
      code: 0,
      figures: [
        ['short', 2],
        ['long', 1],
      ],
      leftOut: [],
    });
  });

  test('all --quick runs every bench for which there is time, names the figures of the others, and says at the end which failed', async () => {
    const { code, stderr, figures, leftOut } = await runBench(['all', '--quick', ...FOLDER]);
    expect(code).toBe(1);
    expect(stderr).toContain('all: 2 of 4 failed: never-settles (exit code 1), throws (exit code 1)\n');
    expect(figures.map(({ bench, figure }) => `${bench} ${figure}`)).toEqual(['leaves-out short', 'never-settles one']);
    expect(leftOut.map(({ bench, figure }) => `${bench} ${figure}`)).toEqual([
      'leaves-out long',
      'takes-too-long first',
      'takes-too-long second',
    ]);
    expect(leftOut.at(-1)?.leftOut).toMatch(
      /^no time left: \d+ of 900 s are used, and takes-too-long takes about 3600 s$/,
    );
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
