/** Who has a folder: what stands in the file `lock`, as one line of JSON. */
export interface LockHolder {
  /** In its own namespace. */
  readonly pid: number;
  /** When the process began, in ticks since the machine did; empty where the system does not say. proc_pid_stat(5), field 22 */
  readonly start: string;
  /** Of the running kernel, anew at each start of the machine; empty where the system does not say. random(4) */
  readonly bootId: string;
  /** `pid:[4026531836]`: in which ids of processes mean something; empty where the system does not say. pid_namespaces(7) */
  readonly pidNamespace: string;
  readonly host: string;
  /** Random, 16 hex digits: two locks are never the same. */
  readonly nonce: string;
  /** Name of a socket in the folder at which the holder answers; empty where the disk takes none. */
  readonly socket: string;
}

/** What can be found out about a holder. */
export interface HolderSenses {
  /** Whoever asks. */
  readonly self: Pick<LockHolder, 'bootId' | 'pidNamespace' | 'host'>;
  /** Whether a process of the own namespace is there, and began then. */
  readonly isRunning: (pid: number, start: string) => Promise<boolean>;
  /** Whether somebody answers at a socket of the folder: `unknown` where it is not there or may not be asked. */
  readonly answersAt: (socket: string) => Promise<'answers' | 'refused' | 'unknown'>;
  /** Whether the folder is on a disk that one running kernel at most has mounted, as ext4, and not NFS. */
  readonly isOnLocalDisk: () => Promise<boolean>;
}

/**
 * Whether the holder of a lock is there.
 *
 * - Of the own machine and namespace: its id and the time at which it began say so.
 * - Of the own machine and another namespace, as in another container: its socket does, which the kernel closes whatever the end was.
 * - Of another start of a machine: on a disk that two kernels cannot have mounted, that machine has been restarted, or its disk was moved.
 *   On any other it may be another machine, and nothing is known.
 *
 * What is not known is `unknown`: a folder with two writers is worse than one with none.
 */
export async function holderState(holder: LockHolder, senses: HolderSenses): Promise<'running' | 'gone' | 'unknown'> {
  const { self } = senses;
  if (holder.bootId !== self.bootId) return (await senses.isOnLocalDisk()) ? 'gone' : 'unknown';
  if (holder.bootId === '' && holder.host !== self.host) return 'unknown';
  if (holder.pidNamespace === self.pidNamespace) {
    return (await senses.isRunning(holder.pid, holder.start)) ? 'running' : 'gone';
  }
  const answer = holder.socket === '' ? 'unknown' : await senses.answersAt(holder.socket);
  if (answer === 'unknown') return 'unknown';
  return answer === 'answers' ? 'running' : 'gone';
}

/** Octets of a lock at most: names of hosts have 253. */
const LOCK_CHARS = 2_048;

/** Reads a lock; undefined for what is none. Never throws. */
export function readHolder(text: string): LockHolder | undefined {
  if (text.length > LOCK_CHARS || !text.endsWith('\n')) return undefined;
  try {
    const { pid, start, bootId, pidNamespace, host, nonce, socket } = JSON.parse(text) as Record<string, unknown>;
    const isPid = typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0;
    if (!isPid || !areTexts([start, bootId, pidNamespace, host, nonce, socket])) return undefined;
    const holder = { pid, start, bootId, pidNamespace, host, nonce, socket } as LockHolder;
    if (!NONCE.test(holder.nonce)) return undefined;
    // No path: a name in the folder.
    return { ...holder, socket: holder.socket === socketName(holder.nonce) ? holder.socket : '' };
  } catch {
    return undefined;
  }
}

const NONCE = /^[0-9a-f]{16}$/;

/** Name of the socket of a holder. */
export function socketName(nonce: string): string {
  return `lock-${nonce}.socket`;
}

function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}
