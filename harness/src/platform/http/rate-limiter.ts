/** How much one may do. */
export interface Rate {
  /** Calls a second in the long run, more than 0. */
  readonly perSecond: number;
  /** Calls at once after a pause, 1 or more. */
  readonly burst: number;
}

/** Whether something may be done now; where not, when it may. */
export type RateDecision =
  { readonly isAllowed: true } | { readonly isAllowed: false; readonly retryAfterSeconds: number };

/** Limits how often each of many may do something. */
export interface RateLimiter {
  /** Takes from somebody's bucket. @param cost - default 1 */
  readonly take: (name: string, nowMs: number, cost?: number) => RateDecision;
  /** Buckets that are kept. */
  readonly size: () => number;
}

/**
 * Buckets that are kept: some hundred octets each. Whoever comes with more names than that, addresses of IPv6 say, has the buckets of those
 * who came longest ago thrown away, which are full again by then at the usual rates.
 */
export const MAX_RATE_BUCKETS = 50_000;

/**
 * Makes a limiter of token buckets. Pure but for what it remembers; time is an argument, and one that goes back gives nothing.
 * @param rate - of each name
 */
export function createRateLimiter(rate: Rate, maxBuckets: number = MAX_RATE_BUCKETS): RateLimiter {
  const buckets = new Map<string, { readonly level: number; readonly atMs: number }>();
  return {
    take: (name, nowMs, cost = 1) => {
      const before = buckets.get(name) ?? { level: rate.burst, atMs: nowMs };
      const passedMs = Math.max(0, nowMs - before.atMs);
      const level = Math.min(rate.burst, before.level + (passedMs * rate.perSecond) / 1_000);
      // What costs more than a whole bucket may be done with a full one.
      const needed = Math.min(cost, rate.burst);
      const isAllowed = level >= needed;
      // Last in the map is last used: the first is thrown away.
      buckets.delete(name);
      buckets.set(name, { level: isAllowed ? level - needed : level, atMs: Math.max(nowMs, before.atMs) });
      if (buckets.size > maxBuckets) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      if (isAllowed) return { isAllowed };
      return { isAllowed, retryAfterSeconds: Math.max(1, Math.ceil((needed - level) / rate.perSecond)) };
    },
    size: () => buckets.size,
  };
}

/** The name under which an address counts: a network of 64 bits of IPv6 belongs to one customer. RFC 6177 section 2 */
export function addressBucket(address: string): string {
  const [, mapped] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
