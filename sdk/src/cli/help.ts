import type { Command } from './command.js';
import { COMMON_OPTIONS } from './command.js';
import { EXIT } from './exit-codes.js';
import type { OptionSpec } from './options.js';

/** Widest column of option names; longer ones put their text below. */
const NAME_CHARS = 30;
const LINE_CHARS = 100;

/** What `hopback help` prints. */
export function overview(commands: readonly { readonly name: string; readonly summary: string }[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'hopback: verify and sign calls (STIR/SHAKEN), keep and find call records, answer tracebacks',
    '',
    'Usage: hopback COMMAND [OPTION...] [OPERAND...]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `  ${'help COMMAND'.padEnd(width)}  options and examples of one command`,
    `  ${'-v, --version'.padEnd(width)}  print the version`,
    '',
    'Exit codes: 0 passed or in order; 1 failed verdict or negative finding; 2 not understood;',
    '            3 indeterminate; 4 a file, key, list or the network is not usable; 70 a bug of ours.',
    '',
  ].join('\n');
}

/** What `hopback help cert` prints: the commands that begin with one word. */
export function groupHelp(
  word: string,
  commands: readonly { readonly name: string; readonly summary: string }[],
): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `Usage: hopback ${word} COMMAND [OPTION...] [OPERAND...]`,
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `hopback help ${commands[0]?.name ?? word} shows the options of one.`,
    '',
  ].join('\n');
}

/** What `hopback help COMMAND` prints. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS });
  return [
    `hopback ${command.name}: ${command.summary}`,
    '',
    ...command.usage.map((usage, at) => `${at === 0 ? 'Usage:' : '      '} hopback ${command.name} ${usage}`),
    '',
    ...options.flatMap(([name, spec]) => optionLines(name, spec)),
    ...(command.notes ?? []).flatMap((note) => ['', ...wrapped(note, LINE_CHARS)]),
    '',
  ].join('\n');
}

/** What `hopback help --json` prints, and of a group `hopback help cert --json`. */
export function listDocument(
  commands: readonly { readonly name: string; readonly summary: string }[],
): Readonly<Record<string, unknown>> {
  return {
    format: 'hopback.commands.1',
    commands: commands.map(({ name, summary }) => ({ name, summary })),
    exitCodes: EXIT,
  };
}

/** What `hopback help COMMAND --json` prints: each option as it is declared, common ones included. */
export function commandHelpDocument({
  name,
  summary,
  usage,
  options,
  notes = [],
}: Command): Readonly<Record<string, unknown>> {
  const all = Object.entries({ ...options, ...COMMON_OPTIONS });
  return {
    format: 'hopback.help.1',
    command: name,
    summary,
    usage: usage.map((operands) => `hopback ${name} ${operands}`),
    options: all.map(([option, spec]) => ({ name: option, ...spec })),
    notes,
  };
}

function optionLines(name: string, spec: OptionSpec): readonly string[] {
  const flag = `--${name}${spec.value === undefined ? '' : ` ${spec.value}`}${spec.multiple === true ? ' ...' : ''}`;
  const env = spec.env === undefined ? '' : ` [${spec.env}]`;
  const lines = wrapped(`${spec.text}${env}`, LINE_CHARS - NAME_CHARS - 4);
  const indent = ' '.repeat(NAME_CHARS + 4);
  const isWide = flag.length > NAME_CHARS;
  const first = isWide ? [`  ${flag}`] : [`  ${flag.padEnd(NAME_CHARS)}  ${lines[0] ?? ''}`];
  return [...first, ...lines.slice(isWide ? 0 : 1).map((line) => `${indent}${line}`)];
}

/** A paragraph that begins with a blank is an example and stays as it is. */
function wrapped(text: string, maxChars: number): readonly string[] {
  if (text.startsWith(' ')) return text.split('\n');
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > maxChars) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
