import { OPERATOR_ROUTES } from '../platform/operator-routes.js';
import { HARNESS_VERSION } from '../version.js';
import { API_NOUNS, apiHelp, runApi } from './api/run-api.js';
import { EXIT, readCommandLine } from './command-line.js';

const USAGE = `hopback-harness ${HARNESS_VERSION}

  run         carry out a scenario over real SIP: a network of honest, lying and silent carriers; --help says with which options
  list        the scenarios that are shipped, and why anybody would run them
  init        write a scenario to begin with
  lab         prepare a folder for switches and dialers of yours that take part in a run
  replay      place one call of a run again
  diff        compare two runs
  demo        a robocall campaign from abroad, how it is found and traced, and what is true of it, in a minute
  drachtio    run the embedded drachtio server by itself; --help says with which options
  platform    run the reference platform of a traceback group, back it up, restore it; --help says with which options
  conformance ask a verification and signing service of any vendor some 270 cases; --help says how
  api         call any operation of a traceback platform; --help lists the commands that have words of their own
  --version   print the version
  --help      print this

Exit codes: 0 everything came out as it should; 1 not so; 2 the command line cannot be understood;
            4 what was to be printed could not be written, or an address not be bound; 97 the time was over; 99 nothing was called.
`;

const API_USAGE = `Commands that call a traceback platform. Each has --help, --json, and --profile FILE, which says who calls and where.

${apiHelp()}`;

/** What of a process the commands touch. */
export type HarnessProcess = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr' | 'once' | 'off'> & {
  /** Keys of the dashboard; absent: none are read. */
  readonly stdin?: NodeJS.Process['stdin'];
};

/**
 * Runs one command line of `hopback-harness`.
 * @param argv - without node and script
 * @returns the exit code
 */
export async function runHarness(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const { stdout, stderr } = io;
  const output = watched(stdout);
  // Where nothing can be said, the exit code is left to say it.
  stderr.on('error', () => undefined);
  const exitCode = await runCommand(argv, io);
  const failure = await output.failure();
  if (failure === undefined) return exitCode;
  stderr.write(`hopback-harness: the output could not be written (${failure})\n`);
  return EXIT.environment;
}

async function runCommand(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const [command, ...rest] = argv;
  // What a command does not need is not loaded: whoever lists campaigns waits for no SIP server.
  if (command === 'drachtio') return (await import('./drachtio.js')).runDrachtio(rest, io);
  if (command === 'platform') return platform(rest, io);
  const runs = await runsCommand(command, rest, io);
  if (runs !== undefined) return runs;
  if (command === 'conformance')
    return (await import('./conformance/conformance-command.js')).runConformanceCommand(rest, io);
  if (command === 'api' && (rest.length === 0 || rest[0] === '--help' || rest[0] === '-h')) {
    io.stdout.write(`${API_USAGE}\n`);
    return EXIT.ok;
  }
  if (command !== undefined && API_NOUNS.has(command)) return runApi(argv, { io, furtherRoutes: OPERATOR_ROUTES });
  const asked = readCommandLine(argv, { version: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } });
  const why = asked.status === 'read' ? unknownCommand(asked.positionals) : asked.why;
  if (asked.status === 'not-understood' || why !== undefined) {
    io.stderr.write(`hopback-harness: ${why}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (asked.values.help === true) io.stdout.write(USAGE);
  else if (asked.values.version === true) io.stdout.write(`${HARNESS_VERSION}\n`);
  else io.stdout.write(USAGE);
  return EXIT.ok;
}

function unknownCommand([command]: readonly string[]): string | undefined {
  if (command === undefined) return undefined;
  return `there is no command ${command}: it is run, list, init, lab, replay, diff, demo, drachtio, platform, conformance, api, ${[...API_NOUNS].filter((noun) => noun !== 'api').join(', ')}`;
}

async function platform(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const [verb, ...rest] = argv;
  if (verb === 'backup' || verb === 'restore')
    return (await import('./platform/archive-commands.js')).runArchiveCommand(verb, rest, io);
  if (verb === 'audit') return (await import('./platform/audit-command.js')).runAuditCommand(rest, io);
  return (await import('./platform/platform-command.js')).runPlatform(argv, io);
}

/** Commands about scenarios and their runs. @returns undefined where it is another one */
async function runsCommand(
  command: string | undefined,
  rest: readonly string[],
  io: HarnessProcess,
): Promise<number | undefined> {
  switch (command) {
    case 'run':
      return (await import('./runs/run-command.js')).runRun(rest, io);
    case 'demo':
      return (await import('./runs/demo-command.js')).runDemo(rest, io);
    case 'replay':
      return (await import('./runs/replay-command.js')).runReplay(rest, io);
    case 'diff':
      return (await import('./runs/folder-commands.js')).runDiff(rest, io);
    case 'lab':
      return (await import('./runs/lab-command.js')).runLab(rest, io);
    case 'list':
      return (await import('./runs/folder-commands.js')).runList(rest, io);
    case 'init':
      return (await import('./runs/folder-commands.js')).runInit(rest, io);
    default:
      return undefined;
  }
}

/** What a stream says when its reader has hung up; on Windows `EOF`. */
const HANG_UPS: readonly (string | undefined)[] = ['EPIPE', 'ECONNRESET', 'EOF'];

/** A reader that goes away has seen enough; a full disk has lost what was asked for. */
function watched(stream: NodeJS.WritableStream): { readonly failure: () => Promise<string | undefined> } {
  let failure: NodeJS.ErrnoException | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error;
  });
  return {
    async failure() {
      // Errors are reported behind the callback of the write that they belong to.
      await new Promise<void>((resolve) => stream.write('', () => setImmediate(resolve)));
      if (failure === undefined || HANG_UPS.includes(failure.code)) return undefined;
      return failure.code ?? failure.message;
    },
  };
}
