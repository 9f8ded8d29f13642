import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startLineProcess, type LineProcess } from './line-process.js';

/** A server in a process of its own, as it is published. */
export interface LoadedServer extends AsyncDisposable {
  readonly processId: number;
  readonly control: { readonly host: string; readonly port: number; readonly secret: string };
  /** Port of a transport. */
  readonly port: (transport: string) => number;
  /**
   * Ends it as an operator does.
   * @returns what it says that it has seen
   * @throws Error where it is not there any more
   */
  readonly end: () => Promise<ServerStory>;
}

/** What a server says last. */
export interface ServerStory {
  readonly received: Counts;
  readonly sent: Counts;
  readonly retransmissions: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly overloaded: number;
  readonly inUse: Readonly<Record<string, number>>;
}

interface Counts {
  readonly requests: Readonly<Record<string, number>>;
  readonly responses: Readonly<Record<string, number>>;
}

interface Ready {
  readonly control: LoadedServer['control'];
  readonly listening: readonly { readonly transport: string; readonly port: number }[];
}

/** Starts `hopback-harness drachtio` on ports of the system's choice. */
export async function startLoadedServer(transports: readonly string[]): Promise<LoadedServer> {
  const program = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));
  if (!existsSync(program)) throw new Error('benches measure what is published: run npm run build first');
  const sip = transports.map((transport) => `${transport}:0`).join(',');
  const child = await startLineProcess([program, 'drachtio', '--sip', sip, '--admin', '0', '--json']);
  const { control, listening } = JSON.parse(child.firstLine) as Ready;
  return {
    control,
    processId: child.processId,
    port: (transport) => listening.find((one) => one.transport === transport)?.port ?? 0,
    end: async () => {
      process.kill(child.processId, 'SIGTERM');
      const line = await child.nextLine();
      if (line === undefined) throw new Error('the server has crashed');
      return JSON.parse(line) as ServerStory;
    },
    [Symbol.asyncDispose]: child.close,
  };
}

/** Starts a program of this folder. */
export function startHelper(name: string, argv: readonly string[]): Promise<LineProcess> {
  return startLineProcess([...process.execArgv, fileURLToPath(new URL(name, import.meta.url)), ...argv]);
}

/**
 * Asks a program for what it has counted.
 * @throws Error where it is not there any more
 */
export async function asked<T>(child: LineProcess, question: string): Promise<T> {
  child.write(question);
  const line = await child.nextLine();
  if (line === undefined) throw new Error(`nobody answers ${question}: a program of the bench has ended`);
  return JSON.parse(line) as T;
}

/** All of some counts. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** The largest of some counts, in words. */
export function largest(counts: Readonly<Record<string, number>>, most: number): string {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return sorted
    .slice(0, most)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
