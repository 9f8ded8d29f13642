/**
 * `npm run faults [-- [--full] NAME…]`: tests that kill, fill disks, read files of 100 MB, run every shipped scenario over SIP and every block of the guides. NAME is
 * a part of the name of a file in test/faults: `stream-killed`. --full takes the whole number of rounds, which takes hours, runs all benches in quick form, and
 * the model of the log for longer. Prints a line of JSON for each claim.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ROOT } from './run.js';

const { values, positionals } = parseArgs({
  options: { full: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const projects = ['faults', 'faults-alone', ...(values.full ? ['property'] : [])];
const files = [
  ...(positionals.length > 0 ? positionals.map((name) => `test/faults/${name}`) : ['test/faults/']),
  ...(values.full && positionals.length === 0 ? ['test/property/log-model'] : []),
];

const child = spawn(
  process.execPath,
  [
    `${ROOT}node_modules/vitest/vitest.mjs`,
    ...['run', '--config', 'test/vitest.config.ts', ...projects.map((name) => `--project=${name}`), ...files],
    // With the whole number of rounds, times are those of one process.
    ...(values.full ? ['--no-file-parallelism'] : []),
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, HOPBACK_BUILT: '1', ...(values.full && { HOPBACK_FAULTS: 'full' }) },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
