import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of this process and of those that it has started and that live, milliseconds; of this one alone where the system does not say. */
export function processTimesMs(): number {
  const { user, system } = process.cpuUsage();
  const children = processIds().filter((id) => statOf(id)[1] === String(process.pid));
  return (user + system) / 1_000 + children.reduce((sum, id) => sum + 1_000 * (processorSeconds(id) || 0), 0);
}

/** Processor time that a process has used since it began, with all its threads, seconds; NaN where the system does not say. */
export function processorSeconds(id: string | number): number {
  const [userTicks, systemTicks] = statOf(id).slice(11);
  return (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND;
}

/** Processor time of a process and of all that it has started, milliseconds: those that have ended are in what it has waited for. */
export function processGroupMs(parent: string): number {
  let ticks = 0;
  for (const id of processIds()) {
    const fields = statOf(id);
    if (id !== parent && fields[1] !== parent) continue;
    // utime, stime, and of the parent cutime and cstime.
    ticks += fields.slice(11, id === parent ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
  }
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** The unit of times in `/proc`, which Linux gives in hundredths of a second on all machines. proc(5) */
const TICKS_PER_SECOND = 100;

/** Resident memory of a process, MiB; 0 where the system does not say. */
export function residentMb(id: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(textOf(`/proc/${id}/status`))?.[1] ?? 0) / 1_024;
}

/** Processor time since a process began, microseconds. */
export type ThreadTimes = Awaited<ReturnType<typeof threadTimes>>;

/** Asks the system for those of this process. */
export function threadTimes() {
  const { user, system } = process.cpuUsage();
  const [nanoseconds] = textOf(`/proc/self/task/${process.pid}/schedstat`).split(' ');
  return { allUs: user + system, mainUs: Number(nanoseconds) / 1_000 };
}

/** Watches how much of the machine others use. */
export function watchNeighbours(ids: readonly number[]) {
  const look = (): { readonly seconds: number; readonly atMs: number } => {
    const own = ids.reduce((sum, id) => sum + (processorSeconds(id) || 0), 0);
    return { seconds: allSeconds() - own, atMs: performance.now() };
  };
  let last = look();
  return {
    /** Processors that were busy with other programs on average since the last time; 0 where the system does not say. */
    busy: (): number => {
      const before = last;
      last = look();
      return Math.max(0, ((last.seconds - before.seconds) * 1_000) / (last.atMs - before.atMs));
    },
  };
}

/** User, nice, system and stolen time of all processors. What interrupts take is not told apart by process. */
function allSeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = textOf('/proc/stat').split(/\s+/, 9).map(Number);
  return (user + nice + system + steal) / TICKS_PER_SECOND;
}

function processIds(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Fields from the third on, which is the state, behind the name, which may have blanks; none of a process that is gone. */
function statOf(id: string | number): readonly string[] {
  const text = textOf(`/proc/${id}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
