/**
 * `npm run faults [-- NAME…]`: the fault tests of log, records, stream, responder and reference platform with the whole number of rounds, one file after the other, so
 * that times are those of one process. Prints a line of JSON for each claim. NAME is a part of the name of a file: `stream-killed`.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FILES = [
  'test/faults/log-',
  'test/faults/records-',
  'test/faults/stream-',
  'test/faults/responder-',
  'test/faults/itg-',
  'test/faults/guides',
  'test/property/log-model',
];
const asked = process.argv.slice(2).map((name) => `test/faults/${name}`);

const child = spawn(
  process.execPath,
  [
    `${root}node_modules/vitest/vitest.mjs`,
    ...[
      'run',
      '--config',
      'test/vitest.config.ts',
      '--no-file-parallelism',
      '--project',
      'faults',
      '--project',
      'property',
    ],
    ...(asked.length > 0 ? asked : FILES),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, HOPBACK_FAULTS: 'full' } },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
