import { isIP } from 'node:net';

// A site is whoever had to pay for a domain or a network. Sockets, queue, memory and disk of a certificate repository are shared by site, so
// that a flood from one leaves the others what they have.

/**
 * Labels under which the registries of countries sell names (`co.uk`, `com.au`, `or.jp`, `gob.mx`). Taken for one under every
 * country code: where such a label is an ordinary name instead, its owner gains sites, of which a domain buys him one as well.
 */
const REGISTRY_LABELS: ReadonlySet<string> = new Set(
  'ac ad co com edu go gob gouv gov govt ltd mil ne net nom or org plc'.split(' '),
);

/**
 * Which site a host belongs to: the domain that its owner had to register, since names below it cost nothing; an IPv4 literal itself; of
 * an IPv6 literal its /64, of which one machine has every address. Domains that many providers share (cloud storage) share their part, too.
 */
export function siteOf(host: string): string {
  const version = isIP(host);
  if (version === 4) return host;
  if (version === 6) return networkOf(host);
  const labels = host.split('.');
  const isCountry = labels.at(-1)?.length === 2;
  return labels.slice(isCountry && REGISTRY_LABELS.has(labels.at(-2) ?? '') ? -3 : -2).join('.');
}

/** The site of a URL that passed the text policy; a text that is no URL is its own site. */
export function siteOfUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { hostname } = new URL(url);
  return siteOf(hostname.startsWith('[') ? hostname.slice(1, -1) : hostname);
}

/** The first 64 bits of an IPv6 address. */
function networkOf(address: string): string {
  // The URL parser writes the canonical form: hexadecimal groups, of which a run of zeros may be swallowed by '::'.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - groups.length - last.length }, () => '0');
  return `${[...groups, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}

interface CacheSlot<Value> {
  readonly value: Value;
  readonly sizeBytes: number;
  readonly site: Site<Value>;
  used: boolean;
}

interface Site<Value> {
  readonly name: string;
  /** In the order of their turns. */
  readonly slots: Map<string, CacheSlot<Value>>;
  /** Counts uses of the whole cache. */
  usedAt: number;
}

/**
 * Creates a bounded cache that sites share fairly. Without room, the site with the most entries (of several, the one used least recently)
 * gives up its oldest entry that was not used since its last turn. A use costs two writes, and no list is sorted at every call.
 */
export function createSiteFairCache<Value>(limits: { readonly maxEntries: number; readonly maxBytes: number }) {
  const slots = new Map<string, CacheSlot<Value>>();
  const sites = new Map<string, Site<Value>>();
  let sizeBytes = 0;
  let uses = 0;

  const get = (key: string): Value | undefined => {
    const slot = slots.get(key);
    if (slot === undefined) return undefined;
    uses += 1;
    slot.used = true;
    slot.site.usedAt = uses;
    return slot.value;
  };

  const remove = (key: string): void => {
    const slot = slots.get(key);
    if (slot === undefined) return;
    slots.delete(key);
    sizeBytes -= slot.sizeBytes;
    slot.site.slots.delete(key);
    if (slot.site.slots.size === 0) sites.delete(slot.site.name);
  };

  const set = (key: string, value: Value, place: { readonly site: string; readonly sizeBytes: number }): void => {
    remove(key);
    if (place.sizeBytes > limits.maxBytes) return;
    const site = sites.get(place.site) ?? { name: place.site, slots: new Map<string, CacheSlot<Value>>(), usedAt: 0 };
    const slot = {
      value,
      sizeBytes: place.sizeBytes,
      site,
      used: false,
    };
    uses += 1;
    site.usedAt = uses;
    sites.set(site.name, site);
    site.slots.set(key, slot);
    slots.set(key, slot);
    sizeBytes += slot.sizeBytes;
    while (slots.size > limits.maxEntries || sizeBytes > limits.maxBytes)
      remove(nextToGo(largestOf(sites.values()), key));
  };

  return {
    /** Counts as a use. */
    get,
    /** Takes an entry, and gives up others for it; one that alone is larger than everything permitted is not taken. */
    set,
    /** The oldest first. */
    values: (): readonly Value[] => [...slots.values()].map(({ value }) => value),
    size: (): { readonly entries: number; readonly sizeBytes: number } => ({ entries: slots.size, sizeBytes }),
  };
}

/** A walk over all sites; a fetch, which comes before every entry, costs far more. */
function largestOf<Value>(sites: Iterable<Site<Value>>): Map<string, CacheSlot<Value>> {
  let largest: Site<Value> | undefined;
  for (const site of sites) {
    const lead = site.slots.size - (largest?.slots.size ?? 0);
    if (largest === undefined || lead > 0 || (lead === 0 && site.usedAt < largest.usedAt)) largest = site;
  }
  return largest?.slots ?? new Map<string, CacheSlot<Value>>();
}

/**
 * Whose turn it is to go: not the newcomer's while there is another, and those that were used meanwhile are spared until all
 * others had their turn.
 */
function nextToGo<Value>(slots: Map<string, CacheSlot<Value>>, newcomer: string): string {
  for (const [key, slot] of slots) {
    if (key === newcomer) continue;
    if (!slot.used) return key;
    slot.used = false;
    slots.delete(key);
    slots.set(key, slot);
  }
  return slots.keys().next().value ?? newcomer;
}

/** Gives a slot back; may be called once. */
type Release = () => void;

type Waiting = (release: Release | undefined) => void;

interface FetchSlotLimits {
  readonly maxConcurrent: number;
  readonly maxConcurrentPerSite: number;
  readonly maxQueued: number;
  readonly maxQueuedPerSite: number;
}

/** Creates slots for fetches, which sites get in turn. They hold no timers: a caller that waits brings the signal that ends its wait. */
export function createFetchSlots(limits: FetchSlotLimits) {
  const activeBySite = new Map<string, number>();
  const waitingBySite = new Map<string, readonly Waiting[]>();
  let active = 0;
  let queued = 0;
  let closed = false;

  const hasRoom = (site: string): boolean =>
    active < limits.maxConcurrent && (activeBySite.get(site) ?? 0) < limits.maxConcurrentPerSite;

  const occupy = (site: string): Release => {
    active += 1;
    activeBySite.set(site, (activeBySite.get(site) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      active -= 1;
      const left = (activeBySite.get(site) ?? 1) - 1;
      if (left === 0) activeBySite.delete(site);
      else activeBySite.set(site, left);
      admitNext();
    };
  };

  const setWaiting = (site: string, waiting: readonly Waiting[]): void => {
    if (waiting.length > 0) waitingBySite.set(site, waiting);
    else waitingBySite.delete(site);
  };

  const admitNext = (): void => {
    for (const [site, [next, ...others]] of waitingBySite) {
      if (!hasRoom(site)) continue;
      // Those that are left go behind the other sites.
      waitingBySite.delete(site);
      setWaiting(site, others);
      queued -= 1;
      next?.(occupy(site));
      return;
    }
  };

  const acquire = (site: string, signal?: AbortSignal): Promise<Release | undefined> => {
    if (closed || signal?.aborted === true) return Promise.resolve(undefined);
    if (hasRoom(site)) return Promise.resolve(occupy(site));
    const waiting = waitingBySite.get(site) ?? [];
    if (queued >= limits.maxQueued || waiting.length >= limits.maxQueuedPerSite) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const admit: Waiting = (release) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(release);
      };
      const giveUp = (): void => {
        const others = (waitingBySite.get(site) ?? []).filter((other) => other !== admit);
        setWaiting(site, others);
        queued -= 1;
        admit(undefined);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      queued += 1;
      setWaiting(site, [...waiting, admit]);
    });
  };

  const close = (): void => {
    closed = true;
    for (const admit of [...waitingBySite.values()].flat()) admit(undefined);
    waitingBySite.clear();
    queued = 0;
  };

  return {
    /** A slot, at once or in turn, to be given back by calling it; `undefined` without room to wait, after an abort or after `close`. */
    acquire,
    active: () => active,
    queued: () => queued,
    close,
  };
}
