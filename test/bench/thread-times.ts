import { readFileSync } from 'node:fs';

/** Processor time since a process began, microseconds. */
export interface ThreadTimes {
  /** Of all its threads. */
  readonly allUs: number;
  /** Of the one that runs JavaScript, which can have no more than one processor; 0 where the system does not say (only Linux does). */
  readonly mainUs: number;
}

/** Asks the system for those of this process. */
export function threadTimes(): ThreadTimes {
  const { user, system } = process.cpuUsage();
  return { allUs: user + system, mainUs: mainThreadUs() };
}

function mainThreadUs(): number {
  try {
    const [nanoseconds = '0'] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1_000;
  } catch {
    return 0;
  }
}
