import type { PlatformEventType } from '../../platform/index.js';
import type { Dice } from './seeded-dice.js';

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
  | { readonly kind: 'server-error'; readonly status?: 500 | 502 | 503 | 504; readonly isCarriedOut?: boolean }
  | { readonly kind: 'connection-reset'; readonly isCarriedOut?: boolean }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'truncated'; readonly keptBytes?: number }
  | { readonly kind: 'unknown-members' }
  | { readonly kind: 'missing-member' | 'wrong-type'; readonly member?: string }
  | { readonly kind: 'expired-token' }
  | { readonly kind: 'forged-receipt' };

/**
 * What can go wrong with an event on its way.
 * - `duplicate`: it comes twice
 * - `late`: it comes behind the next one, or when {@link TestPlatform.releaseEvents} is called
 * - `lost`: it does not come; lists and replays have it
 * - `forged`: the webhook is signed with a secret that is none of the endpoint's; a later attempt is right
 */
export type EventFault = 'duplicate' | 'late' | 'lost' | 'forged';

/** How often a fault strikes. */
export interface FaultFrequency {
  /** How often at most. Default without end. */
  readonly times?: number;
  /** How often it is let pass before the first time. Default 0. */
  readonly after?: number;
  /** How likely each time, 0 to 1, by the dice of the platform's seed. Default 1. */
  readonly probability?: number;
  /** Of this provider or client only. */
  readonly providerId?: string;
}

/** A fault of calls, and which of them it strikes. */
export interface CallFaultRule extends FaultFrequency {
  readonly fault: PlatformFault;
  /** `operationId`s of {@link PLATFORM_ROUTES}. Default all but the token. */
  readonly operations?: readonly string[];
}

/** A fault of events, and which of them it strikes. */
export interface EventFaultRule extends FaultFrequency {
  readonly fault: EventFault;
  /** Default all. */
  readonly types?: readonly PlatformEventType[];
  /** Default both. */
  readonly via?: 'webhook' | 'event-stream';
}

/** Rules, and what they strike next. */
export interface FaultPlan<Rule extends FaultFrequency> {
  /** @returns takes the rule away */
  readonly add: (rule: Rule) => () => void;
  /** The first rule that fits and strikes now. */
  readonly next: (fits: (rule: Rule) => boolean) => Rule | undefined;
}

/** Makes a plan without rules. */
export function createFaultPlan<Rule extends FaultFrequency>(dice: Dice): FaultPlan<Rule> {
  const entries = new Set<{ readonly rule: Rule; seen: number; struck: number }>();
  return {
    add: (rule) => {
      const entry = { rule, seen: 0, struck: 0 };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    next: (fits) => {
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
