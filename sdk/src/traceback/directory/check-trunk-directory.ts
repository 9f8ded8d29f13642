import type { ProviderReference } from '../../core/traceback-request.js';
import { prefixKey } from './ip-prefix.js';
import { createProviderIdentities } from './provider-identity.js';
import type { ProviderIdentities } from './provider-identity.js';
import { beginOf, differ, endOf, indexed, isSameParty } from './trunk-directory.js';
import type { IndexedEntry } from './trunk-directory.js';
import type { TrunkDirectoryData } from './trunk-directory-data.js';

/** Something in a directory that makes it name nobody, or less than was meant. */
export interface TrunkDirectoryProblem {
  /**
   * - `contradiction`: two entries hold at the same time for the same calls, and name different parties;
   * - `hole`: between two periods of the same trunk or address nobody has it;
   * - `shared-name`: several providers have this name or code: it says nothing;
   * - `unknown-affiliate`: an affiliate that is none of the providers;
   * - `unclear-provider`: the provider of an entry goes by names or codes of several.
   */
  readonly kind: 'contradiction' | 'hole' | 'shared-name' | 'unknown-affiliate' | 'unclear-provider';
  /** Indices of the entries, or of the providers for the last three but one; in order. */
  readonly at: readonly number[];
  readonly text: string;
}

/** Past so many, whoever keeps the directory has another problem. */
export const MAX_DIRECTORY_PROBLEMS = 1_000;

/**
 * Lists what is wrong with a directory though each of its entries is well-formed: a directory with problems names nobody where they are, and
 * is right everywhere else.
 * @param data - as for {@link createTrunkDirectory}
 * @returns at most {@link MAX_DIRECTORY_PROBLEMS}; empty where there is none
 * @throws {@link HopbackError} `invalid-configuration` as {@link createTrunkDirectory}
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const party = (name: string) => ({ kind: 'provider', provider: { name } }) as const;
 * const problems = checkTrunkDirectory({
 *   directoryId: 'trunks-7',
 *   providers: [],
 *   entries: [
 *     { trunk: 'east-1', party: party('Example Telecom LLC') },
 *     { trunk: 'east-1', fromUs: 1_793_620_800_000_000, party: party('Example Wholesale Inc') },
 *   ],
 * });
 * console.log(problems[0]?.kind, problems[0]?.at); // contradiction [ 0, 1 ]
 * ```
 */
export function checkTrunkDirectory(data: TrunkDirectoryData): readonly TrunkDirectoryProblem[] {
  const entries = data.entries.map((entry, at) => indexed(entry, at));
  const identities = createProviderIdentities(data.providers);
  const problems: TrunkDirectoryProblem[] = [];
  for (const group of sameCalls(entries)) {
    problems.push(...contradictions(group, identities), ...holes(group));
    if (problems.length >= MAX_DIRECTORY_PROBLEMS) return problems.slice(0, MAX_DIRECTORY_PROBLEMS);
  }
  problems.push(...providerProblems(data, identities));
  return problems.slice(0, MAX_DIRECTORY_PROBLEMS);
}

/** Entries that may hold for the same call: those with a trunk, an address or a provider of the switch in common. */
function sameCalls(entries: readonly IndexedEntry[]): readonly (readonly IndexedEntry[])[] {
  const groups = new Map<string, IndexedEntry[]>();
  for (const one of entries) {
    const { trunk, switchProvider } = one.entry;
    const keys = [
      ...(trunk === undefined ? [] : [`trunk ${trunk}`]),
      ...(switchProvider === undefined ? [] : [`provider ${switchProvider}`]),
      ...(one.prefix === undefined ? [] : [`address ${prefixKey(one.prefix, one.prefix.bits)}`]),
    ];
    for (const key of keys) {
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push(one);
    }
  }
  return [...groups.values(), ...nested(entries)];
}

/** Each network with the wider ones around it. */
function nested(entries: readonly IndexedEntry[]): readonly (readonly IndexedEntry[])[] {
  const byPrefix = new Map<string, IndexedEntry[]>();
  const lengths = new Set<number>();
  for (const one of entries) {
    if (one.prefix === undefined) continue;
    const key = prefixKey(one.prefix, one.prefix.bits);
    const group = byPrefix.get(key) ?? [];
    byPrefix.set(key, group);
    group.push(one);
    lengths.add(one.prefix.bits);
  }
  return entries.flatMap((one) => {
    const { prefix } = one;
    if (prefix === undefined) return [];
    const wider = [...lengths].filter((bits) => bits < prefix.bits);
    const around = wider.flatMap((bits) => byPrefix.get(prefixKey(prefix, bits)) ?? []);
    return around.map((other) => [other, one].toSorted((a, b) => a.at - b.at));
  });
}

function contradictions(
  group: readonly IndexedEntry[],
  identities: ProviderIdentities,
): readonly TrunkDirectoryProblem[] {
  const problems: TrunkDirectoryProblem[] = [];
  const [first] = group;
  // A large provider with a thousand trunks is the rule, and nothing to be compared pair by pair.
  if (first === undefined || group.every(({ entry }) => isSameParty(first.entry.party, entry.party, identities)))
    return problems;
  const byBegin = group.toSorted((a, b) => beginOf(a.entry) - beginOf(b.entry));
  for (const [index, one] of byBegin.entries()) {
    for (const other of byBegin.slice(index + 1)) {
      if (beginOf(other.entry) >= endOf(one.entry)) break;
      if (!mayMeet(one, other) || isSameParty(one.entry.party, other.entry.party, identities)) continue;
      const at = [one.at, other.at].toSorted((a, b) => a - b);
      problems.push({
        kind: 'contradiction',
        at,
        text: `entries ${at.join(' and ')} hold at the same time and name different parties`,
      });
      if (problems.length >= MAX_DIRECTORY_PROBLEMS) return problems;
    }
  }
  return problems;
}

/** Whether one call can have the keys of both. */
function mayMeet({ entry, prefix }: IndexedEntry, other: IndexedEntry): boolean {
  if (differ(entry.trunk, other.entry.trunk) || differ(entry.switchProvider, other.entry.switchProvider)) return false;
  if (prefix === undefined || other.prefix === undefined) return true;
  if (prefix.family !== other.prefix.family || differ(prefix.port, other.prefix.port)) return false;
  const bits = Math.min(prefix.bits, other.prefix.bits);
  return prefixKey(prefix, bits) === prefixKey(other.prefix, bits);
}

/** Between periods of entries with exactly the same keys. */
function holes(group: readonly IndexedEntry[]): readonly TrunkDirectoryProblem[] {
  const problems: TrunkDirectoryProblem[] = [];
  const bySameKeys = new Map<string, IndexedEntry[]>();
  for (const one of group) {
    const { trunk, address, switchProvider } = one.entry;
    const key = JSON.stringify([trunk, address, switchProvider]);
    const same = bySameKeys.get(key) ?? [];
    bySameKeys.set(key, same);
    same.push(one);
  }
  for (const same of bySameKeys.values()) {
    const byBegin = same.toSorted((a, b) => beginOf(a.entry) - beginOf(b.entry));
    let before: IndexedEntry | undefined;
    for (const one of byBegin) {
      if (before !== undefined && beginOf(one.entry) > endOf(before.entry)) {
        const at = [before.at, one.at].toSorted((a, b) => a - b);
        problems.push({ kind: 'hole', at, text: `between entries ${at.join(' and ')} nobody has it` });
      }
      if (before === undefined || endOf(one.entry) > endOf(before.entry)) before = one;
    }
  }
  return problems;
}

function providerProblems(data: TrunkDirectoryData, identities: ProviderIdentities): readonly TrunkDirectoryProblem[] {
  const problems: TrunkDirectoryProblem[] = [];
  for (const key of identities.shared) {
    const at = identities.all.flatMap(({ codes, names }, index) => (codes.has(key) || names.has(key) ? [index] : []));
    problems.push({ kind: 'shared-name', at, text: `providers ${at.join(' and ')} share the ${key}` });
  }
  for (const [index, { affiliates = [] }] of data.providers.entries()) {
    for (const affiliate of affiliates) {
      if (identities.resolve(affiliate).status === 'resolved') continue;
      const text = `an affiliate of provider ${String(index)} is none of the providers: ${affiliate.name}`;
      problems.push({ kind: 'unknown-affiliate', at: [index], text });
    }
  }
  for (const [index, { party }] of data.entries.entries()) {
    if (party.kind !== 'provider' || !isUnclear(party.provider, identities)) continue;
    const text = `the provider of entry ${String(index)} goes by names or codes of several: ${party.provider.name}`;
    problems.push({ kind: 'unclear-provider', at: [index], text });
  }
  return problems;
}

function isUnclear(provider: ProviderReference, identities: ProviderIdentities): boolean {
  return identities.resolve(provider).status === 'contradictory';
}
