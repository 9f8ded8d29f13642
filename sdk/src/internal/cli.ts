// The command-line kit, which the harness shares with this package. Unsupported: it may change with every release.
export { EXIT, refuseOperands, UsageError, valuesOf, wholeNumber } from '../cli/kit/command.js';
export type {
  Command,
  CommandEntry,
  ExitCode,
  Options,
  OptionSpec,
  OptionSpecs,
  OptionValues,
  Program,
} from '../cli/kit/command.js';
export type { CliOutput, ProgramIo } from '../cli/kit/node-io.js';
export { outputTo } from '../cli/kit/node-io.js';
export { jsonLine, NOTHING, printJson, printLines, tableLines } from '../cli/kit/output.js';
export type { Column } from '../cli/kit/output.js';
export { runProgram } from '../cli/kit/program.js';
