import type { PostOutcome } from './post-webhook.js';

/**
 * Waits between the attempts of one event, milliseconds: those of Standard Webhooks, three days and some hours in all.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const WEBHOOK_WAITS_MS: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];

/** What is done after an attempt. */
export type AfterAttempt =
  | { readonly step: 'delivered' }
  /** It asked not to be sent anything any longer. */
  | { readonly step: 'disable'; readonly reason: 'gone' | 'failing' }
  /** The receiver is in trouble: everything waits. */
  | { readonly step: 'wait'; readonly waitMs: number }
  /** The receiver will not have this one: it waits by itself, and others go on. */
  | { readonly step: 'set-aside'; readonly waitMs: number }
  /** One that was set aside is not tried any longer. */
  | { readonly step: 'give-up' };

/**
 * What an answer to an attempt means. Pure.
 * @param attempts - how often the event was tried, this time included, 1 or more
 */
export function afterAttempt(outcome: PostOutcome, attempts: number, kind: 'live' | 'replay' | 'retry'): AfterAttempt {
  const httpStatus = outcome.status === 'answered' ? outcome.httpStatus : undefined;
  if (httpStatus !== undefined && httpStatus >= 200 && httpStatus < 300) return { step: 'delivered' };
  if (httpStatus === 410) return { step: 'disable', reason: 'gone' };
  const scheduledMs = WEBHOOK_WAITS_MS[attempts - 1];
  if (scheduledMs === undefined) return kind === 'live' ? { step: 'disable', reason: 'failing' } : { step: 'give-up' };
  const askedMs = outcome.status === 'answered' ? (outcome.retryAfterMs ?? 0) : 0;
  const waitMs = Math.max(scheduledMs, askedMs);
  const isAboutIt = outcome.status === 'unreadable' || (httpStatus !== undefined && isAboutTheEvent(httpStatus));
  return kind === 'live' && isAboutIt ? { step: 'set-aside', waitMs } : { step: 'wait', waitMs };
}

/** A refusal of what was sent, rather than of whoever sends, or now. RFC 9110 section 15.5 */
const isAboutTheEvent = (status: number): boolean => [400, 406, 409, 413, 415, 422].includes(status);
