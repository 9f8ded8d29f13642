import { isRecord } from '../../core/text.js';
import type { PlatformEvent } from '../../platform/index.js';

/** A number from 0 up to, not including, 1: the same ones in the same order for the same seed. */
type Dice = () => number;

/**
 * Dice whose throws follow from a seed. Not for secrets.
 * @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32, public domain)
 */
export function seededDice(seed: number): Dice {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * What can go wrong with a call of the platform.
 * - `rate-limited`: 429 with Retry-After; nothing was done
 * - `server-error`: 500, 502, 503 or 504; with `isCarriedOut` the call was carried out all the same, and only its answer is lost
 * - `connection-reset`: no answer at all; `isCarriedOut` as before
 * - `slow`: the answer comes so much later
 * - `truncated`: the answer breaks off within its body
 * - `unknown-members`: the answer has members that no release knows yet
 * - `missing-member`, `wrong-type`: the answer lacks a member, or has one of another type; the first that there is, where none is named
 * - `expired-token`: all tokens of the caller are over, this one too
 * - `forged-receipt`: the receipt is signed with a key that is none of the platform's
 */
export type PlatformFault =
  | { readonly kind: 'rate-limited'; readonly retryAfterSeconds?: number }
  | {
      readonly kind: 'server-error';
      readonly status?: 500 | 502 | 503 | 504;
      readonly isCarriedOut?: boolean;
    }
  | { readonly kind: 'connection-reset'; readonly isCarriedOut?: boolean }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'truncated'; readonly keptBytes?: number }
  | { readonly kind: 'unknown-members' }
  | { readonly kind: 'missing-member' | 'wrong-type'; readonly member?: string }
  | { readonly kind: 'expired-token' }
  | { readonly kind: 'forged-receipt' };

/** A fault of calls, which of them it strikes, and how often. */
export interface CallFaultRule {
  readonly fault: PlatformFault;
  /** `operationId`s of {@link PLATFORM_ROUTES}. Default all but the token. */
  readonly operations?: readonly string[];
  /** How often at most. Default without end. */
  readonly times?: number;
  /** How often it is let pass before the first time. Default 0. */
  readonly after?: number;
  /** How likely each time, 0 to 1, by the dice of the platform's seed. Default 1. */
  readonly probability?: number;
  /** Of this provider or client only. */
  readonly providerId?: string;
}

/** A fault of events, which of them it strikes, and how often. */
export interface EventFaultRule extends Omit<CallFaultRule, 'fault' | 'operations'> {
  /**
   * What goes wrong with an event on its way.
   * - `duplicate`: it comes twice
   * - `late`: it comes behind the next one, or when {@link TestPlatform.releaseEvents} is called
   * - `lost`: it does not come; lists and replays have it
   * - `forged`: the webhook is signed with a secret that is none of the endpoint's; a later attempt is right
   */
  readonly fault: 'duplicate' | 'late' | 'lost' | 'forged';
  /** Default all. */
  readonly types?: readonly PlatformEvent['type'][];
  /** Default both. */
  readonly via?: 'webhook' | 'event-stream';
}

/** Rules, and what they strike next. */
export type FaultPlan<Rule extends CallFaultRule | EventFaultRule> = ReturnType<typeof createFaultPlan<Rule>>;

/** Makes a plan without rules. */
export function createFaultPlan<Rule extends CallFaultRule | EventFaultRule>(dice: Dice) {
  const entries = new Set<{
    readonly rule: Rule;
    seen: number;
    struck: number;
  }>();
  return {
    /** @returns takes the rule away */
    add: (rule: Rule): (() => void) => {
      const entry = { rule, seen: 0, struck: 0 };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    /** The first rule that fits and strikes now. */
    next: (fits: (rule: Rule) => boolean): Rule | undefined => {
      for (const entry of entries) {
        const { times = Infinity, after = 0, probability = 1 } = entry.rule;
        if (entry.struck >= times || !fits(entry.rule)) continue;
        entry.seen += 1;
        if (entry.seen <= after || (probability < 1 && dice() >= probability)) continue;
        entry.struck += 1;
        return entry.rule;
      }
      return undefined;
    },
  };
}

// What JSON is made of, member by member.

/** A copy of a value in which every object has one member more. */
function withUnknownMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUnknownMembers);
  if (!isRecord(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withUnknownMembers(member)]);
  return { ...Object.fromEntries(members), 'x-later-release': { since: 2 } };
}

/** A copy of a value without one member of the object at its root. */
function withoutMember(value: unknown, name: string): unknown {
  if (!isRecord(value)) return value;
  const { [name]: _left, ...rest } = value;
  return rest;
}

/** A copy of a value in which one member is of another type: an object where there was none, a number where there was one. */
function withWrongType(value: unknown, name: string): unknown {
  if (!isRecord(value)) return value;
  return { ...value, [name]: isRecord(value[name]) || Array.isArray(value[name]) ? 17 : { of: 'another type' } };
}

/** Names of the members of a value, the first that has to be there first. */
function memberNames(value: unknown): readonly string[] {
  return isRecord(value) ? Object.keys(value) : [];
}

/** How a right value is spoilt before it is written. */
export function spoiltValue(value: unknown, fault: PlatformFault): unknown {
  if (fault.kind === 'unknown-members') return withUnknownMembers(value);
  if (fault.kind !== 'missing-member' && fault.kind !== 'wrong-type') return value;
  const member = fault.member ?? memberNames(value)[0];
  if (member === undefined) return value;
  return fault.kind === 'missing-member' ? withoutMember(value, member) : withWrongType(value, member);
}

/**
 * The first octets of a body, and then the connection breaks; its length was said to be that of the whole.
 * @param bytes - the whole body
 * @param keptBytes - how much of it comes; default half
 */
export function truncated(
  bytes: Uint8Array,
  keptBytes: number = Math.floor(bytes.length / 2),
): ReadableStream<Uint8Array> {
  let isBegun = false;
  return new ReadableStream({
    pull: (controller) => {
      // In two pulls: a reader gets what came before it hears that there is no more.
      if (isBegun) return controller.error(new TypeError('terminated'));
      isBegun = true;
      controller.enqueue(bytes.slice(0, Math.max(1, Math.min(keptBytes, bytes.length - 1))));
    },
  });
}
