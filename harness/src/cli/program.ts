import { outputTo, runProgram } from '@hopback/sdk/internal/cli';
import type { CommandEntry, ExitCode, Program } from '@hopback/sdk/internal/cli';
import { HARNESS_VERSION } from '../version.js';
import { apiEntries } from './api.js';
import type { HarnessIo, HarnessProcess } from './harness-io.js';

/** Commands in the order of the help. Each loads its own code: `campaigns list` does not wait for a SIP server. */
export const HARNESS_COMMANDS: readonly CommandEntry<HarnessIo>[] = [
  {
    name: 'run',
    summary: 'run a scenario over real SIP: a network of honest, lying and silent carriers',
    load: async () => (await import('./run-commands.js')).RUN,
  },
  {
    name: 'list',
    summary: 'list the scenarios in the package and what each is for',
    load: async () => (await import('./scenario-commands.js')).LIST,
  },
  { name: 'init', summary: 'write a first scenario', load: async () => (await import('./scenario-commands.js')).INIT },
  {
    name: 'lab',
    summary: 'prepare a folder for your own switches and dialers to take part in a run',
    load: async () => (await import('./run-commands.js')).LAB,
  },
  {
    name: 'replay',
    summary: 'place one call of a run again',
    load: async () => (await import('./run-commands.js')).REPLAY,
  },
  { name: 'diff', summary: 'compare two runs', load: async () => (await import('./scenario-commands.js')).DIFF },
  {
    name: 'demo',
    summary: 'find and trace a robocall campaign from abroad, and compare with the truth; takes a minute',
    load: async () => (await import('./demo.js')).DEMO,
  },
  {
    name: 'drachtio',
    summary: 'run the embedded drachtio server by itself',
    load: async () => (await import('./drachtio.js')).DRACHTIO,
  },
  {
    name: 'platform',
    summary: 'run the reference platform of a traceback group',
    load: async () => (await import('./platform-command.js')).PLATFORM,
  },
  {
    name: 'platform backup',
    summary: 'write all data of a running or stopped platform, except its keys, to a folder',
    load: async () => (await import('./platform-archive.js')).BACKUP,
  },
  {
    name: 'platform restore',
    summary: 'restore a platform from an archive into an empty folder',
    load: async () => (await import('./platform-archive.js')).RESTORE,
  },
  {
    name: 'platform audit verify',
    summary: 'check every signature of the audit and every entry against it',
    load: async () => (await import('./platform-archive.js')).AUDIT_VERIFY,
  },
  {
    name: 'conformance',
    summary: 'run some 270 cases against a verification and signing service of any vendor',
    load: async () => (await import('./conformance.js')).CONFORMANCE,
  },
];

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
