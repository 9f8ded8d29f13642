import type { CalledNumber, CallRecord, PartyNumber, SharedRecord, SharingMark } from '../../contract/call-record.js';
import { isAnonymousCaller, npaNxxOf } from '../suspicion/suspicion.js';
import type { Suspicion } from '../suspicion/suspicion.js';
import type {
  MemberExplanation,
  MemberLeaf,
  MemberNode,
  MemberObject,
  MemberParty,
  MemberRule,
  MemberTreatment,
} from './member-tree.js';
import type { Pseudonyms } from './pseudonyms.js';
import { SHARING_LEVELS } from './sharing-policy.js';
import type { SendingLevel, SharingLevel, SharingPolicy } from './sharing-policy.js';

/** Finds in texts what must not leave with them. */
type NumberGuard = ReturnType<typeof numberGuard>;

/** An exchange and a line: fewer digits cannot be told from any others. */
const LEAST_DIGITS = 7;
/** Digits of a North American number without its country code, and of most others without theirs: enough to know the number by. */
const NATIONAL_DIGITS = 10;
/** A shorter name stands in every other text; it has to be the whole of it, or one of its words. */
const LEAST_NAME_CHARS = 4;

/**
 * Makes the guard for one record. Digits are compared with all other characters left out, so that no way of writing a number helps;
 * digits in an encoding, and numbers of fewer than seven digits, are not found. Never throws.
 * @param called - undefined where the number called may leave
 */
function numberGuard(called: CalledNumber | undefined, customerId: string | undefined) {
  const numbers: string[] = [];
  const lines: string[] = [];
  for (const text of calledTexts(called)) {
    const digits = digitsOf(text);
    if (digits.length < LEAST_DIGITS) continue;
    numbers.push(digits.slice(-NATIONAL_DIGITS));
    // Exchange and line are the number for whoever knows the area.
    lines.push(digits.slice(-LEAST_DIGITS));
  }
  const holdsCustomer = customerId === undefined || customerId === '' ? () => false : nameGuard(customerId);
  return {
    /** Whether a text holds the number called, with or without separators, or ends like it. */
    holdsCalled: (text: string) => {
      if (lines.length === 0 || text.length < LEAST_DIGITS) return false;
      const digits = digitsOf(text);
      return digits.length >= LEAST_DIGITS && lines.some((line) => digits.includes(line));
    },
    /** Whether a text holds the carrier's name for its customer, in whatever case and with whatever separators. */
    holdsCustomer,
    /** Whether a canonical number is, or holds, the number called. */
    isCalled: (tn: string) => numbers.some((number) => tn.includes(number)),
  };
}

/**
 * What may be the number called: as it was read, as it was translated, and the parts of what was written, which has addresses and
 * parameters and digits dialled later behind the number and prefixes before it.
 */
function calledTexts(called: CalledNumber | undefined): readonly string[] {
  if (called === undefined) return [];
  const { tn, translatedTn, asWritten } = called;
  return [tn, translatedTn, asWritten].flatMap((text) => text?.split(/[;@<>,?#*]/) ?? []);
}

/** Names are compared by letters and digits alone: `Acme Corp.` is also called acme-corp. */
function nameGuard(customerId: string): (text: string) => boolean {
  const name = withoutSigns(customerId);
  // Made of signs alone.
  if (name === '') return (text) => text.includes(customerId);
  if (name.length >= LEAST_NAME_CHARS) return (text) => withoutSigns(text).includes(name);
  // Figures of up to three digits are words of every address.
  if (/^\d+$/.test(name)) return (text) => withoutSigns(text) === name;
  return (text) => withoutSigns(text) === name || text.toLowerCase().split(SIGNS).includes(name);
}

/** What is neither letter nor digit, nor part of a letter. */
const SIGNS = /[^\p{L}\p{M}\p{N}]+/gu;

function withoutSigns(text: string): string {
  return text.toLowerCase().replaceAll(SIGNS, '');
}

function digitsOf(text: string): string {
  let digits = '';
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits += text[at] ?? '';
  }
  return digits;
}

/** What members of one record are redacted with. */
interface RedactionContext {
  readonly pseudonyms: Pseudonyms;
  readonly guard: NumberGuard;
  /** Where what becomes of each member is written down; nothing is where nobody asks. */
  readonly notes: MemberExplanation[] | undefined;
}

/**
 * Makes of a member what may leave of it, by the list. What is not in the list, and what has not the form that the list expects, stays.
 * @param path - of the member, for the notes; empty where there are none
 * @returns undefined where nothing leaves; never throws
 */
function redactMember(node: MemberNode, value: unknown, path: string, context: RedactionContext): unknown {
  if (node.kind === 'leaf') return redactLeaf(node, value, path, context);
  if (node.kind === 'object') return redactObject(node, value, path, context);
  if (node.kind === 'party') return redactParty(node, value, path, context);
  if (!Array.isArray(value)) return withhold(value, path, { rule: 'not-in-the-list', context });
  const sent: unknown[] = [];
  for (const [index, one] of value.entries()) {
    const left = redactMember(node.of, one, context.notes === undefined ? '' : `${path}[${index}]`, context);
    if (left !== undefined) sent.push(left);
  }
  return sent;
}

function redactObject({ members }: MemberObject, value: unknown, path: string, context: RedactionContext): unknown {
  if (!isObject(value)) return withhold(value, path, { rule: 'not-in-the-list', context });
  const sent: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    const inner = context.notes === undefined ? '' : path === '' ? name : `${path}.${name}`;
    const node = members[name];
    const left =
      node === undefined
        ? withhold(member, inner, { rule: 'not-in-the-list', context })
        : redactMember(node, member, inner, context);
    if (left !== undefined) sent[name] = left;
  }
  return sent;
}

function redactLeaf(leaf: MemberLeaf, value: unknown, path: string, context: RedactionContext): unknown {
  const { guard, pseudonyms } = context;
  if (leaf.action === 'drop') return withhold(value, path, { rule: leaf.rule, context });
  const isText = typeof value === 'string';
  if (!isText && typeof value !== 'number' && typeof value !== 'boolean') {
    return withhold(value, path, { rule: 'not-in-the-list', context });
  }
  if (leaf.action === 'pseudonym') {
    if (leaf.domain === undefined || !isText) return withhold(value, path, { rule: leaf.rule, context });
    note(context, path, 'pseudonym', leaf.rule);
    return pseudonyms.of(leaf.domain, value);
  }
  if (isText && leaf.constant === undefined && (leaf.action !== 'keep-unread' || !isHash(value))) {
    const rule: MemberRule | undefined = guard.holdsCalled(value)
      ? 'text-holds-the-called-number'
      : leaf.action !== 'keep-word' && guard.holdsCustomer(value)
        ? 'text-holds-the-customer'
        : undefined;
    if (rule !== undefined) {
      if (leaf.domain === undefined) return withhold(value, path, { rule, context });
      note(context, path, 'pseudonym', rule);
      return pseudonyms.of(leaf.domain, value);
    }
  }
  note(context, path, 'sent', leaf.rule);
  return leaf.constant ?? value;
}

/** What SHA-256 gives, whole or by half: nobody can read a number in it. */
function isHash(text: string): boolean {
  return HASH.test(text);
}

const HASH = /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/;

function redactParty(
  { party, as, rule }: MemberParty,
  value: unknown,
  path: string,
  context: RedactionContext,
): unknown {
  if (!isObject(value)) return withhold(value, path, { rule: 'not-in-the-list', context });
  if (as === 'nothing') return withhold(value, path, { rule, context });
  const { tn, asWritten } = value as Partial<CalledNumber & PartyNumber>;
  const { guard } = context;
  // Some carriers name their customers by their numbers.
  const isCustomer = [tn, asWritten].some((text) => typeof text === 'string' && guard.holdsCustomer(text));
  if (as === 'whole' && !isCustomer) return wholeParty(value, path, { party, rule, context });
  const isNumber = typeof tn === 'string';
  const text = isNumber ? tn : asWritten;
  if (typeof text !== 'string') return withhold(value, path, { rule: 'not-in-the-list', context });
  if (party === 'calling' && !isNumber) {
    withhold(value, path, { rule: 'caller-no-number', context });
    return { shown: 'no-number', isAnonymous: isAnonymousCaller(text) };
  }
  const isTheCalled = party === 'calling' && guard.isCalled(text);
  const isVeiled = as === 'pseudonym' || isTheCalled || isCustomer;
  if (context.notes !== undefined) {
    const numberRule: MemberRule = isTheCalled
      ? 'caller-is-the-called-number'
      : isCustomer
        ? 'text-holds-the-customer'
        : rule;
    for (const name of Object.keys(value)) {
      const isSource = name === (isNumber ? 'tn' : 'asWritten');
      const treatment = isSource ? (isVeiled ? 'pseudonym' : 'sent') : 'withheld';
      noteLeaves(value[name], `${path}.${name}`, { treatment, rule: isSource ? numberRule : rule, context });
    }
  }
  if (!isVeiled) return { shown: 'number', tn: text };
  const pseudonym = context.pseudonyms.of(party === 'called' ? 'called-number' : 'calling-number', text);
  const npaNxx = isNumber ? npaNxxOf(text) : -1;
  if (npaNxx < 0) return { shown: 'pseudonym', pseudonym };
  return { shown: 'pseudonym', pseudonym, npaNxx: String(npaNxx).padStart(6, '0') };
}

const PARTY_MEMBERS = ['asWritten', 'tn', 'translatedTn', 'lrn', 'techPrefix'];

/** A party as the carrier has it, member by member: what else may stand in it does not leave. */
function wholeParty(
  value: Readonly<Record<string, unknown>>,
  path: string,
  by: {
    readonly party: 'calling' | 'called';
    readonly rule: MemberRule;
    readonly context: RedactionContext;
  },
): unknown {
  const { party, rule, context } = by;
  const names = party === 'called' ? PARTY_MEMBERS : PARTY_MEMBERS.slice(0, 2);
  const sent: Record<string, unknown> = { shown: 'whole' };
  for (const name of Object.keys(value)) {
    const member = value[name];
    const inner = `${path}.${name}`;
    if (!names.includes(name) || typeof member !== 'string') {
      withhold(member, inner, { rule: 'not-in-the-list', context });
    } else if (context.guard.holdsCustomer(member)) {
      withhold(member, inner, { rule: 'text-holds-the-customer', context });
    } else {
      note(context, inner, 'sent', rule);
      sent[name] = member;
    }
  }
  // Without a text nothing is left that could be called a number.
  return sent['asWritten'] === undefined ? undefined : sent;
}

function withhold(
  value: unknown,
  path: string,
  { rule, context }: { readonly rule: MemberRule; readonly context: RedactionContext },
): undefined {
  if (context.notes !== undefined) noteLeaves(value, path, { treatment: 'withheld', rule, context });
  return undefined;
}

/** Deepest level that is walked down for notes; a record of ours has six. */
const MAX_DEPTH = 16;

function noteLeaves(
  value: unknown,
  path: string,
  by: {
    readonly treatment: MemberTreatment;
    readonly rule: MemberRule;
    readonly context: RedactionContext;
    readonly depth?: number;
  },
): void {
  const { treatment, rule, context, depth = 0 } = by;
  if (value === undefined) return;
  if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) {
    const isList = Array.isArray(value);
    for (const [name, member] of Object.entries(value)) {
      const inner = isList ? `${path}[${name}]` : `${path}.${name}`;
      noteLeaves(member, inner, { treatment, rule, context, depth: depth + 1 });
    }
    return;
  }
  note(context, path, treatment, rule);
}

function note({ notes }: RedactionContext, member: string, treatment: MemberTreatment, rule: MemberRule): void {
  notes?.push({ member, treatment, rule });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
