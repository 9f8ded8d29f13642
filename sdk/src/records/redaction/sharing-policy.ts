import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { CallRecord, SharedRecord, SharingMark } from '../../contract/call-record.js';
import { readBySchema } from '../../core/schema-findings.js';
import { isRecord } from '../../core/text.js';
import { configurationError } from '../configuration-error.schema.js';
import { KEPT, memberPolicy, memberTree, strictestOf } from './member-tree.js';
import type { MemberExplanation, MemberNode } from './member-tree.js';
import { createPseudonyms } from './pseudonyms.js';
import { redactRecord } from './share-record.js';
import type { Suspicion } from '../suspicion/suspicion.js';

/**
 * What may leave the switch, from the most restrictive:
 * - `nothing`;
 * - `suspicious`: suspicious calls, pseudonymous;
 * - `all-pseudonymous`: every call, pseudonymous;
 * - `all`: every call, with the number called.
 */
export const SHARING_LEVELS = ['nothing', 'suspicious', 'all-pseudonymous', 'all'] as const;

/** One of {@link SHARING_LEVELS}. */
export type SharingLevel = (typeof SHARING_LEVELS)[number];

/** Levels at which records leave. */
export type SendingLevel = Exclude<SharingLevel, 'nothing'>;

/** Most exceptions of a policy: all are looked through at every call. */
const MAX_SHARING_EXCEPTIONS = 1_024;

const sharingLevel = z.enum(SHARING_LEVELS);

/**
 * A trunk or customer of which less leaves. At least one of `trunk` and `customerId`; where both are given both have to fit. It holds for
 * the records that name them: of another leg of the same call that does not, the general level decides.
 */
const sharingException = z
  .strictObject({
    /** Names the exception in explanations. */
    id: z.string().min(1).max(128),
    /** Trunk by which a call came in or left. */
    trunk: z.exactOptional(z.string().min(1).max(256)),
    customerId: z.exactOptional(z.string().min(1).max(256)),
    share: sharingLevel,
    /** Why, for the next reader. */
    reason: z.string().min(1).max(512),
  })
  .refine(({ trunk, customerId }) => trunk !== undefined || customerId !== undefined, {
    message: 'must name a trunk or a customerId: else it would be for everybody',
  });
export type SharingException = Readonly<z.infer<typeof sharingException>>;

/**
 * What may leave the switch, as data. The most restrictive wins: of the general level and all exceptions that apply to a call the one
 * that shares least decides, and each member is treated as the strictest of those levels would. So an exception never makes a carrier
 * share more, and their order does not matter.
 */
const SharingPolicyData = z.strictObject({
  id: z.string().min(1).max(128).describe('name and version: goes along with every record'),
  /** The general level. */
  share: sharingLevel,
  /** From which level of suspicion on a call is suspicious in the sense of this policy. */
  suspiciousFrom: z.enum(['watch', 'suspicious']),
  members: z.strictObject({ suspicious: memberPolicy, 'all-pseudonymous': memberPolicy, all: memberPolicy }).readonly(),
  exceptions: z.array(sharingException).max(MAX_SHARING_EXCEPTIONS).readonly(),
});
export type SharingPolicyData = Readonly<z.infer<typeof SharingPolicyData>>;

/** The policy that holds where none is given: suspicious calls alone, pseudonymous. */
export const DEFAULT_SHARING_POLICY: SharingPolicyData = Object.freeze({
  id: 'hopback-sharing-1',
  share: 'suspicious',
  suspiciousFrom: 'suspicious',
  members: Object.freeze({
    suspicious: Object.freeze({
      // Whose number it shows is how a campaign is known with several carriers; most often it is nobody's or a stolen one.
      calling: 'kept',
      // Names of trunks may be names of customers; that calls came by the same one is all that is needed.
      trunks: 'pseudonymous',
      source: 'pseudonymous',
      // Their hosts and users say more than the call; a traceback asks by record id.
      callIds: 'dropped',
      // Whom a traceback would name.
      providers: 'kept',
      addresses: 'kept',
      evidence: 'kept',
      signing: 'kept',
      release: 'kept',
      blocking: 'kept',
    }),
    'all-pseudonymous': Object.freeze({
      // Most of these callers have done nothing.
      calling: 'pseudonymous',
      trunks: 'pseudonymous',
      source: 'pseudonymous',
      callIds: 'dropped',
      providers: 'kept',
      // Of an ordinary call the address may be that of a customer.
      addresses: 'dropped',
      evidence: 'kept',
      signing: 'kept',
      release: 'kept',
      blocking: 'kept',
    }),
    all: KEPT,
  }),
  exceptions: Object.freeze([]),
});

/** What a sharing policy is made of. */
export interface SharingPolicyOptions {
  /** Secret key of the tenant for this rotation: a secret KeyObject or bytes, 32 to 1,024 octets. Bytes are copied. */
  readonly key: KeyObject | Uint8Array;
  /** Name of the key, 1 to 64 characters. With a new key comes a new one: pseudonyms of different rotations cannot be compared. */
  readonly rotationId: string;
  /** Whose records they are, 1 to 128 characters: the same key in two hands makes different pseudonyms. */
  readonly tenantId: string;
  /** Default {@link DEFAULT_SHARING_POLICY}. */
  readonly data?: SharingPolicyData;
}

/** Whether a record leaves, and what decided so. */
export interface SharingDecision {
  readonly isShared: boolean;
  /** The level that holds for the call. */
  readonly level: SharingLevel;
  /** `general`, or the id of the exception that brought the level about; of several as restrictive ones the first. */
  readonly decidedBy: string;
  /** Why the record is sent or stays. */
  readonly reason:
    'level-shares-nothing' | 'level-shares-suspicious' | 'level-shares-all' | 'not-suspicious-enough' | 'not-judged';
}

/** What becomes of a record. */
export type SharingOutcome =
  | {
      readonly status: 'shared';
      readonly decision: SharingDecision;
      readonly record: SharedRecord;
    }
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
 * What may leave the switch, checked and ready for use, with the key of its pseudonyms inside. Of the general level and all exceptions that
 * apply to a call the most restrictive decides whether its record is sent, and of each member the strictest of them what is sent.
 * @see 47 USC 222(d)(2) on sharing to protect users from fraud and abuse
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
 * const policy = new SharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(policy.share(record, undefined).status); // withheld
 * console.log(policy.explain(record, undefined).decision.reason); // not-judged
 * ```
 */
export class SharingPolicy {
  /** A copy of the data. */
  readonly data: SharingPolicyData;
  readonly #pseudonyms: ReturnType<typeof createPseudonyms>;
  readonly #treeOf: ReturnType<typeof treesOf>;

  /**
   * Checks the data of a policy and makes it ready for use.
   * @param options - the data, and key, rotation id and tenant of the pseudonyms
   * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for what is out of its bounds; `key-unusable` for a key
   * that is not secret or has too few or too many octets; `invalid-argument` for a name out of its bounds
   */
  constructor(options: SharingPolicyOptions) {
    this.data = checkedData(options.data ?? DEFAULT_SHARING_POLICY, 'the sharing policy');
    this.#pseudonyms = createPseudonyms(options);
    this.#treeOf = treesOf(this.data);
  }

  /**
   * Makes of a record what the policy lets leave.
   * @param record - the record, of this carrier
   * @param suspicion - how the call was judged; a call that was not judged is not suspicious
   * @returns the shared record, or that it stays; the record given is left as it is. Never throws for what a record holds
   */
  share(record: CallRecord, suspicion: Suspicion | undefined): SharingOutcome {
    const { decision, levels } = decided(this.data, record, suspicion);
    if (!decision.isShared) return { status: 'withheld', decision };
    return { status: 'shared', decision, record: this.#redacted(record, { decision, levels, suspicion }) };
  }

  /**
   * Says exactly what {@link SharingPolicy.share} would send of a record, what it would withhold, and by which rule.
   * @param record - the record, of this carrier
   * @param suspicion - how the call was judged
   * @returns the decision, the record that would be sent, and for each member what becomes of it. Never throws for what a record holds
   * @see {@link MEMBER_RULES} for the rules in sentences
   */
  explain(record: CallRecord, suspicion: Suspicion | undefined): SharingExplanation {
    const { decision, levels } = decided(this.data, record, suspicion);
    const notes: MemberExplanation[] = [];
    if (!decision.isShared) return { decision, members: notes };
    return { decision, record: this.#redacted(record, { decision, levels, suspicion, notes }), members: notes };
  }

  #redacted(
    record: CallRecord,
    how: {
      readonly decision: SharingDecision;
      readonly levels: readonly SendingLevel[];
      readonly suspicion: Suspicion | undefined;
      readonly notes?: MemberExplanation[];
    },
  ): SharedRecord {
    const { decision, levels, suspicion, notes } = how;
    const isFull = decision.level === 'all';
    const pseudonyms = this.#pseudonyms;
    const shared = redactRecord(record, { tree: this.#treeOf(levels), isFull, pseudonyms, notes });
    const mark: SharingMark = {
      policyId: this.data.id,
      form: isFull ? 'full' : 'pseudonymous',
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
    shared['sharing'] = mark;
    return shared as unknown as SharedRecord;
  }
}

/** A decision, with all levels that apply to the call: of each member the strictest of them decides. */
function decided(
  data: SharingPolicyData,
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
  { suspiciousFrom }: SharingPolicyData,
  how: {
    readonly level: SharingLevel;
    readonly decidedBy: string;
    readonly suspicion: Suspicion | undefined;
  },
): SharingDecision {
  const { level, decidedBy, suspicion } = how;
  if (level === 'nothing') return { isShared: false, level, decidedBy, reason: 'level-shares-nothing' };
  if (level !== 'suspicious') return { isShared: true, level, decidedBy, reason: 'level-shares-all' };
  if (suspicion === undefined) return { isShared: false, level, decidedBy, reason: 'not-judged' };
  const isEnough = suspicion.level === 'suspicious' || (suspicion.level === 'watch' && suspiciousFrom === 'watch');
  const reason = isEnough ? 'level-shares-suspicious' : 'not-suspicious-enough';
  return { isShared: isEnough, level, decidedBy, reason };
}

function checkedData(value: unknown, what: string): SharingPolicyData {
  const read = readBySchema(SharingPolicyData, value);
  if (!read.success) throw configurationError(what, { error: read.error, value });
  return read.data;
}

const SENDING_LEVELS: readonly SendingLevel[] = ['suspicious', 'all-pseudonymous', 'all'];

/** Made once for each set of levels, of which there are seven: records are many. */
function treesOf({ members }: SharingPolicyData): (levels: readonly SendingLevel[]) => MemberNode {
  const indexOf = (levels: readonly SendingLevel[]): number =>
    SENDING_LEVELS.reduce((index, level, bit) => (levels.includes(level) ? index + 2 ** bit : index), 0);
  const trees = Array.from({ length: 2 ** SENDING_LEVELS.length }, (_, index) => {
    const levels = SENDING_LEVELS.filter((_level, bit) => Math.trunc(index / 2 ** bit) % 2 === 1);
    const isFull = index === indexOf(['all']);
    return memberTree(isFull ? 'full' : 'pseudonymous', strictestOf(levels.map((level) => members[level])));
  });
  return (levels) => trees[indexOf(levels)] ?? NOTHING;
}

/** Stands for no level at all. */
const NOTHING: MemberNode = Object.freeze({ kind: 'object', members: Object.freeze({}) });

/**
 * Reads a sharing policy, out of a file or a part of one. Needed is its `id` alone: what is left out, down to single members, is as in
 * {@link DEFAULT_SHARING_POLICY}.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the policy. Default `the sharing policy`
 * @returns the whole data, for {@link SharingPolicy}
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds, the first in
 * `details.member`
 * @see 47 USC 222(d)(2) on sharing to protect users from fraud and abuse
 * @example
 * ```ts
 * const data = readSharingPolicy({ id: 'example-2', members: { suspicious: { addresses: 'dropped' } } });
 * console.log(data.share, data.members.suspicious.addresses, data.members.suspicious.calling); // suspicious dropped kept
 * ```
 */
export function readSharingPolicy(value: unknown, options: { readonly at?: string } = {}): SharingPolicyData {
  const what = options.at ?? 'the sharing policy';
  if (!isRecord(value)) return checkedData(value, what);
  const members = 'members' in value ? { members: mergedMembers(value['members']) } : {};
  return checkedData({ ...DEFAULT_SHARING_POLICY, id: undefined, ...value, ...members }, what);
}

/** What is written over what holds by default; what has not the form of it stays as it is, and is refused. */
function mergedMembers(written: unknown): unknown {
  if (!isRecord(written)) return written;
  const defaults: Readonly<Record<string, object>> = DEFAULT_SHARING_POLICY.members;
  const merged = Object.entries(written).map(([level, policy]) => {
    const known = Object.hasOwn(defaults, level) && isRecord(policy);
    return [level, known ? { ...defaults[level], ...policy } : policy];
  });
  return { ...defaults, ...Object.fromEntries(merged) };
}
