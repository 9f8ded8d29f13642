/**
 * Sockets open at a time for certificates. A carrier meets a few hundred repositories, of which few are cold at once; what is
 * more only helps whoever floods us.
 */
export const MAX_CONCURRENT_FETCHES = 64;

/** Of these for one site, so that one slow site leaves seven eighths of the sockets to the others. */
export const MAX_CONCURRENT_FETCHES_PER_SITE = 8;

/** Lookups that wait for a socket, eight a socket; further ones are told `overloaded` at once instead of far too late. */
export const MAX_QUEUED_FETCHES = 512;

/** Of these for one site, so that one site cannot fill the queue. */
export const MAX_QUEUED_FETCHES_PER_SITE = 64;

/** Limits of fetch slots. */
export interface FetchSlotLimits {
  /** Sockets open at a time. Default 64. */
  readonly maxConcurrent: number;
  /** Of these for one site. Default 8. */
  readonly maxConcurrentPerSite: number;
  /** Fetches that wait for a socket. Default 512. */
  readonly maxQueued: number;
  /** Of these for one site. Default 64. */
  readonly maxQueuedPerSite: number;
}

/** Permission to open a socket; `release` gives it back and may be called once. */
export interface FetchSlot {
  readonly release: () => void;
}

/** Hands out permissions to fetch, in turn by site. */
export interface FetchSlots {
  /**
   * A slot, at once or when it is this one's turn; `undefined` when there is no room to wait, when the signal aborts first, or when
   * everything was closed.
   */
  readonly acquire: (site: string, signal?: AbortSignal) => Promise<FetchSlot | undefined>;
  readonly active: () => number;
  readonly queued: () => number;
  /** Tells everyone who waits that there will be no slot. */
  readonly close: () => void;
}

type Waiting = (slot: FetchSlot | undefined) => void;

/** Makes a set of slots. It holds no timers: whoever waits brings the signal that ends it. */
export function createFetchSlots(limits: FetchSlotLimits): FetchSlots {
  const activeBySite = new Map<string, number>();
  const waitingBySite = new Map<string, Waiting[]>();
  let active = 0;
  let queued = 0;
  let closed = false;

  const hasRoom = (site: string): boolean =>
    active < limits.maxConcurrent && (activeBySite.get(site) ?? 0) < limits.maxConcurrentPerSite;

  const occupy = (site: string): FetchSlot => {
    active += 1;
    activeBySite.set(site, (activeBySite.get(site) ?? 0) + 1);
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      active -= 1;
      const left = (activeBySite.get(site) ?? 1) - 1;
      if (left === 0) activeBySite.delete(site);
      else activeBySite.set(site, left);
      admitNext();
    };
    return { release };
  };

  /** The first site in turn that has room; it then goes to the end of the turn. */
  const admitNext = (): void => {
    for (const [site, waiting] of waitingBySite) {
      if (!hasRoom(site)) continue;
      const [next, ...others] = waiting;
      waitingBySite.delete(site);
      if (others.length > 0) waitingBySite.set(site, others);
      queued -= 1;
      next?.(occupy(site));
      return;
    }
  };

  const acquire = (site: string, signal?: AbortSignal): Promise<FetchSlot | undefined> => {
    if (closed || signal?.aborted === true) return Promise.resolve(undefined);
    if (hasRoom(site)) return Promise.resolve(occupy(site));
    const waiting = waitingBySite.get(site) ?? [];
    if (queued >= limits.maxQueued || waiting.length >= limits.maxQueuedPerSite) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const admit: Waiting = (slot) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(slot);
      };
      const giveUp = (): void => {
        leave(site, admit);
        admit(undefined);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      queued += 1;
      waitingBySite.set(site, [...waiting, admit]);
    });
  };

  const leave = (site: string, admit: Waiting): void => {
    const others = (waitingBySite.get(site) ?? []).filter((waiting) => waiting !== admit);
    if (others.length > 0) waitingBySite.set(site, others);
    else waitingBySite.delete(site);
    queued -= 1;
  };

  const close = (): void => {
    closed = true;
    for (const admit of [...waitingBySite.values()].flat()) admit(undefined);
    waitingBySite.clear();
    queued = 0;
  };

  return { acquire, active: () => active, queued: () => queued, close };
}
