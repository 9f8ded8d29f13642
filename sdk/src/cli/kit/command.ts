import { delimiter } from 'node:path';
import { Command as Parser, CommanderError, Option } from 'commander';
import { defined } from '../../core/text.js';
import type { HopbackErrorCode } from '../../errors.js';
import type { CliIo } from './node-io.js';
import { isKeyMaterial, isUnprintable, shownText } from './node-io.js';

/** What a command of Hopback exits with. Stable: scripts are written against these numbers. */
export const EXIT = {
  /** Verified, signed, found in order. */
  ok: 0,
  /** A failed verdict, a refusal to sign, a certificate that is not trusted, a check of `doctor` that failed, a run that failed. */
  negative: 1,
  /** The command line or the input cannot be understood. */
  usage: 2,
  /** Neither good nor bad: something could not be checked, or not to its end. */
  indeterminate: 3,
  /** A file, a key, a trust list or the network that the command needs is not usable. */
  environment: 4,
  /** A bug of ours. @see sysexits.h, EX_SOFTWARE */
  internal: 70,
  /** The time of a run was up. */
  timeout: 97,
  /** A run placed no call. */
  noCalls: 99,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Exit code of an error that a command let out. */
export const EXIT_OF_ERROR: Readonly<Record<HopbackErrorCode, ExitCode>> = {
  'invalid-argument': EXIT.usage,
  'invalid-configuration': EXIT.usage,
  'key-unusable': EXIT.environment,
  'certificate-unusable': EXIT.environment,
  'signer-failed': EXIT.environment,
  'storage-failed': EXIT.environment,
  'log-inconsistent': EXIT.negative,
  'network-failed': EXIT.environment,
  'trust-list-rejected': EXIT.environment,
  unavailable: EXIT.environment,
  unauthorized: EXIT.environment,
  'request-refused': EXIT.environment,
  'response-unreadable': EXIT.environment,
  aborted: EXIT.environment,
  closed: EXIT.internal,
  internal: EXIT.internal,
};

/** The command line, or what it was given to read, cannot be understood. Ends a command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What to do about it, one line each. */
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}

/** One option of a command: how it is read, and what its help says. */
export interface OptionSpec {
  /** Name of the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly text: string;
  readonly multiple?: boolean;
  /** The values that there are. */
  readonly choices?: readonly string[];
  /** Text of people or JSON, which may have line ends. */
  readonly isFreeText?: boolean;
  /** Environment variable that stands in for an option that is not given; several values are separated as in PATH. */
  readonly env?: string;
}

/** Options by name, without the dashes. */
export type OptionSpecs<Name extends string = string> = Readonly<Record<Name, OptionSpec>>;

/** Options and operands as a command line has them. */
export type Options<Name extends string = string> = ReturnType<typeof parseOptions<Name>>;

/** What a command line has of the options of a table, and of those that every command has. */
export type OptionsOf<Specs extends OptionSpecs> = Options<(keyof Specs & string) | 'json'>;

/** The name in `trust <PATH...>`. */
type NameOf<Flag> = Flag extends `${infer Name} <${string}` ? Name : Flag & string;

/**
 * A table of options by the flags that their help shows: `offline` is a switch, `out <FILE>` takes a value, `trust <PATH...>` may be repeated, and
 * for `cache <DIR> [HOPBACK_CACHE]` the variable stands in.
 * @param flags - what the help says of each, alone or with its choices; options of another table may be among them
 */
export function optionSpecs<Flags extends Readonly<Record<string, string | OptionSpec>>>(
  flags: Flags,
): OptionSpecs<NameOf<keyof Flags>> {
  const specs = Object.entries(flags).map(([flag, said]) => {
    const [, name = flag, value, dots, env] = /^(\S+) <(.+?)(\.{3})?>(?: \[(\w+)\])?$/.exec(flag) ?? [];
    const spec = typeof said === 'string' ? { text: said } : said;
    return [name, { ...defined({ value, env, multiple: dots === undefined ? undefined : true }), ...spec }];
  });
  return Object.fromEntries(specs) as OptionSpecs<NameOf<keyof Flags>>;
}

/** A command without its name and summary, which the table of commands has. */
export type CommandBody = Omit<Command, 'name' | 'summary'>;

/** One command: what its help says, and what it does. */
export interface Command<Name extends string = string, Io = CliIo> {
  /** As typed behind the program: `verify`, `cert inspect`. */
  readonly name: string;
  readonly summary: string;
  /** Operands, one line for each way to call it. */
  readonly usage: readonly string[];
  /** In the order of the help. */
  readonly options: OptionSpecs<Name>;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
  readonly run: (options: Options<Name>, io: Io) => Promise<ExitCode>;
}

/** A command that is loaded when it is asked for, so that `--version` waits for nothing. */
export interface CommandEntry<Io = CliIo> {
  readonly name: string;
  readonly summary: string;
  /** Not shown in the help of the program, only in that of its group. */
  readonly isHidden?: boolean;
  readonly load: () => Promise<Command<string, Io>>;
}

/** A program with commands. */
export interface Program<Io> {
  /** As it is typed. */
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  /** In the order of the help. */
  readonly commands: readonly CommandEntry<Io>[];
  /** Paragraphs below the commands. */
  readonly notes: readonly string[];
}

/** Options that every command has; one may say more of them. */
const COMMON_OPTIONS: OptionSpecs<'json' | 'help'> = {
  json: { text: 'print one JSON document instead of text' },
  help: { text: 'print this help' },
};

/** All options of a command, the common ones last. */
export const optionsOfCommand = ({ options }: Pick<Command, 'options'>): OptionSpecs => ({
  ...options,
  ...COMMON_OPTIONS,
  ...options,
});

/** What a command line gives, by the names of the options. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** The options of a command line as one object: the texts of those that may be repeated, yes or no of switches. */
export function valuesOf(specs: OptionSpecs, { text, texts, isOn }: Options): OptionValues {
  const valueOf = (name: string, { value, multiple }: OptionSpec): OptionValues[string] => {
    if (value === undefined) return isOn(name);
    return multiple === true ? texts(name) : text(name);
  };
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, valueOf(name, spec)]));
}

/** The names of some options. */
export function namesOf<Name extends string>(specs: OptionSpecs<Name>): readonly Name[] {
  return Object.keys(specs) as Name[];
}

/**
 * Reads a command line by the options of a command.
 * @param args - what follows the command
 * @param specs - its options
 * @param env - for options that fall back to a variable
 * @throws {@link UsageError} for an option that there is not, one that is repeated and may not be, a value that is missing, none of the
 * choices, or a key in place of the file that it is in
 */
export function parseOptions<Name extends string>(
  args: readonly string[],
  specs: OptionSpecs<Name>,
  env: Readonly<Record<string, string | undefined>>,
) {
  const known = Object.entries<OptionSpec>(specs);
  const found = new Map<string, readonly string[]>();
  const parser = new Parser().helpOption(false).argument('[operand...]').exitOverride();
  parser.configureOutput({ writeErr: () => undefined, outputError: () => undefined }).showSuggestionAfterError(false);
  for (const [name, spec] of known) {
    const option = parserOption(name, spec);
    if (spec.value === undefined) parser.on(`option:${option.name()}`, () => found.set(name, ['']));
    else option.argParser((text) => add(name, spec, text));
    parser.addOption(option);
  }
  const add = (name: string, spec: OptionSpec, text: string): void => {
    const before = found.get(name) ?? [];
    if (before.length > 0 && spec.multiple !== true)
      throw new UsageError(`--${name} is given more than once, and takes one value`);
    const isNextOption = text.startsWith('--') && !args.includes(`--${name}=${text}`);
    if (text === '' || isNextOption) throw needsValue(name, spec);
    found.set(name, [...before, accepted(`--${name}`, text, spec)]);
  };
  try {
    parser.parse(args, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? understood(error, specs) : error;
  }
  for (const [name, spec] of known) addFromEnvironment(found, name, spec, env);
  const texts = (name: Name): readonly string[] => found.get(name) ?? [];
  return {
    operands: parser.args,
    texts,
    /** Value of an option; of one that may be repeated, the last. */
    text: (name: Name): string | undefined => texts(name).at(-1),
    isOn: (name: Name) => found.has(name),
    /** A whole number. @throws {@link UsageError} when it is none, or out of bounds */
    number: (name: Name, min: number, max: number, unit = '') => {
      const given = texts(name).at(-1);
      return given === undefined ? undefined : wholeNumber(`--${name}`, given, { min, max, unit });
    },
    /** Value of an option that has to be there. @throws {@link UsageError} with the message, else */
    needed: (name: Name, message = `--${name} is needed`, hints: readonly string[] = []): string => {
      const given = texts(name).at(-1);
      if (given === undefined) throw new UsageError(message, hints);
      return given;
    },
  };
}

/** An option as the parser and its help know it. */
export function parserOption(name: string, { value, text, multiple, env }: OptionSpec): Option {
  const short = name === 'help' ? '-h, ' : '';
  const flags = `${short}--${name}${value === undefined ? '' : ` <${value}>`}${multiple === true ? ' ...' : ''}`;
  const variable = env === undefined ? '' : ` [${env}]`;
  return new Option(flags, `${text}${variable}`);
}

const needsValue = (name: string, { value = '' }: OptionSpec): UsageError =>
  new UsageError(`--${name} needs a value: --${name} ${value}`);

/** What the parser did not understand, with what to do about it. */
function understood({ code, message }: CommanderError, specs: OptionSpecs): UsageError {
  const [, given = ''] = /'(-[^]*)'/.exec(message) ?? [];
  // What follows the name may be a key or a password, and is not repeated; of `-kVALUE` the name is one letter.
  const [, word = ''] = /^--([^= ]*)|^-./.exec(given) ?? [];
  const name = word === '' ? given.slice(1, 2) : word;
  const shown = word === '' ? `-${name}` : `--${name}`;
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (code === 'commander.optionMissingArgument' && spec !== undefined) return needsValue(name, spec);
  // Dashes also begin a PEM text.
  if (isKeyMaterial(given)) return new UsageError('name the file that the key or certificate is in, not its content');
  if (spec !== undefined) return new UsageError(`--${name} takes no value`);
  const near = didYouMean(name, Object.keys(specs)).map((one) => `--${one}`);
  return new UsageError(`there is no option ${shownText(shown)}`, meant(near));
}

/** @param name - of the option or variable that it comes from */
function accepted(name: string, value: string, spec: OptionSpec): string {
  refuseKey(name, value, spec);
  if (spec.isFreeText !== true && isUnprintable(value))
    throw new UsageError(`${name} has characters that cannot be seen, such as a line end`);
  return chosen(name, value, spec);
}

function refuseKey(name: string, text: string, { value }: OptionSpec): void {
  if (!isKeyMaterial(text)) return;
  throw new UsageError(
    FILES.has(value) ? `${name} must name a file, not hold what is in it` : `${name} is no place for a key`,
  );
}

/** Names of values that are paths. */
const FILES: ReadonlySet<string | undefined> = new Set(['FILE', 'PATH', 'DIR']);

function chosen(name: string, value: string, { choices }: OptionSpec): string {
  if (choices === undefined || choices.includes(value)) return value;
  throw new UsageError(`${name} must be one of ${choices.join(', ')}`, meant(didYouMean(value, choices)));
}

function addFromEnvironment(
  found: Map<string, readonly string[]>,
  name: string,
  spec: OptionSpec,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const text = spec.env === undefined || found.has(name) ? undefined : env[spec.env];
  if (text === undefined || text === '') return;
  // As a whole: the parts of a key would not be known for what they are.
  refuseKey(spec.env ?? name, text, spec);
  const values = spec.multiple === true ? text.split(delimiter).filter((value) => value !== '') : [text];
  found.set(
    name,
    values.map((value) => accepted(spec.env ?? name, value, spec)),
  );
}

/** @throws {@link UsageError} when a command that reads none was given operands */
export function refuseOperands({ operands }: Pick<Options, 'operands'>, hints: readonly string[] = []): void {
  if (operands.length > 0) throw new UsageError('this command takes options alone, no operand', hints);
}

/** @throws {@link UsageError} when an operand that must be a path, a URL or `-` is something else */
export function requirePath(operand: string): string {
  if (isKeyMaterial(operand)) throw new UsageError('name a file, not what is in it');
  if (isUnprintable(operand)) throw new UsageError('the name of the file has characters that cannot be seen');
  return operand;
}

/** @throws {@link UsageError} when a text is no whole number, or out of bounds */
export function wholeNumber(
  option: string,
  text: string,
  { min, max, unit = '' }: { readonly min: number; readonly max: number; readonly unit?: string },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${option} must be a whole number from ${String(min)} to ${String(max)} ${unit}`.trimEnd());
}

/** Longer words are no typing errors of ours. */
const MAX_WORD_CHARS = 40;

/**
 * The known words that a mistyped one most likely stands for, nearest first, at most three: those it begins, and those within
 * two letters (added, missing, changed or swapped with a neighbour) or a third of its length.
 * @param word - as typed
 * @param known - what there is
 */
export function didYouMean(word: string, known: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > MAX_WORD_CHARS) return [];
  const limit = Math.max(1, Math.min(2, Math.floor(typed.length / 3)));
  const near = known.flatMap((candidate) => {
    const apart = candidate.startsWith(typed) ? 0 : distance(typed, candidate);
    return apart <= limit ? [{ candidate, apart }] : [];
  });
  return near
    .toSorted((left, right) => left.apart - right.apart)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Optimal string alignment: edits of one letter, a swap of two neighbours counted as one. */
function distance(from: string, to: string): number {
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const edits = [cell(last, column) + 1, cell(current, column - 1) + 1, cell(last, column - 1) + (isSame ? 0 : 1)];
      if (isSwap) edits.push(cell(before, column - 2) + 1);
      current.push(Math.min(...edits));
    }
    before = last;
    last = current;
  }
  return cell(last, to.length);
}

const cell = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY;

/** The line that offers words in place of a mistyped one. */
export function meant(words: readonly string[]): readonly string[] {
  return words.length === 0 ? [] : [`Did you mean ${words.join(' or ')}?`];
}
