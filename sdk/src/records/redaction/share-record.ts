import type { CallRecord } from '../../core/call-record.js';
import type { SharedRecord, SharingMark } from '../../core/call-record.js';
import type { Suspicion } from '../suspicion/suspicion.js';
import { numberGuard } from './number-guard.js';
import { redactMember } from './redact-members.js';
import { SHARING_LEVELS } from './sharing-policy.js';
import type { SendingLevel, SharingLevel, SharingPolicy } from './sharing-policy.js';
import type { MemberExplanation, SharingReason } from './sharing-rules.js';

/** Whether a record leaves, and what decided so. */
export interface SharingDecision {
  readonly isShared: boolean;
  /** The level that holds for the call. */
  readonly level: SharingLevel;
  /** `general`, or the id of the exception that brought the level about; of several as restrictive ones the first. */
  readonly decidedBy: string;
  readonly reason: SharingReason;
}

/** What becomes of a record. */
export type SharingOutcome =
  | { readonly status: 'shared'; readonly decision: SharingDecision; readonly record: SharedRecord }
  | { readonly status: 'withheld'; readonly decision: SharingDecision };

/** A dry run: what would be sent, what would stay, and by which rule. */
export interface SharingExplanation {
  readonly decision: SharingDecision;
  /** What would be sent, exactly; absent where nothing would. */
  readonly record?: SharedRecord;
  /** Every member that the record has, in its order. Empty where the record stays as a whole. */
  readonly members: readonly MemberExplanation[];
}

/**
 * Makes of a record what the policy lets leave. The most restrictive of the general level and all exceptions that apply decides whether it
 * is sent, and of each member the strictest of them what is sent.
 * @param policy - from {@link createSharingPolicy}
 * @param record - the record, of this carrier
 * @param suspicion - how the call was judged; a call that was not judged is not suspicious
 * @returns the shared record, or that it stays; the record given is left as it is. Never throws for what a record holds
 * @see 47 USC 222(d)(2)
 * @example
 * ```ts
 * const record: CallRecord = {
 *   format: 'hopback.call-record.1',
 *   recordId: '0123456789abcdef0123456789abcdef',
 *   source: { id: 'sbc-1', format: 'hopback', readerVersion: 1, sha256: 'a'.repeat(64) },
 *   legId: 'leg-1',
 *   callGroupId: 'call-1',
 *   inviteAtUs: 1_790_000_000_000_000,
 *   time: { written: 'utc', resolutionUs: 1 },
 *   called: { asWritten: '12025550147', tn: '12025550147' },
 *   ingress: { trunk: 'north-1' },
 *   egress: {},
 *   disposition: 'no-answer',
 * };
 * const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(shareRecord(policy, record, undefined).status); // withheld
 * ```
 */
export function shareRecord(
  policy: SharingPolicy,
  record: CallRecord,
  suspicion: Suspicion | undefined,
): SharingOutcome {
  const { decision, levels } = decided(policy, record, suspicion);
  if (!decision.isShared) return { status: 'withheld', decision };
  return { status: 'shared', decision, record: redacted(policy, record, { decision, levels, suspicion }) };
}

/**
 * Says exactly what {@link shareRecord} would send of a record, what it would withhold, and by which rule.
 * @param policy - from {@link createSharingPolicy}
 * @param record - the record, of this carrier
 * @param suspicion - how the call was judged
 * @returns the decision, the record that would be sent, and for each member what becomes of it. Never throws for what a record holds
 * @see {@link MEMBER_RULES} for the rules in sentences
 * @example
 * ```ts
 * const record: CallRecord = {
 *   format: 'hopback.call-record.1',
 *   recordId: '0123456789abcdef0123456789abcdef',
 *   source: { id: 'sbc-1', format: 'hopback', readerVersion: 1, sha256: 'a'.repeat(64) },
 *   legId: 'leg-1',
 *   callGroupId: 'call-1',
 *   inviteAtUs: 1_790_000_000_000_000,
 *   time: { written: 'utc', resolutionUs: 1 },
 *   called: { asWritten: '12025550147', tn: '12025550147' },
 *   ingress: { trunk: 'north-1' },
 *   egress: {},
 *   disposition: 'no-answer',
 * };
 * const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(explainSharing(policy, record, undefined).decision.reason); // not-judged
 * ```
 */
export function explainSharing(
  policy: SharingPolicy,
  record: CallRecord,
  suspicion: Suspicion | undefined,
): SharingExplanation {
  const { decision, levels } = decided(policy, record, suspicion);
  if (!decision.isShared) return { decision, members: [] };
  const members: MemberExplanation[] = [];
  const shared = redacted(policy, record, { decision, levels, suspicion, notes: members });
  return { decision, record: shared, members };
}

/**
 * Decides whether a record leaves. The most restrictive of the general level and all exceptions that apply to the call wins.
 * @param policy - from {@link createSharingPolicy}
 * @param record - the record, of this carrier
 * @param suspicion - how the call was judged
 * @returns the level, what brought it about, and whether the record is sent at it; never throws
 * @see 47 USC 222(d)(2)
 * @example
 * ```ts
 * const record: CallRecord = {
 *   format: 'hopback.call-record.1',
 *   recordId: '0123456789abcdef0123456789abcdef',
 *   source: { id: 'sbc-1', format: 'hopback', readerVersion: 1, sha256: 'a'.repeat(64) },
 *   legId: 'leg-1',
 *   callGroupId: 'call-1',
 *   inviteAtUs: 1_790_000_000_000_000,
 *   time: { written: 'utc', resolutionUs: 1 },
 *   called: { asWritten: '12025550147', tn: '12025550147' },
 *   ingress: { trunk: 'north-1' },
 *   egress: {},
 *   disposition: 'no-answer',
 * };
 * const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(decideSharing(policy, record, undefined).level); // suspicious
 * ```
 */
export function decideSharing(
  policy: SharingPolicy,
  record: CallRecord,
  suspicion: Suspicion | undefined,
): SharingDecision {
  return decided(policy, record, suspicion).decision;
}

/** A decision, with all levels that apply to the call: of each member the strictest of them decides. */
function decided(
  { data }: SharingPolicy,
  record: CallRecord,
  suspicion: Suspicion | undefined,
): { readonly decision: SharingDecision; readonly levels: readonly SendingLevel[] } {
  let level = data.share;
  let decidedBy = 'general';
  const levels: SendingLevel[] = level === 'nothing' ? [] : [level];
  for (const { id, trunk, customerId, share } of data.exceptions) {
    if (trunk !== undefined && trunk !== record.ingress.trunk && trunk !== record.egress.trunk) continue;
    if (customerId !== undefined && customerId !== record.customerId) continue;
    // One that would share more than the general level is none.
    if (SHARING_LEVELS.indexOf(share) >= SHARING_LEVELS.indexOf(data.share)) continue;
    if (share !== 'nothing') levels.push(share);
    if (SHARING_LEVELS.indexOf(share) >= SHARING_LEVELS.indexOf(level)) continue;
    level = share;
    decidedBy = id;
  }
  return { decision: decisionOf(data, { level, decidedBy, suspicion }), levels };
}

function decisionOf(
  { suspiciousFrom }: SharingPolicy['data'],
  how: { readonly level: SharingLevel; readonly decidedBy: string; readonly suspicion: Suspicion | undefined },
): SharingDecision {
  const { level, decidedBy, suspicion } = how;
  if (level === 'nothing') return { isShared: false, level, decidedBy, reason: 'level-shares-nothing' };
  if (level !== 'suspicious') return { isShared: true, level, decidedBy, reason: 'level-shares-all' };
  if (suspicion === undefined) return { isShared: false, level, decidedBy, reason: 'not-judged' };
  const isEnough = suspicion.level === 'suspicious' || (suspicion.level === 'watch' && suspiciousFrom === 'watch');
  const reason = isEnough ? 'level-shares-suspicious' : 'not-suspicious-enough';
  return { isShared: isEnough, level, decidedBy, reason };
}

function redacted(
  { data, pseudonyms, treeOf }: SharingPolicy,
  record: CallRecord,
  how: {
    readonly decision: SharingDecision;
    readonly levels: readonly SendingLevel[];
    readonly suspicion: Suspicion | undefined;
    readonly notes?: MemberExplanation[];
  },
): SharedRecord {
  const { decision, levels, suspicion } = how;
  const form = decision.level === 'all' ? 'full' : 'pseudonymous';
  const guard = numberGuard(form === 'full' ? undefined : record.called, record.customerId);
  const sent = redactMember(treeOf(levels), record, '', { pseudonyms, guard, notes: how.notes });
  const mark: SharingMark = {
    policyId: data.id,
    form,
    rotationId: pseudonyms.rotationId,
    ...(suspicion === undefined
      ? {}
      : {
          suspicion: {
            score: suspicion.score,
            level: suspicion.level,
            signals: suspicion.signals.map(({ name }) => name),
          },
        }),
  };
  // The list of members is that of the type, which the tests confirm member by member.
  const shared = sent as Record<string, unknown>;
  shared['sharing'] = mark;
  return shared as unknown as SharedRecord;
}
