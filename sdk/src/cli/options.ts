import { delimiter } from 'node:path';
import { parseArgs } from 'node:util';
import { didYouMean } from './did-you-mean.js';
import { isKeyMaterial, isUnprintable, shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

/** One option of a command: how it is read, and what its help says. */
export interface OptionSpec {
  /** Name of the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly text: string;
  readonly multiple?: boolean;
  /** The values that there are. */
  readonly choices?: readonly string[];
  /** Environment variable that stands in for an option that is not given; several values are separated as in PATH. */
  readonly env?: string;
}

/** Options by name, without the dashes. */
export type OptionSpecs<Name extends string = string> = Readonly<Record<Name, OptionSpec>>;

/** The names of some options. */
export function namesOf<Name extends string>(specs: OptionSpecs<Name>): readonly Name[] {
  return Object.keys(specs) as Name[];
}

/** Options and operands as a command line has them. */
export interface Options<Name extends string = string> {
  readonly operands: readonly string[];
  /** Value of an option; of one that may be repeated, the last. */
  readonly text: (name: Name) => string | undefined;
  readonly texts: (name: Name) => readonly string[];
  readonly isOn: (name: Name) => boolean;
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
): Options<Name> {
  const known = new Map<string, OptionSpec>(Object.entries(specs));
  const found = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokensOf(args, known)) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = known.get(token.name);
    if (spec === undefined) throw unknownOption(token.rawName, [...known.keys()]);
    const before = found.get(token.name) ?? [];
    if (before.length > 0 && spec.value !== undefined && spec.multiple !== true)
      throw new UsageError(`${token.rawName} is given more than once, and takes one value`);
    found.set(token.name, [...before, valueOf(token, spec)]);
  }
  for (const [name, spec] of known) addFromEnvironment(found, { name, spec, env });
  const texts = (name: Name): readonly string[] => found.get(name) ?? [];
  return { operands, texts, text: (name) => texts(name).at(-1), isOn: (name) => found.has(name) };
}

type Token =
  | {
      readonly kind: 'option';
      readonly name: string;
      readonly rawName: string;
      readonly value?: string | undefined;
      readonly inlineValue?: boolean | undefined;
    }
  | { readonly kind: 'positional'; readonly value: string }
  | { readonly kind: 'option-terminator' };

function tokensOf(args: readonly string[], known: ReadonlyMap<string, OptionSpec>): readonly Token[] {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, { value }] of known) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', ...(name === 'help' ? { short: 'h' } : {}) };
  }
  // Not strict: its errors name no neighbour and say nothing of what to do.
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function valueOf(token: Token & { readonly kind: 'option' }, spec: OptionSpec): string {
  const { rawName, value } = token;
  if (spec.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return '';
  }
  const isOption = token.inlineValue !== true && value?.startsWith('--') === true;
  if (value === undefined || value === '' || isOption)
    throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value}`);
  return accepted(rawName, value, spec);
}

/** @param name - of the option or variable that it comes from */
function accepted(name: string, value: string, spec: OptionSpec): string {
  refuseKey(name, value, spec);
  if (isUnprintable(value)) throw new UsageError(`${name} has characters that cannot be seen, such as a line end`);
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
  found: Map<string, string[]>,
  {
    name,
    spec,
    env,
  }: { readonly name: string; readonly spec: OptionSpec; readonly env: Readonly<Record<string, string | undefined>> },
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

function unknownOption(rawName: string, names: readonly string[]): UsageError {
  // Dashes also begin a PEM text.
  if (isKeyMaterial(rawName)) return new UsageError('name the file that the key or certificate is in, not its content');
  const near = didYouMean(rawName.replace(/^-{1,2}/, ''), names).map((name) => `--${name}`);
  return new UsageError(`there is no option ${shownText(rawName)}`, meant(near));
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

/** The line that offers words in place of a mistyped one. */
export function meant(words: readonly string[]): readonly string[] {
  return words.length === 0 ? [] : [`Did you mean ${words.join(' or ')}?`];
}

/**
 * A number out of an option.
 * @throws {@link UsageError} when it is none, or out of bounds
 */
export function numberOption(
  text: string | undefined,
  bounds: { readonly name: string; readonly min: number; readonly max: number; readonly unit?: string },
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max) return value;
  const unit = bounds.unit === undefined ? '' : ` ${bounds.unit}`;
  throw new UsageError(
    `--${bounds.name} must be a whole number from ${String(bounds.min)} to ${String(bounds.max)}${unit}`,
  );
}
