import { KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { HopbackError } from '../../errors.js';

/** Why a record is sent or stays. */
export type SharingReason =
  'level-shares-nothing' | 'level-shares-suspicious' | 'level-shares-all' | 'not-suspicious-enough' | 'not-judged';

/** Why a member of a record is sent, veiled or withheld. */
export type MemberRule =
  | 'needed-to-find-the-record'
  | 'facts-of-the-call'
  | 'called-number-shown'
  | 'called-number-veiled'
  | 'caller-no-number'
  | 'caller-is-the-called-number'
  | 'made-of-the-called-number'
  | 'may-name-the-called-number'
  | 'text-holds-the-called-number'
  | 'calling-by-policy'
  | 'trunks-by-policy'
  | 'providers-by-policy'
  | 'addresses-by-policy'
  | 'call-ids-by-policy'
  | 'source-by-policy'
  | 'evidence-by-policy'
  | 'signing-by-policy'
  | 'release-by-policy'
  | 'blocking-by-policy'
  | 'customer-never-leaves'
  | 'raw-bytes-never-leave'
  | 'text-holds-the-customer'
  | 'not-in-the-list';

/** What became of a member. */
export type MemberTreatment = 'sent' | 'pseudonym' | 'withheld';

/** What becomes of one member of a record, and why. */
export interface MemberExplanation {
  /** Path in the record: `ingress.trunk`, `received.evidence.passports[0].dest`. */
  readonly member: string;
  readonly treatment: MemberTreatment;
  readonly rule: MemberRule;
}

/**
 * One sentence for each rule about members.
 * @see 47 USC 222 for what a carrier may say of its customers' calls, and to whom
 */
export const MEMBER_RULES: Readonly<Record<MemberRule, string>> = Object.freeze({
  'needed-to-find-the-record': 'A traceback of the shared record starts with it.',
  'facts-of-the-call': 'When the call was and how it went is what is shared.',
  'called-number-shown': 'At this level the number called is shown.',
  'called-number-veiled': 'At this level of the number called only area code, exchange and a pseudonym leave.',
  'caller-no-number': 'What came in place of a calling number is none; that is said, and the text stays.',
  'caller-is-the-called-number': 'The caller shows the number called, which does not leave: it is veiled too.',
  'made-of-the-called-number': 'It is a hash of what holds the number called, which could be found by trying.',
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
});

/** What a pseudonym is for. The same text has another one in each: a number as called cannot be found again as calling. */
export type PseudonymDomain =
  'called-number' | 'calling-number' | 'call-group' | 'trunk' | 'call-id' | 'source' | 'call-key';

/** Gives pseudonyms under one key. Nothing of the key can be read from it. */
export interface Pseudonyms {
  /** Which key this is, in the carrier's own words: goes along with every record. */
  readonly rotationId: string;
  /** @returns 32 lower-case hexadecimal digits */
  readonly of: (domain: PseudonymDomain, text: string) => string;
}

/** Whose pseudonyms these are, and the key that makes them. */
export interface PseudonymOptions {
  /** Secret key of the tenant for this rotation: a secret KeyObject or bytes, 32 to 1,024 octets. Bytes are copied. */
  readonly key: KeyObject | Uint8Array;
  /** Name of the key, 1 to 64 characters. With a new key comes a new one: pseudonyms of different rotations cannot be compared. */
  readonly rotationId: string;
  /** Whose records they are, 1 to 128 characters: the same key in two hands makes different pseudonyms. */
  readonly tenantId: string;
}

/** As much as the hash that is keyed gives out. @see RFC 2104 section 3 */
export const MIN_PSEUDONYM_KEY_BYTES = 32;
/** A longer key is hashed first and gains nothing. */
export const MAX_PSEUDONYM_KEY_BYTES = 1_024;
/** 128 bits: two numbers of a carrier never share a pseudonym by chance. */
export const PSEUDONYM_DIGITS = 32;

const MAX_ROTATION_ID_CHARS = 64;
const MAX_TENANT_ID_CHARS = 128;

const DOMAINS: readonly PseudonymDomain[] = [
  'called-number',
  'calling-number',
  'call-group',
  'trunk',
  'call-id',
  'source',
  'call-key',
];

/**
 * Makes pseudonyms: HMAC-SHA-256 under a key of its own for each domain, which is the HMAC of tenant, rotation id and domain under the
 * key given. Whoever lacks the key can neither undo nor try them; whoever has it can try all numbers of a plan within hours, so that
 * it stays with the carrier and is destroyed when a rotation ends.
 * @param options - key, its name, and whose records they are
 * @returns what makes pseudonyms; nothing of the key can be read from it
 * @throws {@link HopbackError} `key-unusable` for a key that is not secret or has too few or too many octets; `invalid-argument` for a
 * name out of its bounds. Neither holds anything of the key
 * @see RFC 2104, RFC 5869 section 3.2 (on domain separation)
 * @example
 * ```ts
 * const key = new Uint8Array(32).fill(7);
 * const pseudonyms = createPseudonyms({ key, rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(pseudonyms.of('called-number', '12025550101').length); // 32
 * ```
 */
export function createPseudonyms(options: PseudonymOptions): Pseudonyms {
  const { key, rotationId, tenantId } = options;
  checkName('rotationId', rotationId, MAX_ROTATION_ID_CHARS);
  checkName('tenantId', tenantId, MAX_TENANT_ID_CHARS);
  const secret = secretOf(key);
  const keys = new Map<PseudonymDomain, KeyObject>();
  for (const domain of DOMAINS) {
    const own = createHmac('sha256', secret).update(framed(['hopback.pseudonym.1', tenantId, rotationId, domain]));
    keys.set(domain, createSecretKey(own.digest()));
  }
  const pseudonymOf = (domain: PseudonymDomain, text: string): string => {
    const own = keys.get(domain);
    if (own === undefined) throw new HopbackError('internal', 'there is no key for a domain of pseudonyms');
    return createHmac('sha256', own).update(text).digest('hex').slice(0, PSEUDONYM_DIGITS);
  };
  const known = { trunk: new Map<string, string>(), source: new Map<string, string>() };
  return {
    rotationId,
    of: (domain, text) => {
      if (domain !== 'trunk' && domain !== 'source') return pseudonymOf(domain, text);
      const names = known[domain];
      let pseudonym = names.get(text);
      if (pseudonym === undefined) {
        if (names.size >= KNOWN_NAMES) names.clear();
        pseudonym = pseudonymOf(domain, text);
        names.set(text, pseudonym);
      }
      return pseudonym;
    },
  };
}

/** Trunks and switches are few and stand in every record; numbers are many and are not kept. */
const KNOWN_NAMES = 4_096;

/** Lengths keep a separator inside a name from making two lists one. */
function framed(parts: readonly string[]): string {
  return parts.map((part) => `${String(part.length)}:${part}`).join('');
}

function secretOf(key: KeyObject | Uint8Array): KeyObject {
  const isKeyObject = key instanceof KeyObject;
  if (!isKeyObject && !(key instanceof Uint8Array)) {
    throw new HopbackError('key-unusable', 'a key for pseudonyms must be a secret KeyObject or bytes');
  }
  if (isKeyObject && key.type !== 'secret') {
    throw new HopbackError('key-unusable', `a key for pseudonyms must be a secret one, not a ${key.type} key`);
  }
  const sizeBytes = isKeyObject ? (key.symmetricKeySize ?? 0) : key.byteLength;
  if (sizeBytes < MIN_PSEUDONYM_KEY_BYTES || sizeBytes > MAX_PSEUDONYM_KEY_BYTES) {
    throw new HopbackError('key-unusable', 'a key for pseudonyms must have 32 to 1,024 octets', {
      details: { sizeBytes },
    });
  }
  return isKeyObject ? key : createSecretKey(key);
}

function checkName(member: string, name: string, mostChars: number): void {
  if (typeof name === 'string' && name.length >= 1 && name.length <= mostChars) return;
  throw new HopbackError('invalid-argument', `${member} must be a text of 1 to ${String(mostChars)} characters`, {
    details: { member },
  });
}

/**
 * What may leave the switch, from the most restrictive:
 * - `nothing`;
 * - `suspicious`: suspicious calls, pseudonymous;
 * - `all-pseudonymous`: every call, pseudonymous;
 * - `all`: every call, with the number called.
 */
export type SharingLevel = 'nothing' | 'suspicious' | 'all-pseudonymous' | 'all';

/** Levels at which records leave. */
export type SendingLevel = Exclude<SharingLevel, 'nothing'>;

/** What becomes of members about which a policy decides. Of the number called the level decides; the customer never leaves. */
export interface MemberPolicy {
  /** Calling and asserted number; `pseudonymous` keeps area code and exchange. */
  readonly calling: 'kept' | 'pseudonymous' | 'dropped';
  /** Names of trunks, in and out. */
  readonly trunks: 'kept' | 'pseudonymous' | 'dropped';
  /** Name of the switch or feed. */
  readonly source: 'kept' | 'pseudonymous' | 'dropped';
  /** SIP Call-IDs, in and out. */
  readonly callIds: 'kept' | 'pseudonymous' | 'dropped';
  /** Names of the providers on the other ends. */
  readonly providers: 'kept' | 'dropped';
  /** Signalling addresses of the other ends. */
  readonly addresses: 'kept' | 'dropped';
  /** Evidence of the verification; verdict, attestation, origid and provider code are sent in any case. */
  readonly evidence: 'kept' | 'dropped';
  /** The carrier's own signing. */
  readonly signing: 'kept' | 'dropped';
  readonly release: 'kept' | 'dropped';
  readonly blocking: 'kept' | 'dropped';
}

/**
 * A trunk or customer of which less leaves. At least one of `trunk` and `customerId`; where both are given both have to fit. It holds for
 * the records that name them: of another leg of the same call that does not, the general level decides.
 */
export interface SharingException {
  /** Names the exception in explanations, 1 to 128 characters. */
  readonly id: string;
  /** Trunk by which a call came in or left. */
  readonly trunk?: string;
  readonly customerId?: string;
  readonly share: SharingLevel;
  /** Why, for the next reader, 1 to 512 characters. */
  readonly reason: string;
}

/**
 * What may leave the switch, as data. The most restrictive wins: of the general level and all exceptions that apply to a call the one
 * that shares least decides, and each member is treated as the strictest of those levels would. So an exception never makes a carrier
 * share more, and their order does not matter.
 */
export interface SharingPolicyData {
  /** Name and version: goes along with every record. 1 to 128 characters. */
  readonly id: string;
  /** The general level. */
  readonly share: SharingLevel;
  /** From which level of suspicion on a call is suspicious in the sense of this policy. */
  readonly suspiciousFrom: 'watch' | 'suspicious';
  readonly members: Readonly<Record<SendingLevel, MemberPolicy>>;
  /** At most {@link MAX_SHARING_EXCEPTIONS}. */
  readonly exceptions: readonly SharingException[];
}

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
    all: Object.freeze({
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
    }),
  }),
  exceptions: Object.freeze([]),
});

/** Most exceptions of a policy: all are looked through at every call. */
export const MAX_SHARING_EXCEPTIONS = 1_024;

/** A policy whose data was checked, with the key of its pseudonyms inside: made by {@link createSharingPolicy} alone. */
export interface SharingPolicy {
  /** A copy of the data. */
  readonly data: SharingPolicyData;
  readonly pseudonyms: Pseudonyms;
  /** What becomes of each member where these levels apply to a call, one or more of them, in any order. */
  readonly treeOf: (levels: readonly SendingLevel[]) => MemberNode;
}

/** What a sharing policy is made of. */
export interface SharingPolicyOptions {
  /** Default {@link DEFAULT_SHARING_POLICY}. */
  readonly data?: SharingPolicyData;
  /** Secret key of this rotation: a secret KeyObject or bytes, 32 to 1,024 octets. */
  readonly key: KeyObject | Uint8Array;
  /** Name of the key, 1 to 64 characters; a new key has a new name. */
  readonly rotationId: string;
  /** Whose records they are, 1 to 128 characters. */
  readonly tenantId: string;
}

/**
 * Checks the data of a policy and makes it ready for use.
 * @param options - the data, and key, rotation id and tenant of the pseudonyms
 * @returns the policy, with a copy of the data
 * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for what is out of its bounds; `key-unusable` and
 * `invalid-argument` as {@link createPseudonyms}
 * @see 47 USC 222(d)(2) on sharing to protect users from fraud and abuse
 * @example
 * ```ts
 * const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(policy.data.share); // suspicious
 * ```
 */
export function createSharingPolicy(options: SharingPolicyOptions): SharingPolicy {
  const data = structuredClone(options.data ?? DEFAULT_SHARING_POLICY);
  checkSharingPolicy(data);
  const { key, rotationId, tenantId } = options;
  return {
    data,
    pseudonyms: createPseudonyms({ key, rotationId, tenantId }),
    treeOf: treesOf(data),
  };
}

const SENDING_LEVELS: readonly SendingLevel[] = ['suspicious', 'all-pseudonymous', 'all'];

/** Made once for each set of levels, of which there are seven: records are many. */
function treesOf({ members }: SharingPolicyData): SharingPolicy['treeOf'] {
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

/** Of each member what the strictest of several levels makes of it. */
function strictestOf(levels: readonly MemberPolicy[]): MemberPolicy {
  const is = (name: keyof MemberPolicy, treatment: string): boolean =>
    levels.some((level) => level[name] === treatment);
  const ofThree = (name: 'calling' | 'trunks' | 'source' | 'callIds'): MemberPolicy['calling'] =>
    is(name, 'dropped') ? 'dropped' : is(name, 'pseudonymous') ? 'pseudonymous' : 'kept';
  const ofTwo = (name: keyof MemberPolicy): MemberPolicy['release'] => (is(name, 'dropped') ? 'dropped' : 'kept');
  return {
    calling: ofThree('calling'),
    trunks: ofThree('trunks'),
    source: ofThree('source'),
    callIds: ofThree('callIds'),
    providers: ofTwo('providers'),
    addresses: ofTwo('addresses'),
    evidence: ofTwo('evidence'),
    signing: ofTwo('signing'),
    release: ofTwo('release'),
    blocking: ofTwo('blocking'),
  };
}

/** From the most restrictive. */
export const SHARING_LEVELS: readonly SharingLevel[] = Object.freeze([
  'nothing',
  'suspicious',
  'all-pseudonymous',
  'all',
] as const);

const THREE_WAYS: readonly (keyof MemberPolicy)[] = ['calling', 'trunks', 'source', 'callIds'];
const TWO_WAYS: readonly (keyof MemberPolicy)[] = [
  'providers',
  'addresses',
  'evidence',
  'signing',
  'release',
  'blocking',
];

function checkSharingPolicy(data: SharingPolicyData): void {
  if (!isText(data.id, 128)) throw wrong('id');
  if (!SHARING_LEVELS.includes(data.share)) throw wrong('share');
  if (data.suspiciousFrom !== 'watch' && data.suspiciousFrom !== 'suspicious') throw wrong('suspiciousFrom');
  for (const level of SENDING_LEVELS) {
    const members: Partial<MemberPolicy> | undefined = data.members?.[level];
    for (const name of THREE_WAYS) {
      if (!['kept', 'pseudonymous', 'dropped'].includes(members?.[name] ?? '')) throw wrong(`members.${level}.${name}`);
    }
    for (const name of TWO_WAYS) {
      if (!['kept', 'dropped'].includes(members?.[name] ?? '')) throw wrong(`members.${level}.${name}`);
    }
  }
  const { exceptions } = data;
  if (!isList(exceptions) || exceptions.length > MAX_SHARING_EXCEPTIONS) throw wrong('exceptions');
  for (const [index, exception] of exceptions.entries()) checkException(exception, index);
}

function checkException({ id, trunk, customerId, share, reason }: SharingException, index: number): void {
  const at = `exceptions[${String(index)}]`;
  if (!isText(id, 128)) throw wrong(`${at}.id`);
  if (!isText(reason, 512)) throw wrong(`${at}.reason`);
  if (!SHARING_LEVELS.includes(share)) throw wrong(`${at}.share`);
  // An exception for nobody in particular would be one for everybody.
  if (trunk === undefined && customerId === undefined) throw wrong(`${at}.trunk`);
  if (trunk !== undefined && !isText(trunk, 256)) throw wrong(`${at}.trunk`);
  if (customerId !== undefined && !isText(customerId, 256)) throw wrong(`${at}.customerId`);
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function isText(value: unknown, mostChars: number): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= mostChars;
}

function wrong(member: string): HopbackError {
  return new HopbackError('invalid-configuration', `the sharing policy: ${member} is missing or out of its bounds`, {
    details: { member },
  });
}

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
function memberTree(form: SharedForm, policy: MemberPolicy): MemberNode {
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
      of: object({ step: word, result: word, reason: word, expected: number, actual: number }),
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
      ? object({ orig: fact, origSource: word, dest: fact, destSource: word, target: fact, dateSeconds: fact })
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
