import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startLineProcess } from './line-process.js';

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
  readonly control: { readonly host: string; readonly port: number; readonly secret: string };
  readonly listening: readonly { readonly transport: string; readonly port: number }[];
}

/** Starts `hopback-harness drachtio`, as it is published, in a process of its own on ports of the system's choice. */
export async function startLoadedServer(transports: readonly string[]) {
  const program = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));
  if (!existsSync(program)) throw new Error('benches measure what is published: run npm run build first');
  const sip = transports.map((transport) => `${transport}:0`).join(',');
  const child = await startLineProcess([program, 'drachtio', '--sip', sip, '--admin', '0', '--json']);
  const { control, listening } = JSON.parse(child.firstLine) as Ready;
  return {
    control,
    processId: child.processId,
    /** Port of a transport. */
    port: (transport: string): number => listening.find((one) => one.transport === transport)?.port ?? 0,
    /**
     * Ends it as an operator does.
     * @returns what it says that it has seen
     * @throws Error where it is not there any more
     */
    end: async (): Promise<ServerStory> => {
      process.kill(child.processId, 'SIGTERM');
      const line = await child.nextLine();
      if (line === undefined) throw new Error('the server has crashed');
      return JSON.parse(line) as ServerStory;
    },
    [Symbol.asyncDispose]: child.close,
  };
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
