import { z } from 'zod';
import type { BodyOf, ContactDetails, ProviderReference } from '../../contract/common.js';
import { comparableBusinessName, isSameProvider } from '../../contract/same-provider.js';
import { grouped } from '../../core/text.js';

/** Kinds of code, strongest first. */
const CODES = ['providerId', 'frn', 'ocn', 'spc'] as const;

/** Whether two references name one company in the same words: its name, and every code that both have. Other names and affiliates differ. */
export function isOneCompany(one: ProviderReference, other: ProviderReference): boolean {
  return areCodesSame(one, other) && comparableBusinessName(one.name) === comparableBusinessName(other.name);
}

/**
 * Whether two references to companies that may be of one group mean one company of it: by a code of one kind that both have, or else by the name. An
 * affiliate may sign with the code of its parent, so an SPC that is the other's OCN is not enough here.
 */
export function isOneOfGroup(one: ProviderReference, other: ProviderReference): boolean {
  const isByCode = CODES.some((code) => one[code] !== undefined && one[code] === other[code]);
  return areCodesSame(one, other) && (isByCode || isOneCompany(one, other));
}

function areCodesSame(one: ProviderReference, other: ProviderReference): boolean {
  return CODES.every((code) => !differ(one[code], other[code]));
}

/** Whether both are there, and are not the same. */
export function differ<Value>(one: Value | undefined, other: Value | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** Who is at the other end of a trunk. */
export type TrunkParty =
  /** A provider that a registry lists. */
  | { readonly kind: 'provider'; readonly provider: ProviderReference }
  /** A provider that no registry lists. */
  | { readonly kind: 'unlisted-provider'; readonly contact: ContactDetails }
  /** A provider outside the United States: whoever takes its calls is their point of entry. */
  | { readonly kind: 'foreign-provider'; readonly contact: ContactDetails }
  /** A customer whose calls begin here, or end here. */
  | { readonly kind: 'customer'; readonly customerId?: string };

/**
 * Who had a trunk, and from when to when. At least one of `trunk`, `address` and `switchProvider`; where several are given, all have to
 * fit. A trunk of which no entry fits is not looked for by anything else, and an address or provider of which none fits speaks against
 * whomever its entries do not name.
 */
export interface TrunkEntry {
  /** Name of the trunk, realm or peer, as the switch writes it, 1 to 256 characters. */
  readonly trunk?: string;
  /** Signalling address of the other end: `192.0.2.1`, `192.0.2.1:5060`, `192.0.2.0/24`, `2001:db8::/32`, `[2001:db8::1]:5060`. */
  readonly address?: string;
  /** What the switch writes down as the provider at the other end, 1 to 256 characters. */
  readonly switchProvider?: string;
  /** First instant at which it holds, microseconds since the epoch; absent where it always did. */
  readonly fromUs?: number;
  /** First instant at which it no longer holds; absent where it still does. */
  readonly untilUs?: number;
  readonly party: TrunkParty;
}

/** Trunks of a large carrier, each with those that had it in three years. */
export const MAX_TRUNK_ENTRIES = 100_000;
/** More than there are filers in the Robocall Mitigation Database. */
export const MAX_KNOWN_PROVIDERS = 20_000;
/** Names of one provider; the registry has some dozens for the largest. */
export const MAX_PROVIDER_NAMES = 64;
/** Cut-overs are planned by the hour. */
export const HANDOVER_MARGIN_SECONDS = 3_600;

/** A name as files have it. */
export const nameSchema = z.string().min(1).max(256);
const ocnSchema = z.string().regex(/^[0-9A-Z]{4}$/, 'has not the form of an OCN: four of 0-9 and A-Z');
const spcSchema = z.string().regex(/^[0-9A-Z]{1,15}$/, 'has not the form of an SPC: 1 to 15 of 0-9 and A-Z');
const frnSchema = z.string().regex(/^\d{10}$/, 'has not the form of an FRN: ten digits');

/** A provider as files name it. */
export const providerReferenceSchema = z.strictObject({
  providerId: z.exactOptional(z.string().min(1).max(128)),
  name: nameSchema,
  ocn: z.exactOptional(ocnSchema),
  spc: z.exactOptional(spcSchema),
  frn: z.exactOptional(frnSchema),
}) satisfies z.ZodType<ProviderReference>;

/** How somebody can be reached, as files have it. */
export const contactDetailsSchema = z.strictObject({
  name: nameSchema,
  email: z.exactOptional(z.string().min(3).max(254)),
  telephone: z.exactOptional(z.string().min(3).max(32)),
  postalAddress: z.exactOptional(z.string().min(1).max(512)),
  country: z.exactOptional(z.string().regex(/^[A-Z]{2}$/, 'has not the form of a country code: two letters')),
}) satisfies z.ZodType<ContactDetails>;

const several = <Schema extends z.ZodType>(schema: Schema) => z.exactOptional(z.array(schema).max(MAX_PROVIDER_NAMES));

/** Every name and code under which one provider is known: what is not said here is never guessed. */
export const KnownProvider = z.strictObject({
  /** As answers name it. */
  provider: providerReferenceSchema,
  /** Other business names, `doing business as` and former names included; at most 64. */
  otherNames: several(nameSchema),
  otherOcns: several(ocnSchema),
  otherSpcs: several(spcSchema),
  otherFrns: several(frnSchema),
  /**
   * Providers that count as this one when it is asked whether a call was sent to whoever named us: those of one group, which name each
   * other at will. Never taken from ownership alone.
   */
  affiliates: several(providerReferenceSchema),
});
export type KnownProvider = BodyOf<typeof KnownProvider>;

/** A directory as data: who was at the other end of what, and under which names. */
export interface TrunkDirectoryData {
  /** Name and version, 1 to 128 characters: stands in the trace of each decision. */
  readonly directoryId: string;
  /** At most 100,000. */
  readonly entries: readonly TrunkEntry[];
  /** At most 20,000. */
  readonly providers: readonly KnownProvider[];
  /**
   * How far from a change of hands nobody can say who had the trunk, seconds, 0 to 604,800: a cut-over is written down by the day or
   * hour, and happens at some minute. Where a period begins or ends and the same party has no other beside it, hands change too: who had
   * the trunk before or after is not listed. Default 3,600.
   */
  readonly handoverMarginSeconds?: number;
}

/** A provider of the directory, with every name and code of it. */
interface ProviderIdentity {
  readonly known: KnownProvider;
  readonly codes: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/** What a reference means by the directory. */
type ResolvedProvider =
  | { readonly status: 'resolved'; readonly identity: ProviderIdentity }
  /** Its names and codes belong to several providers, or speak against the one that it names. */
  | { readonly status: 'contradictory' }
  | { readonly status: 'unknown' };

/** Who is who. */
export type ProviderIdentities = ReturnType<typeof createProviderIdentities>;

/** Makes the providers of a directory ready to be looked up. */
export function createProviderIdentities(providers: readonly KnownProvider[]) {
  const all = providers.map(identityOf);
  const byKey = grouped(all, ({ codes, names }) => [...codes, ...names]);
  const resolve = (reference: ProviderReference): ResolvedProvider => resolved(reference, byKey);
  const groups = groupsOf(all, resolve);
  const compare = (one: ProviderReference, other: ProviderReference, withAffiliates: boolean): boolean => {
    const [left, right] = [resolve(one), resolve(other)];
    if (left.status === 'contradictory' || right.status === 'contradictory') return false;
    if (left.status === 'unknown' || right.status === 'unknown') return isSameProvider(one, other);
    if (left.identity === right.identity) return true;
    return withAffiliates && groups.get(left.identity) === groups.get(right.identity);
  };
  return {
    all,
    resolve,
    /** One and the same, affiliates apart. */
    isOne: (one: ProviderReference, other: ProviderReference) => compare(one, other, false),
    /** One and the same, or of one group. */
    isSame: (one: ProviderReference, other: ProviderReference) => compare(one, other, true),
    /** Names and codes that several providers of the directory have: they say nothing. */
    shared: [...byKey].filter(([, owners]) => owners.length > 1).map(([key]) => key),
  };
}

function identityOf(known: KnownProvider): ProviderIdentity {
  const { provider, otherNames = [], otherOcns = [], otherSpcs = [], otherFrns = [] } = known;
  const codes = new Set(codesOf(provider));
  for (const ocn of otherOcns) codes.add(`ocn ${ocn}`);
  for (const spc of otherSpcs) codes.add(`spc ${spc}`);
  for (const frn of otherFrns) codes.add(`frn ${frn}`);
  const names = [provider.name, ...otherNames].map(comparableBusinessName).filter((name) => name !== '');
  return { known, codes, names: new Set(names.map((name) => `name ${name}`)) };
}

function codesOf(reference: ProviderReference): readonly string[] {
  return CODES.flatMap((code) => (reference[code] === undefined ? [] : [`${code} ${reference[code]}`]));
}

function resolved(
  reference: ProviderReference,
  byKey: ReadonlyMap<string, readonly ProviderIdentity[]>,
): ResolvedProvider {
  const found = new Set<ProviderIdentity>();
  for (const code of codesOf(reference)) {
    const owners = byKey.get(code) ?? [];
    if (owners.length > 1) return { status: 'contradictory' };
    for (const owner of owners) found.add(owner);
  }
  if (found.size > 1) return { status: 'contradictory' };
  const named = byKey.get(`name ${comparableBusinessName(reference.name)}`) ?? [];
  const [byCode] = found;
  // A name of somebody else beside the codes of this one.
  if (byCode !== undefined && named.length > 0 && !named.includes(byCode)) return { status: 'contradictory' };
  if (byCode === undefined && named.length > 1) return { status: 'contradictory' };
  const identity = byCode ?? named[0];
  if (identity === undefined) return { status: 'unknown' };
  return speaksAgainst(reference, identity) ? { status: 'contradictory' } : { status: 'resolved', identity };
}

/** Whether a reference has a code that a registry gives out once, and the provider that it names is known under others. */
function speaksAgainst(reference: ProviderReference, { codes }: ProviderIdentity): boolean {
  return CODES.some((code) => {
    const value = reference[code];
    if (value === undefined || codes.has(`${code} ${value}`)) return false;
    return [...codes].some((known) => known.startsWith(`${code} `));
  });
}

/** The group of each provider that has affiliates: the same object for all of them. */
function groupsOf(
  all: readonly ProviderIdentity[],
  resolve: (reference: ProviderReference) => ResolvedProvider,
): ReadonlyMap<ProviderIdentity, unknown> {
  const groups = new Map<ProviderIdentity, Set<ProviderIdentity>>(all.map((one) => [one, new Set([one])]));
  for (const one of all) {
    for (const affiliate of one.known.affiliates ?? []) {
      const other = resolve(affiliate);
      if (other.status === 'resolved') join(groups, one, other.identity);
    }
  }
  return groups;
}

function join(
  groups: Map<ProviderIdentity, Set<ProviderIdentity>>,
  one: ProviderIdentity,
  other: ProviderIdentity,
): void {
  const group = groups.get(one);
  const joined = groups.get(other);
  if (group === undefined || joined === undefined || group === joined) return;
  for (const member of joined) {
    group.add(member);
    groups.set(member, group);
  }
}

/**
 * Makes the question whether a directory knows whom a reference means: by the list of its providers, or because one of its entries names
 * the same. What the names and codes of several providers contradict means nobody.
 * @returns never throws
 */
export function knownReferences(
  entries: readonly TrunkEntry[],
  identities: ProviderIdentities,
): (reference: ProviderReference) => boolean {
  const byKey = grouped(namedBy(entries), keysOf);
  return (reference) => {
    const { status } = identities.resolve(reference);
    if (status !== 'unknown') return status === 'resolved';
    return keysOf(reference).some(
      (key) => byKey.get(key)?.some((named) => identities.isOne(named, reference)) === true,
    );
  };
}

/** Each provider that entries name, once for each way in which they name it: a large one has a thousand trunks. */
function namedBy(entries: readonly TrunkEntry[]): readonly ProviderReference[] {
  const named = new Map<string, ProviderReference>();
  for (const { party } of entries) {
    if (party.kind === 'customer') continue;
    const reference = party.kind === 'provider' ? party.provider : { name: party.contact.name };
    const { name, providerId, frn, ocn, spc } = reference;
    named.set(JSON.stringify([comparableBusinessName(name), providerId, frn, ocn, spc]), reference);
  }
  return [...named.values()];
}

/** By any of these another reference may mean the same; an SPC may be an OCN. */
function keysOf(reference: ProviderReference): readonly string[] {
  const name = comparableBusinessName(reference.name);
  const codes = CODES.flatMap((code) => reference[code] ?? []).map((value) => `code ${value}`);
  return name === '' ? codes : [`name ${name}`, ...codes];
}
