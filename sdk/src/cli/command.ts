import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';

/** One command: what its help says, and what it does. */
export interface Command<Name extends string = string> {
  /** As typed behind `hopback`: `verify`, `cert inspect`. */
  readonly name: string;
  readonly summary: string;
  /** Operands, one line for each way to call it. */
  readonly usage: readonly string[];
  /** Headed groups of options, in the order of the help. */
  readonly options: OptionSpecs<Name>;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
  readonly run: (options: Options<Name>, io: CliIo) => Promise<ExitCode>;
}

/** Options that every command has. */
export const COMMON_OPTIONS: OptionSpecs<'json' | 'help'> = {
  json: { text: 'print one JSON document instead of text' },
  help: { text: 'print this' },
};
