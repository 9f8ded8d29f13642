import type { CalledNumber, PartyNumber } from '../../core/call-record.js';
import { isAnonymousCaller } from '../suspicion/call-facts.js';
import { npaNxxOf } from '../suspicion/north-american-number.js';
import type { MemberLeaf, MemberNode, MemberObject, MemberParty } from './member-tree.js';
import type { NumberGuard } from './number-guard.js';
import type { Pseudonyms } from './pseudonyms.js';
import type { MemberExplanation, MemberRule, MemberTreatment } from './sharing-rules.js';

/** What members of one record are redacted with. */
export interface RedactionContext {
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
export function redactMember(node: MemberNode, value: unknown, path: string, context: RedactionContext): unknown {
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
  by: { readonly party: 'calling' | 'called'; readonly rule: MemberRule; readonly context: RedactionContext },
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
