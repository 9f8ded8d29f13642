import { EXIT, optionsOfCommand, UsageError } from './command.js';
import type { Command, CommandEntry, OptionSpec, Program } from './command.js';
import type { ProgramIo } from './node-io.js';
import { printJson } from './output.js';

type Completed = Pick<Command, 'name' | 'summary' | 'options'>;

/** The command by which a program prints what a shell needs to complete its commands, options and values. */
export function completionCommand<Io extends ProgramIo>(program: Program<Io>): CommandEntry<Io> {
  const about = {
    name: 'completion',
    summary: 'print a script with which a shell completes commands, options and their values',
  };
  const run: Command<string, Io>['run'] = async ({ operands, isOn }, io) => {
    const [shell = '', ...more] = operands;
    const write = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
    if (write === undefined || more.length > 0)
      throw new UsageError(`which shell? It is one of ${Object.keys(SHELLS).join(', ')}`);
    const loaded = await Promise.all(program.commands.map(({ load }) => load()));
    const script = write(program.name, [...loaded, { ...about, options: {} }]);
    if (isOn('json')) printJson(io, { format: 'hopback.completion.1', exitCode: EXIT.ok, shell, script });
    else io.stdout.write(script);
    return EXIT.ok;
  };
  const command: Command<string, Io> = {
    ...about,
    usage: Object.keys(SHELLS),
    options: {},
    run,
    notes: [
      'Read the script when the shell starts:',
      `  eval "$(${program.name} completion bash)"      # in ~/.bashrc\n` +
        `  eval "$(${program.name} completion zsh)"       # in ~/.zshrc\n` +
        `  ${program.name} completion fish | source       # in ~/.config/fish/config.fish`,
      'Exit codes: 0 printed; 2 command line or input not valid; 4 the output could not be written.',
    ],
  };
  return { ...about, load: () => Promise.resolve(command) };
}

const optionsOf = (command: Completed): readonly (readonly [string, OptionSpec])[] =>
  Object.entries(optionsOfCommand(command));

/** Words that may follow others: `records` is followed by `find`. */
function followers(commands: readonly Completed[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { name } of commands) {
    const words = name.split(' ');
    for (const [at, word] of words.entries()) {
      const before = words.slice(0, at).join(' ');
      found.set(before, (found.get(before) ?? new Set<string>()).add(word));
    }
  }
  return found;
}

/** What may follow the words typed so far, as branches of `case`. No name of a command or option has a meaning for shells. */
function branches(commands: readonly Completed[]): string {
  const isOf = (words: string): string => `${JSON.stringify(`${words} `)}*`;
  const branch = (pattern: string, offered: readonly string[]): string =>
    `    ${pattern}) offered=${quoted(offered.join(' '))} ;;`;
  const known = commands.toSorted((one, other) => other.name.length - one.name.length);
  return [
    ...[...followers(commands)].map(([before, words]) => {
      const whole = commands.find(({ name }) => name === before);
      const options = whole === undefined ? [] : optionsOf(whole).map(([option]) => `--${option}`);
      return branch(JSON.stringify(before === '' ? '' : `${before} `), [...words, ...options]);
    }),
    ...known.flatMap((command) =>
      optionsOf(command).flatMap(([option, { choices = [] }]) =>
        choices.length === 0 ? [] : [branch(`${isOf(command.name)}"--${option} "`, choices)],
      ),
    ),
    ...known.map((command) =>
      branch(
        isOf(command.name),
        optionsOf(command).map(([option]) => `--${option}`),
      ),
    ),
  ].join('\n');
}

const bashScript = (name: string, commands: readonly Completed[]): string => `_${identifier(name)}() {
  local typed= offered= at
  for ((at = 1; at < COMP_CWORD; at++)); do typed+="\${COMP_WORDS[at]} "; done
  case "$typed" in
${branches(commands)}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${identifier(name)} ${name}
`;

const zshScript = (name: string, commands: readonly Completed[]): string => `_${identifier(name)}() {
  local typed= offered= at
  for ((at = 2; at < CURRENT; at++)); do typed+="\${words[at]} "; done
  case "$typed" in
${branches(commands)}
  esac
  compadd -- \${(s: :)offered} || _files
}
compdef _${identifier(name)} ${name}
`;

function fishScript(name: string, commands: readonly Completed[]): string {
  const [isAt, isIn] = [`__${identifier(name)}_at`, `__${identifier(name)}_in`];
  const words = [...followers(commands)].flatMap(([before, following]) =>
    [...following].map((word) => {
      const command = commands.find((one) => one.name === `${before} ${word}`.trim());
      const summary = command?.summary ?? [...(followers(commands).get(word) ?? [])].join(', ');
      return `complete -c ${name} -f -n ${quoted(`${isAt} ${before}`.trim())} -a ${word} -d ${quoted(summary)}`;
    }),
  );
  const options = commands.flatMap((command) =>
    optionsOf(command).map(([option, { value, choices, text }]) => {
      const takes = choices === undefined ? (value === undefined ? '' : ' -r') : ` -x -a ${quoted(choices.join(' '))}`;
      return `complete -c ${name} -n ${quoted(`${isIn} ${command.name}`)} -l ${option}${takes} -d ${quoted(text)}`;
    }),
  );
  return `function ${isAt}
  set -l typed (string join -- ' ' (commandline -opc)[2..])
  test "$typed" = "$argv"
end
function ${isIn}
  set -l typed (string join -- ' ' (commandline -opc)[2..])
  string match -q -- "$argv *" "$typed "
end
${[...words, ...options].join('\n')}
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const identifier = (name: string): string => name.replaceAll('-', '_');

const SHELLS: Readonly<Record<string, (name: string, commands: readonly Completed[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
