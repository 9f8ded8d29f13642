import type { RowInstant } from './row-time.js';

/** What the name of an Asterisk channel says. */
export interface AsteriskChannel {
  /** Channel driver: `PJSIP`, `SIP`, `IAX2`, `DAHDI`, `Local`. */
  readonly technology: string;
  /**
   * Endpoint, peer or span. Of a caller without a peer it is what chan_sip took from the From header: a name, and no proof of where
   * the call came from, so that it is never read as an address.
   */
  readonly peer: string;
}

/** One place that `Dial()` was told to ring. */
export interface DialDestination {
  readonly peer?: string;
  /** The number as it was sent to the peer. */
  readonly number?: string;
}

/** Longest name of a channel that is looked at: Asterisk itself holds 80 characters (AST_CHANNEL_NAME). */
const MAX_CHANNEL_CHARS = 256;
/** Forks of one `Dial()` at most; further ones are not looked at. */
const MAX_DESTINATIONS = 64;

/**
 * Reads the name of a channel: `PJSIP/carrier-a-0000001a`, `SIP/carrier-a-b7d0a3c8`, `DAHDI/i1/12025550123-2`,
 * `IAX2/carrier-a-4012`. Never throws.
 * @returns undefined where it is none, and for `Local` channels, which lead back into the switch itself
 * @example
 * ```ts
 * console.log(asteriskChannel('PJSIP/carrier-a-0000001a')?.peer); // carrier-a
 * ```
 */
export function asteriskChannel(name: string): AsteriskChannel | undefined {
  const slash = name.indexOf('/');
  if (slash <= 0 || name.length > MAX_CHANNEL_CHARS) return undefined;
  const technology = name.slice(0, slash);
  if (technology === 'Local') return undefined;
  // The counter behind the last dash makes the name unique; a second slash comes before a number, on ISDN spans.
  const second = name.indexOf('/', slash + 1);
  const dash = name.lastIndexOf('-');
  const end = second >= 0 ? second : dash > slash ? dash : name.length;
  return end === slash + 1 ? undefined : { technology, peer: name.slice(slash + 1, end) };
}

/**
 * Reads the first argument of `Dial()`: `PJSIP/12025550123@carrier-b,30`, `SIP/carrier-b/12025550123&SIP/carrier-c/12025550123`.
 * Secrets of `IAX2/user:secret@peer` are not kept. Never throws.
 */
export function dialDestinations(argument: string): readonly DialDestination[] {
  const comma = argument.indexOf(',');
  const bar = argument.indexOf('|');
  // Up to Asterisk 1.4 arguments were set apart by bars.
  const end = comma >= 0 && (bar < 0 || comma < bar) ? comma : bar;
  const list = end < 0 ? argument : argument.slice(0, end);
  if (!list.includes('&')) return [dialDestination(list)];
  return list.split('&', MAX_DESTINATIONS).map(dialDestination);
}

/**
 * The number that a leg was sent on to: of several destinations the one that the other channel belongs to. Never throws.
 * @param argument - of `Dial()`
 * @param peer - of the channel that was made, where there is one
 * @returns undefined where it cannot be told
 */
export function dialledNumber(argument: string, peer: string | undefined): string | undefined {
  const destinations = dialDestinations(argument);
  if (destinations.length === 1) return destinations[0]?.number;
  const made = destinations.filter((destination) => peer !== undefined && destination.peer === peer);
  const [first, ...others] = made;
  return others.every(({ number }) => number === first?.number) ? first?.number : undefined;
}

/** When a channel was made, seconds since the epoch, from its unique id: `[SYSTEM-]1793500000.42`. */
export function channelBirthSeconds(uniqueId: string): number | undefined {
  const dot = uniqueId.lastIndexOf('.');
  if (dot < EPOCH_DIGITS) return undefined;
  const from = uniqueId.lastIndexOf('-', dot) + 1;
  if (dot - from !== EPOCH_DIGITS) return undefined;
  let seconds = 0;
  for (let at = from; at < dot; at += 1) {
    const digit = uniqueId.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    seconds = seconds * 10 + digit;
  }
  return seconds;
}

/**
 * Of the two instants that a start may mean the one that the unique id of its channel tells, which has the second in UTC: no leg of a
 * channel began before the channel was made. Where the other is possible too it is kept. Never throws.
 */
export function startByBirth(start: RowInstant, uniqueId: string): RowInstant {
  const { atUs, otherUs, basis } = start;
  const birthSeconds = otherUs === undefined ? undefined : channelBirthSeconds(uniqueId);
  if (otherUs === undefined || birthSeconds === undefined) return start;
  // The second of the id and that of the row may be rounded differently.
  const notBeforeUs = (birthSeconds - 1) * 1_000_000;
  const earlierUs = Math.min(atUs, otherUs);
  const laterUs = Math.max(atUs, otherUs);
  if (earlierUs < notBeforeUs) return { status: 'instant', atUs: laterUs, basis };
  return earlierUs <= notBeforeUs + 2_000_000 ? { status: 'instant', atUs: earlierUs, otherUs: laterUs, basis } : start;
}

/** Seconds since the epoch have ten digits from 2001 to 2286. */
const EPOCH_DIGITS = 10;

function dialDestination(text: string): DialDestination {
  const slash = text.indexOf('/');
  if (slash < 0 || text.startsWith('Local/')) return {};
  const resource = text.slice(slash + 1);
  const second = resource.indexOf('/');
  if (second >= 0) {
    const peer = resource.slice(resource.lastIndexOf('@', second) + 1, second);
    return destination(peer, resource.slice(second + 1));
  }
  const at = resource.indexOf('@');
  return at < 0 ? destination(resource, '') : destination(resource.slice(at + 1), resource.slice(0, at));
}

function destination(peer: string, resource: string): DialDestination {
  const colon = resource.indexOf(':');
  const from = colon > 0 && isSipScheme(resource.slice(0, colon)) ? colon + 1 : 0;
  const host = resource.indexOf('@', from);
  const number = resource.slice(from, host < 0 ? resource.length : host);
  const made: { peer?: string; number?: string } = {};
  if (peer !== '') made.peer = peer;
  if (number !== '') made.number = number;
  return made;
}

function isSipScheme(scheme: string): boolean {
  return scheme === 'sip' || scheme === 'sips';
}
