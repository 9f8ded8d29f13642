import { HARNESS_VERSION } from '../version.js';
import { COMMAND_WORDS, commandOf, HARNESS_COMMANDS } from './command-table.js';
import { EXIT, readCommandLine } from './command-line.js';

const USAGE = `hopback-harness ${HARNESS_VERSION}

${HARNESS_COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join('\n')}
  -v, --version print the version
  -h, --help    print this; hopback-harness COMMAND --help shows the options of a command

Exit codes: 0 passed; 1 failed; 2 the command line cannot be understood; 4 the output could not be written, or an address not be bound;
            97 the time was up; 99 no call was placed.
`;

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
  // `help run` is `run --help`.
  const [first, second] = argv;
  const words = first !== 'help' ? argv : second === undefined ? ['--help'] : [...argv.slice(1), '--help'];
  const command = commandOf(words[0]);
  if (command !== undefined) return command(words, io);
  const asked = readCommandLine(words, {
    version: { type: 'boolean', short: 'v' },
    help: { type: 'boolean', short: 'h' },
  });
  const [unknown] = asked.status === 'read' ? asked.positionals : [];
  if (asked.status === 'not-understood' || unknown !== undefined) {
    const why =
      asked.status === 'not-understood'
        ? asked.why
        : `there is no command ${unknown}: it is ${COMMAND_WORDS.join(', ')}`;
    io.stderr.write(`hopback-harness: ${why}\n\n${USAGE}`);
    return EXIT.usage;
  }
  const isVersion = asked.values.version === true && asked.values.help !== true;
  io.stdout.write(isVersion ? `${HARNESS_VERSION}\n` : USAGE);
  return EXIT.ok;
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
