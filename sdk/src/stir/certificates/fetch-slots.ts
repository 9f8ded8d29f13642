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
  readonly maxConcurrent: number;
  readonly maxConcurrentPerSite: number;
  readonly maxQueued: number;
  readonly maxQueuedPerSite: number;
}

/** Permission to open a socket; `release` gives it back and may be called once. */
export interface FetchSlot {
  readonly release: () => void;
}

/** Hands out permissions to fetch, in turn by site. */
export interface FetchSlots {
  /** A slot, at once or when it is this one's turn; `undefined` when there is no room to wait or everything was closed. */
  readonly acquire: (site: string) => Promise<FetchSlot | undefined>;
  readonly active: () => number;
  readonly queued: () => number;
  /** Tells everyone who waits that there will be no slot. */
  readonly close: () => void;
}

/**
 * Which site a host belongs to: its last two labels, since names below a domain cost its owner nothing. An IP literal is
 * its own site. Domains that many providers share (cloud storage) share their limit, too.
 * @param host - lower-case host name or IP literal
 */
export function siteOf(host: string, literal: 0 | 4 | 6): string {
  return literal === 0 ? host.split('.').slice(-2).join('.') : host;
}

/** Makes a set of slots. It holds no timers: what is waited for ends by the deadline of each fetch. */
export function createFetchSlots(limits: FetchSlotLimits): FetchSlots {
  const activeBySite = new Map<string, number>();
  const waitingBySite = new Map<string, ((slot: FetchSlot | undefined) => void)[]>();
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
      const next = waiting.shift();
      waitingBySite.delete(site);
      if (waiting.length > 0) waitingBySite.set(site, waiting);
      queued -= 1;
      next?.(occupy(site));
      return;
    }
  };

  const acquire = (site: string): Promise<FetchSlot | undefined> => {
    if (closed) return Promise.resolve(undefined);
    if (hasRoom(site)) return Promise.resolve(occupy(site));
    const waiting = waitingBySite.get(site) ?? [];
    if (queued >= limits.maxQueued || waiting.length >= limits.maxQueuedPerSite) return Promise.resolve(undefined);
    queued += 1;
    waitingBySite.set(site, waiting);
    return new Promise((resolve) => waiting.push(resolve));
  };

  const close = (): void => {
    closed = true;
    for (const resolve of [...waitingBySite.values()].flat()) resolve(undefined);
    waitingBySite.clear();
    queued = 0;
  };

  return { acquire, active: () => active, queued: () => queued, close };
}
