import { readFile } from 'node:fs/promises';

/** How much of the machine others use. */
export interface Neighbours {
  /** Processors that were busy with other programs on average since the last time; 0 where the system does not say. */
  readonly busy: () => Promise<number>;
}

/** Ticks of the kernel's accounting a second, on every Linux that there is. */
const TICKS_PER_SECOND = 100;

/** Watches what the machine does beside some processes. */
export async function watchNeighbours(processIds: readonly number[]): Promise<Neighbours> {
  const look = async (): Promise<{ readonly seconds: number; readonly atMs: number }> => {
    const [all, ...own] = await Promise.all([allSeconds(), ...processIds.map(secondsOf)]);
    return { seconds: all - own.reduce((sum, seconds) => sum + seconds, 0), atMs: performance.now() };
  };
  let last = await look();
  return {
    busy: async () => {
      const before = last;
      last = await look();
      return Math.max(0, ((last.seconds - before.seconds) * 1_000) / (last.atMs - before.atMs));
    },
  };
}

/** User, nice, system and stolen time of all processors. What interrupts take is not told apart by process. */
async function allSeconds(): Promise<number> {
  const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = (await text('/proc/stat')).split(/\s+/, 9).map(Number);
  return (user + nice + system + steal) / TICKS_PER_SECOND;
}

async function secondsOf(processId: number): Promise<number> {
  const line = await text(`/proc/${processId}/stat`);
  // Behind the name, which may hold anything, user and system time are the 12th and 13th.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
