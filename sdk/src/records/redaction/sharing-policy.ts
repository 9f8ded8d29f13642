import type { KeyObject } from 'node:crypto';
import { HopbackError } from '../../errors.js';
import { memberTree } from './member-tree.js';
import type { MemberNode } from './member-tree.js';
import { createPseudonyms } from './pseudonyms.js';
import type { Pseudonyms } from './pseudonyms.js';

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
