import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program that says with its first line that it is ready. */
export type LineProcess = Awaited<ReturnType<typeof startLineProcess>>;

/**
 * Starts a Node program and waits for its first line.
 * @param argv - of node @param before - a program that starts it, such as one that keeps it to a processor, with its arguments
 * @throws Error when it ends before
 */
export async function startLineProcess(argv: readonly string[], before: readonly string[] = []) {
  const [program = '', ...rest] = [...before, process.execPath, ...argv];
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** The next line; undefined where there is none any more. */
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

/** Starts a program of this folder. */
export function startHelper(name: string, argv: readonly string[], before?: readonly string[]) {
  return startLineProcess([...process.execArgv, fileURLToPath(new URL(name, import.meta.url)), ...argv], before);
}

/**
 * Sends a program a line and reads its answer as JSON.
 * @throws Error where the program is not there any more
 */
export async function asked<T>({ write, nextLine }: LineProcess, question: string): Promise<T> {
  write(question);
  const line = await nextLine();
  if (line === undefined) throw new Error(`nobody answers ${question}: a program of the bench has ended`);
  return JSON.parse(line) as T;
}
