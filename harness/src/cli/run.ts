import { parseArgs } from 'node:util';
import { HARNESS_VERSION } from '../index.js';
import { runDemo } from './demo.js';

const USAGE = `hopback-harness ${HARNESS_VERSION}

  demo        sign a call, verify it over HTTPS, explain the verdict, then meddle with the call
  --version   print the version
  --help      print this

Exit codes: 0 every verdict as it should be; 1 one was not; 2 the command line cannot be understood;
            4 what was to be printed could not be written.
`;

/** What of a process the command touches. */
export type HarnessProcess = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>;

/** The numbers of `hopback`, as far as they occur here. */
const EXIT = { ok: 0, usage: 2, environment: 4 } as const;

/**
 * Runs one command line of `hopback-harness`.
 * @param argv - without node and script
 * @returns the exit code
 */
export async function runHarness(argv: readonly string[], { env, stdout, stderr }: HarnessProcess): Promise<number> {
  const output = watched(stdout);
  // Where nothing can be said, the exit code is left to say it.
  stderr.on('error', () => undefined);
  const asked = readArguments(argv);
  if (asked.what === 'not-understood') {
    stderr.write(`hopback-harness: ${asked.why}\n\n${USAGE}`);
    return EXIT.usage;
  }
  const exitCode = asked.what === 'demo' ? await demo(stdout, env) : say(stdout, asked.what);
  const failure = await output.failure();
  if (failure === undefined) return exitCode;
  stderr.write(`hopback-harness: the output could not be written (${failure})\n`);
  return EXIT.environment;
}

type Asked = { readonly what: 'demo' | 'help' | 'version' } | { readonly what: 'not-understood'; readonly why: string };

function readArguments(argv: readonly string[]): Asked {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { version: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const [command, ...more] = positionals;
    if (command !== undefined && (command !== 'demo' || more.length > 0))
      return { what: 'not-understood', why: 'the one command is demo, without operands' };
    if (values.help === true) return { what: 'help' };
    if (values.version === true) return { what: 'version' };
    return { what: command ?? 'help' };
  } catch (error) {
    // The first sentence: the rest explains how an operand may begin with a dash.
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split(/[.\n]/, 1);
    return { what: 'not-understood', why };
  }
}

function say(stdout: NodeJS.WritableStream, what: 'help' | 'version'): number {
  stdout.write(what === 'help' ? USAGE : `${HARNESS_VERSION}\n`);
  return EXIT.ok;
}

function demo(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Promise<number> {
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return runDemo({ write: (text) => void stdout.write(text), color: stdout.isTTY && !isPlain });
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
