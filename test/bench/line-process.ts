import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that says with its first line that it is ready. */
export interface LineProcess extends AsyncDisposable {
  readonly processId: number;
  readonly firstLine: string;
  /** Writes a line to it. */
  readonly write: (line: string) => void;
  /** The next line; undefined where there is none any more. */
  readonly nextLine: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/**
 * Starts a Node program and waits for its first line.
 * @param argv - of node @param before - a program that starts it, such as one that keeps it to a processor, with its arguments
 * @throws Error when it ends before
 */
export async function startLineProcess(argv: readonly string[], before: readonly string[] = []): Promise<LineProcess> {
  const [program = '', ...rest] = [...before, process.execPath, ...argv];
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string | undefined> => {
    const next = await lines.next();
    return next.done === true ? undefined : next.value;
  };
  const write = (line: string): void => void child.stdin.write(`${line}\n`);
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  const firstLine = await nextLine();
  if (firstLine === undefined || child.pid === undefined) {
    await close();
    throw new Error(`${argv.join(' ')} ended without a word`);
  }
  return { processId: child.pid, firstLine, nextLine, write, close, [Symbol.asyncDispose]: close };
}
