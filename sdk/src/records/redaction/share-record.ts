import type { CalledNumber, CallRecord, PartyNumber } from '../../contract/call-record.js';
import { isRecord } from '../../core/text.js';
import { isAnonymousCaller, npaNxxOf } from '../suspicion/suspicion.js';
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
  if (!isRecord(value)) return withhold(value, path, { rule: 'not-in-the-list', context });
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
  if (!isRecord(value)) return withhold(value, path, { rule: 'not-in-the-list', context });
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

/**
 * Makes of a record what may leave of it, by the list of its members.
 * @param by - the list, and whether the number called leaves; `notes` takes down what becomes of each member
 */
export function redactRecord(
  record: CallRecord,
  by: {
    readonly tree: MemberNode;
    readonly isFull: boolean;
    readonly pseudonyms: Pseudonyms;
    readonly notes: MemberExplanation[] | undefined;
  },
): Record<string, unknown> {
  const { tree, isFull, pseudonyms, notes } = by;
  const guard = numberGuard(isFull ? undefined : record.called, record.customerId);
  return redactMember(tree, record, '', { pseudonyms, guard, notes }) as Record<string, unknown>;
}
