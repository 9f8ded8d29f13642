import { HopbackError } from '../../errors.js';
import { deadlinePolicy } from '../deadline/deadline-policy.js';
import type { DeadlinePolicy } from '../deadline/deadline-policy.js';

/** How a traceback is conducted. Part of its state, so that a change of the rules changes no traceback that runs. */
export interface LifecycleRules {
  /** By which the deadline of each provider is computed. */
  readonly deadline: DeadlinePolicy;
  /** How long before it is due a request is reminded of, milliseconds, at most {@link MAX_REMINDERS}; default four hours and one hour. */
  readonly remindBeforeDueMs: readonly number[];
  /**
   * How long after the deadline a provider counts as non-responsive, milliseconds. Default 24 hours: a second deadline's worth, as a late answer
   * is worth more than a mark, and the search for neighbours begins with the deadline anyway.
   */
  readonly nonResponsiveAfterDueMs: number;
  /**
   * How long a traceback that got no further waits for a correction, a neighbour or a person before it is closed as it is, milliseconds.
   * Default 14 days, after which the calls are of a campaign gone by.
   */
  readonly closeStalledAfterMs: number;
  /** How many hops are followed, 1 to {@link MAX_HOPS}. Default 32: published chains have 5 hops on average, and none comes near. */
  readonly maxHops: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Beyond the 70 that Max-Forwards of SIP allows a call (RFC 3261 section 8.1.1.6) somebody leads the traceback round in circles. */
export const MAX_HOPS = 70;
/** More than one for each hour of a deadline reminds nobody. */
export const MAX_REMINDERS = 24;
/** A year: who sets more has used another unit. */
const MAX_WAIT_MS = 366 * DAY_MS;

/**
 * Makes the rules by which a traceback is conducted, and checks them.
 * @param partial - what differs from the defaults, which {@link LifecycleRules} gives with their reasons
 * @returns all rules
 * @throws {@link HopbackError} `invalid-configuration` for a value out of its bounds
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const rules = lifecycleRules({ remindBeforeDueMs: [2 * 3_600_000] });
 * console.log(rules.maxHops, rules.remindBeforeDueMs.length); // 32 1
 * ```
 */
export function lifecycleRules(partial: Partial<LifecycleRules> = {}): LifecycleRules {
  const rules: LifecycleRules = {
    deadline: partial.deadline ?? deadlinePolicy(),
    remindBeforeDueMs: [...(partial.remindBeforeDueMs ?? [4 * HOUR_MS, HOUR_MS])].sort((one, other) => other - one),
    nonResponsiveAfterDueMs: partial.nonResponsiveAfterDueMs ?? DAY_MS,
    closeStalledAfterMs: partial.closeStalledAfterMs ?? 14 * DAY_MS,
    maxHops: partial.maxHops ?? 32,
  };
  check('maxHops', rules.maxHops, { from: 1, to: MAX_HOPS });
  check('nonResponsiveAfterDueMs', rules.nonResponsiveAfterDueMs, { from: 0, to: MAX_WAIT_MS });
  check('closeStalledAfterMs', rules.closeStalledAfterMs, { from: 0, to: MAX_WAIT_MS });
  check('number of remindBeforeDueMs', rules.remindBeforeDueMs.length, { from: 0, to: MAX_REMINDERS });
  for (const beforeMs of rules.remindBeforeDueMs) check('remindBeforeDueMs', beforeMs, { from: 1, to: MAX_WAIT_MS });
  return rules;
}

function check(name: string, value: number, { from, to }: { readonly from: number; readonly to: number }): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new HopbackError(
    'invalid-configuration',
    `${name} of the lifecycle rules is a whole number, ${from} to ${to}.`,
    {
      details: { name, value: String(value) },
    },
  );
}
