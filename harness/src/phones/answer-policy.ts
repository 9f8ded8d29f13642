import { duration, invalid, reasonPhrase, rejection } from './argument-checks.js';
import type { CallProgress } from './call-progress.js';
import type { IncomingCall } from './phone-call.js';

/** What a phone does with a call that comes in, told as data. */
export type AnswerPolicy =
  | {
      readonly action: 'answer';
      /** Rings so many milliseconds first, by the phone's clock; default 0, which answers without a 180. */
      readonly ringMs?: number;
      /** Hangs up so many milliseconds after the answer; default never. */
      readonly hangUpAfterMs?: number;
    }
  /** 486 Busy Here at once. */
  | { readonly action: 'busy' }
  | {
      readonly action: 'reject';
      /** 300 to 699: 603, 607, 608, … */
      readonly status: number;
      /** Reason phrase; default that of the specification. */
      readonly reason?: string;
      /** Rings so many milliseconds first; default 0, which rejects without a 180. */
      readonly ringMs?: number;
    }
  /** 180, and then nothing: whoever reads the calls may still answer. */
  | { readonly action: 'ring' }
  /** Not even 180. */
  | { readonly action: 'ignore' };

/** A policy, or a function that chooses one for each call. One that decided the call itself returns `ignore`. */
export type IncomingPolicy = AnswerPolicy | ((call: IncomingCall) => AnswerPolicy | Promise<AnswerPolicy>);

/** The policy as it is, or `invalid-argument` for what cannot be. */
export function checkedPolicy<Policy extends IncomingPolicy>(policy: Policy): Policy {
  if (typeof policy === 'function') return policy;
  const { action }: AnswerPolicy = policy;
  if (!ACTIONS.has(action)) throw invalid(`a phone cannot ${action} a call`);
  if ('ringMs' in policy && policy.ringMs !== undefined) duration(policy.ringMs, 'ringMs');
  if ('hangUpAfterMs' in policy && policy.hangUpAfterMs !== undefined) duration(policy.hangUpAfterMs, 'hangUpAfterMs');
  if (policy.action === 'reject') {
    rejection(policy.status);
    reasonPhrase(policy.reason ?? '');
  }
  return policy;
}

/** Lets a policy decide a call. Rejects with what a function that chooses policies throws. */
export async function followPolicy(
  policy: IncomingPolicy,
  { call, progress }: { readonly call: IncomingCall; readonly progress: CallProgress },
): Promise<void> {
  const chosen = checkedPolicy(typeof policy === 'function' ? await policy(call) : policy);
  const afterRinging = (ringMs: number, decide: () => void): void => {
    if (ringMs === 0) decide();
    else if (call.ring()) progress.after(ringMs, decide);
  };
  switch (chosen.action) {
    case 'answer': {
      const { ringMs = 0, hangUpAfterMs } = chosen;
      afterRinging(ringMs, () => void call.answer(hangUpAfterMs === undefined ? {} : { hangUpAfterMs }));
      return;
    }
    case 'reject': {
      const { ringMs = 0, status, reason } = chosen;
      afterRinging(ringMs, () => void call.reject(status, reason === undefined ? {} : { reason }));
      return;
    }
    case 'busy':
      call.reject(486);
      return;
    case 'ring':
      call.ring();
      return;
    case 'ignore':
  }
}

const ACTIONS: ReadonlySet<AnswerPolicy['action']> = new Set(['answer', 'busy', 'reject', 'ring', 'ignore']);
