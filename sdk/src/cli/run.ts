import { createRequire } from 'node:module';
import { isHopbackError } from '../errors.js';
import { COMMON_OPTIONS } from './command.js';
import { COMMANDS } from './command-table.js';
import type { CommandEntry } from './command-table.js';
import { didYouMean } from './did-you-mean.js';
import { EXIT, EXIT_OF_ERROR } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { commandHelp, commandHelpDocument, groupHelp, listDocument, overview } from './help.js';
import type { CliIo } from './io.js';
import { meant, parseOptions } from './options.js';
import type { Options } from './options.js';
import { jsonLine, printJson, printLines } from './output.js';
import { shownText, withoutKeyMaterial } from './shown-text.js';
import { UsageError } from './usage-error.js';

/**
 * Runs one command line of `hopback`.
 * @param argv - without node and script
 * @param io - the process, or a stand-in
 * @returns the exit code; never rejects
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let name = '';
  try {
    const found = findCommand(argv);
    name = found.name;
    const exitCode = await found.run(io);
    await io.stdout.flush();
    return exitCode;
  } catch (error) {
    return report(error, { name, io, asJson: argv.includes('--json') });
  }
}

interface Found {
  readonly name: string;
  readonly run: (io: CliIo) => Promise<ExitCode> | ExitCode;
}

function findCommand(argv: readonly string[]): Found {
  const [first] = argv;
  if (first === '--version' || first === '-v' || first === '-V')
    return { name: '', run: (io) => printVersion(argv.slice(1), io) };
  if (first === undefined || first === '--help' || first === '-h' || first === 'help')
    return { name: 'help', run: (io) => printHelp(argv.slice(1), io) };
  const isHelp = argv[1] === '--help' || argv[1] === '-h';
  if (isHelp && groupOf(first).length > 0)
    return { name: 'help', run: (io) => printHelp([first ?? '', ...argv.slice(2)], io) };
  const { entry, args } = commandOf(argv);
  return { name: entry.name, run: (io) => runCommand(entry, args, io) };
}

/** Commands of several words that begin with this one: `cert inspect`, `cert chain`. */
function groupOf(word: string | undefined): readonly CommandEntry[] {
  return word === undefined ? [] : COMMANDS.filter(({ name }) => name.startsWith(`${word} `));
}

/** Names have one word, two or three: `verify`, `cert inspect`, `traceback policy try`. */
function commandOf(argv: readonly string[]): { readonly entry: CommandEntry; readonly args: readonly string[] } {
  const [first = ''] = argv;
  const entry = COMMANDS.find(({ name }) => name.split(' ').every((word, at) => argv[at] === word));
  if (entry !== undefined) return { entry, args: argv.slice(entry.name.split(' ').length) };
  const group = groupOf(first).map(({ name }) => name);
  if (group.length > 0) throw new UsageError(`hopback ${first} is one of: ${group.join(', ')}`);
  throw new UsageError(`there is no command ${shownText(first)}`, [
    ...meant(nearCommands(first)),
    'hopback help lists all commands',
  ]);
}

/** By any word of their names: whoever types `inspect` means `cert inspect`. */
function nearCommands(typed: string): readonly string[] {
  const words = new Set(COMMANDS.flatMap(({ name }) => name.split(' ')));
  const near = didYouMean(typed, [...words, 'help']);
  const names = near.flatMap((word) =>
    word === 'help' ? [word] : COMMANDS.flatMap(({ name }) => (name.split(' ').includes(word) ? [name] : [])),
  );
  return [...new Set(names)].slice(0, 3);
}

async function runCommand(entry: CommandEntry, args: readonly string[], io: CliIo): Promise<ExitCode> {
  const command = await entry.load();
  const options = parseOptions<string>(args, { ...command.options, ...COMMON_OPTIONS }, io.env);
  if (!options.isOn('help')) return command.run(options, io);
  return show({ text: commandHelp(command), document: commandHelpDocument(command) }, { options, io });
}

async function printHelp(words: readonly string[], io: CliIo): Promise<ExitCode> {
  const options = parseOptions(words, COMMON_OPTIONS, io.env);
  return show(await helpOf(options.operands), { options, io });
}

/** What is printed, for people and for programs. */
interface Shown {
  readonly text: string;
  readonly document: Readonly<Record<string, unknown>>;
}

async function helpOf(wanted: readonly string[]): Promise<Shown> {
  const [first, ...more] = wanted;
  if (first === undefined) return { text: overview(COMMANDS), document: listDocument(COMMANDS) };
  const group = more.length === 0 ? groupOf(first) : [];
  if (group.length > 0) return { text: groupHelp(first, group), document: listDocument(group) };
  const command = await commandOf(wanted).entry.load();
  return { text: commandHelp(command), document: commandHelpDocument(command) };
}

function printVersion(words: readonly string[], io: CliIo): ExitCode {
  const version = packageVersion();
  const options = parseOptions(words, COMMON_OPTIONS, io.env);
  return show({ text: `${version}\n`, document: { format: 'hopback.version.1', version } }, { options, io });
}

function show(
  { text, document }: Shown,
  { options, io }: { readonly options: Pick<Options<'json'>, 'isOn'>; readonly io: CliIo },
): ExitCode {
  if (options.isOn('json')) printJson(io, { ...document, exitCode: EXIT.ok });
  else io.stdout.write(text);
  return EXIT.ok;
}

/** From the package that this file was installed with. */
function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
  return version;
}

/** One way out for everything that stops a command: what, where, what to do; as JSON where JSON was asked for. */
function report(
  error: unknown,
  { name, io, asJson }: { readonly name: string; readonly io: CliIo; readonly asJson: boolean },
): ExitCode {
  const { code, exitCode, hints, ...failure } = failureOf(error, name);
  // Whatever let it out: a key in a message would be in the next log.
  const message = withoutKeyMaterial(failure.message);
  // In one line: what a command that goes on has printed before it are lines, too.
  if (asJson) io.stdout.write(jsonLine({ format: 'hopback.error.1', exitCode, code, message, hints }));
  const lines = message.split('\n');
  printLines(
    io,
    [`hopback${name === '' ? '' : ` ${name}`}: ${lines[0] ?? ''}`, ...lines.slice(1), ...hints],
    io.stderr,
  );
  return exitCode;
}

interface Failure {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hints: readonly string[];
}

function failureOf(error: unknown, name: string): Failure {
  if (error instanceof UsageError) {
    const more = name === '' || name === 'help' ? [] : [`hopback help ${name} shows how it is used`];
    return { code: 'usage', exitCode: EXIT.usage, message: error.message, hints: [...error.hints, ...more] };
  }
  if (isHopbackError(error) && EXIT_OF_ERROR[error.code] !== EXIT.internal) {
    return { code: error.code, exitCode: EXIT_OF_ERROR[error.code], message: error.message, hints: [] };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', exitCode: EXIT.internal, message, hints: ['This is a bug of hopback; please report it.'] };
}
