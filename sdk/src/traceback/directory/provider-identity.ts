import type { ProviderReference } from '../../core/traceback-request.js';
import { comparableBusinessName } from './business-name.js';
import type { KnownProvider } from './trunk-directory-data.js';

/** A provider of the directory, with every name and code of it. */
export interface ProviderIdentity {
  readonly known: KnownProvider;
  readonly codes: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/** What a reference means by the directory. */
export type ResolvedProvider =
  | { readonly status: 'resolved'; readonly identity: ProviderIdentity }
  /** Its names and codes belong to several providers, or speak against the one that it names. */
  | { readonly status: 'contradictory' }
  | { readonly status: 'unknown' };

/** Who is who. */
export interface ProviderIdentities {
  readonly all: readonly ProviderIdentity[];
  readonly resolve: (reference: ProviderReference) => ResolvedProvider;
  /** One and the same, affiliates apart. */
  readonly isOne: (one: ProviderReference, other: ProviderReference) => boolean;
  /** One and the same, or of one group. */
  readonly isSame: (one: ProviderReference, other: ProviderReference) => boolean;
  /** Names and codes that several providers of the directory have: they say nothing. */
  readonly shared: readonly string[];
}

/** Makes the providers of a directory ready to be looked up. */
export function createProviderIdentities(providers: readonly KnownProvider[]): ProviderIdentities {
  const all = providers.map(identityOf);
  const byKey = new Map<string, ProviderIdentity[]>();
  for (const identity of all) {
    for (const key of [...identity.codes, ...identity.names]) {
      const others = byKey.get(key) ?? [];
      byKey.set(key, others);
      others.push(identity);
    }
  }
  const resolve = (reference: ProviderReference): ResolvedProvider => resolved(reference, byKey);
  const groups = groupsOf(all, resolve);
  const compare = (one: ProviderReference, other: ProviderReference, withAffiliates: boolean): boolean => {
    const [left, right] = [resolve(one), resolve(other)];
    if (left.status === 'contradictory' || right.status === 'contradictory') return false;
    if (left.status === 'unknown' || right.status === 'unknown') return isStatedSame(one, other);
    if (left.identity === right.identity) return true;
    return withAffiliates && groups.get(left.identity) === groups.get(right.identity);
  };
  return {
    all,
    resolve,
    isOne: (one, other) => compare(one, other, false),
    isSame: (one, other) => compare(one, other, true),
    shared: [...byKey].filter(([, owners]) => owners.length > 1).map(([key]) => key),
  };
}

/** Kinds of code, strongest first: the first that both of two references have decides. */
const CODES = ['providerId', 'frn', 'ocn', 'spc'] as const;

/** What two references say by themselves. */
function isStatedSame(one: ProviderReference, other: ProviderReference): boolean {
  // Of the two that a registry gives out once, none may differ.
  const registered = (['providerId', 'frn'] as const).filter(
    (code) => one[code] !== undefined && other[code] !== undefined,
  );
  if (registered.length > 0) return registered.every((code) => one[code] === other[code]);
  for (const code of ['ocn', 'spc'] as const) {
    if (one[code] !== undefined && other[code] !== undefined) return one[code] === other[code];
  }
  // An SPC is an OCN as a rule. RFC 8226 section 9
  if (one.ocn !== undefined && other.spc !== undefined) return one.ocn === other.spc;
  if (one.spc !== undefined && other.ocn !== undefined) return one.spc === other.ocn;
  const name = comparableBusinessName(one.name);
  return name !== '' && name === comparableBusinessName(other.name);
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

/** Codes of a reference without their kinds. */
export function codeValues(reference: ProviderReference): readonly string[] {
  return CODES.flatMap((code) => reference[code] ?? []);
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
