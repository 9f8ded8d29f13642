import { outputTo, runProgram } from '@hopback/sdk/internal/cli';
import type { CommandEntry, ExitCode, Program } from '@hopback/sdk/internal/cli';
import { HARNESS_VERSION } from '../version.js';
import { apiEntries } from './api.js';
import type { HarnessCommand, HarnessIo, HarnessProcess } from './harness-io.js';

/** Commands in the order of the help. Each loads its own code: `campaigns list` does not wait for a SIP server. */
const ROWS: readonly (readonly [name: string, summary: string, load: () => Promise<HarnessCommand>])[] = [
  [
    'run',
    'run a scenario over real SIP: a network of honest, lying and silent carriers',
    async () => (await import('./run-commands.js')).RUN,
  ],
  [
    'list',
    'list the scenarios in the package and what each is for',
    async () => (await import('./scenario-commands.js')).LIST,
  ],
  ['init', 'write a first scenario', async () => (await import('./scenario-commands.js')).INIT],
  [
    'lab',
    'prepare a folder for your own switches and dialers to take part in a run',
    async () => (await import('./run-commands.js')).LAB,
  ],
  ['replay', 'place one call of a run again', async () => (await import('./run-commands.js')).REPLAY],
  ['diff', 'compare two runs', async () => (await import('./scenario-commands.js')).DIFF],
  [
    'demo',
    'find and trace a robocall campaign from abroad, and compare with the truth; takes a minute',
    async () => (await import('./demo.js')).DEMO,
  ],
  ['drachtio', 'run the embedded drachtio server by itself', async () => (await import('./drachtio.js')).DRACHTIO],
  [
    'platform',
    'run the reference platform of a traceback group',
    async () => (await import('./platform-command.js')).PLATFORM,
  ],
  [
    'platform backup',
    'write all data of a running or stopped platform, except its keys, to a folder',
    async () => (await import('./platform-archive.js')).BACKUP,
  ],
  [
    'platform restore',
    'restore a platform from an archive into an empty folder',
    async () => (await import('./platform-archive.js')).RESTORE,
  ],
  [
    'platform audit verify',
    'check every signature of the audit and every entry against it',
    async () => (await import('./platform-archive.js')).AUDIT_VERIFY,
  ],
  [
    'conformance',
    'run some 270 cases against a verification and signing service of any vendor',
    async () => (await import('./conformance.js')).CONFORMANCE,
  ],
];

/** All commands but those that call a platform. */
export const HARNESS_COMMANDS: readonly CommandEntry<HarnessIo>[] = ROWS.map(([name, summary, load]) => ({
  name,
  summary,
  load: async () => ({ name, summary, ...(await load()) }),
}));

/** The program `hopback-harness`. */
export const HOPBACK_HARNESS: Program<HarnessIo> = {
  name: 'hopback-harness',
  summary: 'networks of carriers over real SIP, floods of calls, and the reference platform of a traceback group',
  version: HARNESS_VERSION,
  commands: [...HARNESS_COMMANDS, ...apiEntries()],
  notes: [
    'The commands from `alerts` to `tracebacks` call a platform. `api OPERATION` calls any operation of it; `help api` lists them.',
    'Exit codes: 0 passed; 1 failed; 2 the command line cannot be understood; 3 incomplete; 4 the output could not be written, or an ' +
      'address not be bound; 97 the time was up; 99 no call was placed.',
  ],
};

/**
 * Runs one command line of `hopback-harness`.
 * @param argv - without node and script
 * @returns the exit code
 */
export async function runHarness(argv: readonly string[], process: HarnessProcess): Promise<ExitCode> {
  const io: HarnessIo = {
    process,
    env: process.env,
    stdout: outputTo(process.stdout),
    stderr: outputTo(process.stderr),
  };
  return runProgram(HOPBACK_HARNESS, argv, io);
}
