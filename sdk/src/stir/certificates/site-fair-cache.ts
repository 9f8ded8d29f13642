/** Bounds of a {@link SiteFairCache}. */
export interface SiteFairLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** What a cache is told of an entry beside its value. */
export interface SiteFairPlace {
  readonly site: string;
  readonly sizeBytes: number;
}

/**
 * A bounded map that is shared fairly by sites: where there is no room, the site with the most entries gives up one (of sites
 * with equally many, the one that was used least recently): the oldest that was not used since it was last its turn. A use costs two
 * writes this way, and no list is put in order at every call.
 */
export interface SiteFairCache<Value> {
  /** Counts as a use. */
  readonly get: (key: string) => Value | undefined;
  /** Takes an entry, and gives up others for it; one that alone is larger than everything permitted is not taken. */
  readonly set: (key: string, value: Value, place: SiteFairPlace) => void;
  /** The oldest first. */
  readonly values: () => readonly Value[];
  readonly size: () => { readonly entries: number; readonly sizeBytes: number };
}

interface Slot<Value> {
  readonly value: Value;
  readonly sizeBytes: number;
  readonly site: Site<Value>;
  used: boolean;
}

interface Site<Value> {
  readonly name: string;
  /** In the order of their turns. */
  readonly slots: Map<string, Slot<Value>>;
  /** Counts uses of the whole cache. */
  usedAt: number;
}

/** Makes an empty cache. */
export function createSiteFairCache<Value>(limits: SiteFairLimits): SiteFairCache<Value> {
  const slots = new Map<string, Slot<Value>>();
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

  const set = (key: string, value: Value, place: SiteFairPlace): void => {
    remove(key);
    if (place.sizeBytes > limits.maxBytes) return;
    const site = sites.get(place.site) ?? { name: place.site, slots: new Map<string, Slot<Value>>(), usedAt: 0 };
    const slot = { value, sizeBytes: place.sizeBytes, site, used: false };
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
    get,
    set,
    values: () => [...slots.values()].map(({ value }) => value),
    size: () => ({ entries: slots.size, sizeBytes }),
  };
}

/** A walk over all sites; a fetch, which comes before every entry, costs far more. */
function largestOf<Value>(sites: Iterable<Site<Value>>): Map<string, Slot<Value>> {
  let largest: Site<Value> | undefined;
  for (const site of sites) {
    const lead = site.slots.size - (largest?.slots.size ?? 0);
    if (largest === undefined || lead > 0 || (lead === 0 && site.usedAt < largest.usedAt)) largest = site;
  }
  return largest?.slots ?? new Map<string, Slot<Value>>();
}

/**
 * Whose turn it is to go: not the newcomer's while there is another, and those that were used meanwhile are spared until all
 * others had their turn.
 */
function nextToGo<Value>(slots: Map<string, Slot<Value>>, newcomer: string): string {
  for (const [key, slot] of slots) {
    if (key === newcomer) continue;
    if (!slot.used) return key;
    slot.used = false;
    slots.delete(key);
    slots.set(key, slot);
  }
  return slots.keys().next().value ?? newcomer;
}
