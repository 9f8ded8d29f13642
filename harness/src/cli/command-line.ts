import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The numbers of `hopback`, as far as they occur here. */
export const EXIT = { ok: 0, failed: 1, usage: 2, stopped: 3, environment: 4, timeout: 97, noCalls: 99 } as const;

/** A command line that was read, or why it was not. */
export type CommandLine<Values> =
  | { readonly status: 'read'; readonly values: Values; readonly positionals: readonly string[] }
  | { readonly status: 'not-understood'; readonly why: string };

/** Reads options and operands; what is not declared is not understood. Never throws. */
export function readCommandLine<const Options extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: Options,
): CommandLine<ReturnType<typeof parseArgs<{ args: string[]; options: Options; allowPositionals: true }>>['values']> {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    return { status: 'read', values, positionals };
  } catch (error) {
    // The first sentence: the rest explains how an operand may begin with a dash.
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split(/[.\n]/, 1);
    return { status: 'not-understood', why };
  }
}
