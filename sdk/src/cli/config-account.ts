import { accountEntry, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from '../sidecar/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { printJson, printLines } from './output.js';
import { UsageError } from './usage-error.js';

/** Longer than any password in UTF-8, with its line end. */
const MAX_INPUT_BYTES = 4 * MAX_PASSWORD_CHARS + 2;

/** `hopback config account` */
export const configAccountCommand: Command = {
  name: 'config account',
  summary: 'make the line of an account for the page on which tracebacks are answered',
  usage: ['NAME < FILE'],
  options: {},
  notes: [
    `The password comes from standard input, ${String(MIN_PASSWORD_CHARS)} to ${String(MAX_PASSWORD_CHARS)} characters: systemd-ask-password | hopback config account NAME >> accounts. ` +
      'The line holds no password, only what one is held against (scrypt).',
    'Exit codes: 0 made; 2 the name or the password cannot be; 4 it could not be written.',
  ],
  run,
};

async function run(options: Options<'json'>, io: CliIo): Promise<ExitCode> {
  const [name, ...more] = options.operands;
  if (name === undefined || more.length > 0) throw new UsageError('name one person or duty');
  if (io.stdin.isTty)
    throw new UsageError('the password is read from a pipe, so that nobody sees it typed', [
      'systemd-ask-password | hopback config account NAME >> accounts',
    ]);
  const bytes = await io.stdin.read(MAX_INPUT_BYTES);
  if (bytes === undefined) throw new UsageError('that is longer than any password');
  const password = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  const entry = await accountEntry({ name, password });
  if (options.isOn('json')) printJson(io, { name, entry });
  else printLines(io, [entry]);
  return EXIT.ok;
}
