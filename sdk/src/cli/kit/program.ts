import { Command as Parser, CommanderError } from 'commander';
import { isHopbackError } from '../../errors.js';
import {
  EXIT,
  EXIT_OF_ERROR,
  UsageError,
  didYouMean,
  meant,
  optionsOfCommand,
  parserOption,
  parseOptions,
} from './command.js';
import type { Command, CommandEntry, ExitCode, Program } from './command.js';
import { shownText, withoutKeyMaterial } from './node-io.js';
import { completionCommand } from './completion.js';
import type { ProgramIo } from './node-io.js';
import { jsonLine, printJson, printLines, report } from './output.js';

/**
 * Runs one command line of a program.
 * @param argv - without node and script
 * @param io - the process, or a stand-in
 * @returns the exit code; never rejects
 */
export async function runProgram<Io extends ProgramIo>(
  program: Program<Io>,
  argv: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const whole = { ...program, commands: [...program.commands, completionCommand(program)] };
  let name = '';
  try {
    // `help run` is `run --help`; nothing at all, and `help help`, are `--help`.
    const isHelp = argv[0] === 'help' || argv.length === 0;
    const words = isHelp ? [...argv.slice(argv[1] === 'help' ? 2 : 1), '--help'] : argv;
    const entry = entryOf(whole, words);
    name = isHelp ? 'help' : (entry?.name ?? '');
    const exitCode = await (entry === undefined ? list(whole, words, io) : run(whole, entry, words, io));
    await io.stdout.flush();
    return exitCode;
  } catch (error) {
    return reportFailure(failureOf(error, program, name), io, argv.includes('--json'));
  }
}

/** The command with the longest name that a command line begins with: names have one word, two or three. */
function entryOf<Io>({ commands }: Program<Io>, words: readonly string[]): CommandEntry<Io> | undefined {
  const begun = commands.filter(({ name }) => name.split(' ').every((word, at) => words[at] === word));
  return begun.toSorted((one, other) => other.name.length - one.name.length)[0];
}

async function run<Io extends ProgramIo>(
  program: Program<Io>,
  entry: CommandEntry<Io>,
  words: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const command = await entry.load();
  const specs = optionsOfCommand(command);
  const args = words.slice(entry.name.split(' ').length);
  // Help is there for those whose variables cannot be read, too.
  const options = parseOptions(args, specs, NO_VARIABLES);
  if (!options.isOn('help')) return command.run(parseOptions(args, specs, io.env), io);
  if (options.isOn('json')) printJson(io, { ...helpDocument(program, command), exitCode: EXIT.ok });
  else io.stdout.write(commandHelp(program, command, io));
  return EXIT.ok;
}

const NO_VARIABLES = {};

/** What a command line asks for that begins with no command: the help of the program or of a group, or the version. */
function list<Io extends ProgramIo>(program: Program<Io>, words: readonly string[], io: Io): ExitCode {
  const first = words[0]?.startsWith('-') === false ? words[0] : undefined;
  const group = program.commands.filter(({ name, isHidden }) =>
    first === undefined ? isHidden !== true : name.startsWith(`${first} `),
  );
  if (first !== undefined) {
    const second = words[1]?.startsWith('-') === false ? words[1] : undefined;
    const isHelp = words.includes('--help') || words.includes('-h');
    if (group.length === 0 || second !== undefined || !isHelp)
      throw unknownCommand(program, second === undefined ? [first] : [first, second], group);
  }
  const rest = (first === undefined ? words : words.slice(1)).map((word) =>
    word === '-v' || word === '-V' ? '--version' : word,
  );
  const versionOption = first === undefined ? { version: { text: 'print the version' } } : {};
  const options = parseOptions<string>(rest, optionsOfCommand({ options: versionOption }), NO_VARIABLES);
  if (options.operands.length > 0) throw unknownCommand(program, options.operands, []);
  if (options.isOn('version') && !options.isOn('help')) {
    const { version } = program;
    return report(options, io, { format: 'hopback.version.1', version }, [version]);
  }
  const commands = group.map(({ name, summary }) => ({ name, summary }));
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.commands.1', commands, exitCodes: EXIT, exitCode: EXIT.ok });
  else io.stdout.write(listHelp(program, first, group, io));
  return EXIT.ok;
}

/** More commands of a group are not named in a message. */
const MOST_NAMED = 12;

function unknownCommand<Io>(
  program: Program<Io>,
  words: readonly string[],
  group: readonly CommandEntry<Io>[],
): UsageError {
  const [first = '', second] = words;
  const names = group.map(({ name }) => name);
  if (names.length > 0) {
    const near = second === undefined ? [] : didYouMean(`${first} ${second}`, names);
    if (names.length > MOST_NAMED)
      return new UsageError(
        second === undefined
          ? `${first} needs a second word`
          : `there is no command ${shownText(`${first} ${second}`)}`,
        [...meant(near), `${program.name} help ${first} lists the commands that begin with it`],
      );
    return new UsageError(`${first} is one of: ${names.join(', ')}`, meant(near));
  }
  return new UsageError(`there is no command ${shownText(first)}`, [
    ...meant(nearCommands(program, first)),
    `${program.name} help lists all commands`,
  ]);
}

/** By any word of their names: whoever types `inspect` means `cert inspect`. */
function nearCommands<Io>({ commands }: Program<Io>, typed: string): readonly string[] {
  const words = new Set(commands.flatMap(({ name }) => name.split(' ')));
  const near = didYouMean(typed, [...words, 'help']);
  const names = near.flatMap((word) =>
    word === 'help' ? [word] : commands.flatMap(({ name }) => (name.split(' ').includes(word) ? [name] : [])),
  );
  return [...new Set(names)].slice(0, 3);
}

/** The parser of the program, for its help: paragraphs are as wide as the terminal. */
function helpParser(name: string, { columns }: ProgramIo['stdout']): Parser {
  const parser = new Parser(name).helpOption(false).helpCommand(false).exitOverride();
  return parser.configureHelp({ helpWidth: Math.min(columns ?? MAX_LINE_CHARS, MAX_LINE_CHARS) });
}

const MAX_LINE_CHARS = 100;

function withNotes(parser: Parser, notes: readonly string[], { stdout }: ProgramIo): string {
  const width = Math.min(stdout.columns ?? MAX_LINE_CHARS, MAX_LINE_CHARS);
  const help = parser.createHelp();
  // A paragraph that begins with a blank is an example and stays as it is.
  const paragraphs = notes.map((note) => (note.startsWith(' ') ? note : help.boxWrap(note, width)));
  return [parser.helpInformation().trimEnd(), ...paragraphs, ''].join('\n\n').replace(/\n\n$/, '\n');
}

function commandHelp<Io extends ProgramIo>(program: Program<Io>, command: Command<string, Io>, io: Io): string {
  const whole = `${program.name} ${command.name}`;
  const parser = helpParser(whole, io.stdout).description(command.summary);
  parser.usage(command.usage.map((usage, at) => `${at === 0 ? '' : `       ${whole} `}${usage}`).join('\n'));
  for (const [name, spec] of Object.entries(optionsOfCommand(command))) parser.addOption(parserOption(name, spec));
  for (const { name, summary } of program.commands)
    if (name.startsWith(`${command.name} `)) parser.addCommand(listed(name, summary));
  return withNotes(parser, command.notes ?? [], io);
}

function listHelp<Io extends ProgramIo>(
  program: Program<Io>,
  first: string | undefined,
  group: readonly CommandEntry<Io>[],
  io: Io,
): string {
  const parser = helpParser(program.name, io.stdout);
  parser.usage(`${first === undefined ? '' : `${first} `}COMMAND [OPTION...] [OPERAND...]`);
  for (const { name, summary } of group) parser.addCommand(listed(name, summary));
  if (first !== undefined)
    return withNotes(parser, [`${program.name} help ${group[0]?.name ?? first} shows the options of one command.`], io);
  parser.description(program.summary);
  parser.addCommand(listed('help COMMAND', 'options and examples of one command'));
  parser
    .option('-v, --version', 'print the version')
    .option('-h, --help', 'print this help; after a command, the help of that command');
  return withNotes(parser, program.notes, io);
}

const listed = (name: string, summary: string): Parser =>
  new Parser(name).description(summary).helpOption(false).usage(' ');

/** What `help COMMAND --json` prints: each option as it is declared, common ones included. */
function helpDocument<Io>(
  program: Program<Io>,
  { name, summary, usage, options, notes = [] }: Command<string, Io>,
): Readonly<Record<string, unknown>> {
  return {
    format: 'hopback.help.1',
    command: name,
    summary,
    usage: usage.map((operands) => `${program.name} ${name} ${operands}`),
    options: Object.entries(optionsOfCommand({ options })).map(([option, spec]) => ({ name: option, ...spec })),
    notes,
  };
}

/** One way out for everything that stops a command: what, where, what to do; as JSON where JSON was asked for. */
function reportFailure(
  { code, exitCode, whole, hints, ...failure }: Failure,
  io: ProgramIo,
  asJson: boolean,
): ExitCode {
  // Whatever let it out: a key in a message would be in the next log.
  const message = withoutKeyMaterial(failure.message);
  // In one line: what a command that goes on has printed before it are lines, too.
  if (asJson)
    io.stdout.write(
      jsonLine({
        format: 'hopback.error.1',
        exitCode,
        code,
        message,
        hints,
      }),
    );
  const [first = '', ...rest] = message.split('\n');
  printLines(io, [`${whole}: ${first}`, ...rest, ...hints], io.stderr);
  return exitCode;
}

interface Failure {
  /** The command as it is typed. */
  readonly whole: string;
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hints: readonly string[];
}

function failureOf<Io>(error: unknown, program: Program<Io>, name: string): Failure {
  const whole = name === '' ? program.name : `${program.name} ${name}`;
  if (error instanceof UsageError || error instanceof CommanderError) {
    const hints = error instanceof UsageError ? error.hints : [];
    const more = name === '' || name === 'help' ? [] : [`${program.name} help ${name} shows how it is used`];
    return {
      whole,
      code: 'usage',
      exitCode: EXIT.usage,
      message: error.message,
      hints: [...hints, ...more],
    };
  }
  if (isHopbackError(error) && EXIT_OF_ERROR[error.code] !== EXIT.internal)
    return {
      whole,
      code: error.code,
      exitCode: EXIT_OF_ERROR[error.code],
      message: error.message,
      hints: [],
    };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const hints = ['This is a bug of hopback; please report it.'];
  return {
    whole,
    code: 'internal',
    exitCode: EXIT.internal,
    message,
    hints,
  };
}
