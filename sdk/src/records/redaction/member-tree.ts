import { z } from 'zod';
import type { PseudonymDomain } from './pseudonyms.js';

/** What becomes of one member of a record, and why. */
export interface MemberExplanation {
  /** Path in the record: `ingress.trunk`, `received.evidence.passports[0].dest`. */
  readonly member: string;
  readonly treatment: 'sent' | 'pseudonym' | 'withheld';
  readonly rule: keyof typeof MEMBER_RULES;
}
export type MemberTreatment = MemberExplanation['treatment'];
export type MemberRule = MemberExplanation['rule'];

/**
 * One sentence for each rule about members.
 * @see 47 USC 222 for what a carrier may say of its customers' calls, and to whom
 */
export const MEMBER_RULES = Object.freeze({
  'needed-to-find-the-record': 'A traceback of the shared record starts with it.',
  'facts-of-the-call': 'When the call was and how it went is what is shared.',
  'called-number-shown': 'At this level the number called is shown.',
  'called-number-veiled': 'At this level of the number called only area code, exchange and a pseudonym leave.',
  'caller-no-number': 'The text in place of a calling number is not a number; only that fact is shared.',
  'caller-is-the-called-number': 'The caller shows the called number, which is not shared: it is hidden too.',
  'made-of-the-called-number':
    'It is a hash of a value that contains the called number, which could be found by trying all numbers.',
  'may-name-the-called-number': 'It may hold the number called, or another way to it.',
  'text-holds-the-called-number': 'The number called stands in this text.',
  'calling-by-policy': 'The policy decides about calling numbers.',
  'trunks-by-policy': 'The policy decides about names of trunks.',
  'providers-by-policy': 'The policy decides about names of providers.',
  'addresses-by-policy': 'The policy decides about signalling addresses.',
  'call-ids-by-policy': 'The policy decides about SIP Call-IDs.',
  'source-by-policy': 'The policy decides about names of switches.',
  'evidence-by-policy': 'The policy decides about the evidence of verifications.',
  'signing-by-policy': 'The policy decides about what the carrier has signed.',
  'release-by-policy': 'The policy decides about causes of release.',
  'blocking-by-policy': 'The policy decides about what blocked a call.',
  'customer-never-leaves': 'The customer never leaves the carrier.',
  'raw-bytes-never-leave': 'What the switch wrote, byte for byte, is for courts alone: it never leaves the carrier.',
  'text-holds-the-customer': "The carrier's name for its customer stands in this text.",
  'not-in-the-list': 'Only members that are in the list leave; this one is in none.',
} as const);

const threeWays = z.enum(['kept', 'pseudonymous', 'dropped']);
const twoWays = z.enum(['kept', 'dropped']);

/** What becomes of members about which a policy decides. Of the number called the level decides; the customer never leaves. */
export const memberPolicy = z.strictObject({
  /** Calling and asserted number; `pseudonymous` keeps area code and exchange. */
  calling: threeWays,
  /** Names of trunks, in and out. */
  trunks: threeWays,
  /** Name of the switch or feed. */
  source: threeWays,
  /** SIP Call-IDs, in and out. */
  callIds: threeWays,
  /** Names of the providers on the other ends. */
  providers: twoWays,
  /** Signalling addresses of the other ends. */
  addresses: twoWays,
  /** Evidence of the verification; verdict, attestation, origid and provider code are sent in any case. */
  evidence: twoWays,
  /** The carrier's own signing. */
  signing: twoWays,
  release: twoWays,
  blocking: twoWays,
});
export type MemberPolicy = Readonly<z.infer<typeof memberPolicy>>;

/** Of each member what the strictest of several levels makes of it. */
export function strictestOf(levels: readonly MemberPolicy[]): MemberPolicy {
  const strictest = { ...KEPT };
  for (const name of Object.keys(KEPT) as (keyof MemberPolicy)[]) {
    const treatments: readonly string[] = levels.map((level) => level[name]);
    const treatment = ['dropped', 'pseudonymous'].find((one) => treatments.includes(one)) ?? 'kept';
    Object.assign(strictest, { [name]: treatment });
  }
  return strictest;
}

/** All of it leaves. */
export const KEPT: MemberPolicy = Object.freeze({
  calling: 'kept',
  trunks: 'kept',
  source: 'kept',
  callIds: 'kept',
  providers: 'kept',
  addresses: 'kept',
  evidence: 'kept',
  signing: 'kept',
  release: 'kept',
  blocking: 'kept',
});

/** What becomes of a member that is no object or list. */
export interface MemberLeaf {
  readonly kind: 'leaf';
  readonly action:
    /** Sent, unless it is a text that holds the number called or the customer. */
    | 'keep'
    /** A word of one of our vocabularies, without which the record would be none: it says nothing of a customer who is named like it. */
    | 'keep-word'
    /** Sent as it is: a hash or id of our own making, in which digits mean nothing. */
    | 'keep-unread'
    | 'pseudonym'
    | 'drop';
  readonly rule: MemberRule;
  /** What a pseudonym is made for: of `pseudonym`, and of `keep` where a text that cannot be sent is veiled and not withheld. */
  readonly domain?: PseudonymDomain;
  /** Sent in the place of the value. */
  readonly constant?: string;
}

/** What becomes of members of an object: of those named here what is said, of others nothing leaves. */
export interface MemberObject {
  readonly kind: 'object';
  readonly members: Readonly<Record<string, MemberNode>>;
}

/** The calling and the called party, which change their form when they leave. */
export interface MemberParty {
  readonly kind: 'party';
  readonly party: 'calling' | 'called';
  readonly as: 'whole' | 'number' | 'pseudonym' | 'nothing';
  readonly rule: MemberRule;
}

/** What becomes of a member and all below it, as data. */
export type MemberNode = MemberLeaf | MemberObject | MemberParty | { readonly kind: 'list'; readonly of: MemberNode };

/** Whether the number called leaves. */
type SharedForm = 'pseudonymous' | 'full';

/** The list of all members that may leave, with what becomes of each. What is not here stays. */
export function memberTree(form: SharedForm, policy: MemberPolicy): MemberNode {
  const isFull = form === 'full';
  // With a domain: a group that cannot be sent as it is still has to be told from others.
  const veiled = (domain: PseudonymDomain, rule: MemberRule): MemberLeaf => ({
    kind: 'leaf',
    action: isFull ? 'keep' : 'pseudonym',
    rule,
    domain,
  });
  const calling: MemberParty = {
    kind: 'party',
    party: 'calling',
    as: callingAs(form, policy),
    rule: 'calling-by-policy',
  };
  return object({
    recordId: { kind: 'leaf', action: 'keep-unread', rule: 'needed-to-find-the-record' },
    format: { kind: 'leaf', action: 'keep', rule: 'facts-of-the-call', constant: 'hopback.shared-record.1' },
    source: object({
      id: byPolicy(policy.source, 'source-by-policy', 'source'),
      format: WORD,
      readerVersion: FACT,
      sha256: isFull ? UNREAD_FACT : dropped('made-of-the-called-number'),
      raw: dropped('raw-bytes-never-leave'),
    }),
    legId: isFull ? FACT : dropped('may-name-the-called-number'),
    callGroupId: veiled('call-group', 'facts-of-the-call'),
    inviteAtUs: FACT,
    answeredAtUs: FACT,
    endedAtUs: FACT,
    time: object({ written: WORD, zone: FACT, resolutionUs: FACT, otherInviteAtUs: FACT }),
    calling,
    asserted: calling,
    called: {
      kind: 'party',
      party: 'called',
      as: isFull ? 'whole' : 'pseudonym',
      rule: isFull ? 'called-number-shown' : 'called-number-veiled',
    },
    ingress: hopSide(policy),
    egress: hopSide(policy),
    disposition: WORD,
    release: objectBy(policy.release, 'release-by-policy', {
      sipStatus: 'keep',
      q850Cause: 'keep',
      cause: 'keep',
      party: 'keep-word',
    }),
    received: object({
      verstat: WORD,
      attestation: WORD,
      origId: FACT,
      iatSeconds: FACT,
      spc: FACT,
      evidence: policy.evidence === 'dropped' ? dropped('evidence-by-policy') : evidence(isFull),
    }),
    signed: objectBy(policy.signing, 'signing-by-policy', { attestation: 'keep-word', origId: 'keep', basis: 'keep' }),
    customerId: dropped('customer-never-leaves'),
    blockedBy: policy.blocking === 'kept' ? kept('blocking-by-policy') : dropped('blocking-by-policy'),
  });
}

function callingAs(form: SharedForm, { calling }: MemberPolicy): MemberParty['as'] {
  if (calling === 'dropped') return 'nothing';
  if (calling === 'pseudonymous') return 'pseudonym';
  // As it was written it may be a URI with an address, or hold what the number does not.
  return form === 'full' ? 'whole' : 'number';
}

function hopSide({ trunks, providers, addresses, callIds }: MemberPolicy): MemberObject {
  return object({
    trunk: byPolicy(trunks, 'trunks-by-policy', 'trunk'),
    provider: byPolicy(providers, 'providers-by-policy'),
    address: byPolicy(addresses, 'addresses-by-policy'),
    callId: byPolicy(callIds, 'call-ids-by-policy'),
  });
}

/** The evidence of a verification: in the pseudonymous form without numbers, and without hashes of what holds them. */
function evidence(isFull: boolean): MemberObject {
  const fact = kept('evidence-by-policy');
  const word = kept('evidence-by-policy', 'keep-word');
  const unread: MemberLeaf = { kind: 'leaf', action: 'keep-unread', rule: 'evidence-by-policy' };
  const number = isFull ? fact : dropped('may-name-the-called-number');
  const hash = isFull ? unread : dropped('made-of-the-called-number');
  const numbers: MemberNode = isFull ? { kind: 'list', of: fact } : number;
  const passport = object({
    index: fact,
    ppt: fact,
    status: word,
    signingInputSha256: hash,
    x5u: fact,
    certificateSha256: unread,
    trustAnchorSha256: unread,
    spc: fact,
    orig: number,
    dest: numbers,
    div: number,
    iatSeconds: fact,
    attestation: word,
    origId: fact,
    passed: { kind: 'list', of: word },
    exceptions: {
      kind: 'list',
      of: object({
        step: word,
        result: word,
        reason: word,
        expected: number,
        actual: number,
      }),
    },
  });
  return object({
    format: isFull
      ? fact
      : { kind: 'leaf', action: 'keep', rule: 'evidence-by-policy', constant: 'hopback.shared-evidence.1' },
    checkedAtMs: fact,
    profile: word,
    freshnessSeconds: fact,
    trustStore: fact,
    verstat: word,
    request: isFull
      ? object({
          orig: fact,
          origSource: word,
          dest: fact,
          destSource: word,
          target: fact,
          dateSeconds: fact,
        })
      : dropped('may-name-the-called-number'),
    passports: { kind: 'list', of: passport },
    surplusHeaders: fact,
    callKey: isFull
      ? unread
      : { kind: 'leaf', action: 'pseudonym', rule: 'made-of-the-called-number', domain: 'call-key' },
    seenCount: fact,
    firstSeenMs: fact,
  });
}

const FACT: MemberLeaf = kept('facts-of-the-call');
const WORD: MemberLeaf = kept('facts-of-the-call', 'keep-word');
const UNREAD_FACT: MemberLeaf = { kind: 'leaf', action: 'keep-unread', rule: 'facts-of-the-call' };

function object(members: Readonly<Record<string, MemberNode>>): MemberObject {
  // Without a prototype: a record's member named `constructor` must not find one.
  return { kind: 'object', members: Object.assign(Object.create(null) as Record<string, MemberNode>, members) };
}

function kept(rule: MemberRule, action: 'keep' | 'keep-word' = 'keep'): MemberLeaf {
  return { kind: 'leaf', action, rule };
}

function dropped(rule: MemberRule): MemberLeaf {
  return { kind: 'leaf', action: 'drop', rule };
}

function byPolicy(
  treatment: 'kept' | 'pseudonymous' | 'dropped',
  rule: MemberRule,
  domain: PseudonymDomain = 'call-id',
): MemberLeaf {
  if (treatment === 'dropped') return dropped(rule);
  if (treatment === 'pseudonymous') return { kind: 'leaf', action: 'pseudonym', rule, domain };
  return domain === 'trunk' ? { kind: 'leaf', action: 'keep', rule, domain } : kept(rule);
}

function objectBy(
  treatment: 'kept' | 'dropped',
  rule: MemberRule,
  members: Readonly<Record<string, 'keep' | 'keep-word'>>,
): MemberNode {
  if (treatment === 'dropped') return dropped(rule);
  return object(Object.fromEntries(Object.entries(members).map(([name, action]) => [name, kept(rule, action)])));
}
