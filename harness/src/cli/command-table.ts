import { OPERATOR_ROUTES } from '../platform/operator-routes.js';
import { API_NOUNS, apiHelp, runApi } from './api/run-api.js';
import { EXIT } from './command-line.js';
import type { HarnessProcess } from './run.js';

/** A command of `hopback-harness`. */
export interface HarnessCommand {
  readonly name: string;
  readonly summary: string;
  /** Runs it with the words after its name. @returns the exit code */
  readonly run: (argv: readonly string[], io: HarnessProcess) => Promise<number>;
}

/** Commands in the order of the help. Each loads its own code: `campaigns list` does not wait for a SIP server. */
export const HARNESS_COMMANDS: readonly HarnessCommand[] = [
  {
    name: 'run',
    summary: 'run a scenario over real SIP: a network of honest, lying and silent carriers',
    run: async (argv, io) => (await import('./runs/run-command.js')).runRun(argv, io),
  },
  {
    name: 'list',
    summary: 'list the scenarios in the package and what each is for',
    run: async (argv, io) => (await import('./runs/folder-commands.js')).runList(argv, io),
  },
  {
    name: 'init',
    summary: 'write a first scenario',
    run: async (argv, io) => (await import('./runs/folder-commands.js')).runInit(argv, io),
  },
  {
    name: 'lab',
    summary: 'prepare a folder for your own switches and dialers to take part in a run',
    run: async (argv, io) => (await import('./runs/lab-command.js')).runLab(argv, io),
  },
  {
    name: 'replay',
    summary: 'place one call of a run again',
    run: async (argv, io) => (await import('./runs/replay-command.js')).runReplay(argv, io),
  },
  {
    name: 'diff',
    summary: 'compare two runs',
    run: async (argv, io) => (await import('./runs/folder-commands.js')).runDiff(argv, io),
  },
  {
    name: 'demo',
    summary: 'find and trace a robocall campaign from abroad, and compare with the truth; takes a minute',
    run: async (argv, io) => (await import('./runs/demo-command.js')).runDemo(argv, io),
  },
  {
    name: 'drachtio',
    summary: 'run the embedded drachtio server by itself',
    run: async (argv, io) => (await import('./drachtio.js')).runDrachtio(argv, io),
  },
  {
    name: 'platform',
    summary: 'run the reference platform of a traceback group, back it up, restore it, verify its audit',
    run: platform,
  },
  {
    name: 'conformance',
    summary: 'run some 270 cases against a verification and signing service of any vendor',
    run: async (argv, io) => (await import('./conformance/conformance-command.js')).runConformanceCommand(argv, io),
  },
  {
    name: 'api',
    summary: 'call any operation of a traceback platform; --help lists the commands with names of their own',
    run: api,
  },
];

/** Words that begin a command of the API: `campaigns list`. */
const NOUNS: readonly string[] = [...API_NOUNS].filter((noun) => noun !== 'api');

/** Every word that a command line may begin with. */
export const COMMAND_WORDS: readonly string[] = [...HARNESS_COMMANDS.map(({ name }) => name), ...NOUNS];

/** What runs a command line that begins with this word, given all its words; undefined for an unknown one. */
export function commandOf(
  word: string | undefined,
): ((argv: readonly string[], io: HarnessProcess) => Promise<number>) | undefined {
  const command = HARNESS_COMMANDS.find(({ name }) => name === word);
  if (command !== undefined) return (argv, io) => command.run(argv.slice(1), io);
  return word !== undefined && NOUNS.includes(word) ? callPlatform : undefined;
}

const callPlatform = (argv: readonly string[], io: HarnessProcess): Promise<number> =>
  runApi(argv, { io, furtherRoutes: OPERATOR_ROUTES });

async function api(argv: readonly string[], io: HarnessProcess): Promise<number> {
  if (argv.length > 0 && argv[0] !== '--help' && argv[0] !== '-h') return callPlatform(['api', ...argv], io);
  io.stdout
    .write(`Commands that call a traceback platform. Each has --help, --json, and --profile FILE, which says who calls and where.

${apiHelp()}
`);
  return EXIT.ok;
}

async function platform(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === 'backup' || verb === 'restore')
    return (await import('./platform/archive-commands.js')).runArchiveCommand(verb, rest, io);
  if (verb === 'audit') return (await import('./platform/audit-command.js')).runAuditCommand(rest, io);
  return (await import('./platform/platform-command.js')).runPlatform(argv, io);
}
