import type { FindingArm } from '../../core/traceback-request.js';
import type { ReviewDecision } from './review-decision.js';
import { CALL_ARMS } from './review-warnings.js';

type ArmMember = 'candidate' | 'provider' | 'contact' | 'customer' | 'upstreamAction' | 'reason';

/** Arms whose answer says what a member of a decision says. */
const TAKEN_BY: Readonly<Record<ArmMember, ReadonlySet<FindingArm>>> = {
  candidate: CALL_ARMS,
  provider: new Set(['received-from', 'number-served-by']),
  contact: new Set(['received-from-unlisted', 'point-of-entry']),
  customer: new Set(['origin', 'serves-number']),
  upstreamAction: new Set(['received-from', 'received-from-unlisted', 'point-of-entry']),
  reason: new Set(['refused']),
};

/** Members that a person has filled in and the answer of that arm would not say, or would say of a call that it denies. */
export function membersLeftOut(decision: ReviewDecision): readonly string[] {
  const members = Object.entries(TAKEN_BY) as readonly (readonly [ArmMember, ReadonlySet<FindingArm>])[];
  return members.flatMap(([member, arms]) =>
    decision[member] !== undefined && !arms.has(decision.arm) ? [member] : [],
  );
}
