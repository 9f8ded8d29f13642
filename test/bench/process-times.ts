import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of this process and of those that it has started and that live, milliseconds; of this one alone where the system does not say. */
export function processTimesMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000 + childrenMs();
}

/** The unit of times in `/proc`, which Linux gives in hundredths of a second on all machines. proc(5) */
const TICK_MS = 10;

function childrenMs(): number {
  let ticks = 0;
  for (const name of numbersIn('/proc')) {
    const [, parent, userTicks, systemTicks] = fieldsOf(name);
    if (Number(parent) === process.pid) ticks += Number(userTicks) + Number(systemTicks);
  }
  return ticks * TICK_MS;
}

function numbersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** State, parent, user and system time: the third, fourth, fourteenth and fifteenth field; the second, a name, may have blanks. */
function fieldsOf(processId: string): readonly (string | undefined)[] {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [fields[0], fields[1], fields[11], fields[12]];
  } catch {
    // It has ended since.
    return [];
  }
}
