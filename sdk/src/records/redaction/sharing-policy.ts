import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../configuration-error.schema.js';
import { KEPT, memberPolicy, memberTree, strictestOf } from './member-tree.js';
import type { MemberNode } from './member-tree.js';
import { createPseudonyms } from './pseudonyms.js';
import type { Pseudonyms, PseudonymOptions } from './pseudonyms.js';

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

const share = z.enum(SHARING_LEVELS);

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
    share,
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
  share,
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

/** A policy whose data was checked, with the key of its pseudonyms inside: made by {@link createSharingPolicy} alone. */
export interface SharingPolicy {
  /** A copy of the data. */
  readonly data: SharingPolicyData;
  readonly pseudonyms: Pseudonyms;
  /** What becomes of each member where these levels apply to a call, one or more of them, in any order. */
  readonly treeOf: (levels: readonly SendingLevel[]) => MemberNode;
}

/** What a sharing policy is made of. */
export interface SharingPolicyOptions extends PseudonymOptions {
  /** Default {@link DEFAULT_SHARING_POLICY}. */
  readonly data?: SharingPolicyData;
}

/**
 * Checks the data of a policy and makes it ready for use.
 * @param options - the data, and key, rotation id and tenant of the pseudonyms
 * @returns the policy, with a copy of the data
 * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for what is out of its bounds; `key-unusable` and
 * `invalid-argument` as `createPseudonyms`
 * @see 47 USC 222(d)(2) on sharing to protect users from fraud and abuse
 * @example
 * ```ts
 * const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * console.log(policy.data.share); // suspicious
 * ```
 */
export function createSharingPolicy(options: SharingPolicyOptions): SharingPolicy {
  const data = checkedData(options.data ?? DEFAULT_SHARING_POLICY, 'the sharing policy');
  return { data, pseudonyms: createPseudonyms(options), treeOf: treesOf(data) };
}

function checkedData(value: unknown, what: string): SharingPolicyData {
  const read = readBySchema(SharingPolicyData, value);
  if (!read.success) throw configurationError(what, { error: read.error, value });
  return read.data;
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

/**
 * Reads a sharing policy, out of a file or a part of one. Needed is its `id` alone: what is left out, down to single members, is as in
 * {@link DEFAULT_SHARING_POLICY}.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the policy. Default `the sharing policy`
 * @returns the whole data, for {@link createSharingPolicy}
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
  if (!isObject(value)) return checkedData(value, what);
  const members = 'members' in value ? { members: mergedMembers(value['members']) } : {};
  return checkedData({ ...DEFAULT_SHARING_POLICY, id: undefined, ...value, ...members }, what);
}

/** What is written over what holds by default; what has not the form of it stays as it is, and is refused. */
function mergedMembers(written: unknown): unknown {
  if (!isObject(written)) return written;
  const defaults: Readonly<Record<string, object>> = DEFAULT_SHARING_POLICY.members;
  const merged = Object.entries(written).map(([level, policy]) => {
    const known = Object.hasOwn(defaults, level) && isObject(policy);
    return [level, known ? { ...defaults[level], ...policy } : policy];
  });
  return { ...defaults, ...Object.fromEntries(merged) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
