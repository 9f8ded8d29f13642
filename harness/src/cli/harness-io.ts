import type { Command, ProgramIo } from '@hopback/sdk/internal/cli';

/** What of a process the commands touch. */
export type HarnessProcess = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr' | 'once' | 'off'> & {
  /** Keys of the dashboard; absent: none are read. */
  readonly stdin?: NodeJS.Process['stdin'];
};

/** What commands of `hopback-harness` work with. */
export interface HarnessIo extends ProgramIo {
  readonly process: HarnessProcess;
}

/** A command of `hopback-harness` without its name and summary, which the table of commands has. */
export type HarnessCommand = Omit<Command<string, HarnessIo>, 'name' | 'summary'>;

/** Whether lines can be drawn over. */
export const isScreen = ({ stdout, env }: HarnessIo): boolean => stdout.isTty && env['TERM'] !== 'dumb';

/** Whether lines may be coloured. */
export const mayColor = (io: HarnessIo): boolean => isScreen(io) && (io.env['NO_COLOR'] ?? '') === '';

/** The first signal ends the run; what the second does is decided for the whole process. */
export function signalled(process: Pick<HarnessProcess, 'once' | 'off'>) {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const release = (): void => {
    for (const name of signals) process.off(name, abort);
  };
  let leave = (): void => undefined;
  // Resolves when a signal comes.
  const left = new Promise<void>((resolve) => (leave = resolve));
  const abort = (): void => {
    release();
    controller.abort();
    leave();
  };
  for (const name of signals) process.once(name, abort);
  return {
    signal: controller.signal,
    left,
    abort,
    release,
  };
}
